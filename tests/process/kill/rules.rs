//! The rules: what must hold at any moment between the database, the nodes' books and what people
//! were told, and what must hold once everything is through.

use std::collections::{HashMap, HashSet};

use base64::Engine;

use crate::kill::books::Books;
use crate::kill::ledger::{Ledger, Told};
use crate::kill::state::{Order, State};

/// Checks a state. The books were read `before` and `after` the database: what a node says first
/// must be known to the shop, and what the shop says must be so at its node.
pub fn check(state: &State, before: &Books, after: &Books, told: &Told, ledger: &Ledger) {
    let mut broken = Vec::new();
    promises(state, told, &mut broken);
    intents(state, &mut broken);
    nodes_know_nothing_unintended(state, before, &mut broken);
    nodes_agree(state, after, &mut broken);
    time_and_traffic(state, told, &mut broken);
    ports(state, &mut broken);
    broken.into_iter().for_each(|text| ledger.violation(text));
}

fn plain(id: &str) -> String {
    id.replace('-', "")
}

/// Whatever was answered is stored.
fn promises(state: &State, told: &Told, broken: &mut Vec<String>) {
    for (id, seen) in &told.orders {
        let Some(order) = state.orders.get(&plain(id)) else {
            broken.push(format!("order {id} was accepted and is gone"));
            continue;
        };
        let product = state.products.get(&order.product);
        if product.is_none_or(|product| seen.port.is_some_and(|port| port != product.port)) {
            broken.push(format!("order {id} showed port {:?}: {product:?}", seen.port));
        }
        if seen.hash.as_deref().is_some_and(|hash| from_base64(hash) != order.hash) {
            broken.push(format!("order {id} showed another invoice: {order:?}"));
        }
    }
    for id in &told.listed {
        if state.products.get(&plain(id)).is_none_or(|product| !product.placed) {
            broken.push(format!("a host was told of {id} and may have it, and its port was given back"));
        }
    }
    for id in &told.activated {
        if state.products.get(&plain(id)).is_none_or(|product| product.activated_at.is_none()) {
            broken.push(format!("the activation of {id} was accepted and is gone"));
        }
    }
}

fn from_base64(text: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whoever waits for a node has an intent on disk: nothing waits for ever.
fn intents(state: &State, broken: &mut Vec<String>) {
    let known: HashSet<(&str, &str)> =
        state.effects.iter().map(|(kind, hash)| (kind.as_str(), hash.as_str())).collect();
    for (id, order) in &state.orders {
        let needed = match order.invoice_state.as_str() {
            "initial" => "make_invoice",
            "settling" => "settle_invoice",
            "cancelling" => "cancel_invoice",
            _ => continue,
        };
        if !known.contains(&(needed, order.hash.as_str())) {
            broken.push(format!("order {id} waits without an intent to {needed}: {order:?}"));
        }
    }
}

/// A node was never asked for anything that was not on disk before.
fn nodes_know_nothing_unintended(state: &State, books: &Books, broken: &mut Vec<String>) {
    for ((node, hash), entry) in books.of_the_shop() {
        if state.attempts.get(hash).is_none_or(|attempt| attempt.node != *node) {
            broken.push(format!("node {node} has an invoice that the shop does not know: {hash} {entry:?}"));
        }
    }
}

fn nodes_agree(state: &State, books: &Books, broken: &mut Vec<String>) {
    let mut settled: HashMap<&str, usize> = HashMap::new();
    for (hash, attempt) in &state.attempts {
        if books.get(&attempt.node, hash).is_some_and(|entry| entry.is_settled()) {
            *settled.entry(&attempt.order).or_default() += 1;
        }
    }
    for (id, order) in &state.orders {
        let times = settled.get(id.as_str()).copied().unwrap_or(0);
        let here = books.get(&order.node, &order.hash);
        match order.invoice_state.as_str() {
            _ if times > 1 => broken.push(format!("order {id} was paid {times} times: {order:?}")),
            "paid" if times == 0 => broken.push(format!("order {id} is paid, its node says {here:?}: {order:?}")),
            "expired" if here.is_some_and(|entry| entry.is_live() || entry.is_settled()) => {
                broken.push(format!("order {id} has ended, its node says {here:?}: {order:?}"));
            }
            _ => {}
        }
        delivered_or_owed(id, order, state, broken);
    }
}

/// Paid means: delivered, about to be, owed, or paid back.
fn delivered_or_owed(id: &str, order: &Order, state: &State, broken: &mut Vec<String>) {
    let product = &state.products[&order.product];
    let surplus = order.owed == order.received - order.price;
    let fine = match (order.invoice_state.as_str(), order.status.as_str(), order.delivery.as_str()) {
        ("paid", "P", "delivered") => surplus && order.granted_secs > 0,
        ("paid", "P", "awaiting") => surplus && product.status == "P",
        ("paid", "N", _) => order.owed == order.received,
        // The operator has paid it back, all of it.
        ("paid", "S", "none") => order.owed == 0 && order.refunded == order.received,
        ("paid", ..) => false,
        ("settling", "T", "delivered") => order.granted_secs > 0,
        ("held", "T", "awaiting") => product.status == "P",
        ("settling" | "held", ..) => false,
        ("expired" | "void", status, delivery) => status == "R" && delivery == "none" && order.granted_secs == 0,
        _ => true,
    };
    if !fine {
        broken.push(format!("order {id} is inconsistent: {order:?}, {product:?}"));
    }
}

/// Every period counts once, from the activation on; every byte too.
fn time_and_traffic(state: &State, told: &Told, broken: &mut Vec<String>) {
    let (mut secs, mut bytes): (HashMap<&str, i64>, HashMap<&str, i64>) = Default::default();
    for order in state.orders.values() {
        *secs.entry(&order.product).or_default() += order.granted_secs;
        *bytes.entry(&order.product).or_default() += order.granted_bytes;
        let period = state.products[&order.product].period_ms / 1000;
        if order.granted_secs != 0 && order.granted_secs != period {
            broken.push(format!("{} s were granted instead of {period}: {order:?}", order.granted_secs));
        }
    }
    let reported = |of: &std::collections::BTreeMap<String, i64>, id: &str| {
        of.iter().find(|(product, _)| plain(product) == id).map_or(0, |(_, bytes)| *bytes)
    };
    for (id, product) in &state.products {
        let granted = secs.get(id.as_str()).copied().unwrap_or(0) * 1000;
        if product.activated_at.is_some_and(|since| since + granted != product.suspend_after) {
            broken.push(format!("{id} has another end than {granted} ms after its activation: {product:?}"));
        }
        let limit = product.bandwidth_initial + bytes.get(id.as_str()).copied().unwrap_or(0);
        let used = limit - product.bandwidth_remaining;
        let known = reported(&told.used, id);
        // Reports that were on their way when the ledger was copied count or don't.
        if used < known || used > known + reported(&told.maybe_used, id) + 400_000 {
            broken.push(format!("{id} has used {used} bytes, {known} were reported: {product:?}"));
        }
    }
}

/// No port twice, and every reserved one has its row.
fn ports(state: &State, broken: &mut Vec<String>) {
    let rows: HashMap<&str, i64> = state.ports.iter().map(|(port, product)| (product.as_str(), *port)).collect();
    let mut seen = HashSet::new();
    for (id, product) in &state.products {
        let reserved = rows.get(id.as_str()).copied();
        if reserved != product.placed.then_some(product.port) {
            broken.push(format!("{id} reserves {reserved:?}: {product:?}"));
        }
        if product.placed && !seen.insert(product.port) {
            broken.push(format!("port {} is given out twice", product.port));
        }
    }
}

/// What must be true once nothing is left to do.
pub fn check_end(state: &State, books: &Books, ledger: &Ledger) {
    for ((node, hash), entry) in books.of_the_shop() {
        let order = state.attempts.get(hash).and_then(|attempt| state.orders.get(&attempt.order));
        let known_as_paid =
            order.is_some_and(|order| order.invoice_state == "paid" && order.received == entry.settled_msat);
        if entry.is_settled() && !known_as_paid {
            ledger.violation(format!("{hash} was paid at {node} and the shop says {order:?}"));
        }
        if entry.is_live() {
            ledger.violation(format!("{hash} can still be paid at {node}, or is held for ever: {order:?}"));
        }
    }
    for id in &ledger.snapshot().settled {
        let order = &state.orders[&plain(id)];
        if order.invoice_state != "paid" {
            ledger.violation(format!("the payer of {id} has paid: {order:?}"));
        }
    }
    for (hash, attempt) in state.attempts.iter().filter(|(_, attempt)| attempt.outcome == "intended") {
        ledger.violation(format!("nobody knows what became of {hash}: {attempt:?}"));
    }
}

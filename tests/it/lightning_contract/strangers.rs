//! Invoices that are not the shop's, and nodes that forget, replay and count in their own way: they disturb nothing.

use std::time::Duration;

use ip2tor_lnd_simulator::{Oddity, Quirks};
use ip2tor_shop::domain::lightning::{
    CancelOutcome, InvoiceRequest, NodeErrorKind, NodeInvoice, NodeInvoiceState, PaymentHash, Preimage,
};
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::policy::Policy;

use super::world::{Kind, World, next, plain, soon};

/// A part of a payment may carry so much, and more.
const MIB: usize = 1024 * 1024;

async fn pages(node: &dyn LightningNode, pending_only: bool, limit: u32) -> Vec<(PaymentHash, NodeInvoiceState)> {
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = match pending_only {
            true => node.open_invoices(after, limit).await.unwrap(),
            false => node.all_invoices(after, limit).await.unwrap(),
        };
        seen.extend(page.invoices.into_iter().map(|NodeInvoice { hash, state, .. }| (hash, state)));
        match page.next {
            Some(next) => after = next,
            None => return seen,
        }
    }
}

pub async fn spontaneous_payments_disturb_nothing(world: World) {
    let node = world.node();
    let simulated = world.simulator().node().clone();
    let first = world.sell(&*node, 1).await;
    let cursor = node.look_up(first).await.unwrap().unwrap().settle_index;
    for newest in [false, true] {
        simulated.receive_amp(1000, newest, 0).unwrap();
    }
    simulated.add_odd(Preimage([98; 32]), Oddity::Blinded, 0).unwrap();
    let keysend = simulated.receive_keysend(Preimage([99; 32]), 1000, 0).unwrap();
    node.create(&plain(2)).await.unwrap();
    let mut stream = node.settlements(cursor).await.unwrap();
    // Once the stream stands, the newest LND tells of the next one, too.
    assert_eq!(next(&mut stream).await.unwrap().unwrap().hash, keysend);
    simulated.receive_amp(1000, true, 0).unwrap();
    world.pay(plain(2).hash);
    assert_eq!(next(&mut stream).await.unwrap().unwrap().hash, plain(2).hash, "what has no hash is passed over");
    node.create(&plain(3)).await.unwrap();
    for limit in [1, 2, 100] {
        let open = pages(&*node, true, limit).await;
        assert!(open.contains(&(plain(3).hash, NodeInvoiceState::Open)), "{open:?}");
        let all = pages(&*node, false, limit).await;
        assert!(
            all.contains(&(first, NodeInvoiceState::Settled)) && all.contains(&(plain(3).hash, NodeInvoiceState::Open))
        );
    }
}

pub async fn an_invoice_that_the_node_cannot_read_is_passed_over(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let unreadable = world.simulator().node().add_odd(Preimage([99; 32]), Oddity::Unreadable, 0).unwrap();
    node.create(&plain(2)).await.unwrap();
    let both = [1, 2].map(|number| (plain(number).hash, NodeInvoiceState::Open));
    for limit in [1, 2, 100] {
        assert_eq!(pages(&*node, true, limit).await, both);
        assert_eq!(pages(&*node, false, limit).await, both);
    }
    assert_eq!(node.look_up(unreadable).await.unwrap_err().kind, NodeErrorKind::Rejected);
}

pub async fn a_state_that_nobody_knows_is_passed_over_unless_it_is_asked_for_by_its_hash(world: World) {
    let node = world.node();
    let odd = world.simulator().node().add_odd(Preimage([99; 32]), Oddity::State(7), 0).unwrap();
    node.create(&plain(1)).await.unwrap();
    assert_eq!(pages(&*node, true, 100).await, [(plain(1).hash, NodeInvoiceState::Open)]);
    assert_eq!(node.look_up(odd).await.unwrap_err().kind, NodeErrorKind::Rejected);
}

pub async fn an_answer_that_is_too_large_is_asked_for_in_parts(world: World) {
    let node = world.node_with(world.credentials("shop.macaroon"), Policy::default().patient());
    let simulated = world.simulator().node().clone();
    let size = if world.kind == Kind::LndGrpc { 2 * MIB } else { 6 * MIB };
    for number in 1..=3 {
        simulated.receive_keysend(Preimage([100 + number; 32]), 1000, size).unwrap();
        node.create(&plain(number)).await.unwrap();
    }
    // This one alone is too large.
    simulated.receive_amp(1000, false, 17 * MIB).unwrap();
    node.create(&plain(4)).await.unwrap();
    let ours = (1..=4).map(|number| (plain(number).hash, NodeInvoiceState::Open)).collect::<Vec<_>>();
    assert_eq!(pages(&*node, true, 12).await, ours);
    assert_eq!(pages(&*node, false, 12).await.len(), 3 + 4);
}

pub async fn a_payment_of_very_many_parts_does_not_end_the_stream(world: World) {
    let node = world.node_with(world.credentials("shop.macaroon"), Policy::default().patient());
    let first = world.sell(&*node, 1).await;
    let cursor = node.look_up(first).await.unwrap().unwrap().settle_index;
    let mut stream = node.settlements(cursor).await.unwrap();
    world.simulator().node().receive_keysend(Preimage([99; 32]), 1000, 6 * MIB).unwrap();
    node.create(&plain(2)).await.unwrap();
    world.pay(plain(2).hash);
    while next(&mut stream).await.unwrap().unwrap().hash != plain(2).hash {}
}

pub async fn pages_begin_after_the_index_that_is_asked_for(world: World) {
    let node = world.node();
    let mut indexes = Vec::new();
    for number in 1..=3 {
        indexes.push(node.create(&plain(number)).await.unwrap().add_index.expect("the node tells it"));
    }
    let again = node.create(&plain(2)).await.unwrap();
    assert_eq!(again.add_index, Some(indexes[1]), "also of one that is there");
    assert_eq!(node.look_up(plain(3).hash).await.unwrap().unwrap().add_index, indexes[2]);
    let read = world.simulator().node().invoices_read();
    let page = node.open_invoices(indexes[1] - 1, 100).await.unwrap();
    assert_eq!(page.invoices.iter().map(|invoice| invoice.hash).collect::<Vec<_>>(), [2, 3].map(|n| plain(n).hash));
    assert_eq!(world.simulator().node().invoices_read() - read, 2, "older ones are not even looked at");
}

pub async fn watching_an_invoice_that_is_gone_ends(world: World) {
    let node = world.node();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    assert!(next(&mut stream).await.is_none());
}

pub async fn watching_an_invoice_that_is_deleted_meanwhile_ends(world: World) {
    let node = world.node();
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Open);
    let deleted = async {
        loop {
            world.simulator().node().lose(plain(1).hash).unwrap();
            let moment = Duration::from_millis(100);
            if let Ok(item) = tokio::time::timeout(moment, futures_util::StreamExt::next(&mut stream)).await {
                return item;
            }
        }
    };
    assert!(soon(deleted).await.is_none());
}

pub async fn a_node_that_collects_garbage_cancels_all_the_same(world: World) {
    world.simulator().node().set_quirks(Quirks { collects_garbage: true, ..Quirks::default() });
    let node = world.node();
    let request = InvoiceRequest { preimage: None, ..plain(1) };
    node.create(&request).await.unwrap();
    let mut stream = node.watch(request.hash).await.unwrap();
    assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Open);
    assert_eq!(node.cancel(request.hash).await.unwrap(), CancelOutcome::Cancelled);
    assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Canceled);
    assert_eq!(node.cancel(request.hash).await.unwrap(), CancelOutcome::Unknown);
    assert_eq!(node.look_up(request.hash).await.unwrap(), None);
}

pub async fn a_state_that_is_told_twice_disturbs_no_watcher(world: World) {
    world.simulator().node().set_quirks(Quirks { tells_open_twice: true, ..Quirks::default() });
    let node = world.node();
    let request = InvoiceRequest { preimage: None, ..plain(1) };
    node.create(&request).await.unwrap();
    let mut stream = node.watch(request.hash).await.unwrap();
    for _ in 0..2 {
        assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Open);
    }
    assert_eq!(node.cancel(request.hash).await.unwrap(), CancelOutcome::Cancelled);
    assert_eq!(next(&mut stream).await.unwrap().unwrap().state, NodeInvoiceState::Canceled);
    assert!(next(&mut stream).await.is_none());
}

/// A rule of LND: whoever follows it has to notice by other means.
pub async fn nothing_is_told_up_to_the_cursor_when_a_node_counts_anew(world: World) {
    let node = world.node();
    for number in 1..=2 {
        world.sell(&*node, number).await;
    }
    world.simulator().node().restart_settle_indexes().unwrap();
    let subscriptions = world.simulator().node().subscriptions();
    let mut stream = node.settlements(2).await.unwrap();
    soon(world.simulator().node().subscriptions_reach(subscriptions + 1)).await;
    let silent = world.sell(&*node, 3).await;
    world.sell(&*node, 4).await;
    let heard = world.sell(&*node, 5).await;
    assert_eq!(node.look_up(silent).await.unwrap().unwrap().settle_index, 1);
    assert_eq!(next(&mut stream).await.unwrap().unwrap().hash, heard, "the first that is numbered above the cursor");
}

/// A rule of Core Lightning.
pub async fn a_node_that_counts_anew_goes_on_with_a_lower_index(world: World) {
    let node = world.node();
    for number in 1..=3 {
        world.sell(&*node, number).await;
    }
    world.simulator().node().restart_settle_indexes().unwrap();
    let mut stream = node.settlements(3).await.unwrap();
    let mut number = 10;
    let told = loop {
        let hash = world.sell(&*node, number).await;
        let moment = Duration::from_millis(200);
        if let Ok(item) = tokio::time::timeout(moment, futures_util::StreamExt::next(&mut stream)).await {
            break (item.unwrap().unwrap(), hash);
        }
        number += 1;
    };
    assert!(told.0.settle_index > 0 && told.0.settle_index <= u64::from(number - 9), "{told:?}");
}

pub async fn a_paid_invoice_may_be_forgotten(world: World) {
    let node = world.node();
    assert!(node.forgets_paid());
    let hash = world.sell(&*node, 1).await;
    world.simulator().node().clean_paid().unwrap();
    assert_eq!(node.look_up(hash).await.unwrap(), None);
    assert_eq!(node.cancel(hash).await.unwrap(), CancelOutcome::Unknown, "which does not mean that it was not paid");
}

//! Whether the dump is of the whole shop: one that leaves an app out reads like a shop that has nothing of the kind, and
//! what is owed would be gone without a word.

use super::super::dump::COMMAND;
use super::super::old::Old;
use super::parts::Plan;

/// Refuses what can't be a whole shop, and asks about what hardly is one.
pub fn check(old: &Old, plan: &mut Plan) {
    if old.hosts.is_empty() {
        plan.wrong.push(format!("there is no shop.host in it: write the whole shop with `{COMMAND}`"));
    }
    if !old.orders.is_empty() && old.invoices.is_empty() {
        plan.wrong.push(format!("it has orders and no lninvoice.invoice: write the whole shop with `{COMMAND}`"));
    }
    if old.orders.is_empty() && !old.products.is_empty() {
        plan.ledger.ask(format!(
            "there are bridges and no order in it: if that was otherwise in the old shop, write the dump again with \
             `{COMMAND}`"
        ));
    }
    if old.nodes.is_empty() && !old.invoices.is_empty() {
        plan.ledger.ask(format!(
            "there are invoices and no node in it: if the old shop had one that this shop can use, write the dump again \
             with `{COMMAND}`"
        ));
    }
}

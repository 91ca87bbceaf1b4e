//! Orders of which money is known and no payment hash, by which it could be looked up: they are told, and are no orders here.

use super::parts::Plan;
use super::sales::{Sale, Standing};
use crate::domain::alert::AlertTopic;

/// What names the order to its operator.
pub fn about(sale: &Sale<'_>, what: &str) -> String {
    let amount = sale.invoice.map_or(sale.untraceable, |invoice| invoice.amount);
    let hash = sale.invoice.and_then(|invoice| invoice.hash).map(|hash| hash.to_string());
    format!("order {} ({amount}, payment hash {}) {what}", sale.order.id, hash.as_deref().unwrap_or("unknown"))
}

/// Debts that no payment shows and payments that nobody can look up: what is right their operator has to find out.
pub fn tell_of_untraceable(sale: &Sale<'_>, plan: &mut Plan) {
    let (order, beside) = (sale.order.id, sale.untraceable_beside());
    if sale.is_owed_unpaid() {
        let text = about(sale, "of the old shop is called owed there, and no payment shows it: find out what was paid");
        plan.alert(AlertTopic::NeedsRefund, order, text.clone());
        plan.ledger.ask(text);
    } else if beside.0 > 0 {
        let what =
            format!("of the old shop was paid {beside} by an invoice without a payment hash: pay that back by hand");
        let text = about(sale, &what);
        plan.alert(AlertTopic::Overpaid, order, text.clone());
        plan.ledger.ask(text);
    }
}

/// An order whose invoice can't be known again is none here.
pub fn drop_untraceable(sale: &Sale<'_>, standing: Standing, plan: &mut Plan) {
    let what = match standing {
        Standing::ByHand => return sale.drop(plan, "history: somebody counted it as paid, and no invoice says so"),
        Standing::Delivered | Standing::Refunded => {
            return sale.drop(plan, "history: paid, and its invoice has no payment hash");
        }
        Standing::Ended | Standing::Open => return sale.drop(plan, "it has no invoice with a payment hash"),
        Standing::Awaiting => {
            "of the old shop was paid and waits for its host: if that never activates it, pay it back by hand"
        }
        _ => "of the old shop was paid and not delivered: pay it back by hand",
    };
    let text = about(sale, what);
    plan.alert(AlertTopic::NeedsRefund, sale.order.id, text.clone());
    plan.ledger.ask(text);
    sale.drop(plan, "paid; its invoice has no payment hash, so it is an alert here and no order");
}

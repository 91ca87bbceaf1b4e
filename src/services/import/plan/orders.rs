//! An order of the old shop as a purchase of this one.

use super::super::old::{Invoice as OldInvoice, State};
use super::nodes;
use super::parts::{NewOrder, OtherInvoice, Plan};
use super::sales::{Money, Sale, Standing};
use super::untraceable::{about, drop_untraceable, tell_of_untraceable};
use crate::domain::alert::AlertTopic;
use crate::domain::id::{NodeId, ProductId};
use crate::domain::money::Msat;
use crate::domain::product::Product;
use crate::domain::purchase::{Delivery, Invoice, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::domain::texts::{Ending, OrderMessage};
use crate::domain::time::Timestamp;

/// Takes an order over, if it has an invoice that can be known again.
pub fn take(
    sale: &Sale<'_>,
    standing: Standing,
    kind: PurchaseKind,
    product: &Product,
    plan: &mut Plan,
    now: Timestamp,
) {
    tell_of_untraceable(sale, plan);
    let Some((invoice, is_followed)) = invoice(sale, standing, plan, now) else {
        return drop_untraceable(sale, standing, plan);
    };
    let mut purchase = Purchase {
        id: sale.order.id,
        kind,
        status: OrderStatus::ToBePaid,
        message: None,
        price: invoice.amount,
        periods: 1,
        delivery: Delivery::None,
        granted_secs: 0,
        granted_bytes: 0,
        owed: Msat(0),
        refunded: Msat(0),
        late_secs: None,
        invoice,
        created_at: sale.order.created_at,
        modified_at: sale.order.modified_at,
    };
    stand(&mut purchase, standing, product);
    if let (Standing::Ended, Some(text)) = (standing, &sale.order.message) {
        purchase.message = Some(OrderMessage::Free(text.clone()));
    }
    if standing == Standing::Open && !is_followed {
        vanish(&mut purchase, plan);
    }
    if matches!(standing, Standing::Owed | Standing::OwedUnlessDelivered) {
        tell_of_debt(&purchase, plan);
    }
    paid_again(sale, &mut purchase, plan);
    sale.take(plan, &format!("{} of {}", kind.name(), product.id));
    let others = sale.others.iter().filter_map(|other| {
        Some(OtherInvoice {
            hash: other.hash?,
            node: node(other.node),
            received: is_paid(other).then_some(other.amount),
        })
    });
    let others: Vec<_> = others.collect();
    others.iter().for_each(|other| nodes::gone_node(other.node, plan, now));
    plan.orders.push(NewOrder { purchase, product: product.id, host: product.host_id, others });
}

fn is_paid(invoice: &OldInvoice) -> bool {
    invoice.state == State::Paid
}

/// What came by further invoices of the same order is owed.
fn paid_again(sale: &Sale<'_>, purchase: &mut Purchase, plan: &mut Plan) {
    let again: u64 = sale.others.iter().filter(|other| is_paid(other)).map(|other| other.amount.0).sum();
    if again == 0 {
        return;
    }
    let received = purchase.invoice.received.unwrap_or_default().0.saturating_add(again);
    purchase.invoice.received = Some(Msat(received));
    purchase.owed = Msat(purchase.owed.0.saturating_add(again));
    if purchase.status == OrderStatus::Refunded {
        purchase.status = OrderStatus::NeedsRefund;
    }
    let text =
        format!("{} is owed to the buyer: the order was paid by more than one invoice in the old shop", purchase.owed);
    plan.alert(AlertTopic::Overpaid, purchase.id, text);
}

/// Which node an invoice is at; one that does not say is at none that is known.
fn node(id: Option<uuid::Uuid>) -> NodeId {
    NodeId(id.unwrap_or_default())
}

/// The invoice, and whether its node can be asked for it.
fn invoice(sale: &Sale<'_>, standing: Standing, plan: &mut Plan, now: Timestamp) -> Option<(Invoice, bool)> {
    let found = sale.invoice?;
    let node_id = node(found.node);
    nodes::gone_node(node_id, plan, now);
    let is_followed = plan.nodes.iter().any(|new| new.node.id == node_id && !new.is_gone);
    let invoice = Invoice {
        state: InvoiceState::Open,
        node_id,
        hash: found.hash?,
        is_hold: false,
        payment_request: found.payment_request.clone(),
        amount: found.amount,
        rates: found.rates,
        received: None,
        described_by: None,
        expiry_secs: found.expiry_secs,
        made_at: found.made_at,
        expires_at: found.expires_at.or(Some(found.created_at)),
        held_at: None,
        paid_at: None,
        created_at: found.created_at,
        modified_at: found.modified_at,
    };
    let paid_at = found.paid_at.unwrap_or(found.modified_at);
    let is_paid = sale.money == Money::Paid;
    // What the old shop had not applied is applied as if its node told it now.
    let state = if is_paid && standing != Standing::Unapplied { InvoiceState::Paid } else { InvoiceState::Open };
    let received = is_paid.then_some(found.amount);
    let invoice = Invoice { state, received, paid_at: is_paid.then_some(paid_at), ..invoice };
    Some((invoice, is_followed))
}

fn stand(purchase: &mut Purchase, standing: Standing, product: &Product) {
    let period = match product.suspend_after {
        Some(_) => product.terms.duration_secs.saturating_add(product.terms.grace_secs),
        None => 0,
    };
    match standing {
        Standing::Delivered => {
            purchase.status = OrderStatus::Paid;
            purchase.delivery = Delivery::Delivered;
            purchase.granted_secs = period;
        }
        Standing::Awaiting => {
            purchase.status = OrderStatus::Paid;
            purchase.delivery = Delivery::Awaiting;
            // A first period begins with the activation; one more was added when it was paid.
            purchase.granted_secs = if product.activated_at.is_some() { period } else { 0 };
        }
        Standing::Owed | Standing::OwedUnlessDelivered => owe(purchase, standing == Standing::OwedUnlessDelivered),
        Standing::Refunded => {
            purchase.status = OrderStatus::Refunded;
            purchase.message = Some(OrderMessage::Refunded);
            purchase.refunded = purchase.invoice.amount;
        }
        Standing::ByHand => {
            purchase.status = OrderStatus::Paid;
            purchase.delivery = Delivery::Delivered;
            purchase.granted_secs = period;
            purchase.invoice.state = InvoiceState::Expired;
        }
        Standing::Ended => {
            purchase.status = OrderStatus::Rejected;
            purchase.message = Some(OrderMessage::Ended(Ending::Expired));
            purchase.invoice.state = InvoiceState::Expired;
        }
        Standing::Open | Standing::Unapplied => {}
    }
}

fn owe(purchase: &mut Purchase, may_come: bool) {
    purchase.status = OrderStatus::NeedsRefund;
    purchase.message = Some(OrderMessage::Undelivered);
    purchase.delivery = if may_come { Delivery::Awaiting } else { Delivery::None };
    purchase.granted_secs = 0;
    let received = purchase.invoice.amount;
    purchase.owed = Msat(purchase.owed.0.saturating_add(received.0));
    purchase.invoice.state = InvoiceState::Paid;
    purchase.invoice.received = Some(purchase.invoice.received.unwrap_or(received).max(received));
}

fn tell_of_debt(purchase: &Purchase, plan: &mut Plan) {
    let (owed, hash) = (purchase.owed, purchase.invoice.hash);
    let text = format!("{owed} is owed to the buyer: paid in the old shop and not delivered (payment hash {hash})");
    plan.alert(AlertTopic::NeedsRefund, purchase.id, text);
}

/// Nobody can be asked any more whether it was paid.
fn vanish(purchase: &mut Purchase, plan: &mut Plan) {
    purchase.status = OrderStatus::Rejected;
    purchase.message = Some(OrderMessage::Vanished);
    purchase.invoice.state = InvoiceState::Expired;
    let (hash, price) = (purchase.invoice.hash, purchase.price);
    let text = format!(
        "The invoice of this order of the old shop ({price}, payment hash {hash}) is at a node that is not there any more: \
         it may have been paid. Look for the hash at that node; if it was paid, pay it back. Close this alert then"
    );
    plan.alert(AlertTopic::InvoiceVanished, purchase.id, text);
}

/// A product can't be given: what its host has yet to activate is owed, or else what was paid for it last.
pub fn owe_undelivered(product: ProductId, plan: &mut Plan) {
    let is_paid = |new: &NewOrder| {
        new.product == product
            && new.purchase.status == OrderStatus::Paid
            && new.purchase.invoice.state == InvoiceState::Paid
    };
    let paid: Vec<usize> = (0..plan.orders.len()).filter(|at| is_paid(&plan.orders[*at])).collect();
    let mut owed: Vec<usize> = paid.iter().copied().filter(|at| plan.orders[*at].purchase.has_claim()).collect();
    if owed.is_empty() {
        owed.extend(paid.last());
    }
    if owed.is_empty() {
        plan.ledger.ask(format!("{product} can't be given, and nothing tells what was paid for it"));
    }
    for at in owed {
        owe(&mut plan.orders[at].purchase, false);
        let purchase = plan.orders[at].purchase.clone();
        tell_of_debt(&purchase, plan);
    }
}

/// What was paid last for a product is given once its host has activated it, or owed if it does not.
pub fn await_last(product: ProductId, plan: &mut Plan) {
    let is_given = |new: &&mut NewOrder| {
        new.product == product
            && new.purchase.delivery == Delivery::Delivered
            && new.purchase.invoice.state == InvoiceState::Paid
    };
    if let Some(new) = plan.orders.iter_mut().rev().find(is_given) {
        new.purchase.delivery = Delivery::Awaiting;
    }
}

/// Orders whose product is not there any more: usual for those that were delivered, since the old shop deletes the
/// items of what it deletes.
pub fn drop_homeless(sale: &Sale<'_>, plan: &mut Plan, now: Timestamp) {
    let order = sale.order.id;
    tell_of_untraceable(sale, plan);
    match sale.standing() {
        Standing::Unapplied | Standing::Owed => {
            let text = about(
                sale,
                "of the old shop was paid and never delivered, and its product is gone: pay it back by hand",
            );
            plan.alert(AlertTopic::NeedsRefund, order, text.clone());
            plan.ledger.ask(text);
            sale.drop(plan, "paid and owed; its product is gone, so it is an alert here and no order");
        }
        Standing::Open => {
            let is_payable = sale.invoice.and_then(|invoice| invoice.expires_at).is_some_and(|end| end > now);
            let what = match is_payable {
                true => "can still be paid, for a product that is gone: cancel the invoice at its node",
                false => {
                    "may have been paid without the old shop noticing, and its product is gone: look for the hash at its \
                     node; if it was paid, pay it back by hand"
                }
            };
            plan.ledger.ask(about(sale, what));
            sale.drop(plan, "its product is gone, and nobody knows of a payment");
        }
        Standing::Ended => sale.drop(plan, "never paid, and its product is gone"),
        _ => sale.drop(plan, "history: paid, and its product is gone"),
    }
}

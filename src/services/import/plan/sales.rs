//! Which order is for which product and has which invoice, and where that leaves its money.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::dump::Key;
use super::super::old::{Invoice, Item, Old, Order, State};
use super::parts::Plan;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;

/// What is known of an order's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// It came.
    Paid,
    /// It may still come, or have come unseen: its node has to be asked.
    Open,
    /// It did not.
    Ended,
    /// There is no invoice that anybody could know again.
    Unknown,
}

/// Where the old shop left an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Paid and given.
    Delivered,
    /// Paid, and its host has yet to activate it.
    Awaiting,
    /// Paid, and the old shop had not noticed, or did nothing.
    Unapplied,
    /// Paid, and the money is owed.
    Owed,
    /// Paid, owed, and given if the host should report so after all.
    OwedUnlessDelivered,
    /// Paid back.
    Refunded,
    /// Can be paid.
    Open,
    /// Counted as paid by somebody's word.
    ByHand,
    /// Never paid.
    Ended,
}

/// An order with what belongs to it.
pub struct Sale<'a> {
    pub order: &'a Order,
    /// The invoice that counts.
    pub invoice: Option<&'a Invoice>,
    /// Further ones with a hash.
    pub others: Vec<&'a Invoice>,
    pub money: Money,
    /// What was paid by invoices without a hash, for which no node can be asked.
    pub untraceable: Msat,
    keys: Vec<&'a Key>,
}

impl Sale<'_> {
    /// Whether the old shop counted the order as paid.
    fn is_called_paid(&self) -> bool {
        matches!(self.order.status.as_str(), "P" | "F" | "A")
    }

    /// Where the order is, seen by itself.
    pub fn standing(&self) -> Standing {
        match (self.money, self.order.status.as_str()) {
            (Money::Paid, _) if self.is_called_paid() => Standing::Delivered,
            (Money::Paid, "S") => Standing::Refunded,
            (Money::Paid, "N" | "R" | "C" | "D") => Standing::Owed,
            (Money::Paid, _) => Standing::Unapplied,
            _ if self.is_called_paid() => Standing::ByHand,
            (Money::Open, _) => Standing::Open,
            (Money::Ended | Money::Unknown, _) => Standing::Ended,
        }
    }

    /// Whether the old shop says that money is owed, and no payment shows it.
    pub fn is_owed_unpaid(&self) -> bool {
        self.order.status == "N" && self.money != Money::Paid
    }

    /// What came by invoices without a hash beside the one that counts, and nothing was given for.
    pub fn untraceable_beside(&self) -> Msat {
        let is_settled = self.order.status == "S" || self.is_called_paid() && self.money != Money::Paid;
        if self.invoice.is_none() || is_settled { Msat(0) } else { self.untraceable }
    }

    /// All its objects are taken over.
    pub fn take(&self, plan: &mut Plan, what: &str) {
        self.keys.iter().for_each(|key| plan.ledger.take(key, what));
    }

    /// None of its objects is.
    pub fn drop(&self, plan: &mut Plan, why: &str) {
        self.keys.iter().for_each(|key| plan.ledger.drop(key, why));
    }
}

/// All orders: by the product that they are for, oldest first, and those whose product is not there any more.
#[derive(Default)]
pub struct Sales<'a> {
    pub by_product: BTreeMap<Uuid, Vec<Sale<'a>>>,
    pub homeless: Vec<Sale<'a>>,
}

/// Ties orders, items and invoices together.
pub fn link<'a>(old: &'a Old, plan: &mut Plan) -> Sales<'a> {
    let products: BTreeSet<Uuid> = old.products.iter().map(|product| product.id).collect();
    let known: BTreeSet<OrderId> = old.orders.iter().map(|order| order.id).collect();
    let mut items: BTreeMap<OrderId, Vec<&Item>> = BTreeMap::new();
    for item in &old.items {
        match known.contains(&item.order) {
            true => items.entry(item.order).or_default().push(item),
            false => plan.wrong.push(format!("{}: its order is not in the dump", item.key)),
        }
    }
    let mut invoices = invoices(old, &known, plan);
    let mut sales = Sales::default();
    for order in &old.orders {
        let mut items = items.remove(&order.id).unwrap_or_default();
        // What it is for comes first; the old shop only ever sold one thing at a time.
        items.sort_by_key(|item| (!products.contains(&item.product), item.position));
        let product = items.first().map(|item| item.product).filter(|product| products.contains(product));
        let sale = sale(order, items, invoices.remove(&order.id).unwrap_or_default());
        match product {
            Some(product) => sales.by_product.entry(product).or_default().push(sale),
            None => sales.homeless.push(sale),
        }
    }
    for list in sales.by_product.values_mut() {
        // Of two that are as old, the one that was paid made it.
        list.sort_by_key(|sale| (sale.order.created_at, sale.money as u8, sale.order.id));
    }
    sales
}

/// The invoices of each order, oldest first. A payment hash can be that of one alone.
fn invoices<'a>(old: &'a Old, known: &BTreeSet<OrderId>, plan: &mut Plan) -> BTreeMap<OrderId, Vec<&'a Invoice>> {
    let mut sorted: Vec<&Invoice> = old.invoices.iter().collect();
    sorted.sort_by_key(|invoice| (invoice.created_at, &invoice.keys[0]));
    let (mut hashes, mut by_order) = (BTreeSet::new(), BTreeMap::<_, Vec<_>>::new());
    for invoice in sorted {
        let is_new = invoice.hash.is_none_or(|hash| hashes.insert(hash));
        match invoice.order {
            None => invoice.keys.iter().for_each(|key| plan.ledger.drop(key, "it belongs to no order")),
            Some(order) if !known.contains(&order) => {
                plan.wrong.push(format!("{}: its order is not in the dump", invoice.keys[0]));
            }
            Some(_) if !is_new => {
                plan.wrong.push(format!("{}: another invoice has the same payment hash", invoice.keys[0]));
            }
            Some(order) => by_order.entry(order).or_default().push(invoice),
        }
    }
    by_order
}

fn sale<'a>(order: &'a Order, items: Vec<&'a Item>, invoices: Vec<&'a Invoice>) -> Sale<'a> {
    let keys = std::iter::once(&order.key)
        .chain(items.iter().map(|item| &item.key))
        .chain(invoices.iter().flat_map(|invoice| &invoice.keys))
        .collect();
    let (mut usable, without_hash): (Vec<&Invoice>, Vec<&Invoice>) =
        invoices.into_iter().partition(|invoice| invoice.hash.is_some());
    let paid = without_hash.iter().filter(|invoice| invoice.state == State::Paid);
    let untraceable = paid.fold(0_u64, |sum, invoice| sum.saturating_add(invoice.amount.0));
    // The newest of those that tell most.
    usable.sort_by_key(|invoice| money(invoice) as u8);
    let most = usable.first().map(|invoice| money(invoice));
    let at = usable.iter().rposition(|invoice| Some(money(invoice)) == most);
    let invoice = at.map(|at| usable.remove(at));
    let otherwise = if untraceable > 0 { Money::Paid } else { Money::Unknown };
    Sale { order, invoice, others: usable, money: most.unwrap_or(otherwise), untraceable: Msat(untraceable), keys }
}

/// What one invoice tells. One that the buyer was never shown can't have been paid.
fn money(invoice: &Invoice) -> Money {
    match invoice.state {
        State::Paid => Money::Paid,
        State::Unpaid if invoice.payment_request.is_some() => Money::Open,
        State::Unpaid | State::Initial | State::Expired => Money::Ended,
    }
}

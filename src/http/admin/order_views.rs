//! An order in bodies: with its item and its one invoice, of which there is never one without the others.

use poem_openapi::Object;
use serde::Serialize;

use super::values::{AdminChange, date, msat, told};
use crate::domain::fiat::Rate;
use crate::domain::product::Subject;
use crate::domain::purchase::Invoice;
use crate::domain::texts::Language;
use crate::services::orders::place::OrderView;
use crate::services::payments::refunds::Refund;

/// An order. Amounts are msat.
#[derive(Debug, Serialize, Object)]
pub struct AdminOrder {
    /// Its id, which its item and its invoice have as well.
    pub id: String,
    /// `first` or `extension`.
    pub kind: String,
    /// Its state: I, K, L, M being prepared, T to be paid, P paid, R ended without payment, N refund owed, S refunded.
    pub status: String,
    /// What its buyer reads.
    pub message: Option<String>,
    /// What it costs.
    pub price: i64,
    /// What came.
    pub received: Option<i64>,
    /// What is owed to the buyer.
    pub owed: i64,
    /// What was paid back.
    pub refunded: i64,
    /// `none`, `awaiting` or `delivered`.
    pub delivery: String,
    /// Seconds from the payment to the delivery, where that was later than buyers' software waits.
    pub late_secs: Option<i64>,
    /// Seconds that it added to the product.
    pub granted_secs: i64,
    /// Bytes that it added to the product.
    pub granted_bytes: i64,
    /// Its product.
    pub product_id: String,
    /// `tor_bridge` or `nostr_alias`.
    pub product_kind: String,
    /// The state of its product.
    pub product_status: String,
    /// The target or the alias of its product.
    pub what: String,
    /// Its host.
    pub host_id: String,
    /// The name of its host.
    pub host_name: String,
    /// When it was placed.
    pub created_at: String,
    /// When it last changed.
    pub modified_at: String,
    /// Its invoice.
    pub invoice: AdminInvoice,
}

impl AdminOrder {
    /// As it is shown, with its message in a language.
    pub fn new(view: &OrderView, language: Language) -> Self {
        let OrderView { purchase, product, host } = view;
        let what = match &product.subject {
            Subject::Target(target) => target.clone(),
            Subject::Alias { alias, .. } => alias.clone(),
        };
        Self {
            id: purchase.id.to_string(),
            kind: purchase.kind.name().to_owned(),
            status: purchase.status.letter().to_owned(),
            message: told(purchase.message.as_ref(), language),
            price: msat(purchase.price),
            received: purchase.invoice.received.map(msat),
            owed: msat(purchase.owed),
            refunded: msat(purchase.refunded),
            delivery: purchase.delivery.name().to_owned(),
            late_secs: purchase.late_secs,
            granted_secs: purchase.granted_secs,
            granted_bytes: purchase.granted_bytes,
            product_id: product.id.to_string(),
            product_kind: product.kind().name().to_owned(),
            product_status: product.status.letter().to_owned(),
            what,
            host_id: host.id.to_string(),
            host_name: host.name.clone(),
            created_at: purchase.created_at.to_wire(),
            modified_at: purchase.modified_at.to_wire(),
            invoice: AdminInvoice::new(&purchase.invoice),
        }
    }
}

/// An invoice. Amounts are msat.
#[derive(Debug, Serialize, Object)]
pub struct AdminInvoice {
    /// initial, open, held, settling, cancelling, paid, expired or void.
    pub state: String,
    /// The node that it is on.
    pub node_id: String,
    /// Names it at the node.
    pub payment_hash: String,
    /// Whether its payment is held until delivery.
    pub is_hold: bool,
    /// BOLT11, once made.
    pub payment_request: Option<String>,
    /// What it asks.
    pub amount: i64,
    /// What came.
    pub received: Option<i64>,
    /// Seconds that it can be paid.
    pub expiry_secs: u32,
    /// When the node made it.
    pub made_at: Option<String>,
    /// When it can no longer be paid.
    pub expires_at: Option<String>,
    /// When its payment was accepted.
    pub held_at: Option<String>,
    /// When it was settled.
    pub paid_at: Option<String>,
    /// The rate for the tax office, frozen when it was made.
    pub tax_rate: Option<AdminRate>,
    /// The rate for information, frozen when it was made.
    pub info_rate: Option<AdminRate>,
}

impl AdminInvoice {
    fn new(invoice: &Invoice) -> Self {
        Self {
            state: invoice.state.name().to_owned(),
            node_id: invoice.node_id.to_string(),
            payment_hash: invoice.hash.to_string(),
            is_hold: invoice.is_hold,
            payment_request: invoice.payment_request.clone(),
            amount: msat(invoice.amount),
            received: invoice.received.map(msat),
            expiry_secs: invoice.expiry_secs,
            made_at: date(invoice.made_at),
            expires_at: date(invoice.expires_at),
            held_at: date(invoice.held_at),
            paid_at: date(invoice.paid_at),
            tax_rate: invoice.rates.tax.map(Into::into),
            info_rate: invoice.rates.info.map(Into::into),
        }
    }
}

/// What a bitcoin costs.
#[derive(Debug, Serialize, Object)]
pub struct AdminRate {
    /// The currency, as in ISO 4217.
    pub currency: String,
    /// Hundredths of it for one bitcoin.
    pub cents: u64,
}

impl From<Rate> for AdminRate {
    fn from(rate: Rate) -> Self {
        Self { currency: rate.currency.code().to_owned(), cents: rate.cents }
    }
}

/// A payment back to a buyer. Amounts are msat.
#[derive(Debug, Serialize, Object)]
pub struct AdminRefund {
    /// Names the buyer's invoice.
    pub payment_hash: String,
    /// The node that pays.
    pub node_id: String,
    /// The buyer's payment request.
    pub bolt11: String,
    /// What the buyer gets.
    pub amount: i64,
    /// The most that the route may cost.
    pub fee_limit: i64,
    /// `intended` (its outcome is not known yet), `succeeded` or `failed`.
    pub state: String,
    /// When its state last changed.
    pub modified_at: String,
}

impl From<Refund> for AdminRefund {
    fn from(refund: Refund) -> Self {
        Self {
            payment_hash: refund.hash.to_string(),
            node_id: refund.node.to_string(),
            bolt11: refund.bolt11,
            amount: msat(refund.amount),
            fee_limit: msat(refund.fee_limit),
            state: refund.state.name().to_owned(),
            modified_at: refund.modified_at.to_wire(),
        }
    }
}

/// An order with its refunds and its history.
#[derive(Debug, Serialize, Object)]
pub struct AdminOrderDetail {
    /// The order.
    pub order: AdminOrder,
    /// What was, or is being, paid back through a node; oldest first.
    pub refunds: Vec<AdminRefund>,
    /// What happened to it, oldest first.
    pub history: Vec<AdminChange>,
}

/// A note about what was done by hand.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNote {
    /// What was done, for the change log.
    pub note: String,
}

/// What was noted.
#[derive(Debug, Serialize, Object)]
pub struct AdminNoted {
    /// The order.
    pub id: String,
    /// Its state now.
    pub status: String,
    /// What it still owes.
    pub owed: i64,
}

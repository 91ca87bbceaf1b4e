//! Orders, their items and their invoices.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use super::super::dump::{Key, Object};
use super::reader::Reader;
use crate::domain::fiat::{Currency, InvoiceRates, Rate};
use crate::domain::id::OrderId;
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

/// An order. Its status is the old shop's letter.
pub struct Order {
    pub key: Key,
    pub id: OrderId,
    pub status: String,
    pub message: Option<String>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

/// What an order is for.
pub struct Item {
    pub key: Key,
    pub order: OrderId,
    /// The id of the product, which may no longer be there.
    pub product: Uuid,
    pub position: i64,
}

/// What the old shop knew of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Never made at its node, as far as anybody was shown.
    Initial,
    /// It could be paid.
    Unpaid,
    /// It was.
    Paid,
    /// Its time was over.
    Expired,
}

/// An invoice; `order` is `None` when nothing says which it is for.
pub struct Invoice {
    pub keys: Vec<Key>,
    pub order: Option<OrderId>,
    pub node: Option<Uuid>,
    pub state: State,
    pub hash: Option<PaymentHash>,
    pub payment_request: Option<String>,
    pub amount: Msat,
    pub rates: InvoiceRates,
    pub expiry_secs: u32,
    pub made_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
}

pub(super) fn order(object: &Object) -> Result<Order, String> {
    Ok(Order {
        key: object.key.clone(),
        id: OrderId(object.own_id()?),
        status: object.some_text("status")?,
        message: object.text("message")?.filter(|text| !text.is_empty()),
        created_at: object.some_time("created_at")?,
        modified_at: object.some_time("modified_at")?,
    })
}

pub(super) fn item(object: &Object) -> Result<Item, String> {
    Ok(Item {
        key: object.key.clone(),
        order: OrderId(object.some_id("po")?),
        product: object.some_id("object_id")?,
        position: object.int("position")?.unwrap_or(0),
    })
}

/// Each invoice of an order is two objects: the invoice, and the one that names the order.
pub(super) fn invoices(reader: &mut Reader) -> Vec<Invoice> {
    let mut links = reader.each("lninvoice.purchaseorderinvoice", |object| {
        Ok((object.key.pk.clone(), (object.key.clone(), OrderId(object.some_id("po")?))))
    });
    links.sort();
    let mut links: std::collections::BTreeMap<_, _> = links.into_iter().collect();
    let mut all = reader.each("lninvoice.invoice", invoice);
    for invoice in &mut all {
        if let Some((key, order)) = links.remove(&invoice.keys[0].pk) {
            invoice.order = Some(order);
            invoice.keys.push(key);
        }
    }
    reader.wrong.extend(links.values().map(|(key, _)| format!("{key}: its lninvoice.invoice is missing")));
    all
}

fn invoice(object: &Object) -> Result<Invoice, String> {
    let state = match object.int("status")?.unwrap_or(0) {
        0 => State::Initial,
        1 => State::Unpaid,
        2 => State::Paid,
        3 => State::Expired,
        other => return Err(format!("status {other} is none")),
    };
    Ok(Invoice {
        keys: vec![object.key.clone()],
        order: None,
        node: object.id("object_id")?,
        state,
        hash: object.text("payment_hash")?.as_deref().and_then(hash),
        payment_request: object.text("payment_request")?.filter(|text| !text.is_empty()),
        amount: Msat(object.amount("msatoshi", 0)?),
        rates: rates(object)?,
        expiry_secs: u32::try_from(object.amount("expiry", 900)?).unwrap_or(u32::MAX),
        made_at: object.time("creation_at")?,
        expires_at: object.time("expires_at")?,
        paid_at: object.time("paid_at")?,
        created_at: object.some_time("created_at")?,
        modified_at: object.some_time("modified_at")?,
    })
}

fn hash(text: &str) -> Option<PaymentHash> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok().map(PaymentHash)
}

/// The exchange rates of an invoice.
fn rates(object: &Object) -> Result<InvoiceRates, String> {
    let rate = |name: &str| {
        let (rate, currency) = (object.text(name)?, object.text(&format!("{name}_currency"))?);
        let cents = rate.as_deref().and_then(hundredths).filter(|cents| *cents > 0);
        Ok::<_, String>(currency.as_deref().and_then(Currency::parse).zip(cents))
    };
    let of = |found: Option<(Currency, u64)>| found.map(|(currency, cents)| Rate { currency, cents });
    Ok(InvoiceRates { tax: of(rate("tax_currency_ex_rate")?), info: of(rate("info_currency_ex_rate")?) })
}

/// A decimal as hundredths.
fn hundredths(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let part: String = part.chars().chain("00".chars()).take(2).collect();
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

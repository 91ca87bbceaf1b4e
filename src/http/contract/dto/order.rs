//! Purchase orders, their item and their invoice.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use poem_openapi::Object;
use serde::Serialize;

use super::product::ProductView;
use super::{Nullable, date, msat};
use crate::domain::fiat::{TAX_RATE, decimal};
use crate::domain::purchase::{InvoiceState, Purchase};
use crate::domain::time::Timestamp;
use crate::http::contract::call::RequestContext;
use crate::services::hosts::catalog::Site;
use crate::services::orders::place::OrderView;

/// A new order.
#[derive(Debug, Serialize, Object)]
pub struct OrderedView {
    /// Its id.
    pub id: String,
    /// Its URL.
    pub url: String,
}

/// What an extension answers: the order to pay, or why there is none.
#[derive(Debug, Serialize, Object)]
pub struct ExtendedView {
    /// `ok`, or `error` for a product on a test host.
    pub status: String,
    /// The id of the order to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub po_id: Option<String>,
    /// Its URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub po: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A purchase order.
#[derive(Debug, Serialize, Object)]
pub struct PurchaseOrderView {
    /// Its URL.
    pub url: String,
    /// I initial, K and L being checked, M waiting for its invoice, T to be paid, P paid, R rejected,
    /// N paid and not delivered (a refund is owed), S refunded.
    pub status: String,
    /// What a person should know about the status.
    pub message: Nullable<String>,
    /// What is bought: exactly one item.
    pub item_details: Vec<ItemView>,
    /// Its invoice: none until it is made, then exactly one.
    pub ln_invoices: Vec<InvoiceView>,
}

/// The item of an order.
#[derive(Debug, Serialize, Object)]
pub struct ItemView {
    /// Its URL.
    pub url: String,
    /// The id of the product.
    pub product_id: String,
    /// The product.
    pub product: ProductView,
    /// Its place in the order.
    pub position: u8,
    /// Its price in msat.
    pub price: i64,
    /// Always 1.
    pub quantity: u8,
    /// The URL of the order.
    pub po: String,
}

/// A Lightning invoice. The preimage is never shown.
#[derive(Debug, Serialize, Object)]
pub struct InvoiceView {
    /// Its URL.
    pub url: String,
    /// The id of the node that it is on.
    pub lnnode_id: String,
    /// Exchange rate for taxes, two places.
    pub tax_currency_ex_rate: String,
    /// Exchange rate for information, two places.
    pub info_currency_ex_rate: String,
    /// The price in the currency of taxes.
    pub price_in_tax_currency: String,
    /// The tax in the currency of taxes.
    pub tax_in_tax_currency: String,
    /// The price in the currency for information.
    pub price_in_info_currency: String,
    /// The URL of its order; only in the answers of `po_invoices`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub po: Option<String>,
    /// When it was decided to make it.
    pub created_at: String,
    /// When it last changed.
    pub modified_at: String,
    /// What the payer sees.
    pub label: String,
    /// The amount in msat.
    pub msatoshi: i64,
    /// The tax rate in percent, two places.
    pub tax_rate: String,
    /// The currency of taxes.
    pub tax_currency_ex_rate_currency: String,
    /// The currency for information.
    pub info_currency_ex_rate_currency: String,
    /// Base64 of the payment hash; null until the invoice is made.
    pub payment_hash: Nullable<String>,
    /// BOLT11; null until the invoice is made.
    pub payment_request: Nullable<String>,
    /// 0 initial, 1 unpaid, 2 paid, 3 expired.
    pub status: u8,
    /// Not used.
    pub pay_index: Nullable<i64>,
    /// Not used.
    pub description: Nullable<String>,
    /// Not used.
    pub metadata: String,
    /// Seconds that it can be paid.
    pub expiry: u32,
    /// When the node made it.
    pub creation_at: Nullable<String>,
    /// When it can no longer be paid.
    pub expires_at: Nullable<String>,
    /// When it was paid.
    pub paid_at: Nullable<String>,
    /// The payment request as a picture; null until the invoice is made.
    pub qr_image: Nullable<String>,
}

/// Under which address an invoice is shown; the content differs in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceForm {
    /// `invoices`.
    Plain,
    /// `po_invoices`, which names the order.
    OfOrder,
}

fn order_url(call: &RequestContext, purchase: &Purchase) -> String {
    call.url(format_args!("public/pos/{}/", purchase.id))
}

impl PurchaseOrderView {
    /// An order with everything that is shown of it.
    pub fn new(call: &RequestContext, view: &OrderView, site: &Site) -> Self {
        let purchase = &view.purchase;
        // None until the node has made it, and none for an order that was refused before that.
        let shown = !matches!(purchase.invoice.state, InvoiceState::Initial | InvoiceState::Void);
        Self {
            url: order_url(call, purchase),
            status: purchase.status.letter().to_owned(),
            message: Nullable(purchase.message.as_ref().map(|message| message.text(call.language))),
            item_details: vec![ItemView::new(call, view, site)],
            ln_invoices: shown.then(|| InvoiceView::new(call, purchase, InvoiceForm::Plain)).into_iter().collect(),
        }
    }
}

impl ItemView {
    /// The item of an order.
    pub fn new(call: &RequestContext, view: &OrderView, site: &Site) -> Self {
        let purchase = &view.purchase;
        Self {
            url: call.url(format_args!("public/po_items/{}/", purchase.id)),
            product_id: view.product.id.to_string(),
            product: ProductView::new(call, &view.product, &view.host, site),
            position: 0,
            price: msat(purchase.price),
            quantity: 1,
            po: order_url(call, purchase),
        }
    }
}

impl InvoiceView {
    /// The invoice of an order.
    pub fn new(call: &RequestContext, purchase: &Purchase, form: InvoiceForm) -> Self {
        let invoice = &purchase.invoice;
        let is_made = invoice.payment_request.is_some();
        let (path, po) = match form {
            InvoiceForm::Plain => ("invoices", None),
            InvoiceForm::OfOrder => ("po_invoices", Some(order_url(call, purchase))),
        };
        let fiat = invoice.rates.fields(invoice.amount);
        Self {
            url: call.url(format_args!("public/{path}/{}/", purchase.id)),
            lnnode_id: invoice.node_id.to_string(),
            tax_currency_ex_rate: fiat.tax_currency_ex_rate,
            info_currency_ex_rate: fiat.info_currency_ex_rate,
            price_in_tax_currency: fiat.price_in_tax_currency,
            tax_in_tax_currency: fiat.tax_in_tax_currency,
            price_in_info_currency: fiat.price_in_info_currency,
            po,
            created_at: invoice.created_at.to_wire(),
            modified_at: invoice.modified_at.to_wire(),
            label: format!("PO: {}", purchase.id),
            msatoshi: msat(invoice.amount),
            tax_rate: decimal(TAX_RATE),
            tax_currency_ex_rate_currency: fiat.tax_currency,
            info_currency_ex_rate_currency: fiat.info_currency,
            payment_hash: Nullable(is_made.then(|| STANDARD.encode(invoice.hash.0))),
            payment_request: Nullable(invoice.payment_request.clone()),
            status: wire_status(invoice.state),
            pay_index: Nullable(None),
            description: Nullable(None),
            metadata: String::new(),
            expiry: invoice.expiry_secs,
            creation_at: Nullable(date(invoice.made_at)),
            expires_at: Nullable(date(invoice.expires_at)),
            paid_at: Nullable(date(invoice.paid_at)),
            qr_image: Nullable(is_made.then(|| qr_url(call, purchase))),
        }
    }
}

/// The contract's number of a state. A held payment is not ours yet: unpaid.
const fn wire_status(state: InvoiceState) -> u8 {
    match state {
        InvoiceState::Initial => 0,
        InvoiceState::Open | InvoiceState::Held | InvoiceState::Settling | InvoiceState::Cancelling => 1,
        InvoiceState::Paid => 2,
        InvoiceState::Expired | InvoiceState::Void => 3,
    }
}

/// The picture's URL; its date is the invoice's, so that it never changes.
fn qr_url(call: &RequestContext, purchase: &Purchase) -> String {
    let made = purchase.invoice.made_at.unwrap_or(purchase.invoice.created_at);
    let day = Timestamp::to_wire(made);
    let (year, month) = (&day[..4], &day[5..7]);
    format!("{}/media/invoices/{year}/{month}/qr_{}.png", call.origin.base, purchase.id)
}

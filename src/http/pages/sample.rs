//! Tests: an order as templates show it.

use uuid::Uuid;

use crate::domain::fiat::InvoiceRates;
use crate::domain::id::{HostId, NodeId, OrderId, ProductId};
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::product::{Product, Subject, Terms};
use crate::domain::purchase::{Delivery, Invoice, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::domain::time::Timestamp;

const AT: Timestamp = Timestamp::from_secs(1_000);

/// An order of a bridge, not paid.
pub fn sample(id: Uuid) -> (Purchase, Product) {
    let invoice = Invoice {
        state: InvoiceState::Open,
        node_id: NodeId(id),
        hash: PaymentHash([7; 32]),
        is_hold: true,
        payment_request: Some("lnbc1x".to_owned()),
        amount: Msat(25_000),
        rates: InvoiceRates::default(),
        received: None,
        described_by: None,
        expiry_secs: 900,
        made_at: Some(AT),
        expires_at: Some(AT.plus_secs(900)),
        held_at: None,
        paid_at: None,
        created_at: AT,
        modified_at: AT,
    };
    let purchase = Purchase {
        id: OrderId(id),
        kind: PurchaseKind::First,
        status: OrderStatus::ToBePaid,
        message: None,
        price: Msat(25_000),
        periods: 1,
        delivery: Delivery::None,
        granted_secs: 0,
        granted_bytes: 0,
        owed: Msat(0),
        refunded: Msat(0),
        late_secs: None,
        invoice,
        created_at: AT,
        modified_at: AT,
    };
    let terms = Terms { duration_secs: 86_400, grace_secs: 0, price_extension: Msat(20_000), bandwidth_initial: 0 };
    let subject = Subject::Target("a.onion:80".to_owned());
    let product = Product { port: Some(20_159), ..Product::ordered(ProductId(id), HostId(id), subject, terms, AT) };
    (purchase, product)
}

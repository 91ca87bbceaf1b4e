//! Several periods with one invoice, and invoices that a wallet asks for by a code (LNURL-pay).

use std::collections::BTreeSet;

use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::texts::Message;
use ip2tor_shop::services::invoices::ownership;
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::extend::{Extension, More};
use ip2tor_shop::services::orders::place::OrderRequest;
use ip2tor_shop::services::{Error, Settings, products};
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef};
use sha2::{Digest, Sha256};

use crate::money::refunds::with_each_kind;
use crate::money::rig::{Rig, Setup};

/// Seconds that one period adds.
const PERIOD: i64 = 86_400 + 600;
const TEXT: &str = "[[\"text/plain\",\"one more period\"]]";

with_each_kind!(an_invoice_for_a_code_carries_the_hash_of_its_text_and_is_still_known_as_ours);

impl Rig {
    async fn extend_by(&self, product: ProductId, more: More) -> Result<OrderId, Error> {
        match orders::extend::extend_by(&self.shop, product, ProductKind::TorBridge, more).await? {
            Extension::Order(order) => Ok(order),
            Extension::TestHost => panic!("it is no test host"),
        }
    }
}

fn periods(periods: u32) -> More {
    More { periods, ..More::default() }
}

async fn an_invoice_for_a_code_carries_the_hash_of_its_text_and_is_still_known_as_ours(kind: NodeKind) {
    let rig = Rig::new(Setup { kind, ..Setup::default() }).await;
    let (order, product) = rig.active_bridge().await;
    let end = rig.view(order).product.suspend_after.expect("it ends");
    let by_page = rig.extend_by(product, More::default()).await.expect("extended");
    let code = More { periods: 1, described_by: Some(TEXT.to_owned()) };
    let by_code = rig.extend_by(product, code.clone()).await.expect("extended");
    assert_ne!(by_page, by_code, "a wallet takes no invoice of another description");
    assert_eq!(rig.extend_by(product, code).await, Ok(by_code), "asked for again it is the same");
    let request = rig.view(by_code).purchase.invoice.payment_request.expect("an invoice");
    let read: Bolt11Invoice = request.parse().expect("BOLT11");
    let Bolt11InvoiceDescriptionRef::Hash(hash) = read.description() else { panic!("no hash: {request}") };
    assert_eq!(hash.0.to_string(), hex::encode(Sha256::digest(TEXT)));
    // After a restore only this tells that it is ours.
    let node = rig.registry.get(rig.node).expect("the node").node;
    let at_node = node.look_up(rig.hash(by_code)).await.expect("asked").expect("there");
    assert_eq!(ownership::maker(&rig.shop, &at_node), Some(by_code));
    rig.wait_order(by_page, "R").await;
    rig.pay(by_code);
    rig.wait_order(by_code, "P").await;
    assert_eq!(rig.view(order).product.suspend_after, Some(end.plus_secs(PERIOD)));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_periods_are_one_invoice_and_give_what_they_would_one_by_one() {
    let rig = Rig::new(Setup::default()).await;
    rig.execute("UPDATE host SET max_periods = 30");
    let request = OrderRequest { periods: 7, ..rig.bridge_request() };
    let order = orders::place::place(&rig.shop, request).await.expect("accepted");
    rig.wait_until("its invoice", || rig.view(order).purchase.invoice.payment_request.is_some()).await;
    let (purchase, product) = (rig.view(order).purchase, rig.view(order).product);
    assert_eq!((purchase.price, purchase.periods), (Msat(25_000 + 6 * 20_000), 7));
    assert_eq!(product.bandwidth_remaining, 7 << 30);
    rig.pay(order);
    rig.wait_order(order, "P").await;
    rig.clock.advance_secs(40);
    rig.report(product.id, ProductStatus::Active).await.expect("activated");
    let end = rig.now().plus_secs(7 * PERIOD);
    assert_eq!(rig.view(order).product.suspend_after, Some(end));

    let extension = rig.extend_by(product.id, periods(30)).await.expect("extended");
    assert_eq!(rig.extend_by(product.id, periods(30)).await, Ok(extension), "pressed twice");
    assert_eq!(rig.view(extension).purchase.price, Msat(30 * 20_000));
    rig.pay(extension);
    rig.wait_order(extension, "P").await;
    let extended = rig.view(order).product;
    assert_eq!(extended.suspend_after, Some(end.plus_secs(30 * PERIOD)));
    assert_eq!(extended.bandwidth_remaining, 37 << 30);
    rig.clock.advance_secs(37 * PERIOD);
    assert_eq!(products::expire::suspend_expired(&rig.shop).await, Ok(Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_of_a_bridge_that_nobody_pays_are_few_and_those_that_are_paid_as_many_as_wanted() {
    let settings = Settings { invoice_expiry_secs: 60, ..Setup::default().settings };
    let rig = Rig::new(Setup { settings, ..Setup::default() }).await;
    let (_, product) = rig.active_bridge().await;
    let (mut orders, mut refused) = (BTreeSet::new(), 0);
    for _ in 0..20 {
        for _ in 0..3 {
            rig.check_in().await;
            match rig.extend_by(product, More::default()).await {
                Ok(order) => _ = orders.insert(order.to_string()),
                Err(Error::TooMany { .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
            rig.clock.advance_secs(10);
        }
        rig.clock.advance_secs(25);
    }
    assert_eq!((orders.len(), refused), (12, 8 * 3), "one for each minute, answered again within its half of it");

    rig.clock.advance_secs(3600);
    for _ in 0..14 {
        rig.check_in().await;
        let order = rig.extend_by(product, More::default()).await.expect("what was not paid is an hour ago");
        rig.pay(order);
        rig.wait_order(order, "P").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_sells_one_period_at_a_time_until_it_says_otherwise() {
    let rig = Rig::new(Setup::default()).await;
    let too_many = |most| Error::Refused(Message::TooManyPeriods { most });
    let place = async |periods| {
        orders::place::place(&rig.shop, OrderRequest { periods, ..rig.bridge_request() }).await.map(drop)
    };
    assert_eq!(place(2).await, Err(too_many(1)));
    assert_eq!(place(0).await, Err(too_many(1)));
    let (_, product) = rig.active_bridge().await;
    assert_eq!(rig.extend_by(product, periods(2)).await, Err(too_many(1)));
    rig.execute("UPDATE host SET max_periods = 3");
    assert_eq!((place(3).await, place(4).await), (Ok(()), Err(too_many(3))));
    rig.execute("UPDATE host SET tor_bridge_duration = 0");
    assert_eq!(place(2).await, Err(too_many(1)), "what never ends is bought once");
}

//! Bugs with money that other shops have had.

use std::time::Duration;

use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::payments::apply::StreamPosition;
use ip2tor_shop::services::{payments, products};

use crate::money::rig::{Rig, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn while_a_node_is_down_the_shop_waits_between_attempts() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.stop_node().await;
    // A listener that counts who comes: every attempt is cut at once.
    let listener = std::net::TcpListener::bind(rig.sim_addr).expect("the node's port is free");
    listener.set_nonblocking(true).expect("a socket option");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, listener.accept()).await.expect("it tries").expect("a connection");
    let mut attempts = 1;
    let window = tokio::time::sleep(Duration::from_secs(5));
    tokio::pin!(window);
    loop {
        tokio::select! {
            () = &mut window => break,
            accepted = listener.accept() => attempts += usize::from(accepted.is_ok()),
        }
    }
    assert!(attempts <= 20, "{attempts} attempts in 5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_never_ends_what_was_just_paid() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.pay(order);
    // The shop has not heard of it; the clean-up runs first.
    rig.clock.advance_secs(1000);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)));
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsActivate);
    assert_eq!(rig.ports_in_use(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_for_one_payment_extend_once() {
    let rig = Rig::new(Setup::default()).await;
    let (_, product) = rig.active_bridge().await;
    let extension = rig.extended(product).await;
    rig.pay(extension);
    rig.wait_order(extension, "P").await;
    let end = rig.view(extension).product.suspend_after;
    let news = rig.connector().look_up(rig.hash(extension)).await.expect("an answer").expect("the invoice");
    let twice = vec![news.clone(), news.clone()];
    payments::apply::apply_all(&rig.shop, rig.node, twice, StreamPosition::default()).await.expect("applied");
    payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    assert_eq!(rig.view(extension).product.suspend_after, end);
    assert_eq!(rig.view(extension).purchase.owed, Msat(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_paid_in_the_very_second_of_its_expiry_is_delivered() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    // Nobody tells the shop of the payment before the clean-up runs.
    rig.tasks.stop().await;
    let end = rig.view(order).purchase.invoice.expires_at.expect("it expires");
    rig.clock.advance_millis(end.millis_since(rig.now()) - 1);
    rig.pay(order);
    rig.clock.advance_millis(1);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(0)), "not in the second of the expiry");
    rig.clock.advance_secs(2);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)));
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}

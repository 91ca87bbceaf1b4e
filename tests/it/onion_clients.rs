//! The HTTP interface of a shop with an onion service: what is told of it, and how its clients are
//! limited.

#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure, also in a helper")]

use std::time::Duration;

use crate::support::request::Answer;
use crate::support::{ONION, TestShop};
use ip2tor_shop::http::middleware::order_limit::OrderRates;
use ip2tor_shop::http::middleware::rate_limit::Rate;
use ip2tor_shop::http::{Limits, Surface};

/// Tries to order on a circuit.
async fn order(shop: &TestShop, circuit: u64) -> Answer {
    order_from(shop, Surface::Onion, circuit, &shop.host("host1").to_string()).await
}

async fn order_from(shop: &TestShop, surface: Surface, circuit: u64, host: &str) -> Answer {
    let form = format!("product=tor_bridge&host_id={host}&tos_accepted=true&target={ONION}:80");
    shop.ask("POST", "/api/v1/public/order/").on_circuit(surface, circuit).form(&form).send().await
}

#[tokio::test]
async fn clearnet_pages_name_the_onion_address_when_the_operator_wants_it() {
    let shop = TestShop::advertising(Limits::default(), Some(format!("http://{ONION}")));
    let page = shop.ask("GET", "/docs/?a=b").send().await;
    assert_eq!(page.header("onion-location"), format!("http://{ONION}/docs/?a=b"));
    let json = shop.ask("GET", "/api/v1/public/hosts/?format=json").send().await;
    assert_eq!(json.header("onion-location"), "", "JSON is no page");
    let inside = shop.ask("GET", "/").on_circuit(Surface::Onion, 1).send().await;
    assert_eq!(inside.header("onion-location"), "", "who is there already need not be told");
    let silent = TestShop::new();
    assert_eq!(silent.ask("GET", "/").send().await.header("onion-location"), "");
}

#[tokio::test]
async fn one_circuit_with_too_many_requests_gets_429_and_others_do_not() {
    let requests = Rate { burst: 3, every: Duration::from_secs(10) };
    let shop = TestShop::with(Limits { requests, ..Limits::default() });
    let ask = async |surface, circuit| shop.ask("GET", "/healthz").on_circuit(surface, circuit).send().await;
    for _ in 0..3 {
        assert_eq!(ask(Surface::Onion, 7).await.status, 200);
    }
    let refused = ask(Surface::Onion, 7).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|secs| (1..=11).contains(&secs)), "{refused:?}");
    assert_eq!(ask(Surface::Onion, 8).await.status, 200);
    for _ in 0..10 {
        assert_eq!(ask(Surface::Operators, 9).await.status, 200, "operators are not slowed down");
    }
}

#[tokio::test]
async fn new_orders_are_limited_for_one_circuit_and_for_all_together() {
    let orders = Rate { burst: 2, every: Duration::from_secs(20) };
    let of_circuit = OrderRates { circuit: orders, ..OrderRates::OFF };
    let shop = TestShop::with(Limits { orders: of_circuit, ..Limits::default() });
    assert_eq!([order(&shop, 1).await.status, order(&shop, 1).await.status], [201, 201]);
    let refused = order(&shop, 1).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|secs| (1..=21).contains(&secs)), "{refused:?}");
    assert_eq!(order(&shop, 2).await.status, 201);

    let of_all = OrderRates { onion: orders, ..OrderRates::OFF };
    let shop = TestShop::with(Limits { orders: of_all, ..Limits::default() });
    assert_eq!(
        [order(&shop, 1).await.status, order(&shop, 2).await.status, order(&shop, 3).await.status],
        [201, 201, 429]
    );
    let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={ONION}:80", shop.host("host1"));
    let over_tcp = shop.ask("POST", "/api/v1/public/order/").form(&form).send().await;
    assert_eq!(over_tcp.status, 201, "a crowd of circuits does not shut out those who come over TCP");
}

#[tokio::test]
async fn orders_that_are_refused_shut_nobody_else_out() {
    const NO_HOST: &str = "00000000-0000-4000-8000-000000000000";
    let shop = TestShop::new();
    assert_eq!(order(&shop, 1).await.status, 201);
    for circuit in 1..=10 {
        let mut statuses = Vec::new();
        for _ in 0..10 {
            statuses.push(order_from(&shop, Surface::Onion, circuit, NO_HOST).await.status.as_u16());
        }
        assert!(statuses.starts_with(&[400]) && statuses.ends_with(&[429]), "{statuses:?}");
    }
    assert_eq!(order(&shop, 11).await.status, 201);
}

#[tokio::test]
async fn whoever_is_held_up_by_the_others_keeps_the_orders_of_their_own_circuit() {
    let one = |secs| Rate { burst: 1, every: Duration::from_secs(secs) };
    let orders = OrderRates { circuit: one(3600), onion: one(60), ..OrderRates::OFF };
    let shop = TestShop::with(Limits { orders, ..Limits::default() });
    assert_eq!(order(&shop, 1).await.status, 201);
    assert_eq!([order(&shop, 2).await.status, order(&shop, 2).await.status], [429, 429]);
    shop.make_invoices().await;
    shop.clock.advance_secs(60);
    assert_eq!(order(&shop, 2).await.status, 201);
}

#[tokio::test]
async fn operators_order_on_their_onion_service_without_limits() {
    let shop = TestShop::new();
    for _ in 0..20 {
        let answer = order_from(&shop, Surface::Operators, 1, &shop.host("host1").to_string()).await;
        assert_eq!(answer.status, 201);
    }
    for circuit in 2..8 {
        assert_eq!(order(&shop, circuit).await.status, 201, "and they take nothing from the others");
    }
}

//! Where requests come from: URLs in answers, proxies, the onion service, and how often one client
//! may ask.

use std::time::Duration;

use ip2tor_shop::http::Limits;
use ip2tor_shop::http::middleware::order_limit::OrderRates;
use ip2tor_shop::http::middleware::rate_limit::Rate;
use poem::Addr;

use crate::support::request::Ask;
use crate::support::{ONION, TestShop};

const OPERATORS_PROXY: &str = "10.0.0.1:4000";
const STRANGER: &str = "203.0.113.77:4000";

fn peer(address: &str) -> Addr {
    Addr::SocketAddr(address.parse().expect("an address"))
}

fn circuit(number: &'static str) -> Addr {
    Addr::custom("onion-circuit", number)
}

/// The URL that an answer shows.
async fn url(ask: Ask<'_>) -> String {
    let answer = ask.token("host1").send().await.json();
    let url = answer[0]["url"].as_str().expect("a URL");
    url.split("/api/").next().expect("a base").to_owned()
}

/// The URL that an answer shows when a proxy says where the client came in.
async fn forwarded(ask: Ask<'_>, from: Addr) -> String {
    let ask = ask.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", "public.example");
    url(ask.from(from)).await
}

#[tokio::test]
async fn urls_are_those_that_the_client_uses() {
    let shop = TestShop::new();
    let ask = || shop.ask("GET", "/api/v1/hosts/");
    assert_eq!(url(ask()).await, "http://shop.example:8000", "the port is kept");
    assert_eq!(forwarded(ask(), peer(OPERATORS_PROXY)).await, "https://public.example");
    assert_eq!(forwarded(ask(), peer(STRANGER)).await, "http://shop.example:8000", "strangers are not believed");
    assert_eq!(forwarded(ask(), circuit("7")).await, "http://shop.example:8000", "nor is anybody on the onion");
    let onion = ask().header("Host", ONION).from(circuit("7"));
    assert_eq!(url(onion).await, format!("http://{ONION}"));
    let odd = ask().header("X-Forwarded-Host", "evil.example/path\"<").from(peer(OPERATORS_PROXY));
    assert_eq!(url(odd).await, "http://127.0.0.1:8000", "what is no host stands in no URL");
}

#[tokio::test]
async fn one_client_is_throttled_and_the_others_are_not() {
    let rate = Rate { burst: 2, every: Duration::from_secs(60) };
    let shop = TestShop::with(Limits { requests: rate, ..Limits::default() });
    let ask = |from: Addr| shop.ask("GET", "/healthz").from(from).send();
    for client in [peer(STRANGER), circuit("1")] {
        assert_eq!(ask(client.clone()).await.status, 200);
        assert_eq!(ask(client.clone()).await.status, 200);
        let answer = ask(client).await;
        assert_eq!(answer.status, 429);
        assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|secs| (1..=61).contains(&secs)));
    }
    assert_eq!(ask(circuit("2")).await.status, 200, "another circuit is another client");
    for _ in 0..5 {
        assert_eq!(ask(peer("127.0.0.1:1")).await.status, 200, "this machine is not limited");
    }
    let behind = |client: &str| {
        shop.ask("GET", "/healthz")
            .from(peer(OPERATORS_PROXY))
            .header("X-Forwarded-For", format!("1.2.3.4, {client}"))
            .send()
    };
    assert_eq!(behind("198.51.100.1").await.status, 200);
    assert_eq!(behind("198.51.100.1").await.status, 200);
    assert_eq!(behind("198.51.100.1").await.status, 429, "clients of the proxy are told apart");
    assert_eq!(behind("198.51.100.2").await.status, 200);
}

/// The statuses of three requests that a proxy passes on; two of one client are let in.
async fn three(shop: &TestShop, lines: &[&str]) -> [u16; 3] {
    let ask = || {
        let ask = shop.ask("GET", "/healthz").from(peer(OPERATORS_PROXY));
        lines.iter().fold(ask, |ask, line| ask.header("X-Forwarded-For", *line)).send()
    };
    [ask().await.status.as_u16(), ask().await.status.as_u16(), ask().await.status.as_u16()]
}

#[tokio::test]
async fn a_proxys_client_is_told_apart_however_the_proxy_writes_it() {
    let rate = Rate { burst: 2, every: Duration::from_secs(60) };
    let shop = || TestShop::with(Limits { requests: rate, ..Limits::default() });
    let limited = [200, 200, 429];
    for lines in [
        &["127.0.0.1", "198.51.100.1"][..],
        &["127.0.0.1, 198.51.100.1", "10.0.0.7"],
        &["198.51.100.1:4711"],
        &["[2001:db8::1]:4711"],
        &["[2001:db8::1]"],
        &["127.0.0.1, unknown"],
        &["127.0.0.1", ""],
    ] {
        assert_eq!(three(&shop(), lines).await, limited, "{lines:?}");
    }
    let shop = shop();
    assert_eq!(three(&shop, &["198.51.100.1:1"]).await, limited);
    assert_eq!(three(&shop, &["198.51.100.1:2"]).await, [429; 3], "the port tells nobody apart");
    assert_eq!(three(&shop, &["unknown"]).await, limited);
    assert_eq!(three(&shop, &["_hidden"]).await, [429; 3], "whom nobody knows is one client");
    assert_eq!(three(&shop, &["198.51.100.2"]).await, limited);
}

#[tokio::test]
async fn new_orders_have_a_rate_of_their_own() {
    let rate = Rate { burst: 1, every: Duration::from_secs(60) };
    let shop = TestShop::with(Limits { orders: OrderRates { address: rate, ..OrderRates::OFF }, ..Limits::default() });
    let body = format!("product=tor_bridge&host_id={}&tos_accepted=1&target={ONION}%3A80", shop.host("host1"));
    let order = || shop.ask("POST", "/api/v1/public/order/").form(&body).send();
    assert_eq!(order().await.status, 201);
    assert_eq!(order().await.status, 429);
    assert_eq!(shop.ask("GET", "/api/v1/public/hosts/").send().await.status, 200);
    shop.make_invoices().await;
    shop.clock.advance_secs(60);
    assert_eq!(order().await.status, 201);
}

#[tokio::test]
async fn all_addresses_share_a_rate_of_new_orders() {
    let rate = Rate { burst: 2, every: Duration::from_secs(60) };
    let shop = TestShop::with(Limits { orders: OrderRates { clearnet: rate, ..OrderRates::OFF }, ..Limits::default() });
    let body = format!("product=tor_bridge&host_id={}&tos_accepted=1&target={ONION}%3A80", shop.host("host1"));
    let order = async |address: &str, body: &str| {
        let request =
            shop.ask("POST", "/api/v1/public/order/").from(peer(OPERATORS_PROXY)).header("X-Forwarded-For", address);
        request.form(body).send().await.status
    };
    assert_eq!(order("198.51.100.1", "product=nothing").await, 400, "what is not accepted costs the others nothing");
    assert_eq!(order("198.51.100.1", &body).await, 201);
    assert_eq!(order("198.51.100.2", &body).await, 201);
    assert_eq!(order("198.51.100.3", &body).await, 429);
}

#[tokio::test]
async fn a_script_that_asks_for_its_list_too_often_is_answered_nothing_that_it_would_take_for_an_empty_one() {
    let rate = Rate { burst: 1, every: Duration::from_secs(60) };
    let shop = TestShop::with(Limits { requests: rate, ..Limits::default() });
    let ask = |path: &str, last: u8| {
        shop.ask("GET", path).token("host4nostr").from(Addr::SocketAddr(([203, 0, 113, last], 4000).into())).send()
    };
    for (path, last, is_empty) in
        [("/api/v1/tor_bridges/?status=A", 1, true), ("/api/v1/nostr_aliases/", 2, true), ("/api/v1/hosts/", 3, false)]
    {
        assert_eq!(ask(path, last).await.status, 200, "{path}");
        let answer = ask(path, last).await;
        assert_eq!((answer.status.as_u16(), answer.body.is_empty()), (429, is_empty), "{path}: {}", answer.text());
        assert_ne!(answer.header("retry-after"), "", "{path}");
        assert_eq!(answer.header("content-type").is_empty(), is_empty, "{path}");
    }
}

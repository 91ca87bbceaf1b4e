//! The form to order with: sent twice, filled in wrongly, sent by somebody else.

use ip2tor_shop::http::Limits;
use ip2tor_shop::http::middleware::order_limit::OrderRates;
use ip2tor_shop::store::deals::{self, Search};

use crate::http::pages::{buy, token_of};
use crate::support::{ONION, TestShop};

fn orders(shop: &TestShop) -> usize {
    shop.shop.db.read(|db| deals::search(db, Search { limit: 99, ..Search::default() })).expect("orders").len()
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_order_also_after_a_restart_of_the_shop() {
    let shop = TestShop::new();
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    let token = token_of(&shop.ask("GET", &path).send().await.text());
    let body = |port: u16| format!("product=tor_bridge&token={token}&target={ONION}%3A{port}&tos_accepted=true");
    let send = async |port: u16| {
        let answer = shop.ask("POST", &path).form(&body(port)).send().await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("location").to_owned()
    };
    let first = send(80).await;
    assert_eq!((send(80).await, orders(&shop)), (first.clone(), 1));
    // Nothing is remembered but the order: another process of the shop finds it all the same.
    let other = ip2tor_shop::services::Shop::new(
        shop.shop.db.clone(),
        shop.clock.clone(),
        std::sync::Arc::new(ip2tor_shop::domain::id::SystemRandom),
        ip2tor_shop::services::Settings::default(),
    )
    .expect("a shop");
    let request = ip2tor_shop::services::orders::place::OrderRequest {
        product: ip2tor_shop::services::orders::place::OrderedProduct::TorBridge,
        host_id: shop.host("host1"),
        periods: 1,
        tos_accepted: true,
        comment: None,
        target: Some(format!("{ONION}:80")),
        alias: None,
        public_key: None,
        client_ip: None,
    };
    let form = token.parse().expect("a token");
    let found = ip2tor_shop::services::orders::by_form::place_once(&other, form, request).await.expect("the order");
    assert!(first.contains(&found.to_string()) && orders(&shop) == 1);
    // Who goes back and corrects the target does not get the old one.
    assert_ne!(send(443).await, first);
    assert_eq!(orders(&shop), 2);
}

#[tokio::test]
async fn both_of_two_posts_at_the_same_time_lead_to_one_order() {
    let shop = TestShop::new();
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    let token = token_of(&shop.ask("GET", &path).send().await.text());
    let body = format!("product=tor_bridge&token={token}&target={ONION}%3A80&tos_accepted=true");
    let posts = (0..8).map(|_| shop.ask("POST", &path).form(&body).send());
    let answers = futures_util::future::join_all(posts).await;
    let first = answers[0].header("location");
    assert!(answers.iter().all(|answer| answer.status == 303 && answer.header("location") == first));
    assert_eq!(orders(&shop), 1);
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_with_what_was_meant_as_a_button() {
    let shop = TestShop::new();
    for (target, says, meant) in [
        (format!("02ab%40{ONION}%3A9735%3A9735"), "Only one port", Some(9735)),
        (format!("http%3A%2F%2F{ONION}%2F"), "Must include a port", Some(80)),
        (ONION.to_owned(), "followed by a port", Some(9735)),
        ("expyuzz4wqqyqhjn.onion%3A80".to_owned(), "version 2", None),
        (String::new(), "followed by a port", None),
    ] {
        let answer = buy(&shop, "host1", &format!("target={target}&tos_accepted=true&comment=my+note")).await;
        let text = answer.text();
        assert_eq!(answer.status, 400, "{target}");
        assert!(
            text.contains(says) && text.contains("aria-describedby=\"target-hint target-error-1"),
            "{target}: {text}"
        );
        assert!(text.contains("value=\"my note\"") && text.contains("checked"), "what was filled in stays");
        let button = meant.map(|port| format!("name=\"fix\" value=\"{ONION}:{port}\""));
        assert_eq!(text.contains("name=\"fix\""), meant.is_some(), "{target}");
        assert!(button.is_none_or(|button| text.contains(&button)), "{target}: {text}");
    }
    let fixed = buy(&shop, "host1", &format!("target=rubbish&fix={ONION}%3A80&tos_accepted=true")).await;
    assert_eq!(fixed.status, 303, "a press on the button orders it");
    let capitals = buy(&shop, "host1", &format!("target={}%3A80&tos_accepted=on", ONION.to_uppercase())).await;
    assert_eq!(capitals.status, 303, "capitals are no mistake");
}

#[tokio::test]
async fn without_accepting_the_terms_nothing_is_ordered() {
    let shop = TestShop::new();
    let answer = buy(&shop, "host1", &format!("target={ONION}%3A80")).await;
    assert_eq!((answer.status.as_u16(), orders(&shop)), (400, 0));
    assert!(answer.text().contains("Without accepting the terms"));
}

#[tokio::test]
async fn what_only_the_shop_can_see_is_said_in_the_page_too() {
    let shop = TestShop::new();
    shop.sql("DELETE FROM port_range");
    let answer = buy(&shop, "host1", &format!("target={ONION}%3A80&tos_accepted=true")).await;
    assert!(answer.status == 400 && answer.text().contains("does not have any Tor bridge ports"), "{}", answer.text());
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    let old = shop.ask("POST", &path).form("product=tor_bridge&token=x").send().await;
    assert!(old.status == 400 && old.text().contains("too old"));
    let unreadable = shop.ask("POST", &path).form(&"a=b&".repeat(40)).send().await;
    assert_eq!(unreadable.status, 400);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_with_a_page() {
    let shop = TestShop::new();
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    let token = token_of(&shop.ask("GET", &path).send().await.text());
    let body = format!("product=tor_bridge&token={token}&target={ONION}%3A80&tos_accepted=true");
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "none"),
    ] {
        let answer = shop.ask("POST", &path).form(&body).header(name, value).send().await;
        assert_eq!((answer.status.as_u16(), orders(&shop)), (403, 0), "{name}: {value}");
        assert!(answer.header("content-type").starts_with("text/html"));
    }
    let own = shop.ask("POST", &path).form(&body).header("Origin", "http://shop.example:8000");
    assert_eq!(own.header("Sec-Fetch-Site", "same-origin").send().await.status, 303);
}

#[tokio::test]
async fn a_form_that_is_sent_again_costs_nothing_of_the_rate_and_too_many_orders_are_told_to_wait() {
    let shop = TestShop::with(Limits { orders: OrderRates::per_hour(12, 0, 0, 0), ..Limits::default() });
    let path = format!("/shop/hosts/{}/", shop.host("host1"));
    let token = token_of(&shop.ask("GET", &path).send().await.text());
    let body = format!("product=tor_bridge&token={token}&target={ONION}%3A80&tos_accepted=true");
    for _ in 0..30 {
        assert_eq!(shop.ask("POST", &path).form(&body).send().await.status, 303);
    }
    let mut last = None;
    for _ in 0..30 {
        last = Some(buy(&shop, "host1", &format!("target={ONION}%3A80&tos_accepted=true")).await);
    }
    let last = last.expect("an answer");
    assert!(last.status == 429 && last.text().contains("Too fast") && !last.header("retry-after").is_empty());
}

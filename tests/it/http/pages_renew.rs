//! Several periods bought with a form, and the permanent code with which a wallet renews.

use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use serde_json::Value;

use crate::http::pages::buy;
use crate::http::pages_story::order_of;
use crate::support::{ONION, TestShop};

async fn ask(shop: &TestShop, path: &str) -> Value {
    let answer = shop.ask("GET", path).header("Host", "abc.onion").send().await;
    assert!(answer.status == 200 && answer.header("access-control-allow-origin") == "*", "{path}: {}", answer.text());
    answer.json()
}

/// The part of a URL of the shop's onion service that follows its host.
fn path_of(url: &Value) -> String {
    url.as_str().and_then(|url| url.strip_prefix("http://abc.onion")).expect("a URL of the shop").to_owned()
}

#[tokio::test]
async fn a_wallet_renews_with_the_code_of_a_bridge_one_period_per_payment() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", None).await;
    let page =
        async |host: &str| shop.ask("GET", &format!("/bridge/{bridge}/")).header("Host", host).send().await.text();
    assert!(!page("shop.example").await.contains("LNURL1"), "no wallet asks over plain http");
    let shown = page("abc.onion").await;
    let code = ip2tor_shop::domain::lnurl::encode(&format!("http://abc.onion/lnurl/renew/bridge/{bridge}/"));
    assert!(shown.contains(&code) && shown.contains("data:image/png"), "{shown}");

    let offer = ask(&shop, &format!("/lnurl/renew/bridge/{bridge}/")).await;
    assert!(offer["tag"] == "payRequest" && offer["minSendable"] == offer["maxSendable"], "{offer}");
    let price = offer["minSendable"].as_u64().expect("a price");
    let metadata = offer["metadata"].as_str().expect("metadata");
    let address = format!("{}:{}", shop.view(order).host.ip, shop.view(order).product.port.expect("a port"));
    assert!(metadata.starts_with("[[\"text/plain\",") && metadata.contains(&address), "{metadata}");
    let callback = path_of(&offer["callback"]);

    let wrong = ask(&shop, &format!("{callback}&amount={}", price + 1)).await;
    assert!(wrong["status"] == "ERROR" && wrong["reason"].as_str().expect("a reason").contains("exactly"), "{wrong}");
    let end = shop.view(order).product.suspend_after.expect("an end");
    for number in 1..=2 {
        let answer = ask(&shop, &format!("{callback}&amount={price}")).await;
        assert!(answer["pr"].as_str().expect("an invoice").starts_with("lnbc"), "{answer}");
        let page = path_of(&answer["successAction"]["url"]);
        let extension = shop.ask("GET", &page).send().await;
        assert_eq!(extension.status, 200);
        let id = page.split('/').nth(4).and_then(ip2tor_shop::domain::id::OrderId::parse).expect("an order");
        assert_eq!(shop.view(id).purchase.invoice.described_by.as_deref(), Some(metadata));
        shop.pay(id).await;
        let gained = shop.view(order).product.suspend_after.expect("an end").millis_since(end) / 1000;
        assert_eq!(gained, number * (shop.view(order).product.terms.duration_secs + 600));
    }
}

#[tokio::test]
async fn what_cannot_be_renewed_says_why_in_the_form_that_wallets_know() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("/lnurl/renew/bridge/{bridge}/");
    let reason = async |path: &str| {
        let answer = ask(&shop, path).await;
        assert_eq!(answer["status"], "ERROR", "{path}: {answer}");
        answer["reason"].as_str().expect("a reason").to_owned()
    };
    shop.sql("UPDATE host SET ci_status = 1");
    assert!(reason(&path).await.contains("host does not respond"));
    assert!(reason(&format!("{path}invoice/?amount=20000")).await.contains("host does not respond"));
    shop.sql("UPDATE host SET ci_status = 0; UPDATE node SET is_alive = 0");
    assert!(reason(&path).await.contains("can't take payments"));
    shop.sql("UPDATE node SET is_alive = 1; UPDATE host SET is_test_host = 1");
    assert!(reason(&path).await.contains("test host"));
    shop.sql("UPDATE host SET is_test_host = 0; UPDATE product SET is_killed = 1");
    assert!(reason(&path).await.contains("switched this product off"));
    reason(&format!("/lnurl/renew/alias/{bridge}/")).await;
    reason("/lnurl/renew/bridge/x/").await;
}

#[tokio::test]
async fn a_person_chooses_how_long_where_the_host_sells_more_at_once() {
    let shop = TestShop::new();
    let host = format!("/shop/hosts/{}/", shop.host("host1"));
    assert!(!shop.ask("GET", &host).send().await.text().contains("name=\"periods\""), "by default there is no choice");
    shop.sql("UPDATE host SET max_periods = 30");
    let form = shop.ask("GET", &host).send().await.text();
    assert!(form.contains("<option value=\"30\">") && !form.contains("<option value=\"90\">"), "{form}");
    let bought = buy(&shop, "host1", &format!("target={ONION}%3A443&tos_accepted=true&periods=7")).await;
    let order = order_of(&bought);
    let host_of = shop.view(order).host;
    let wanted = host_of.tor_bridge_price_initial.0 + 6 * host_of.tor_bridge_price_extension.0;
    assert_eq!((shop.view(order).purchase.price, shop.view(order).purchase.periods), (Msat(wanted), 7));
    for many in ["31", "0", "x", "99999999999"] {
        let refused = buy(&shop, "host1", &format!("target={ONION}%3A443&tos_accepted=true&periods={many}")).await;
        assert!(refused.status == 400 && refused.text().contains("from 1 to 30 periods"), "{many}: {}", refused.text());
    }

    shop.make_invoices().await;
    shop.pay(order).await;
    let bridge = shop.product(order);
    shop.report(bridge, ProductStatus::Active).await.expect("activated");
    let extend = async |periods: &str| {
        let path = format!("/bridge/{bridge}/extend/");
        shop.ask("POST", &path).form(&format!("periods={periods}")).send().await
    };
    let extension = order_of(&extend("14").await);
    assert_eq!(shop.view(extension).purchase.price.0, 14 * host_of.tor_bridge_price_extension.0);
    let refused = extend("31").await;
    assert!(refused.status == 400 && refused.text().contains("from 1 to 30 periods"), "{}", refused.text());
}

//! A person buys a bridge with a browser that runs no script: follows it, extends it, finds it again.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;

use crate::http::pages::{buy, state_of, token_of};
use crate::support::request::Answer;
use crate::support::{ONION, TestShop};

/// The order that an answer leads to.
pub fn order_of(answer: &Answer) -> OrderId {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let location = answer.header("location");
    let id = location.strip_prefix("/charged/lnpurchase/po/").and_then(|rest| rest.strip_suffix('/'));
    id.and_then(OrderId::parse).unwrap_or_else(|| panic!("no order: {location}"))
}

async fn page(shop: &TestShop, path: &str) -> String {
    let answer = shop.ask("GET", path).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

#[tokio::test]
async fn a_person_buys_without_a_script_and_reads_when_the_bridge_is_up() {
    let shop = TestShop::new();
    let host = format!("/shop/hosts/{}/", shop.host("host1"));
    assert!(page(&shop, "/").await.contains(&format!("href=\"{host}\"")));
    let order = order_of(&buy(&shop, "host1", &format!("target={ONION}%3A443&tos_accepted=true")).await);
    let path = format!("/charged/lnpurchase/po/{order}/");

    let making = page(&shop, &path).await;
    assert_eq!(state_of(&making), "making");
    assert!(making.contains("<noscript><meta http-equiv=\"refresh\" content=\"4\"></noscript>"));
    shop.make_invoices().await;
    let to_pay = page(&shop, &path).await;
    assert_eq!(state_of(&to_pay), "to_pay");
    assert!(to_pay.contains("src=\"data:image/png;base64,") && to_pay.contains("href=\"lightning:lnbc"));
    assert!(to_pay.contains("<strong data-left=\"900\">15:00</strong>"));
    assert!(!to_pay.contains("/pay/"), "only the demo has a button that pays");
    assert!(!page(&shop, &format!("{path}?still=1")).await.contains("http-equiv"), "whoever reads is not disturbed");

    shop.pay(order).await;
    assert_eq!(state_of(&page(&shop, &path).await), "waiting");
    shop.report(shop.product(order), ProductStatus::Active).await.expect("it is activated");
    let active = page(&shop, &path).await;
    let port = shop.view(order).product.port.expect("a port");
    assert_eq!(state_of(&active), "active");
    assert!(active.contains(&format!("<h1>Active at {}:{port}</h1>", shop.view(order).host.ip)), "{active}");
    assert!(!active.contains("http-equiv") && !active.contains("data-live"), "nothing changes by itself any more");
    assert!(active.contains(&format!("href=\"/bridge/{}/\"", shop.product(order))));
}

#[tokio::test]
async fn a_bridge_tells_how_to_try_it_when_it_ends_and_is_extended_with_one_press() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", Some("mine")).await;
    let path = format!("/bridge/{bridge}/");
    let shown = page(&shop, &path).await;
    assert!(shown.contains("curl http://") && shown.contains("mine") && shown.contains(&order.to_string()), "{shown}");
    let calendar = shop.ask("GET", &format!("{path}calendar.ics")).send().await;
    assert_eq!(calendar.header("content-type"), "text/calendar; charset=utf-8");
    assert!(calendar.text().contains("BEGIN:VEVENT") && calendar.text().contains(&path));

    let end = shop.view(order).product.suspend_after.expect("an end");
    let extension = order_of(&shop.ask("POST", &format!("{path}extend/")).form("").send().await);
    let again = order_of(&shop.ask("POST", &format!("{path}extend/")).form("").send().await);
    assert_eq!(extension, again, "pressed twice, it is one order");
    shop.pay(extension).await;
    assert_eq!(state_of(&page(&shop, &format!("/charged/lnpurchase/po/{extension}/")).await), "extended");
    assert!(shop.view(order).product.suspend_after.expect("an end") > end);
    assert_eq!(page(&shop, &path).await.matches("/charged/lnpurchase/po/").count(), 2, "both orders are listed");
    assert_eq!(shop.ask("GET", &format!("/alias/{bridge}/")).send().await.status, 404);
}

#[tokio::test]
async fn what_never_came_up_has_no_address_and_nothing_that_could_be_extended() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    let bridge = shop.product(order);
    shop.report(bridge, ProductStatus::Failed).await.expect("it is reported");
    let shown = page(&shop, &format!("/bridge/{bridge}/")).await;
    assert!(!shown.contains("/extend/") && !shown.contains("id=\"address\""), "{shown}");
    assert!(shown.contains("never came up") && shown.contains(&order.to_string()), "its order tells the rest: {shown}");
    assert_eq!(state_of(&page(&shop, &format!("/charged/lnpurchase/po/{order}/")).await), "owed");
}

#[tokio::test]
async fn an_alias_is_bought_in_the_same_way() {
    let shop = TestShop::new();
    shop.sql("UPDATE host SET offers_nostr_aliases = 1");
    let host = format!("/shop/hosts/{}/", shop.host("host1"));
    let token = token_of(&page(&shop, &host).await);
    let key = crate::support::PUBLIC_KEY_HEX;
    let body = format!("product=nostr_alias&token={token}&alias=Bob&public_key={key}&tos_accepted=true");
    let order = order_of(&shop.ask("POST", &host).form(&body).send().await);
    shop.make_invoices().await;
    shop.pay(order).await;
    let alias = shop.product(order);
    shop.report(alias, ProductStatus::Active).await.expect("it is activated");
    let shown = page(&shop, &format!("/alias/{alias}/")).await;
    assert!(shown.contains(".well-known/nostr.json?name=bob"), "{shown}");
}

#[tokio::test]
async fn an_order_is_found_by_what_is_left_of_it_and_its_hash_alone_tells_no_more_than_its_state() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", Some("secret note")).await;
    let hash = shop.view(order).purchase.invoice.hash;
    let preimage = (0..9).map(|attempt| shop.shop.preimage(order, attempt)).find(|preimage| preimage.hash() == hash);
    let preimage = hex_of(&preimage.expect("the order's preimage").0);
    let find = async |what: &str| shop.ask("POST", "/find/").form(&format!("what={what}")).send().await;
    assert_eq!(order_of(&find(&order.to_string()).await), order);
    assert_eq!(order_of(&find(&preimage).await), order);
    assert_eq!(find(&bridge.to_string()).await.header("location"), format!("/bridge/{bridge}/"));
    let by_hash = find(&hash.to_string()).await;
    let text = by_hash.text();
    assert!(by_hash.status == 200 && text.contains("<strong>paid</strong>"), "{text}");
    for secret in [order.to_string(), bridge.to_string(), "secret note".to_owned(), ONION.to_owned()] {
        assert!(!text.contains(&secret), "{secret}");
    }
    for unknown in ["", "x", &"0".repeat(64), "123e4567-e89b-42d3-a456-426614174000"] {
        let nothing = find(unknown).await;
        assert!(nothing.status == 404 && nothing.text().contains("what-error"), "{unknown}");
    }
}

#[tokio::test]
async fn what_became_of_an_order_that_did_not_work_out_is_said_in_words() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let path = format!("/charged/lnpurchase/po/{order}/");
    shop.clock.advance_secs(901);
    shop.check_in_all();
    let expiring = page(&shop, &path).await;
    assert!(state_of(&expiring) == "expiring" && !expiring.contains("lightning:lnbc"), "nobody pays it any more");
    let id = order.0.simple();
    for (change, state, says) in [
        ("status = 'R', message = 'expiring'", "closing", "is being cancelled"),
        ("status = 'N', owed = 25000, message = 'undelivered'", "owed", "owes you a refund"),
        ("status = 'S', owed = 0, refunded = 25000, message = 'refunded'", "refunded", "was refunded"),
    ] {
        let invoice = if state == "closing" { "cancelling" } else { "paid" };
        shop.sql(&format!(
            "UPDATE purchase_order SET {change} WHERE id = x'{id}'; UPDATE invoice SET state = '{invoice}' \
             WHERE seq = (SELECT seq FROM purchase_order WHERE id = x'{id}')"
        ));
        let shown = page(&shop, &path).await;
        assert!(state_of(&shown) == state && shown.contains(says), "{state}: {shown}");
        let amount = ["Owed to you</dt>", "Paid back</dt>"].iter().any(|name| shown.contains(name));
        assert_eq!(amount, state != "closing", "the amount is named");
    }
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

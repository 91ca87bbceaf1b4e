//! What an order owes is claimed on its page, or by a wallet that has scanned its code.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::time::Clock;

use crate::support::TestShop;
use crate::support::bolt11::payment_request;
use crate::support::request::Answer;

/// An order that owes its price of 25 sat.
async fn owing(shop: &TestShop) -> OrderId {
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    shop.sql(&format!(
        "UPDATE purchase_order SET status = 'N', owed = 25000, message = 'undelivered' WHERE id = x'{}'",
        order.0.simple()
    ));
    order
}

fn path(order: OrderId) -> String {
    format!("/charged/lnpurchase/po/{order}/")
}

async fn send(shop: &TestShop, order: OrderId, request: &str) -> Answer {
    shop.ask("POST", &format!("{}claim/", path(order))).form(&format!("request={request}")).send().await
}

fn asks(shop: &TestShop) -> i64 {
    let sql = "SELECT count(*) FROM alert WHERE topic = 'refund_claimed' AND closed_at IS NULL";
    let read =
        shop.shop.db.read(|db| Ok::<_, ip2tor_shop::store::StoreError>(db.query_row(sql, [], |row| row.get(0))?));
    read.expect("alerts")
}

#[tokio::test]
async fn what_is_owed_is_claimed_with_a_form_and_the_page_says_what_becomes_of_it() {
    let shop = TestShop::new();
    let order = owing(&shop).await;
    let page = shop.ask("GET", &path(order)).send().await.text();
    assert!(page.contains("name=\"request\"") && page.contains("over exactly 25\u{a0}sats"), "{page}");
    assert!(!page.contains("http-equiv"), "what is being filled in stays");

    let now = shop.clock.now();
    for (request, says) in [
        ("lnbc1nonsense".to_owned(), "not a Lightning payment request"),
        (payment_request(24_000, now, 3600, 1), "exactly 25 sat"),
        (payment_request(25_000, now, 30, 2), "has expired"),
    ] {
        let refused = send(&shop, order, &request).await;
        let text = refused.text();
        assert!(refused.status == 400 && text.contains(says), "{request}: {text}");
        assert!(text.contains("request-error-1") && text.contains(&request), "what was typed stays: {text}");
    }
    assert_eq!(asks(&shop), 0);

    let taken =
        send(&shop, order, &format!("lightning:{}", payment_request(25_000, now, 3600, 3).to_uppercase())).await;
    assert_eq!((taken.status.as_u16(), taken.header("location")), (303, path(order).as_str()));
    let waits = shop.ask("GET", &path(order)).send().await.text();
    assert!(waits.contains("The operator has been told") && asks(&shop) == 1, "{waits}");
    shop.clock.advance_secs(3600);
    shop.check_in_all();
    assert!(shop.ask("GET", &path(order)).send().await.text().contains("Please give a new one"));
}

#[tokio::test]
async fn who_owes_nothing_takes_no_request_and_nobody_claims_for_an_order_that_is_not_there() {
    let shop = TestShop::new();
    let (order, _) = shop.active_bridge("host1", None).await;
    assert!(!shop.ask("GET", &path(order)).send().await.text().contains("name=\"request\""));
    let request = payment_request(25_000, shop.clock.now(), 3600, 1);
    assert_eq!(send(&shop, order, &request).await.status, 400);
    let nobody = OrderId(uuid::Uuid::from_u128(7));
    assert_eq!(send(&shop, nobody, &request).await.status, 404);
    let foreign = shop.ask("POST", &format!("{}claim/", path(order))).form(&format!("request={request}"));
    assert_eq!(foreign.header("Origin", "https://evil.example").send().await.status, 403);
}

#[tokio::test]
async fn a_wallet_that_scans_the_code_collects_what_is_owed_and_errors_have_the_form_that_it_knows() {
    let shop = TestShop::new();
    let order = owing(&shop).await;
    assert!(!shop.ask("GET", &path(order)).send().await.text().contains("LNURL1"), "no wallet asks over plain http");
    let onion = shop.ask("GET", &path(order)).header("Host", "abc.onion").send().await.text();
    assert!(onion.contains("lightning:LNURL1") && onion.matches("data:image/png").count() == 1, "{onion}");

    let ask = async |path: &str| {
        let answer = shop.ask("GET", path).header("Host", "abc.onion").send().await;
        assert!(answer.status == 200 && answer.header("access-control-allow-origin") == "*", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.json()
    };
    let offer = ask(&format!("/lnurl/withdraw/{order}/")).await;
    let callback = format!("http://abc.onion/lnurl/withdraw/{order}/pay/");
    assert!(offer["tag"] == "withdrawRequest" && offer["callback"] == callback, "{offer}");
    assert!(offer["minWithdrawable"] == 25_000 && offer["maxWithdrawable"] == 25_000, "{offer}");

    let now = shop.clock.now();
    let k1 = offer["k1"].as_str().expect("k1").to_owned();
    let pay = async |k1: &str, request: &str| ask(&format!("/lnurl/withdraw/{order}/pay/?k1={k1}&pr={request}")).await;
    assert_eq!(pay(&k1, "lnbc1x").await["status"], "ERROR");
    assert_eq!(pay("", &payment_request(25_000, now, 3600, 1)).await["status"], "ERROR", "without the code's own part");
    let wrong = pay(&k1, &payment_request(26_000, now, 3600, 1)).await;
    assert!(wrong["reason"].as_str().expect("a reason").contains("exactly 25 sat"), "{wrong}");
    let taken = pay(&k1, &payment_request(25_000, now, 3600, 1)).await;
    assert!(taken["status"] == "OK" && asks(&shop) == 1, "{taken}");
    shop.sql("UPDATE purchase_order SET owed = 20000");
    let stale = pay(&k1, &payment_request(20_000, now, 3600, 2)).await;
    assert!(stale["reason"].as_str().expect("a reason").contains("has changed"), "{stale}");
    shop.sql("UPDATE purchase_order SET owed = 0, status = 'S'");
    assert_eq!(ask(&format!("/lnurl/withdraw/{order}/")).await["status"], "ERROR");
    assert_eq!(ask("/lnurl/withdraw/x/").await["status"], "ERROR");
}

#[tokio::test]
async fn nobody_can_make_the_shop_store_claims_or_renewals_as_fast_as_they_can_ask() {
    let shop = TestShop::new();
    let order = owing(&shop).await;
    let (_, bridge) = shop.active_bridge("host1", None).await;
    shop.sql("UPDATE host SET max_periods = 9");
    let mut taken = [0; 2];
    for number in 1..=40_u8 {
        let request = payment_request(25_000, shop.clock.now(), 3600, number);
        taken[0] += usize::from(send(&shop, order, &request).await.status == 303);
        let periods = format!("periods={}", 1 + number % 2);
        let extend = shop.ask("POST", &format!("/bridge/{bridge}/extend/")).form(&periods).send().await;
        taken[1] += usize::from(extend.status == 303);
    }
    assert!(taken[0] > 3 && taken[1] > 3 && taken[0] + taken[1] < 20, "{taken:?}");
    let other = shop
        .ask("POST", &format!("{}claim/", path(order)))
        .from(poem::Addr::SocketAddr("203.0.113.77:50000".parse().expect("an address")));
    let request = payment_request(25_000, shop.clock.now(), 3600, 99);
    assert_eq!(other.form(&format!("request={request}")).send().await.status, 303, "the others are not held up");
}

//! What the operator is told of hosts that are gone.

use ip2tor_shop::domain::alert::AlertTopic;
use ip2tor_shop::domain::time::Clock;
use ip2tor_shop::services::{Principal, hosts};
use ip2tor_shop::store::alerts;

use crate::support::TestShop;

const HELLO: u8 = 0;
const GOODBYE: u8 = 1;

async fn alert(shop: &TestShop) -> Option<String> {
    hosts::watch::look(&shop.shop).await.expect("the look at the hosts");
    let open = shop.shop.db.read(|db| alerts::list(db, false)).expect("alerts");
    open.into_iter().find(|alert| alert.topic.name() == "host_dead").map(|alert| alert.text)
}

async fn check_in(shop: &TestShop, status: u8) {
    let scope = Principal::Host(shop.host("host1"));
    hosts::check_ins::check_in(&shop.shop, &scope, shop.host("host1"), status, String::new())
        .await
        .expect("a check-in");
}

#[tokio::test]
async fn a_dead_host_is_told_with_the_time_and_the_words_of_its_last_check_in() {
    let shop = TestShop::new();
    shop.active_bridge("host1", None).await;
    check_in(&shop, HELLO).await;
    let last = shop.clock.now();
    assert_eq!(alert(&shop).await, None);
    shop.clock.advance_secs(1000);
    let silent = alert(&shop).await.expect("an alert");
    assert!(silent.contains(&format!("has not checked in since {last}")), "{silent}");

    check_in(&shop, HELLO).await;
    assert_eq!(alert(&shop).await, None);
    check_in(&shop, GOODBYE).await;
    let gone = shop.clock.now();
    shop.clock.advance_secs(30);
    let left = alert(&shop).await.expect("an alert");
    assert!(left.contains(&format!("said goodbye at {gone}")) && !left.contains("not checked in"), "{left}");
}

#[tokio::test]
async fn a_host_that_never_checked_in_is_told_as_such() {
    let shop = TestShop::new();
    shop.active_bridge("host1", None).await;
    shop.sql("UPDATE host SET ci_date = NULL");
    let text = alert(&shop).await.expect("an alert");
    assert!(text.contains("has never checked in"), "{text}");
}

#[tokio::test]
async fn a_host_that_cannot_be_looked_at_holds_up_no_other() {
    let shop = TestShop::new();
    shop.active_bridge("host11forever", None).await;
    shop.sql("UPDATE host SET ci_date = NULL WHERE name = 'host11forever'");
    let broken = shop.host("host1");
    // It is looked at first, and what is noted of it can't be stored.
    shop.sql(&format!(
        "CREATE TRIGGER broken BEFORE UPDATE ON host WHEN old.id = x'{}' BEGIN SELECT raise(ABORT, 'broken'); END",
        broken.0.simple()
    ));
    assert!(alert(&shop).await.is_some_and(|text| text.contains("has never checked in")));
    let open = shop.shop.db.read(|db| alerts::list(db, false)).expect("alerts");
    let told: Vec<_> =
        open.iter().filter(|alert| alert.topic == AlertTopic::LeftOut).map(|alert| &alert.subject).collect();
    assert_eq!(told, [&broken.to_string()]);
}

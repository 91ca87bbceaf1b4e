//! From an alert to its receiver, through the outbox.

use std::sync::Arc;

use ip2tor_shop::background::Tasks;
use ip2tor_shop::background::alerts::{Messenger, test};
use ip2tor_shop::domain::alert::AlertTopic;
use ip2tor_shop::services::alert_messages::Rules;
use ip2tor_shop::services::{Principal, Shop, own_channels};
use ip2tor_shop::store::alerts;

use super::receiver::Receiver;
use super::{WEBHOOK_SECRET, channels, secret};
use crate::support::TestShop;

const RULES: Rules = Rules { group_secs: 60, quiet: None };

/// A shop, its messenger to a webhook at `receiver`, and the folder with the secret.
async fn messenger(receiver: &Receiver) -> (TestShop, Messenger, tempfile::TempDir) {
    let (shop, dir) = (TestShop::new(), tempfile::tempdir().expect("a folder"));
    let place = secret(dir.path(), "secret", WEBHOOK_SECRET);
    let channels = channels(&format!("[alerts.webhook]\nurl = \"{}/\"\nsecret = \"{place}\"", receiver.url()));
    let messenger = Messenger::new(shop.shop.clone(), Arc::new(channels), RULES);
    let idle = Tasks::default();
    messenger.start(&idle).await.expect("the channels begin");
    // The tests make each step themselves.
    idle.stop().await;
    (shop, messenger, dir)
}

/// One step on the one channel.
async fn step(messenger: &Messenger) {
    let served = messenger.served().expect("channels").remove(0);
    messenger.step(&served).await.expect("a step");
}

async fn raise(shop: &Shop, subject: &'static str) {
    let raise = move |tx: &mut ip2tor_shop::services::Tx<'_>| {
        Ok(alerts::raise(tx.db, AlertTopic::HostDead, subject, "says", tx.now).map(drop)?)
    };
    shop.tx(&Principal::Shop, raise).await.expect("it is raised");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_sent_again_under_the_same_name_until_it_is_taken() {
    let receiver = Receiver::start(&["503 Busy", "500 Oops"]).await;
    let (shop, messenger, _dir) = messenger(&receiver).await;
    raise(&shop.shop, "a").await;
    step(&messenger).await;
    assert_eq!(receiver.sent().len(), 0, "within the minute others may join");
    for wait in [60, 5, 300] {
        shop.clock.advance_secs(wait);
        step(&messenger).await;
        step(&messenger).await;
    }
    let sent = receiver.sent();
    assert_eq!(sent.len(), 3, "one try each time");
    assert!(sent.iter().all(|one| one.header("webhook-id") == sent[0].header("webhook-id")));
    assert!(sent.iter().all(|one| one.body == sent[0].body));
    let state = shop.shop.read(&Principal::Shop, own_channels::list).unwrap().remove(0);
    assert!(state.sent_at > state.failed_at && state.waiting == 0, "{state:?}");
    assert!(state.failure.is_some_and(|why| why.contains("500")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_when_the_shop_stops_is_sent_after_its_next_start() {
    let receiver = Receiver::start(&["503 Busy"]).await;
    let (shop, messenger, _dir) = messenger(&receiver).await;
    raise(&shop.shop, "a").await;
    shop.clock.advance_secs(60);
    step(&messenger).await;
    // The next start says the same channels again.
    let idle = Tasks::default();
    messenger.start(&idle).await.unwrap();
    idle.stop().await;
    shop.clock.advance_secs(5);
    step(&messenger).await;
    assert_eq!(receiver.sent().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_not_asked_again_until_a_test_goes_well() {
    let receiver = Receiver::start(&["410 Gone"]).await;
    let (shop, messenger, dir) = messenger(&receiver).await;
    raise(&shop.shop, "a").await;
    shop.clock.advance_secs(60);
    step(&messenger).await;
    raise(&shop.shop, "b").await;
    shop.clock.advance_secs(99_999);
    step(&messenger).await;
    assert_eq!(receiver.sent().len(), 1);
    let place = secret(dir.path(), "secret", WEBHOOK_SECRET);
    let channels = channels(&format!("[alerts.webhook]\nurl = \"{}/\"\nsecret = \"{place}\"", receiver.url()));
    let by = Principal::CommandLine(None);
    assert_eq!(test(&shop.shop, &channels, "webhook", &by).await.unwrap(), Ok(()));
    assert_eq!(receiver.sent()[1].json()["type"].as_str(), Some("shop.test"));
    raise(&shop.shop, "c").await;
    shop.clock.advance_secs(60);
    step(&messenger).await;
    assert_eq!(receiver.sent().len(), 3);
}

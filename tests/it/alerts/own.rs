//! Operators' own channels: what concerns whom, over real connections, and where they may not lead.

use std::sync::Arc;

use ip2tor_shop::background::Tasks;
use ip2tor_shop::background::alerts::{Messenger, test};
use ip2tor_shop::config::Config;
use ip2tor_shop::domain::alert::{AlertTopic, Severity};
use ip2tor_shop::domain::alert_channel::{ChannelKind, ChannelRules, OwnChannel};
use ip2tor_shop::domain::id::OperatorId;
use ip2tor_shop::lightning::dial::{BoxedIo, Dial};
use ip2tor_shop::notify::{Channels, Ways};
use ip2tor_shop::services::alert_messages::Rules;
use ip2tor_shop::services::{Error, Principal, Tx, own_channels};
use ip2tor_shop::store::alerts;

use super::receiver::Receiver;
use super::{WEBHOOK_SECRET, ways};
use crate::support::TestShop;

const ADMINISTRATOR: OperatorId = OperatorId(1);
const OPERATOR: OperatorId = OperatorId(2);

fn channels(ways: &Ways) -> Channels {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Channels::new(&Config::parse("").expect("a configuration").alerts, ways)
}

fn webhook(target: String) -> OwnChannel {
    OwnChannel { kind: ChannelKind::Webhook, target, secret: Some(WEBHOOK_SECRET.to_owned()), token: None }
}

async fn add(shop: &TestShop, owner: OperatorId, channel: OwnChannel) -> String {
    let rules = ChannelRules { severity: Severity::Info, quiet: None };
    let by = Principal::CommandLine(None);
    let added = shop.shop.tx(&by, move |tx| own_channels::add(tx, owner, &channel, rules)).await;
    added.expect("it is added").name
}

async fn raise(shop: &TestShop, topic: AlertTopic, subject: String) {
    let raise = move |tx: &mut Tx<'_>| Ok(alerts::raise(tx.db, topic, &subject, "says", tx.now).map(drop)?);
    shop.shop.tx(&Principal::Shop, raise).await.expect("it is raised");
}

/// A messenger whose steps the test makes.
async fn messenger(shop: &TestShop, channels: Channels) -> Messenger {
    let messenger = Messenger::new(shop.shop.clone(), Arc::new(channels), Rules { group_secs: 0, quiet: None });
    let idle = Tasks::default();
    messenger.start(&idle).await.expect("the channels begin");
    idle.stop().await;
    messenger
}

async fn step(messenger: &Messenger) {
    for served in messenger.served().expect("channels") {
        messenger.step(&served).await.expect("a step");
    }
}

/// The ways to receivers, whatever they are called.
fn all_lead_to(receiver: &Receiver) -> Ways {
    let address = receiver.url().trim_start_matches("http://").to_owned();
    let public = Dial::new(move |_, _| {
        let address = address.clone();
        Box::pin(async move { Ok(Box::new(tokio::net::TcpStream::connect(address).await?) as BoxedIo) })
    });
    Ways { public, ..ways() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_of_what_is_theirs_and_an_administrator_of_everything() {
    let shop = TestShop::new();
    shop.add_operator(3, "other");
    let (all, own) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    add(&shop, ADMINISTRATOR, webhook(format!("{}/all", all.url()))).await;
    add(&shop, OPERATOR, webhook("http://own.onion/own".to_owned())).await;
    add(&shop, OperatorId(3), webhook("http://own.onion/nothing".to_owned())).await;
    let messenger = messenger(&shop, channels(&all_lead_to(&own))).await;
    let host = shop.host("host1").to_string();
    raise(&shop, AlertTopic::HostDead, host.clone()).await;
    raise(&shop, AlertTopic::NodeDead, shop.node.to_string()).await;
    raise(&shop, AlertTopic::Storage, String::new()).await;
    raise(&shop, AlertTopic::FewPorts, uuid::Uuid::nil().to_string()).await;
    step(&messenger).await;
    let text = |receiver: &Receiver| receiver.sent().iter().map(|sent| sent.body.clone()).collect::<String>();
    for topic in ["host_dead", "node_dead", "storage", "few_ports"] {
        assert!(text(&all).contains(topic), "{topic} in {}", text(&all));
    }
    let told = text(&own);
    assert!(told.contains(&host) && told.contains("node_dead"), "{told}");
    assert!(!told.contains("storage") && !told.contains("few_ports"), "{told}");
    assert!(own.sent().iter().all(|sent| sent.line == "POST /own HTTP/1.1"), "nothing is the third one's");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_can_not_have_the_shop_connect_into_its_own_network_and_an_administrator_can() {
    let (shop, receiver) = (TestShop::new(), Receiver::start(&[]).await);
    let here = webhook(receiver.url());
    let (own, admins) = (add(&shop, OPERATOR, here.clone()).await, add(&shop, ADMINISTRATOR, here).await);
    let channels = channels(&ways());
    let operator = Principal::Operator(OPERATOR, "operator".to_owned());
    let refused = test(&shop.shop, &channels, &own, &operator).await.unwrap().unwrap_err();
    assert!(refused.contains("public address"), "{refused}");
    assert!(receiver.sent().is_empty(), "nothing came there");
    let administrator = Principal::Administrator("admin".to_owned());
    assert_eq!(test(&shop.shop, &channels, &admins, &administrator).await.unwrap(), Ok(()));
    assert_eq!(receiver.sent().len(), 1);
    // Whose channel it is counts, not who tries it; and what they are now.
    assert!(test(&shop.shop, &channels, &own, &administrator).await.unwrap().is_err());
    shop.sql("UPDATE operator SET role = 'operator' WHERE id = 1");
    assert!(test(&shop.shop, &channels, &admins, &administrator).await.unwrap().is_err());
    assert_eq!(receiver.sent().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_tries_only_their_own_channels_and_not_as_often_as_they_like() {
    let (shop, receiver) = (TestShop::new(), Receiver::start(&[]).await);
    let (own, admins) = (
        add(&shop, OPERATOR, webhook("http://own.onion/".to_owned())).await,
        add(&shop, ADMINISTRATOR, webhook("http://other.onion/".to_owned())).await,
    );
    let channels = channels(&all_lead_to(&receiver));
    let operator = Principal::Operator(OPERATOR, "operator".to_owned());
    for other in [&admins, "email", "own-99"] {
        assert_eq!(test(&shop.shop, &channels, other, &operator).await, Err(Error::NotFound), "{other}");
    }
    assert_eq!(test(&shop.shop, &channels, &own, &operator).await.unwrap(), Ok(()));
    assert!(matches!(test(&shop.shop, &channels, &own, &operator).await, Err(Error::Conflict(_))));
    shop.clock.advance_secs(31);
    assert_eq!(test(&shop.shop, &channels, &own, &operator).await.unwrap(), Ok(()));
    assert_eq!(receiver.sent().len(), 2);
}

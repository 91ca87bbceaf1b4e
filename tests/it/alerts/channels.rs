//! ntfy, webhooks and the heartbeat.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use ip2tor_shop::config::Config;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::notify::{Channels, Heartbeat};
use ip2tor_shop::web::Server;

use super::receiver::{Receiver, Sent};
use super::{NOW, WEBHOOK_SECRET, channels, message, secret, ways};

fn webhook(dir: &tempfile::TempDir, receiver: &Receiver) -> Channels {
    let place = secret(dir.path(), "secret", WEBHOOK_SECRET);
    channels(&format!("[alerts.webhook]\nurl = \"{}/hook?a=b\"\nsecret = \"{place}\"", receiver.url()))
}

/// As the specification has a receiver check it, with the secret that only the two know.
fn is_signed(sent: &Sent, secret: &str) -> bool {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).expect("any length");
    mac.update(format!("{}.{}.{}", sent.header("webhook-id"), sent.header("webhook-timestamp"), sent.body).as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    sent.header("webhook-signature").split(' ').any(|shown| shown == signature)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_so_that_its_receiver_knows_from_whom_it_is() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(&[]).await);
    webhook(&dir, &receiver).send("webhook", &message(), NOW).await.unwrap();
    let sent = receiver.sent().remove(0);
    assert_eq!(sent.line, "POST /hook?a=b HTTP/1.1");
    assert_eq!((sent.header("webhook-id"), sent.header("webhook-timestamp")), ("msg_1", "1795000000"));
    assert!(is_signed(&sent, WEBHOOK_SECRET), "{sent:?}");
    assert!(!is_signed(&sent, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    let body = sent.json();
    assert_eq!((body["type"].as_str(), body["data"]["severity"].as_str()), (Some("shop.alert"), Some("critical")));
    assert_eq!(body["data"]["text"].as_str(), Some(message().text.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_replaced_both_are_good() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(&[]).await);
    let new = secret(dir.path(), "new", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let former = secret(dir.path(), "former", WEBHOOK_SECRET);
    let url = receiver.url();
    let both =
        channels(&format!("[alerts.webhook]\nurl = \"{url}\"\nsecret = \"{new}\"\nformer_secret = \"{former}\""));
    both.send("webhook", &message(), NOW).await.unwrap();
    let sent = receiver.sent().remove(0);
    assert!(is_signed(&sent, WEBHOOK_SECRET) && is_signed(&sent, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_says_is_understood() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), Receiver::start(&[]).await);
    let redirect = format!("302 Found\r\nLocation: {}/", elsewhere.url());
    let answers = ["500 Oops", &redirect, "410 Gone", "429 Slow down\r\nRetry-After: 120", "202 Accepted"];
    let receiver = Receiver::start(&answers).await;
    let channels = webhook(&dir, &receiver);
    let mut refusals = Vec::new();
    for _ in answers {
        refusals.push(channels.send("webhook", &message(), NOW).await.err());
    }
    let finals: Vec<_> = refusals.iter().map(|refusal| refusal.as_ref().is_some_and(|why| why.is_final)).collect();
    assert_eq!(finals, [false, false, true, false, false]);
    assert_eq!(refusals[3].as_ref().and_then(|why| why.retry_after_secs), Some(120));
    assert!(refusals[0].as_ref().is_some_and(|why| why.text.contains("500")), "{refusals:?}");
    assert_eq!(refusals[4], None);
    assert_eq!(elsewhere.sent().len(), 0, "a redirect is not followed with what was signed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_slow_or_gone_is_given_up() {
    let receiver = Receiver::start(&["slow"]).await;
    let server = Server { limit: Duration::from_millis(300), ..Server::new(Dial::direct()) };
    let request = |url: String| http::Request::get(url).body(Bytes::new()).unwrap();
    let why = server.ask(request(format!("{}/very-secret", receiver.url()))).await.unwrap_err();
    assert!(why.contains("no answer within") && !why.contains("secret"), "{why}");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let why = server.ask(request(format!("http://{gone}/very-secret"))).await.unwrap_err();
    assert!(!why.contains("secret"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ntfy_gets_one_post_with_its_topic_and_token() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(&["200 OK"]).await);
    let (topic, token) = (secret(dir.path(), "topic", "my-topic\n"), secret(dir.path(), "token", "tk_1"));
    let url = receiver.url();
    let config = format!("[alerts.ntfy]\nurl = \"{url}\"\ntopic = \"{topic}\"\ntoken = \"{token}\"");
    let channels = channels(&config);
    channels.send("ntfy", &message(), NOW).await.unwrap();
    let sent = receiver.sent().remove(0);
    assert_eq!((sent.line.as_str(), sent.header("authorization")), ("POST / HTTP/1.1", "Bearer tk_1"));
    let body = sent.json();
    assert_eq!((body["topic"].as_str(), body["priority"].as_i64()), (Some("my-topic"), Some(5)));
    assert_eq!(body["title"].as_str(), Some("Shop: node_dead (critical)"));
    let shown = format!("{channels:?}{}", channels.place("ntfy").unwrap());
    assert!(!shown.contains("my-topic") && !shown.contains("tk_1"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_can_not_be_read_is_a_failure_that_names_its_place() {
    let (dir, receiver) = (tempfile::tempdir().unwrap(), Receiver::start(&[]).await);
    let channels = webhook(&dir, &receiver);
    std::fs::remove_file(dir.path().join("secret")).unwrap();
    let why = channels.send("webhook", &message(), NOW).await.unwrap_err();
    assert!(why.text.contains("secret") && receiver.sent().is_empty(), "{why:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heartbeat_is_one_look_at_its_address() {
    let receiver = Receiver::start(&["200 OK", "404 Not Found"]).await;
    let config = Config::parse(&format!("[alerts.heartbeat]\nurl = \"{}/ping/1\"", receiver.url())).unwrap();
    let ways = ways();
    let heartbeat = Heartbeat::new(&config.alerts, &ways).unwrap();
    assert_eq!(heartbeat.beat().await, Ok(()));
    assert_eq!(receiver.sent()[0].line, "GET /ping/1 HTTP/1.1");
    assert!(heartbeat.beat().await.unwrap_err().contains("404"));
}

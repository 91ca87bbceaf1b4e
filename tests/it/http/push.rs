//! Host push over a real connection.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::http::server::limits::ConnectionLimits;
use ip2tor_shop::services::products;
use ip2tor_shop::services::products::operate::OperatorAction;
use ip2tor_shop::services::{Principal, Settings, Shop, Tx, hosts};
use ip2tor_shop::store::Db;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::TestShop;
use crate::support::listen::listen;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(address: std::net::SocketAddr, header: (&'static str, String)) -> Result<Socket, u16> {
    let mut request = format!("ws://{address}/shop/host").into_client_request().expect("a request");
    request.headers_mut().insert(header.0, header.1.parse().expect("a header value"));
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

async fn next(socket: &mut Socket) -> Value {
    let wait = async {
        loop {
            if let Message::Text(text) = socket.next().await.expect("open").expect("a message") {
                return serde_json::from_str(&text).expect("JSON");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("a message in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_host_hears_at_once_what_it_has_to_do() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let waiting = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(waiting).await;
    let bridge =
        |id: String, status: &str| json!({ "type": "product", "product": "tor_bridge", "id": id, "status": status });

    let mut socket = connect(address, ("authorization", shop.token("host1"))).await.expect("connected");
    assert_eq!(next(&mut socket).await, json!({ "type": "hello", "host": shop.host("host1").to_string() }));
    assert_eq!(next(&mut socket).await, bridge(shop.product(waiting).to_string(), "P"), "what is waiting already");

    socket.send(Message::text("{\"type\": \"host.check_port\"}")).await.expect("hosts may say anything");
    let other = shop.order_bridge("host2test", None).await;
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(other).await;
    shop.pay(order).await;
    let product = shop.product(order);
    assert_eq!(next(&mut socket).await, bridge(product.to_string(), "P"), "only its own");

    shop.report(product, ProductStatus::Active).await.expect("activated");
    shop.clock.advance_secs(86_400 + 601);
    ip2tor_shop::services::products::expire::suspend_expired(&shop.shop).await.expect("suspended");
    assert_eq!(next(&mut socket).await, bridge(product.to_string(), "S"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_host_hears_of_what_another_process_changed() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let mut socket = connect(address, ("authorization", shop.token("host1"))).await.expect("connected");
    assert_eq!(next(&mut socket).await["type"], "hello");

    // As the command line does it: the same file, and none of the running shop's bells.
    let db = Db::open(shop.shop.db.path()).expect("the database opens");
    let other = Shop::new(db, shop.clock.clone(), Arc::new(SystemRandom), Settings::default()).expect("a shop");
    let administrator = Principal::CommandLine(None);
    products::operate::operate(&other, &administrator, bridge, OperatorAction::Suspend).await.expect("suspended");
    let told = next(&mut socket).await;
    assert_eq!((told["id"].as_str(), told["status"].as_str()), (Some(bridge.to_string().as_str()), Some("S")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_to_a_host_was_noted_before_as_shown_and_its_port_stays_reserved() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    assert_eq!(shop.view(order).product.shown_at, None);
    let mut socket = connect(address, ("authorization", shop.token("host1"))).await.expect("connected");
    assert_eq!(next(&mut socket).await["type"], "hello");
    assert_eq!(next(&mut socket).await["status"], "P");
    assert_eq!(shop.view(order).product.shown_at, Some(shop.shop.now()));

    shop.clock.advance_secs(1801);
    products::expire::give_up_unactivated(&shop.shop).await.expect("given up");
    let product = shop.view(order).product;
    assert_eq!((product.status, product.placed), (ProductStatus::NeedsSuspend, true), "it may stand on the host");
    shop.report(product.id, ProductStatus::Suspended).await.expect("taken down");
    assert!(!shop.view(order).product.placed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_as_soon_as_its_token_is_replaced() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let mut socket = connect(address, ("authorization", shop.token("host1"))).await.expect("connected");
    assert_eq!(next(&mut socket).await["type"], "hello");

    let host = shop.host("host1");
    let rotate = move |tx: &mut Tx<'_>| hosts::manage::rotate_token(tx, &SystemRandom, host, true);
    shop.shop.tx(&Principal::CommandLine(None), rotate).await.expect("a new token");
    let administrator = Principal::CommandLine(None);
    products::operate::operate(&shop.shop, &administrator, bridge, OperatorAction::Suspend).await.expect("suspended");
    let wait = async {
        let mut said = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            said.push(message);
        }
        said
    };
    let said = tokio::time::timeout(Duration::from_secs(10), wait).await.expect("the end in time");
    assert!(said.iter().all(|message| !message.is_text()), "nothing is told any more: {said:?}");
    let reason = said.iter().find_map(|message| match message {
        Message::Close(Some(frame)) => Some(u16::from(frame.code)),
        _ => None,
    });
    assert_eq!(reason, Some(1008), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_opens_no_connection_with_the_cookie() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let cookie = shop.token("host1").replace("Token ", "x-auth-token=");
    for (name, value, status) in [
        ("origin", "https://evil.example".to_owned(), Some(403)),
        ("origin", "null".to_owned(), Some(403)),
        ("sec-fetch-site", "cross-site".to_owned(), Some(403)),
        ("origin", format!("http://{address}"), None),
        ("sec-fetch-site", "same-origin".to_owned(), None),
    ] {
        let mut request = format!("ws://{address}/shop/host").into_client_request().expect("a request");
        request.headers_mut().insert("cookie", cookie.parse().expect("a header value"));
        request.headers_mut().insert(name, value.parse().expect("a header value"));
        let refused = match connect_async(request).await {
            Ok(_) => None,
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Some(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(refused, status, "{name}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_hosts_connect_and_not_too_often() {
    let shop = TestShop::new();
    let address = listen(&shop, ConnectionLimits::default()).await;
    let token = shop.token("host1").replace("Token ", "");
    assert_eq!(connect(address, ("authorization", "Token x".to_owned())).await.err(), Some(401));
    assert_eq!(connect(address, ("x-nothing", String::new())).await.err(), Some(401));
    let mut open = Vec::new();
    for header in [
        ("authorization", format!("Token {token}")),
        ("authorization", format!("Token: {token}")),
        ("cookie", format!("x-auth-token={token}")),
        ("authorization", format!("token {token}")),
    ] {
        open.push(connect(address, header).await.expect("connected"));
    }
    assert_eq!(connect(address, ("authorization", shop.token("host1"))).await.err(), Some(429));
    let plain = shop.ask("GET", "/shop/host").token("host1").send().await;
    assert_eq!(plain.status, 426);
}

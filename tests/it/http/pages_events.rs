//! The stream that tells the page of an order when there is something new to show.

use std::time::Duration;

use futures_util::StreamExt;
use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::http::server::limits::ConnectionLimits;
use poem::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::pages::state_of;
use crate::support::TestShop;
use crate::support::listen::listen;

/// Whatever is expected comes within this.
const PATIENCE: Duration = Duration::from_secs(60);

fn path(order: OrderId) -> String {
    format!("/charged/lnpurchase/po/{order}/events/?part=en")
}

/// Somebody who listens, on a circuit of their own.
async fn open(shop: &TestShop, order: OrderId, circuit: u64) -> Response {
    shop.ask("GET", &path(order)).on_circuit(ip2tor_shop::http::Surface::Onion, circuit).open().await
}

/// What is told, up to the end of the stream at most.
struct Told(futures_util::stream::BoxStream<'static, Vec<u8>>);

impl Told {
    fn by(mut response: Response) -> Self {
        assert_eq!((response.status().as_u16(), response.content_type()), (200, Some("text/event-stream")));
        let bytes = response.take_body().into_bytes_stream();
        Self(bytes.map(|piece| piece.expect("a piece").to_vec()).boxed())
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        let piece = timeout(PATIENCE, self.0.next()).await.expect("something in time")?;
        let text = String::from_utf8(piece).expect("text");
        assert!(text.ends_with("\n\n"), "{text:?}");
        let (_, version) = text.split_once("data: ").unwrap_or_else(|| panic!("no version: {text:?}"));
        Some(version.trim_end().to_owned())
    }
}

async fn order_to_pay(shop: &TestShop) -> OrderId {
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    order
}

/// The version that the page shows.
async fn shown(shop: &TestShop, order: OrderId) -> String {
    let page = shop.ask("GET", &format!("/charged/lnpurchase/po/{order}/?part=en")).send().await.text();
    let (_, rest) = page.split_once("data-version=\"").expect("a version");
    rest.split('"').next().expect("a value").to_owned()
}

#[tokio::test]
async fn the_stream_tells_each_state_that_the_page_shows_and_ends_with_the_last_one() {
    let shop = TestShop::new();
    let order = order_to_pay(&shop).await;
    let page = shop.ask("GET", &format!("/charged/lnpurchase/po/{order}/")).send().await.text();
    assert!(page.contains(&format!("data-events=\"{}\"", path(order))), "{page}");
    let mut told = Told::by(open(&shop, order, 1).await);
    assert_eq!(told.next().await, Some(shown(&shop, order).await));

    shop.pay(order).await;
    let waiting = told.next().await.expect("an event");
    assert!(waiting.starts_with("waiting-") && waiting == shown(&shop, order).await, "{waiting}");
    shop.report(shop.product(order), ProductStatus::Active).await.expect("activated");
    let active = told.next().await.expect("an event");
    assert!(active.starts_with("active-") && active == shown(&shop, order).await, "{active}");
    assert_eq!(told.next().await, None, "nothing more happens by itself");

    let page = shop.ask("GET", &format!("/charged/lnpurchase/po/{order}/")).send().await.text();
    assert!(state_of(&page) == "active" && !page.contains("data-events"), "{page}");
    assert_eq!(open(&shop, order, 1).await.status(), 204);
    let nobody = OrderId(uuid::Uuid::from_u128(7));
    assert_eq!(open(&shop, nobody, 1).await.status(), 404);
}

#[tokio::test]
async fn that_the_time_to_pay_is_over_is_told_although_nothing_is_stored_then() {
    let shop = TestShop::new();
    let order = order_to_pay(&shop).await;
    let mut told = Told::by(open(&shop, order, 1).await);
    assert!(told.next().await.expect("an event").starts_with("to_pay-"));
    shop.clock.advance_secs(901);
    assert!(told.next().await.expect("an event").starts_with("expiring-"));
}

#[tokio::test]
async fn strangers_who_listen_take_neither_all_places_nor_those_of_an_order() {
    let shop = TestShop::new();
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(order_to_pay(&shop).await);
    }
    let mut open_ones = Vec::new();
    let mut refused = [0; 3];
    for order in &orders[..6] {
        let response = open(&shop, *order, 1).await;
        if response.status() == 200 { open_ones.push(response) } else { refused[0] += 1 }
    }
    for circuit in 10..14 {
        let response = open(&shop, orders[10], circuit).await;
        if response.status() == 200 { open_ones.push(response) } else { refused[1] += 1 }
    }
    assert_eq!((refused[0], refused[1], open_ones.len()), (2, 2, 6), "four of a client, two of an order");
    for (n, order) in orders.iter().cycle().take(40).enumerate() {
        let response = open(&shop, *order, 100 + n as u64).await;
        if response.status() == 200 { open_ones.push(response) } else { refused[2] += 1 }
    }
    assert!(open_ones.len() == 32 && refused[2] > 0, "{} are open", open_ones.len());
    assert_eq!(open(&shop, orders[19], 999).await.status(), 204, "its page asks by itself");
    drop(open_ones);
    assert_eq!(open(&shop, orders[19], 999).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_browser_has_gone_gives_its_place_back() {
    let shop = TestShop::new();
    let order = order_to_pay(&shop).await;
    let address = listen(&shop, ConnectionLimits::default()).await;
    let head = format!("GET {} HTTP/1.1\r\nHost: shop.example\r\n\r\n", path(order));
    // More often than an order has places: each is free again once its connection is closed.
    for _ in 0..6 {
        let is_told = async {
            loop {
                let mut stream = TcpStream::connect(address).await.expect("connected");
                stream.write_all(head.as_bytes()).await.expect("sent");
                let mut answer = [0; 4096];
                let count = stream.read(&mut answer).await.expect("an answer");
                if answer[..count].starts_with(b"HTTP/1.1 200") {
                    return;
                }
            }
        };
        timeout(PATIENCE, is_told).await.expect("a place");
    }
}

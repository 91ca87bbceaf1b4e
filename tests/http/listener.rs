//! Connections: the deadline for headers, the cap, keep-alive.

use std::time::Duration;

use ip2tor_shop::http::listener::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::push::listen;
use crate::support::TestShop;

/// Whatever is expected comes within this.
const PATIENCE: Duration = Duration::from_secs(60);
const REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: shop.example\r\n\r\n";

fn limits(max_connections: usize, header_millis: u64) -> ConnectionLimits {
    let header_time = Duration::from_millis(header_millis);
    ConnectionLimits { max_connections, header_time, ..ConnectionLimits::default() }
}

async fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"{\"status\":\"ok\"}") {
        let count = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("data");
        assert_ne!(count, 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend(&buffer[..count]);
    }
    String::from_utf8(answer).expect("text")
}

/// Whether the server closes the connection without being asked.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_for_more_requests() {
    let shop = TestShop::new();
    let address = listen(&shop, limits(10, 60_000)).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    for _ in 0..3 {
        stream.write_all(REQUEST).await.expect("sent");
        assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_come_to_an_end_are_cut_off() {
    let shop = TestShop::new();
    let address = listen(&shop, limits(10, 2000)).await;
    let mut silent = TcpStream::connect(address).await.expect("connected");
    assert!(is_closed(&mut silent).await, "nothing was said");
    let mut slow = TcpStream::connect(address).await.expect("connected");
    slow.write_all(REQUEST).await.expect("sent");
    read_answer(&mut slow).await;
    slow.write_all(b"GET / HTTP/1.1\r\nX: ").await.expect("sent");
    assert!(is_closed(&mut slow).await, "the second request never ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_cap_wait_for_a_free_place() {
    let shop = TestShop::new();
    let address = listen(&shop, limits(1, 60_000)).await;
    let mut first = TcpStream::connect(address).await.expect("connected");
    first.write_all(REQUEST).await.expect("sent");
    read_answer(&mut first).await;
    let mut second = TcpStream::connect(address).await.expect("the kernel accepts it");
    second.write_all(REQUEST).await.expect("sent");
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), second.read(&mut byte)).await.is_err(), "no place yet");
    drop(first);
    read_answer(&mut second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_connections_that_say_nothing_delays_nobody() {
    let shop = TestShop::new();
    let address = listen(&shop, limits(64, 600_000)).await;
    let mut flood = Vec::new();
    for _ in 0..100 {
        let mut half_open = TcpStream::connect(address).await.expect("connected");
        half_open.write_all(b"GET / HTTP/1.1\r\nX: ").await.expect("sent");
        flood.push(half_open);
    }
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(REQUEST).await.expect("sent");
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert!(is_closed(&mut flood[0]).await, "the oldest gave way");
}

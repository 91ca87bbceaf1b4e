//! Connections: the deadline for headers, the cap, keep-alive.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ip2tor_shop::http::Limits;
use ip2tor_shop::http::server::connection_limiter::ConnectionLimiter;
use ip2tor_shop::http::server::limits::ConnectionLimits;
use ip2tor_shop::http::server::listener::Listener;
use poem::listener::{Acceptor, Listener as _, TcpListener};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::TestShop;
use crate::support::listen::listen;

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

/// Long enough for everything but one of them.
fn patient() -> ConnectionLimits {
    limits(10, 60_000)
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
    first.write_all(b"GET").await.expect("sent");
    let mut second = TcpStream::connect(address).await.expect("the kernel accepts it");
    second.write_all(REQUEST).await.expect("sent");
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), second.read(&mut byte)).await.is_err(), "no place yet");
    drop(first);
    read_answer(&mut second).await;
}

/// A newcomer's request, and whether it is answered before long.
async fn is_answered(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(REQUEST).await.expect("sent");
    let answer = timeout(Duration::from_secs(20), read_answer(&mut stream)).await;
    answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 OK"))
}

/// So many connections, each with `start` said on it.
async fn flood(address: SocketAddr, count: usize, start: &[u8]) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // Who had to leave already is not heard any more.
        let _ = stream.write_all(start).await;
        flood.push(stream);
    }
    flood
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_connections_that_say_nothing_nor_half_requests_nor_idle_ones_shut_anybody_out() {
    const HALF_HEAD: &[u8] = b"GET / HTTP/1.1\r\nX: ";
    const HALF_BODY: &[u8] = b"POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 9\r\n\r\n{";
    // So much is answered that the client, who reads nothing, has to be waited for.
    let greedy = b"GET /openapi.yaml HTTP/1.1\r\nHost: shop.example\r\n\r\n".repeat(50);
    let shop = TestShop::new();
    for start in [b"".as_slice(), HALF_HEAD, HALF_BODY, REQUEST, &greedy] {
        let address = listen(&shop, limits(16, 600_000)).await;
        let mut flood = flood(address, 40, start).await;
        assert!(is_answered(address).await, "{:?}", String::from_utf8_lossy(&start[..start.len().min(40)]));
        flood.truncate(1);
        assert!(is_closed(&mut flood[0]).await, "the oldest gave way");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_read_up_to_sixteen_kib() {
    let shop = TestShop::new();
    let address = listen(&shop, patient()).await;
    let head = |size: usize| {
        let start = "GET /healthz HTTP/1.1\r\nHost: shop.example\r\nX: ";
        format!("{start}{}\r\n\r\n", "x".repeat(size - start.len() - 4)).into_bytes()
    };
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(&head(15 << 10)).await.expect("sent");
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    for size in [17 << 10, 10 << 20] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // It is closed long before all is sent.
        let _ = stream.write_all(&head(size)).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{size}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_shop_stops_a_request_is_answered_to_its_end_and_idle_connections_are_closed() {
    let shop = TestShop::new();
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.expect("a port");
    let address = *acceptor.local_addr()[0].as_socket_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopped = async { drop(stopped.await) };
    let listener = Listener::new(acceptor, Arc::clone(&shop.app), ConnectionLimiter::new(patient()));
    let served = tokio::spawn(async move { listener.serve(stopped).await });
    let mut idle = TcpStream::connect(address).await.expect("connected");
    idle.write_all(REQUEST).await.expect("sent");
    read_answer(&mut idle).await;
    let mut busy = TcpStream::connect(address).await.expect("connected");
    let head = "POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n\
                Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    busy.write_all(head.as_bytes()).await.expect("sent");
    busy.read_exact(&mut [0; 25]).await.expect("it is asked for its body");
    stop.send(()).expect("it listens");
    assert!(is_closed(&mut idle).await);
    busy.write_all(b"{}").await.expect("sent");
    let mut answer = String::new();
    busy.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    timeout(PATIENCE, served).await.expect("it ends").expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_lines_are_no_request() {
    let shop = TestShop::new();
    let address = listen(&shop, limits(10, 200)).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"\r\n\r\n\r\n").await.expect("sent");
    assert!(is_closed(&mut stream).await, "the headers have to come in time all the same");
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(&[b"\r\n", REQUEST].concat()).await.expect("sent");
    assert!(read_answer(&mut stream).await.starts_with("HTTP/1.1 200 OK"), "but a request may follow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_request_is_closed() {
    let shop = TestShop::new();
    let idle_time = Duration::from_millis(200);
    let address = listen(&shop, ConnectionLimits { idle_time, ..limits(10, 2000) }).await;
    for more in [b"".as_slice(), b"\r\n"] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(REQUEST).await.expect("sent");
        read_answer(&mut stream).await;
        stream.write_all(more).await.expect("sent");
        assert!(is_closed(&mut stream).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_not_spoken_however_its_beginning_is_cut() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let shop = TestShop::new();
    let mut whole = TcpStream::connect(listen(&shop, patient()).await).await.expect("connected");
    whole.write_all(PREFACE).await.expect("sent");
    assert!(is_closed(&mut whole).await, "at once");
    let address = listen(&shop, patient()).await;
    for cut in [1, 2, 4, 16, 18, 23, 24, 27] {
        let mut in_parts = TcpStream::connect(address).await.expect("connected");
        in_parts.set_nodelay(true).expect("set");
        in_parts.write_all(&PREFACE[..cut]).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(20)).await;
        // It may be closed by now.
        let _ = in_parts.write_all(&PREFACE[cut..]).await;
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, in_parts.read_to_end(&mut answer)).await.expect("closed at once");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "no frames: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_asked_for_has_the_time_of_a_body() {
    let shop = TestShop::new();
    let mut stream = TcpStream::connect(listen(&shop, limits(10, 200)).await).await.expect("connected");
    let head = "POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    for part in ["{", " ", " ", " ", " ", "}"] {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_all(part.as_bytes()).await.expect("sent");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("host_id"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_half_a_body_is_told_that_it_was_too_slow() {
    let request_time = Duration::from_millis(200);
    let shop = TestShop::with(Limits { request_time, ..Limits::default() });
    let mut stream = TcpStream::connect(listen(&shop, patient()).await).await.expect("connected");
    let half = "POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\n\r\n{\"product\":";
    stream.write_all(half.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.expect("in time").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

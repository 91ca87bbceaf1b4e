//! What strangers can make the shop hold in memory when they try: clients by the ten thousand, and every place
//! taken by a connection that keeps as much as it may and never goes on.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::load::{self, Connection};
use crate::table::Table;
use crate::world::World;

/// More than are remembered.
const CLIENTS: u32 = 30_000;
/// More than there are places.
const CONNECTIONS: usize = 300;

/// One row: how much more memory it is afterwards.
pub async fn memory(table: &mut Table) {
    let world = World::new().await;
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    for path in ["/healthz", "/api/v1/public/hosts/"] {
        connection.call(&load::get(path, None)).await.expect("an answer");
    }
    let (idle, mut most) = (world.shop.memory(), 0.0_f64);
    be_many(&mut connection).await;
    drop(connection);
    let (head, body, values) = (half_head(), half_body(), many_values());
    for start in [&head, &body, &head, &values] {
        let flood = flood(world.address, start).await;
        most = most.max(world.shop.memory());
        drop(flood);
    }
    let more = (most - idle).max(0.0);
    table.row("memory that strangers can claim", format!("{more:.1} MiB"), String::new(), "16 MiB");
    world.end().await;
}

/// Requests of clients that a proxy on this machine names, each of another network.
async fn be_many(connection: &mut Connection) {
    for number in 0..CLIENTS {
        let client = format!("2001:{:x}:{:x}::1", number >> 16, number & 0xffff);
        let request = format!("GET /healthz HTTP/1.1\r\nHost: shop\r\nX-Forwarded-For: {client}\r\n\r\n");
        connection.call(request.as_bytes()).await.expect("an answer");
    }
}

/// All but the end of a head that is nearly as large as it may be.
fn half_head() -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: shop\r\nX: {}", "x".repeat(15 << 10)).into_bytes()
}

/// The same with its end, and with half a body.
fn half_body() -> Vec<u8> {
    let more = "x".repeat(15 << 10);
    let head =
        format!("POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 4096\r\nX: {more}\r\n\r\n");
    [head.into_bytes(), vec![b'a'; 4000]].concat()
}

/// A body that is as large as it may be, and has as many values as fit in.
fn many_values() -> Vec<u8> {
    let body = format!("{{\"comment\":[{}0]}}", "0,".repeat(32_000));
    let head = format!(
        "POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head, body].concat().into_bytes()
}

async fn flood(address: SocketAddr, start: &[u8]) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        // Whoever had to leave by now is not heard.
        let _ = stream.write_all(start).await;
        flood.push(stream);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    flood
}

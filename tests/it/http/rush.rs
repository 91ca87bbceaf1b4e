//! Everybody at once, from this machine, with a place for each; otherwise the limits are those by default.

use std::net::SocketAddr;

use ip2tor_shop::http::server::limits::ConnectionLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::listen::listen;
use crate::support::{ONION, TestShop};

const ORDERS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_orders_at_once_get_the_three_hundred_ports_of_a_host() {
    let shop = TestShop::new();
    shop.sql("UPDATE port_range SET first_port = 20000, last_port = 20299");
    let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={ONION}%3A80", shop.host("host1"));
    let limits = ConnectionLimits { max_connections: ORDERS, ..ConnectionLimits::default() };
    let answers = all_at_once(listen(&shop, limits).await, form).await;
    let count = |text: &str| answers.iter().filter(|answer| answer.contains(text)).count();
    assert_eq!((count("HTTP/1.1 201 "), count("does not have any Tor bridge ports available")), (300, 200));
    let ports = "SELECT count(DISTINCT port), count(*) FROM product WHERE placed = 1";
    let database = rusqlite::Connection::open(shop.shop.db.path()).expect("the database opens");
    let counts = database.query_row(ports, (), |row| Ok((row.get(0)?, row.get(1)?))).expect("a count");
    assert_eq!(counts, (300, 300), "no port twice");
}

/// All connect before the first of them says anything.
async fn all_at_once(address: SocketAddr, form: String) -> Vec<String> {
    let mut streams = Vec::new();
    for _ in 0..ORDERS {
        streams.push(TcpStream::connect(address).await.expect("connected"));
    }
    let mut orders = JoinSet::new();
    for mut stream in streams {
        let request = format!(
            "POST /api/v1/public/order/ HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        orders.spawn(async move {
            let mut answer = String::new();
            stream.write_all(request.as_bytes()).await.expect("sent");
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        });
    }
    orders.join_all().await
}

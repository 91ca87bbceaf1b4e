//! What the pages cost that people look at most: what is on offer, and an order that waits for its payment.

use crate::load::Connection;
use crate::table::Table;
use crate::work;
use crate::world::World;

/// Hosts on offer, with the ten that each world has.
const HOSTS: u16 = 50;

/// Both pages, as a browser asks for them.
pub async fn looks(table: &mut Table) {
    let world = World::new().await;
    world.add_hosts(10..HOSTS);
    let order = format!("/charged/lnpurchase/po/{}/", work::place(&world, 0).await);
    let (front, order) = (ask("/"), ask(&order));
    wait_for_code(&world, &order).await;
    for (row, request, goal) in
        [("page of 50 hosts", front, "4,000/s, 0.2 ms"), ("page of an order with its code", order, "4,000/s, 0.3 ms")]
    {
        let (burst, cpu) = work::measure(&world, request, 200, work::LONG).await;
        table.row(row, work::rate(&burst), work::per_request(cpu, &burst), goal);
    }
    world.end().await;
}

/// Tor Browser reads gzip, and nothing better over a connection that is not encrypted once more.
fn ask(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAccept-Encoding: gzip, deflate\r\nAccept-Language: en-US\r\n\r\n")
        .into()
}

async fn wait_for_code(world: &World, request: &[u8]) {
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    let plain = String::from_utf8_lossy(request).replace("gzip, deflate", "identity").into_bytes();
    for _ in 0..500 {
        let (status, page) = connection.call(&plain).await.expect("an answer");
        assert_eq!(status, 200);
        if String::from_utf8_lossy(&page).contains("data:image/png") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("no code at {:?}", String::from_utf8_lossy(request));
}

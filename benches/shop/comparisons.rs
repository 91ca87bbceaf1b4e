//! What comparing the open invoices costs at a node that serves many others.

use std::time::Duration;

use ip2tor_shop::domain::lightning::Preimage;

use crate::table::Table;
use crate::work;
use crate::world::World;

/// Invoices of others at the node.
const FOREIGN: u32 = 100_000;
/// Orders whose invoices are open.
const OPEN: u32 = 10;
/// Comparisons that are measured, and the seconds between two.
const COMPARISONS: u32 = 10;
const EVERY_SECS: u32 = 2;

/// CPU of a comparison with 100,000 foreign invoices at the node, and how many of them the node has to read.
pub async fn at_a_busy_node(table: &mut Table) {
    let world = World::with(&format!("[jobs]\nrescan = \"*/{EVERY_SECS} * * * * *\"\n")).await;
    let node = world.simulator.as_ref().expect("the node runs").node().clone();
    for number in 0..FOREIGN {
        let mut preimage = [1; 32];
        preimage[..4].copy_from_slice(&number.to_be_bytes());
        node.receive_keysend(Preimage(preimage), 1000, 0).expect("received");
    }
    for _ in 0..OPEN {
        work::place(&world, 0).await;
    }
    // The shop reads the stream of settlements first.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (cpu, read) = (world.shop.cpu(), node.invoices_read());
    tokio::time::sleep(Duration::from_secs(u64::from(COMPARISONS * EVERY_SECS))).await;
    let each = (world.shop.cpu() - cpu) / f64::from(COMPARISONS) * 1000.0;
    let read = (node.invoices_read() - read) / u64::from(COMPARISONS);
    let work = format!("comparison, {FOREIGN} foreign invoices, {OPEN} open");
    table.row(&work, format!("{read} invoices read"), format!("{each:.2} ms"), "10 read, 5 ms");
    world.end().await;
}

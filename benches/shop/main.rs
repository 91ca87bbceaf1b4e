//! `make bench`: measures the real process under load from another and prints one table. Not a
//! test: nothing fails because a machine is slow. CPU is that of the shop's process alone (user and
//! system time from the kernel, per request), which holds when the machine is busy with other things.

mod card;
mod load;
mod process;
mod strangers;
mod table;
mod work;
mod world;

use table::Table;
use world::World;

fn main() {
    // `cargo test --benches` and the like start this with flags: only `cargo bench` measures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut table = Table::default();
    runtime.block_on(async {
        let mut world = World::new().await;
        work::reads(&world, &mut table).await;
        work::latencies(&world, &mut table, "").await;
        work::orders(&world, &mut table).await;
        work::open_invoices(&world, &mut table).await;
        work::latencies(&world, &mut table, ", thousands open").await;
        work::settlements(&world, &mut table).await;
        work::node_away(&mut world, &mut table).await;
        world.end().await;
        work::orders_on_used_ports(&mut table).await;
        work::big_database(&mut table).await;
        card::writes(&mut table).await;
        card::year(&mut table).await;
        strangers::memory(&mut table).await;
    });
    println!("{table}");
}

//! `make bench`: measures the real process under load from another and prints one table. Not a
//! test: nothing fails because a machine is slow. CPU is that of the shop's process alone (user and
//! system time from the kernel, per request), which holds when the machine is busy with other things.

mod admin;
mod card;
mod comparisons;
mod load;
mod pages;
mod process;
mod strangers;
mod table;
mod work;
mod world;
mod year;

use table::Table;
use world::World;

fn main() {
    // `cargo test --benches` and the like start this with flags: only `cargo bench` measures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut table = Table::default();
    // A part alone, for a try: `cargo bench --bench shop -- --only-comparisons`.
    let parts: Vec<_> = std::env::args().filter(|argument| argument.starts_with("--only-")).collect();
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|only| only == part);
    runtime.block_on(async {
        if is_wanted("--only-comparisons") {
            comparisons::at_a_busy_node(&mut table).await;
        }
        if is_wanted("--only-load") {
            under_load(&mut table).await;
        }
        if is_wanted("--only-admin") {
            admin::looks(&mut table).await;
        }
        if is_wanted("--only-pages") {
            pages::looks(&mut table).await;
        }
        if is_wanted("--only-ports") {
            work::orders_on_used_ports(&mut table).await;
        }
        if is_wanted("--only-start") {
            work::big_database(&mut table).await;
        }
        if is_wanted("--only-writes") {
            card::writes(&mut table).await;
        }
        if is_wanted("--only-year") {
            year::size(&mut table).await;
        }
        if is_wanted("--only-strangers") {
            strangers::memory(&mut table).await;
        }
    });
    println!("{table}");
}

/// What the shop does for many at once, and what it costs then to do nothing.
async fn under_load(table: &mut Table) {
    let mut world = World::new().await;
    work::reads(&world, table).await;
    work::latencies(&world, table, "").await;
    work::orders(&world, table).await;
    work::open_invoices(&world, table).await;
    work::latencies(&world, table, ", thousands open").await;
    work::settlements(&world, table).await;
    work::node_away(&mut world, table).await;
    world.end().await;
}

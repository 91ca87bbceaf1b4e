//! The onion part of `make bench`: the real process on a private Tor network on this machine, beside
//! C-tor's own onion service in front of the same process. With `--quick` it does less of everything,
//! to see whether it works. Not a test: nothing fails because a machine is slow.

#![allow(clippy::unwrap_used, reason = "a panic ends the measurement, which is all that can be done")]

#[path = "../shop/load.rs"]
#[allow(dead_code, reason = "each benchmark uses its own part")]
mod load;
#[path = "../shop/process.rs"]
mod process;
#[path = "../shop/table.rs"]
mod table;
#[path = "../../tests/support/tor_network.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod tor_network;

mod work;
mod world;

use table::Table;
use tor_network::TorNetwork;
use work::Size;

fn main() {
    // `cargo test --benches` and the like start this with flags: only `cargo bench` measures.
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !has("--bench") {
        return;
    }
    let Some(network) = TorNetwork::shared() else { return };
    let size = if has("--quick") { Size::QUICK } else { Size::FULL };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut table = Table::default();
    runtime.block_on(work::all(network, size, &mut table));
    println!("{table}");
}

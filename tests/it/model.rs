//! The randomized test of the whole purchase life: thousands of seeded interleavings of orders,
//! payments, extensions, host answers, expiry, node outages, lost answers, crashes and restarts. The
//! rules that must hold are in `model/rules.rs` (after every step) and `model/ending.rs` (when
//! everything has calmed down).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod actions;
mod admin;
mod calm;
mod debts;
mod deeds;
mod ending;
mod host;
mod news;
mod node;
mod pages;
mod rules;
mod run;
mod snapshot;
mod whole;
mod work;
mod world;

#[test]
fn no_interleaving_loses_money_or_sells_anything_twice() {
    run::all();
}

#[test]
fn the_whole_worker_loses_no_money_while_nodes_come_go_and_hang() {
    run::whole();
}

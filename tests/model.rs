//! The randomized test of the whole purchase life: thousands of seeded interleavings of orders,
//! payments, extensions, host answers, expiry, node outages, lost answers, crashes and restarts. The
//! rules that must hold are in `model/rules.rs` (after every step) and `model/ending.rs` (when
//! everything has calmed down).

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod model {
    pub mod actions;
    pub mod calm;
    pub mod debts;
    pub mod deeds;
    pub mod ending;
    pub mod host;
    pub mod news;
    pub mod node;
    pub mod rules;
    pub mod run;
    pub mod snapshot;
    pub mod work;
    pub mod world;
}

#[test]
fn no_interleaving_loses_money_or_sells_anything_twice() {
    model::run::all();
}

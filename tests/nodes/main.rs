//! Purchases with real Lightning nodes on a regtest network of their own: LND (`LND_BIN`) and Core Lightning (`CLN_BIN`).
//! `make test-nodes` runs this. The scenes are ignored otherwise, since the nodes are not part of this repository; one
//! that is run without its node fails and says what is missing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backend;
mod chain;
mod cln;
mod cln_network;
mod cln_scenes;
mod contract;
mod keeper;
#[path = "../support/live/mod.rs"]
mod live;
mod lnd;
mod lnd_scenes;
mod lnurl;
mod locked;
mod many;
mod network;
mod payment;
mod purse;
mod shop;

use std::time::Duration;

/// Everything that is expected happens within this, also on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

//! The whole shop on a private Tor network: the real process, a simulated Lightning node behind an
//! onion service, and clients that use curl through C-tor as RaspiBlitz does. See
//! `tests/support/tor_network.rs` for what must be installed.

#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure, also in a helper")]

mod admin;
mod client;
mod limits;
mod probing;
mod process;
mod purchase;
mod way_out;
mod world;

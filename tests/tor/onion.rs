//! The onion service and the Tor client against a private Tor network on this machine. See
//! `tests/support/tor_network.rs` for what must be installed.

#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure, also in a helper")]

mod keys;
mod limits;
mod outgoing;
mod restricted;
mod service;
mod shop;
mod watchdog;

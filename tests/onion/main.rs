//! The onion service and the Tor client against a private Tor network on this machine. See
//! `tests/support/tor_network.rs` for what must be installed.

// The futures of an HTTP server on top of a Tor client are deeply nested.
#![recursion_limit = "256"]
#![allow(clippy::unwrap_used, reason = "in a test a panic is a failure, also in a helper")]

#[path = "../support/tor_network.rs"]
#[allow(dead_code, reason = "each test binary uses its own part")]
mod tor_network;

mod keys;
mod limits;
mod outgoing;
mod restricted;
mod service;
mod shop;
mod watchdog;

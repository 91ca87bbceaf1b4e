//! The tests that need a Tor network: a private one, on this machine. `tests/support/tor_network.rs` says what must be
//! installed.

// The futures of an HTTP server on top of a Tor client are deeply nested.
#![recursion_limit = "256"]

mod onion;
mod onion_shop;
#[path = "../support/tor_network.rs"]
#[allow(clippy::unwrap_used, reason = "in a test a panic is a failure, also in a helper")]
mod tor_network;

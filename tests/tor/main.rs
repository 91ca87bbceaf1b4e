//! The tests that need a Tor network: a private one, on this machine. `tests/support/tor_network.rs` says what must be
//! installed.

// The futures of an HTTP server on top of a Tor client are deeply nested.
#![recursion_limit = "256"]

mod onion;
mod onion_shop;
#[path = "../support/tor_network.rs"]
mod tor_network;

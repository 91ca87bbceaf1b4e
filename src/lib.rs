//! IP2Tor Shop: sells Tor bridges and Nostr aliases over Lightning. `docs/ARCHITECTURE.md` is the
//! map of this library.

pub mod app;
mod cli;
pub mod config;
mod demo;
pub mod domain;
pub mod http;
pub mod jobs;
pub mod lightning;
pub mod lnd_simulator;
pub mod onion;
pub mod probe;
pub mod rates;
pub mod services;
pub mod store;
pub mod tls;
pub mod worker;

/// Runs the program: parses the command line and does what it says. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, 78 wrong configuration.
pub fn run() -> std::process::ExitCode {
    cli::run()
}

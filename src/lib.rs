//! IP2Tor Shop: sells Tor bridges and Nostr aliases over Lightning. `docs/ARCHITECTURE.md` is the
//! map of this library.

pub mod config;
pub mod domain;
pub mod jobs;
pub mod lightning;
pub mod lnd_simulator;
pub mod services;
pub mod store;
pub mod worker;

/// Runs the program.
pub fn run() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}

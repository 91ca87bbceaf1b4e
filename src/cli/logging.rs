//! Logging to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What libraries say only when asked to.
const QUIET: &str = "tokio_cron_scheduler=warn,poem=warn,tor_netdir=error";

/// Starts logging at `level` unless `RUST_LOG` says otherwise. Only the first call counts.
pub fn init(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    // An error means that logging is already running.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

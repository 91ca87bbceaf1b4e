//! Logging to standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What libraries say only when asked to.
const QUIET: &str = "tokio_cron_scheduler=warn,poem=warn,refinery_core=warn,tor_netdir=error";

/// Starts logging at `level` unless `RUST_LOG` says otherwise. Only the first call counts.
pub fn init(level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("{level},{QUIET}")));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log on a full disk must not stop what is being logged: the library would complain on
    // standard error, and panic where that is what can't be written.
    let log = log.with_ansi(std::io::stderr().is_terminal()).log_internal_errors(false);
    // An error means that logging is already running.
    let _ = log.try_init();
}

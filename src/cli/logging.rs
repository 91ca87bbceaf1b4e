//! Logging to standard error.

use std::ffi::OsStr;
use std::io::IsTerminal;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::log_level;
use crate::domain::time::{Clock, SystemClock};
use crate::services::log_ring;

/// What libraries say only when asked to: it comes first, so that a level that is named for one of them counts.
const QUIET: &str = "tokio_cron_scheduler=warn,poem=warn,refinery_core=warn,tor_netdir=error";

/// Starts logging at `level` (checked) unless `RUST_LOG` says otherwise. Only the first call counts.
pub fn init(level: &str) {
    let (wanted, complaint) = wanted(std::env::var_os("RUST_LOG").as_deref());
    let filter = EnvFilter::new(wanted.unwrap_or_else(|| format!("{QUIET},{level}")));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log on a full disk must not stop what is being logged: the library would complain on
    // standard error, and panic where that is what can't be written.
    let log = log.with_ansi(std::io::stderr().is_terminal()).log_internal_errors(false);
    // An error means that logging is already running.
    let _ = log.finish().with(Kept).try_init();
    if let Some(complaint) = complaint {
        tracing::warn!("RUST_LOG is not used: {complaint}");
    }
}

/// Keeps the last warnings in memory, for those who run the shop.
struct Kept;

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        log_ring::ring().push(SystemClock.now(), level == Level::ERROR, event.metadata().target(), &line.0);
    }
}

/// What an event says: its message, then its fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = match field.name() {
            "message" => format!("{value:?}"),
            name => format!("{name}={value:?}"),
        };
        match field.name() {
            "message" if !self.0.is_empty() => self.0.insert_str(0, &(text + " ")),
            _ if self.0.is_empty() => self.0 = text,
            _ => self.0.extend([" ", &text]),
        }
    }
}

/// What `RUST_LOG` asks for, if anything, or why it can't be had. An empty one asks for nothing.
fn wanted(variable: Option<&OsStr>) -> (Option<String>, Option<String>) {
    let Some(text) = variable.map(OsStr::to_string_lossy).filter(|text| !text.trim().is_empty()) else {
        return (None, None);
    };
    match log_level::parse(&text) {
        Ok(filter) => (Some(filter), None),
        Err(complaint) => (None, Some(complaint)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_useless_variable_does_not_silence_the_log() {
        let of = |text: &str| wanted(Some(OsStr::new(text)));
        assert_eq!(wanted(None), (None, None));
        assert_eq!(of(" "), (None, None));
        assert_eq!(of("debug"), (Some("debug".to_owned()), None));
        assert_eq!(of("ip2tor_onion=debug"), (Some("info,ip2tor_onion=debug".to_owned()), None));
        let (filter, complaint) = of("verbose");
        assert!(filter.is_none() && complaint.unwrap().contains("verbose"));
    }
}

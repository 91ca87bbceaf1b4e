//! Logging to standard error. Where that is systemd's journal each line begins with its priority (`<3>` is an error,
//! as in syslog), which the journal takes off again, and has no time, which the journal has itself.

use std::ffi::OsStr;
use std::fmt;
use std::io::IsTerminal;
use std::os::linux::fs::MetadataExt;
use std::sync::OnceLock;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{self, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use super::log_kept::Kept;
use crate::config::log_level;

/// What libraries say only when asked to: it comes first, so that a level that is named for one of them counts.
const QUIET: &str = "tokio_cron_scheduler=warn,poem=warn,refinery_core=warn,tor_netdir=error";

/// Replaces the filter of the running log.
type SetFilter = Box<dyn Fn(EnvFilter) + Send + Sync>;

static SET_FILTER: OnceLock<SetFilter> = OnceLock::new();

/// Starts logging at `level` (checked) unless `RUST_LOG` says otherwise. Only the first call counts.
pub fn init(level: &str) {
    let (wanted, complaint) = wanted(std::env::var_os("RUST_LOG").as_deref());
    let filter = wanted.map_or_else(|| filter(level), EnvFilter::new);
    let is_journal = goes_to_journal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A log on a full disk must not stop what is being logged: the library would complain on
    // standard error, and panic where that is what can't be written.
    let log = log.with_ansi(std::io::stderr().is_terminal()).log_internal_errors(false);
    let log = log.event_format(Lines { is_journal }).with_filter_reloading();
    let handle = log.reload_handle();
    // An error means that logging is already running.
    if log.finish().with(Kept).try_init().is_ok() {
        let set: SetFilter = Box::new(move |filter| drop(handle.reload(filter)));
        let _ = SET_FILTER.set(set);
        if is_journal {
            // A defect is an error in the journal, too.
            std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
        }
    }
    if let Some(complaint) = complaint {
        tracing::warn!("RUST_LOG is not used: {complaint}");
    }
}

/// Logs at another level (checked) from now on; says whether that is so: `RUST_LOG` wins.
pub fn set_level(level: &str) -> bool {
    if wanted(std::env::var_os("RUST_LOG").as_deref()).0.is_some() {
        return false;
    }
    SET_FILTER.get().inspect(|set| set(filter(level))).is_some()
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{QUIET},{level}"))
}

/// Whether standard error is systemd's journal, which names what it has connected there by device and file.
pub fn goes_to_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    let about = std::fs::metadata("/proc/self/fd/2");
    about.is_ok_and(|about| stream == format!("{}:{}", about.st_dev(), about.st_ino()))
}

/// A text as lines of the journal, all with the priority of an error.
pub fn as_errors(text: &str) -> String {
    text.lines().map(|line| format!("<{}>{line}\n", priority(Level::ERROR))).collect()
}

/// As in syslog(3).
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// How a log line looks.
struct Lines {
    is_journal: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if !self.is_journal {
            return format::Format::default().format_event(context, writer, event);
        }
        let mut text = String::new();
        let format = format::Format::default().without_time().with_level(false);
        format.format_event(context, Writer::new(&mut text), event)?;
        let priority = priority(*event.metadata().level());
        // Each line is an entry of its own in the journal.
        text.lines().try_for_each(|line| writeln!(writer, "<{priority}>{line}"))
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

    /// What a log makes of an error of two lines and a warning.
    fn logged(is_journal: bool) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let written = file.reopen().unwrap();
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(std::sync::Mutex::new(written));
        tracing::subscriber::with_default(log.event_format(Lines { is_journal }).finish(), || {
            tracing::error!("one\ntwo");
            tracing::warn!(node = "a", "three");
        });
        std::fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn a_line_for_the_journal_has_its_priority_and_no_time() {
        let text = logged(true);
        let lines: Vec<_> = text.lines().collect();
        let [one, .., three] = lines.as_slice() else { panic!("{text}") };
        assert!(one.starts_with("<3>ip2tor_shop::cli::logging") && three.starts_with("<4>"), "{text}");
        assert!(three.ends_with("three node=\"a\""), "{text}");
        assert!(lines.iter().all(|line| line.starts_with('<')), "{text}");
        assert!(logged(false).starts_with("20"), "a terminal has no clock of its own");
        assert_eq!(as_errors("one\ntwo"), "<3>one\n<3>two\n");
    }

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

//! What is told of alerts outside of the shop: several changes make one message, and one that does not arrive is tried
//! again, for some hours.

use std::fmt::Write;

use crate::alert::{AlertTopic, Severity};
use crate::text::for_line;
use crate::time::Timestamp;

/// A message that was not taken is tried again after these pauses, one after the other; then it is given up. Seconds.
pub const PAUSES: [i64; 6] = [5, 300, 1800, 7200, 18_000, 36_000];

/// So many changes are told one by one in a message; more are counted.
const MOST_LINES: usize = 50;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Alerts that were raised or are over.
    Alert,
    /// What a month has brought.
    Summary,
    /// Nothing: somebody tries the channel.
    Test,
}

impl MessageKind {
    /// The name in the database and in webhooks.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Summary => "summary",
            Self::Test => "test",
        }
    }

    /// Reads [`MessageKind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Alert, Self::Summary, Self::Test].into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that is told outside of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names it: whoever gets it twice can tell.
    pub key: String,
    /// What it is about.
    pub kind: MessageKind,
    /// How urgent it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// All of it, in lines.
    pub text: String,
    /// When it was made.
    pub made_at: Timestamp,
}

/// An alert that was raised or is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The alert's number.
    pub alert: i64,
    /// What it is about.
    pub topic: AlertTopic,
    /// The id of what it is about; may be empty.
    pub subject: String,
    /// How urgent it is.
    pub severity: Severity,
    /// What the operator should know.
    pub text: String,
    /// Whether its reason is gone.
    pub is_end: bool,
    /// When.
    pub at: Timestamp,
}

impl News {
    /// Whether it is told in quiet hours, too.
    pub fn can_not_wait(&self) -> bool {
        self.severity == Severity::Critical && !self.is_end
    }
}

/// How long until a message that has failed `failures` times is tried again, `None` when it is given up. Its receiver may
/// ask for more time.
pub fn pause(failures: u32, asked_secs: Option<i64>) -> Option<i64> {
    let longest = PAUSES[PAUSES.len() - 1];
    let pause = PAUSES.get(failures.saturating_sub(1) as usize)?;
    Some((*pause).max(asked_secs.unwrap_or(0).min(longest)))
}

/// Urgency, title and text of the message that tells of all these, the most urgent first. `left_out` is how many more
/// there were than could be kept.
pub fn compose(shop: &str, news: &[News], left_out: u32) -> (Severity, String, String) {
    let mut told = merged(news);
    told.sort_by_key(|told| (told.is_over(), std::cmp::Reverse(told.news.severity)));
    let severity = told.iter().filter(|told| !told.is_over()).map(|told| told.news.severity).max();
    let mut text = String::new();
    for told in told.iter().take(MOST_LINES) {
        told.write(&mut text);
    }
    let more = told.len().saturating_sub(MOST_LINES) + left_out as usize;
    if more > 0 {
        let _ = writeln!(text, "And {more} more: see `ip2tor-shop alerts --all`.");
    }
    (severity.unwrap_or(Severity::Info), for_line(&title(shop, &told, left_out as usize)), text.trim_end().to_owned())
}

/// One alert in a message: raised, over, or both since the last message.
struct Told<'a> {
    news: &'a News,
    raised_at: Option<Timestamp>,
    over_at: Option<Timestamp>,
}

impl Told<'_> {
    const fn is_over(&self) -> bool {
        self.over_at.is_some()
    }

    fn write(&self, text: &mut String) {
        let News { topic, subject, severity, text: says, .. } = self.news;
        let about = if subject.is_empty() { String::new() } else { format!(" {subject}") };
        let when = match (self.raised_at, self.over_at) {
            (_, None) => format!("since {}", self.news.at),
            (None, Some(over)) => format!("over since {over}"),
            (Some(raised), Some(over)) => format!("was so from {raised} to {over}"),
        };
        let _ = writeln!(
            text,
            "{} {}{}, {when}: {}\n",
            severity.name().to_uppercase(),
            topic.name(),
            for_line(&about),
            for_line(says)
        );
    }
}

fn merged(news: &[News]) -> Vec<Told<'_>> {
    let mut all: Vec<Told<'_>> = Vec::new();
    for one in news {
        let at = if all.iter().any(|told| told.news.alert == one.alert) {
            all.iter_mut().find(|told| told.news.alert == one.alert)
        } else {
            all.push(Told { news: one, raised_at: None, over_at: None });
            all.last_mut()
        };
        if let Some(told) = at {
            *(if one.is_end { &mut told.over_at } else { &mut told.raised_at }) = Some(one.at);
        }
    }
    all
}

fn title(shop: &str, told: &[Told<'_>], left_out: usize) -> String {
    if let ([one], 0) = (told, left_out) {
        let state = if one.is_over() { "over" } else { one.news.severity.name() };
        return format!("{shop}: {} ({state})", one.news.topic.name());
    }
    let over = told.iter().filter(|told| told.is_over()).count();
    match (told.len() - over + left_out, over) {
        (0, over) => format!("{shop}: {over} alerts are over"),
        (open, 0) => format!("{shop}: {open} alerts"),
        (open, over) => format!("{shop}: {open} alerts, {over} are over"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn news(alert: i64, topic: AlertTopic, is_end: bool) -> News {
        let at = NOW.plus_secs(if is_end { 30 } else { 0 });
        let (subject, text) = (format!("s{alert}"), "what is\nwrong".to_owned());
        News { alert, topic, subject, severity: topic.severity(), text, is_end, at }
    }

    #[test]
    fn one_alert_is_told_by_its_name_and_in_one_line() {
        let (severity, title, text) = compose("Shop", &[news(1, AlertTopic::NodeDead, false)], 0);
        assert_eq!((severity, title.as_str()), (Severity::Critical, "Shop: node_dead (critical)"));
        assert_eq!(text, "CRITICAL node_dead s1, since 2026-11-18T11:06:40Z: what is\\nwrong");
    }

    #[test]
    fn what_was_raised_and_is_over_is_told_once_and_what_is_urgent_comes_first() {
        use AlertTopic as T;
        let all = [
            news(1, T::FewPorts, false),
            news(2, T::NodeDead, false),
            news(2, T::NodeDead, true),
            news(3, T::HostDead, false),
        ];
        let (severity, title, text) = compose("Shop", &all, 0);
        assert_eq!((severity, title.as_str()), (Severity::Warning, "Shop: 2 alerts, 1 are over"));
        let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).collect();
        assert!(lines[0].starts_with("WARNING host_dead"), "{text}");
        assert!(lines[1].starts_with("INFO few_ports"), "{text}");
        let both = "CRITICAL node_dead s2, was so from 2026-11-18T11:06:40Z to 2026-11-18T11:07:10Z";
        assert!(lines.len() == 3 && lines[2].starts_with(both), "{text}");
    }

    #[test]
    fn a_message_stays_short_however_much_there_is_to_tell() {
        let all: Vec<_> = (0..200).map(|n| news(n, AlertTopic::TargetUnreachable, false)).collect();
        let (_, title, text) = compose("Shop", &all, 7);
        assert_eq!(title, "Shop: 207 alerts");
        assert!(text.ends_with("And 157 more: see `ip2tor-shop alerts --all`."), "{text}");
    }

    #[test]
    fn a_message_is_tried_seven_times_and_its_receiver_may_ask_for_more_time() {
        let pauses: Vec<_> = (1..=7).map(|failures| pause(failures, None)).collect();
        assert_eq!(pauses[..6], PAUSES.map(Some));
        assert_eq!(pauses[6], None);
        assert_eq!(pause(1, Some(120)), Some(120));
        assert_eq!(pause(2, Some(120)), Some(300));
        assert_eq!(pause(1, Some(i64::MAX)), Some(36_000), "not for ever");
        assert_eq!(pause(7, Some(5)), None);
    }
}

//! Channels of an operator's own: to whom what concerns them is told besides.

use std::fmt;

use crate::alert::Severity;
use crate::quiet_hours::QuietHours;

/// How its messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// By the mail server of the configuration.
    Email,
    /// To a topic of an ntfy server.
    Ntfy,
    /// To a web server, signed.
    Webhook,
    /// As direct messages, over the relays of the configuration.
    Nostr,
}

impl ChannelKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Email, Self::Ntfy, Self::Webhook, Self::Nostr];

    /// The name in the database, the configuration and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ntfy => "ntfy",
            Self::Webhook => "webhook",
            Self::Nostr => "nostr",
        }
    }

    /// Reads [`ChannelKind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where the messages of a channel go; its `Debug` output shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct OwnChannel {
    /// How they travel.
    pub kind: ChannelKind,
    /// An address of e-mail, a URL or an npub.
    pub target: String,
    /// The topic of ntfy, the secret of a webhook.
    pub secret: Option<String>,
    /// What the server of ntfy lets in.
    pub token: Option<String>,
}

impl OwnChannel {
    /// Where they go, as far as it may be shown: of a URL no more than the host, the rest may be what lets one in.
    pub fn place(&self) -> String {
        match self.kind {
            ChannelKind::Email | ChannelKind::Nostr => self.target.clone(),
            ChannelKind::Ntfy => format!("a topic at {}", host_of(&self.target)),
            ChannelKind::Webhook => host_of(&self.target),
        }
    }
}

impl fmt::Debug for OwnChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnChannel({} {})", self.kind.name(), self.place())
    }
}

fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "…".to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}/…")
}

/// When a channel is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRules {
    /// What is less urgent is not told.
    pub severity: Severity,
    /// When only what is critical is told; `None` is as the configuration has it.
    pub quiet: Option<QuietRule>,
}

/// What an operator says of quiet hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuietRule {
    /// There are none.
    Off,
    /// From one time of the day to another.
    Hours(QuietHours),
}

impl QuietRule {
    /// Reads `off` or `HH:MM-HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "off" { Some(Self::Off) } else { QuietHours::parse(text).map(Self::Hours) }
    }

    /// The hours, if there are any.
    pub const fn hours(self) -> Option<QuietHours> {
        match self {
            Self::Off => None,
            Self::Hours(hours) => Some(hours),
        }
    }
}

impl fmt::Display for QuietRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Hours(hours) => write!(f, "{hours}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_of_a_channel_that_lets_one_in() {
        for (kind, place) in [(ChannelKind::Ntfy, "a topic at https://a.example:8443/…"), (ChannelKind::Webhook, "")]
        {
            let target = "https://me:hunter2@a.example:8443/hunter2?hunter2".to_owned();
            let secret = Some("hunter2".to_owned());
            let channel = OwnChannel { kind, target, token: secret.clone(), secret };
            let shown = format!("{channel:?} {}", channel.place());
            assert!(!shown.contains("hunter2") && shown.contains(place), "{shown}");
        }
        let odd = OwnChannel { kind: ChannelKind::Webhook, target: "hunter2".to_owned(), secret: None, token: None };
        assert_eq!(odd.place(), "…");
    }

    #[test]
    fn kinds_and_rules_are_read_as_they_are_written() {
        for kind in ChannelKind::ALL {
            assert_eq!(ChannelKind::parse(kind.name()), Some(kind));
        }
        for text in ["off", "22:00-07:00"] {
            assert_eq!(QuietRule::parse(text).map(|rule| rule.to_string()).as_deref(), Some(text));
        }
        assert_eq!(QuietRule::parse("night"), None);
        assert_eq!(QuietRule::parse("off").and_then(QuietRule::hours), None);
    }
}

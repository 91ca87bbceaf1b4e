//! `[alerts]`: the channels on which alerts leave the shop. Secrets are named by their places, and addresses that are
//! as good as one can be.

mod nostr;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Section, absolute};
use super::secret::{Secret, SecretSource};
use crate::domain::alert::Severity;
use crate::domain::quiet_hours::QuietHours;
use crate::domain::target::is_onion;
use crate::web;

pub use nostr::{Nostr, relay_as_web};

/// What is told outside of the shop, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// What is less urgent is not told.
    pub severity: Severity,
    /// How long others may join an alert, so that several are one message.
    pub group: Duration,
    /// When only what is critical is told.
    pub quiet: Option<QuietHours>,
    /// `[alerts.email]`.
    pub email: Option<Email>,
    /// `[alerts.ntfy]`.
    pub ntfy: Option<Ntfy>,
    /// `[alerts.webhook]`.
    pub webhook: Option<Webhook>,
    /// `[alerts.nostr]`.
    pub nostr: Option<Nostr>,
    /// `[alerts.heartbeat]`.
    pub heartbeat: Option<Heartbeat>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// After a greeting in the clear; never without.
    StartTls,
    /// From the first byte.
    Implicit,
    /// Not at all: within this machine or its network, or to an onion service.
    None,
}

/// Messages by e-mail.
#[allow(missing_docs, reason = "the example of a configuration says what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    pub server: String,
    pub port: u16,
    pub tls: MailTls,
    pub certificate: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<SecretSource>,
    pub from: String,
    pub to: Vec<String>,
    pub through_tor: bool,
}

/// Messages to a topic of an ntfy server.
#[allow(missing_docs, reason = "the example of a configuration says what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ntfy {
    pub url: WebUrl,
    pub topic: SecretSource,
    pub token: Option<SecretSource>,
    pub through_tor: bool,
}

/// Messages to a web server, as the Standard Webhooks specification has them.
#[allow(missing_docs, reason = "the example of a configuration says what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub url: WebUrl,
    pub secret: SecretSource,
    /// The one before: while it is set messages are signed with both.
    pub former_secret: Option<SecretSource>,
    pub certificate: Option<PathBuf>,
    pub through_tor: bool,
}

/// An address that is asked again and again while the shop runs: silence is the alarm.
#[allow(missing_docs, reason = "the example of a configuration says what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub url: WebUrl,
    pub interval: Duration,
    pub through_tor: bool,
}

/// An address on the web, or the place where it is.
#[derive(Clone, PartialEq, Eq)]
pub enum WebUrl {
    /// Itself.
    Given(Secret),
    /// In a file, the environment or a credential.
    At(SecretSource),
}

impl WebUrl {
    /// Reads a URL, or the place of one.
    ///
    /// # Errors
    /// What is wrong; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_place = ["file:", "env:", "cred:"].iter().any(|scheme| text.starts_with(scheme));
        if is_place {
            return SecretSource::parse(text).map(Self::At);
        }
        web::parse_private(text)?;
        Ok(Self::Given(Secret::new(text)))
    }

    /// The address.
    ///
    /// # Errors
    /// Why its place can't be read, or what is wrong with it.
    pub fn read(&self) -> Result<http::Uri, String> {
        match self {
            Self::Given(url) => web::parse_private(url.reveal()),
            Self::At(place) => web::parse_private(place.read()?.reveal()).map_err(|why| format!("{place}: {why}")),
        }
    }
}

/// No more than the host: the rest may be what lets one in.
impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(url) => match web::parse(url.reveal()) {
                Ok(url) => write!(f, "{}://{}/…", url.scheme_str().unwrap_or("https"), web::host_and_port(&url)),
                Err(_) => f.write_str("…"),
            },
            Self::At(place) => write!(f, "{place}"),
        }
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebUrl({self})")
    }
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            severity: Severity::Warning,
            group: Duration::from_secs(60),
            quiet: None,
            email: None,
            ntfy: None,
            webhook: None,
            nostr: None,
            heartbeat: None,
        }
    }
}

impl Alerts {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let alerts = Self {
            severity: section.read("severity", default.severity, |text| {
                Severity::parse(text).ok_or_else(|| format!("{text:?} is none of \"info\", \"warning\", \"critical\""))
            }),
            group: section.seconds("group_secs", default.group, 0..=3600),
            quiet: section.read("quiet_hours", default.quiet, |text| match text {
                "off" => Ok(None),
                text => QuietHours::parse(text)
                    .map(Some)
                    .ok_or_else(|| format!("{text:?} is neither \"off\" nor two times as in \"22:00-07:00\"")),
            }),
            email: section.optional("email").and_then(Email::read),
            ntfy: section.optional("ntfy").and_then(Ntfy::read),
            webhook: section.optional("webhook").and_then(Webhook::read),
            nostr: section.optional("nostr").and_then(Nostr::read),
            heartbeat: section.optional("heartbeat").and_then(Heartbeat::read),
        };
        section.finish();
        alerts
    }

    /// Whether the channel with this name, or any, is reached through Tor.
    pub fn need_tor(&self, channel: Option<&str>) -> bool {
        let is_meant = |name: &str| channel.is_none_or(|wanted| wanted == name);
        let is_behind = |url: &WebUrl| url.read().is_ok_and(|url| url.host().is_some_and(is_onion));
        let email = self.email.as_ref().filter(|_| is_meant("email"));
        let ntfy = self.ntfy.as_ref().filter(|_| is_meant("ntfy"));
        let webhook = self.webhook.as_ref().filter(|_| is_meant("webhook"));
        let nostr = self.nostr.as_ref().filter(|_| is_meant("nostr"));
        let is_relay_behind = |url: &String| relay_as_web(url).is_ok_and(|url| url.host().is_some_and(is_onion));
        email.is_some_and(|email| email.through_tor || is_onion(&email.server))
            || ntfy.is_some_and(|ntfy| ntfy.through_tor || is_behind(&ntfy.url))
            || webhook.is_some_and(|webhook| webhook.through_tor || is_behind(&webhook.url))
            || nostr.is_some_and(|nostr| nostr.through_tor || nostr.relays.iter().any(is_relay_behind))
    }
}

impl Email {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let server = section.required("server", host_name);
        let tls = section.read("tls", MailTls::StartTls, |text| match text {
            "starttls" => Ok(MailTls::StartTls),
            "tls" => Ok(MailTls::Implicit),
            "none" => Ok(MailTls::None),
            _ => Err(format!("{text:?} is none of \"starttls\", \"tls\", \"none\"")),
        });
        let usual = match tls {
            MailTls::StartTls => 587,
            MailTls::Implicit => 465,
            MailTls::None => 25,
        };
        let port = section.number("port", usual, 1..=65_535);
        let certificate = section.read("certificate", None, |text| absolute(text).map(Some));
        let user = section.string("user");
        let password = section.read("password", None, |text| SecretSource::parse(text).map(Some));
        let from = section.required("from", mailbox);
        let to = section.strings("to", Vec::new(), mailbox);
        let through_tor = section.flag("through_tor", false);
        if user.is_some() != password.is_some() {
            section.problem("user", "user and password belong together: set both or none");
        }
        if to.is_empty() {
            section.problem("to", "name at least one address, as in [\"me@example.com\"]");
        }
        if tls == MailTls::None && server.as_deref().is_some_and(|host| !web::is_near(host) && !is_onion(host)) {
            let says = "only a server on this machine, in its network or behind an onion address may be spoken to \
                        unencrypted: choose \"starttls\" or \"tls\"";
            section.problem("tls", says);
        }
        section.finish();
        Some(Self { server: server?, port, tls, certificate, user, password, from: from?, to, through_tor })
    }
}

impl Ntfy {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let url = section.required("url", WebUrl::parse);
        let topic = section.required("topic", SecretSource::parse);
        let token = section.read("token", None, |text| SecretSource::parse(text).map(Some));
        let through_tor = section.flag("through_tor", false);
        section.finish();
        Some(Self { url: url?, topic: topic?, token, through_tor })
    }
}

impl Webhook {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let url = section.required("url", WebUrl::parse);
        let secret = section.required("secret", SecretSource::parse);
        let former_secret = section.read("former_secret", None, |text| SecretSource::parse(text).map(Some));
        let certificate = section.read("certificate", None, |text| absolute(text).map(Some));
        let through_tor = section.flag("through_tor", false);
        section.finish();
        Some(Self { url: url?, secret: secret?, former_secret, certificate, through_tor })
    }
}

impl Heartbeat {
    fn read(mut section: Section<'_>) -> Option<Self> {
        let url = section.required("url", WebUrl::parse);
        let interval = section.seconds("interval_secs", Duration::from_secs(300), 30..=86_400);
        let through_tor = section.flag("through_tor", false);
        section.finish();
        Some(Self { url: url?, interval, through_tor })
    }
}

fn host_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains([':', '/', '@']) && !text.contains(char::is_whitespace);
    if is_name || text.parse::<std::net::Ipv6Addr>().is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is neither a host name nor an IP address (the port has a setting of its own)"))
}

/// Reads an address of e-mail, with a name or without.
///
/// # Errors
/// That it is none.
pub fn mailbox(text: &str) -> Result<String, String> {
    let parsed = text.parse::<lettre::message::Mailbox>();
    parsed.map(|_| text.to_owned()).map_err(|_| format!("{text:?} is not an e-mail address"))
}

#[cfg(test)]
mod tests;

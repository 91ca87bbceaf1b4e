//! How alerts leave the shop: one file per channel. Nothing is decided here, and nothing remembered: a channel is given
//! a message, and says whether its receiver has taken it.

mod email;
mod heartbeat;
mod mail_stream;
mod ntfy;
mod outcome;
mod ways;
mod webhook;

use crate::config::Alerts;
use crate::domain::alert::Severity;
use crate::domain::alert_message::Message;
use crate::domain::time::Timestamp;
use crate::services::alert_messages::Refusal;

use email::Email;
pub use heartbeat::Heartbeat;
use ntfy::Ntfy;
use outcome::{failed, shortened};
pub use ways::Ways;
use webhook::Webhook;

/// The channels of a configuration.
#[derive(Debug)]
pub struct Channels {
    lowest: Severity,
    email: Option<Email>,
    ntfy: Option<Ntfy>,
    webhook: Option<Webhook>,
}

impl Channels {
    /// The channels that `config` names.
    pub fn new(config: &Alerts, ways: &Ways) -> Self {
        let email = config.email.clone();
        let (ntfy, webhook) = (config.ntfy.clone(), config.webhook.clone());
        Self {
            lowest: config.severity,
            email: email.map(|config| Email { dial: ways.choose(config.through_tor), config }),
            ntfy: ntfy.map(|config| Ntfy { dial: ways.choose(config.through_tor), config }),
            webhook: webhook.map(|config| Webhook { dial: ways.choose(config.through_tor), config }),
        }
    }

    /// Their names, each with the least urgency that it is told of.
    pub fn names(&self) -> Vec<(&'static str, Severity)> {
        let all = [
            self.email.as_ref().map(|_| "email"),
            self.ntfy.as_ref().map(|_| "ntfy"),
            self.webhook.as_ref().map(|_| "webhook"),
        ];
        all.into_iter().flatten().map(|name| (name, self.lowest)).collect()
    }

    /// Where the messages of a channel go, as far as it may be shown; `None` where there is no such channel.
    pub fn place(&self, name: &str) -> Option<String> {
        match name {
            "email" => self.email.as_ref().map(Email::place),
            "ntfy" => self.ntfy.as_ref().map(Ntfy::place),
            "webhook" => self.webhook.as_ref().map(Webhook::place),
            _ => None,
        }
    }

    /// Sends a message on the channel `name`.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, name: &str, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        let sent = match (name, &self.email, &self.ntfy, &self.webhook) {
            ("email", Some(email), ..) => email.send(message).await,
            ("ntfy", _, Some(ntfy), _) => ntfy.send(message).await,
            ("webhook", _, _, Some(webhook)) => webhook.send(message, now).await,
            _ => Err(failed("there is no such channel")),
        };
        // Servers say what they like; it is shown in a line.
        sent.map_err(|refusal| Refusal { text: shortened(&refusal.text, 300), ..refusal })
    }
}

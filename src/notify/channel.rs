//! A channel of any kind.

use super::email::Email;
#[cfg(feature = "nostr")]
use super::nostr::Nostr;
use super::ntfy::Ntfy;
use super::outcome::shortened;
use super::ways::Ways;
use super::webhook::Webhook;
use crate::config::Alerts;
use crate::domain::alert_message::Message;
use crate::domain::time::Timestamp;
use crate::services::alert_messages::Refusal;

/// A channel.
#[derive(Debug)]
pub enum Channel {
    /// A mail server.
    Email(Email),
    /// A topic of an ntfy server.
    Ntfy(Ntfy),
    /// Somebody's web server.
    Webhook(Webhook),
    /// Somebody who reads their direct messages.
    #[cfg(feature = "nostr")]
    Nostr(Nostr),
}

impl Channel {
    /// The channels of a configuration by their names.
    pub fn of_configuration(config: &Alerts, ways: &Ways) -> Vec<(&'static str, Self)> {
        let email = config.email.clone().map(|config| {
            let dial = ways.choose(config.through_tor);
            ("email", Self::Email(Email { dial, config }))
        });
        let ntfy = config.ntfy.clone().map(|config| {
            let dial = ways.choose(config.through_tor);
            ("ntfy", Self::Ntfy(Ntfy { dial, config }))
        });
        let webhook = config.webhook.clone().map(|config| {
            let dial = ways.choose(config.through_tor);
            ("webhook", Self::Webhook(Webhook { dial, config }))
        });
        let all = [email, ntfy, webhook].into_iter().flatten();
        #[cfg(feature = "nostr")]
        let all = all.chain(config.nostr.clone().map(|config| {
            let dial = ways.choose(config.through_tor);
            ("nostr", Self::Nostr(Nostr { dial, config }))
        }));
        all.collect()
    }

    /// Where its messages go, as far as it may be shown.
    pub fn place(&self) -> String {
        match self {
            Self::Email(email) => email.place(),
            Self::Ntfy(ntfy) => ntfy.place(),
            Self::Webhook(webhook) => webhook.place(),
            #[cfg(feature = "nostr")]
            Self::Nostr(nostr) => nostr.place(),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        let sent = match self {
            Self::Email(email) => email.send(message).await,
            Self::Ntfy(ntfy) => ntfy.send(message).await,
            Self::Webhook(webhook) => webhook.send(message, now).await,
            #[cfg(feature = "nostr")]
            Self::Nostr(nostr) => nostr.send(message, now).await,
        };
        // Servers say what they like; it is shown in a line.
        sent.map_err(|refusal| Refusal { text: shortened(&refusal.text, 300), ..refusal })
    }
}

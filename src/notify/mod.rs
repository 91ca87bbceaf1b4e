//! How alerts leave the shop: one file per channel. Nothing is decided here, and nothing remembered: a channel is given
//! a message, and says whether its receiver has taken it.

mod channel;
mod email;
mod heartbeat;
mod mail_stream;
#[cfg(feature = "nostr")]
mod nostr;
mod ntfy;
mod outcome;
mod own;
mod ways;
mod webhook;

use crate::config::Alerts;
use crate::domain::alert::Severity;
use crate::domain::alert_channel::{ChannelKind, OwnChannel};
use crate::domain::alert_message::Message;
use crate::domain::time::Timestamp;
use crate::services::alert_messages::Refusal;

use channel::Channel;
pub use heartbeat::Heartbeat;
use outcome::failed;
pub use ways::Ways;

/// The channels of a configuration, and the ways to those of operators' own.
#[derive(Debug)]
pub struct Channels {
    lowest: Severity,
    named: Vec<(&'static str, Channel)>,
    ways: Ways,
    /// By whose servers operators' own messages go.
    config: Alerts,
}

impl Channels {
    /// The channels that `config` names.
    pub fn new(config: &Alerts, ways: &Ways) -> Self {
        Self {
            lowest: config.severity,
            named: Channel::of_configuration(config, ways),
            ways: ways.clone(),
            config: config.clone(),
        }
    }

    /// Their names, each with the least urgency that it is told of.
    pub fn names(&self) -> Vec<(&'static str, Severity)> {
        self.named.iter().map(|(name, _)| (*name, self.lowest)).collect()
    }

    /// Where the messages of a channel go, as far as it may be shown; `None` where there is no such channel.
    pub fn place(&self, name: &str) -> Option<String> {
        self.find(name).map(Channel::place)
    }

    /// Sends a message on the channel `name`.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(&self, name: &str, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        match self.find(name) {
            Some(channel) => channel.send(message, now).await,
            None => Err(failed("there is no such channel")),
        }
    }

    /// Sends a message to an operator's own channel; only an administrator's may lead into the shop's own network.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send_own(
        &self,
        channel: &OwnChannel,
        is_administrators: bool,
        message: &Message,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        match own::open(channel, is_administrators, &self.config, &self.ways) {
            Ok(channel) => channel.send(message, now).await,
            Err(why) => Err(failed(why)),
        }
    }

    /// What an operator's own channel may be: e-mail and Nostr need what the configuration names for them.
    pub fn own_kinds(&self) -> Vec<ChannelKind> {
        let is_there = |kind: &ChannelKind| own::needs(*kind, &self.config).is_ok();
        ChannelKind::ALL.into_iter().filter(is_there).collect()
    }

    /// Whether an operator's own channel can work, as far as that is seen without trying it.
    ///
    /// # Errors
    /// The field that is wrong, and why; no secret is repeated.
    pub fn check_own(&self, channel: &OwnChannel, is_administrators: bool) -> Result<(), (&'static str, String)> {
        own::check(channel, is_administrators, &self.config)
    }

    fn find(&self, name: &str) -> Option<&Channel> {
        self.named.iter().find(|(known, _)| *known == name).map(|(_, channel)| channel)
    }
}

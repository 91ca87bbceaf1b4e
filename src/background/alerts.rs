//! Tells of alerts outside of the shop: makes messages of what has changed, and sends what is due. One loop for each
//! channel, so that a slow one holds up no other.

use std::sync::Arc;
use std::time::Duration;

use super::Tasks;
use super::failure::log_failure;
use crate::notify::{Channels, Heartbeat};
use crate::services::alert_messages::{self, Rules};
use crate::services::{Error, Principal, Shop};

/// Between two looks at the outbox of a channel: also other processes raise alerts.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Takes what is to be told to the channels.
#[derive(Clone)]
pub struct Messenger {
    shop: Shop,
    channels: Arc<Channels>,
    rules: Rules,
}

impl Messenger {
    /// One for these channels.
    pub const fn new(shop: Shop, channels: Arc<Channels>, rules: Rules) -> Self {
        Self { shop, channels, rules }
    }

    /// Says which channels there are, and begins to send.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn start(&self, tasks: &Tasks) -> Result<(), Error> {
        let names = self.channels.names();
        self.shop.tx(&Principal::Shop, move |tx| alert_messages::set_channels(tx, &names)).await?;
        for (name, _) in self.channels.names() {
            let messenger = self.clone();
            tasks.keep(&self.shop, &format!("alerts by {name}"), move || messenger.clone().run(name));
        }
        Ok(())
    }

    async fn run(self, channel: &'static str) {
        loop {
            log_failure("telling of alerts", self.step(channel).await);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Makes a message of what has changed, and tries what is due on a channel, until something fails.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn step(&self, channel: &'static str) -> Result<(), Error> {
        let rules = self.rules;
        if self.shop.read(&Principal::Shop, |tx| alert_messages::is_ready(tx, channel, rules))? {
            let random = Arc::clone(&self.shop.random);
            self.shop.tx(&Principal::Shop, move |tx| alert_messages::group(tx, channel, rules, &*random)).await?;
        }
        while let Some(waiting) = self.shop.read(&Principal::Shop, |tx| alert_messages::due(tx, channel))? {
            let outcome = self.channels.send(channel, &waiting.message, self.shop.now()).await;
            if let Err(refusal) = &outcome {
                tracing::warn!(channel, why = refusal.text, "a message about alerts was not taken");
            }
            let has_failed = outcome.is_err();
            self.shop.tx(&Principal::Shop, move |tx| alert_messages::note(tx, channel, &waiting, &outcome)).await?;
            if has_failed {
                break;
            }
        }
        Ok(())
    }
}

/// Tries a channel at once, whatever else waits for it, and notes how that ended, which is the answer.
///
/// # Errors
/// [`Error::NotFound`] when there is no such channel, or for anybody but an administrator.
pub async fn test(shop: &Shop, channels: &Channels, name: &str, by: &Principal) -> Result<Result<(), String>, Error> {
    if channels.place(name).is_none() {
        return Err(Error::NotFound);
    }
    let message = shop.read(by, |tx| alert_messages::test_message(tx, &*shop.random))?;
    let outcome = channels.send(name, &message, shop.now()).await;
    let (name, noted) = (name.to_owned(), outcome.clone());
    shop.tx(by, move |tx| alert_messages::note_test(tx, &name, &noted)).await?;
    Ok(outcome.map_err(|refusal| refusal.text))
}

/// Sends the heartbeat until dropped. It falls silent while nothing can be stored: then nothing is sold.
pub async fn beat(shop: Shop, heartbeat: Heartbeat) {
    let mut fails = false;
    loop {
        if shop.db.can_write() {
            let beat = heartbeat.beat().await;
            match &beat {
                Err(why) if !fails => tracing::warn!(why, "the heartbeat was not heard"),
                Ok(()) if fails => tracing::info!("the heartbeat is heard again"),
                _ => {}
            }
            fails = beat.is_err();
        }
        tokio::time::sleep(heartbeat.interval()).await;
    }
}

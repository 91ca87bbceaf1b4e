//! Tells of alerts outside of the shop: makes messages of what has changed, and sends what is due. Channels are served
//! beside each other, so that a slow one holds up no other; operators add and remove theirs while the shop runs.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Tasks;
use super::failure::log_failure;
use crate::domain::alert_message::Message;
use crate::domain::time::Timestamp;
use crate::notify::{Channels, Heartbeat};
use crate::services::alert_messages::{self, Refusal, Rules, Served};
use crate::services::own_channels::{self, Destination};
use crate::services::{Error, Principal, Shop};

/// Between two looks at what is to be told: also other processes raise alerts.
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
        let messenger = self.clone();
        tasks.keep(&self.shop, "telling of alerts", move || messenger.clone().run());
        Ok(())
    }

    async fn run(self) {
        let (mut busy, mut steps) = (HashSet::new(), FuturesUnordered::new());
        loop {
            let served = self.served();
            log_failure("reading the channels of alerts", served.as_ref().map(drop).map_err(Clone::clone));
            for channel in served.unwrap_or_default() {
                if busy.insert(channel.name.clone()) {
                    steps.push(async {
                        log_failure("telling of alerts", self.step(&channel).await);
                        channel.name
                    });
                }
            }
            let pause = tokio::time::sleep(POLL_INTERVAL);
            tokio::pin!(pause);
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    Some(name) = steps.next(), if !steps.is_empty() => drop(busy.remove(&name)),
                }
            }
        }
    }

    /// The channels that there are now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn served(&self) -> Result<Vec<Served>, Error> {
        self.shop.read(&Principal::Shop, |tx| alert_messages::served(tx, self.rules))
    }

    /// Makes a message of what has changed, and tries what is due on a channel, until something fails.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn step(&self, served: &Served) -> Result<(), Error> {
        let (channel, rules) = (served.name.as_str(), served.rules);
        if self.shop.read(&Principal::Shop, |tx| alert_messages::is_unsorted(tx, channel))? {
            let channel = channel.to_owned();
            self.shop.tx(&Principal::Shop, move |tx| alert_messages::sort(tx, &channel)).await?;
        }
        if self.shop.read(&Principal::Shop, |tx| alert_messages::is_ready(tx, channel, rules))? {
            let (random, channel) = (Arc::clone(&self.shop.random), channel.to_owned());
            self.shop.tx(&Principal::Shop, move |tx| alert_messages::group(tx, &channel, rules, &*random)).await?;
        }
        while let Some(waiting) = self.shop.read(&Principal::Shop, |tx| alert_messages::due(tx, channel))? {
            let outcome = send(&self.channels, served.own.as_ref(), channel, &waiting.message, self.shop.now()).await;
            if let Err(refusal) = &outcome {
                tracing::warn!(channel, why = refusal.text, "a message about alerts was not taken");
            }
            let (has_failed, channel) = (outcome.is_err(), channel.to_owned());
            self.shop.tx(&Principal::Shop, move |tx| alert_messages::note(tx, &channel, &waiting, &outcome)).await?;
            if has_failed {
                break;
            }
        }
        Ok(())
    }
}

async fn send(
    channels: &Channels,
    own: Option<&Destination>,
    name: &str,
    message: &Message,
    now: Timestamp,
) -> Result<(), Refusal> {
    match own {
        Some(own) => channels.send_own(&own.channel, own.is_administrators, message, now).await,
        None => channels.send(name, message, now).await,
    }
}

/// Tries a channel at once, whatever else waits for it, and notes how that ended, which is the answer.
///
/// # Errors
/// [`Error::NotFound`] when there is no such channel, or it is somebody else's; [`Error::Conflict`] for an operator who
/// has just tried it.
pub async fn test(shop: &Shop, channels: &Channels, name: &str, by: &Principal) -> Result<Result<(), String>, Error> {
    let own = shop.read(by, |tx| own_channels::to_test(tx, name))?;
    if own.is_none() && channels.place(name).is_none() {
        return Err(Error::NotFound);
    }
    let message = shop.read(by, |tx| alert_messages::test_message(tx, &*shop.random))?;
    let outcome = send(channels, own.as_ref(), name, &message, shop.now()).await;
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

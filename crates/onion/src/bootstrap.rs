//! How far Tor has come, for the log and for `readyz`, and the task that keeps it trying.

use std::convert::Infallible;
use std::time::Duration;

use arti_client::status::BootstrapStatus;
use futures_util::StreamExt;
use tokio::sync::watch;

use super::engine::{Client, CurrentClient};
use super::error::with_causes;

/// The longest wait between two attempts to bootstrap.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A point on Tor's way from nothing to usable. It may go backwards, when the network is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrap {
    /// 0 to 100; arti's own estimate.
    pub percent: u8,
    /// Whether connections can be made.
    pub ready: bool,
    /// What Tor is doing, or what keeps it from going on.
    pub text: String,
}

impl Bootstrap {
    fn of(status: &BootstrapStatus) -> Self {
        let blocked = status.blocked();
        // arti is ready for as long as it knows relays, whether it reaches them or not.
        let ready = status.ready_for_traffic() && blocked.is_none();
        let text =
            blocked.map_or_else(|| without_percent(&status.to_string()), |blockage| format!("stuck: {blockage}"));
        // The cut-off keeps 100 for "ready", which the fraction alone does not promise.
        let percent = if ready { 100 } else { (status.as_frac().clamp(0.0, 0.99) * 100.0) as u8 };
        Self { percent, ready, text }
    }
}

/// arti's text begins with a percentage of its own, which may be another one than ours.
fn without_percent(text: &str) -> String {
    text.split_once("%: ").map_or(text, |(_, rest)| rest).to_owned()
}

/// Starts the task that bootstraps whichever client is current, and reports.
pub(super) fn follow(mut clients: CurrentClient) -> watch::Receiver<Bootstrap> {
    let (sender, receiver) = watch::channel(Bootstrap { text: "starting".to_owned(), ..Bootstrap::default() });
    tokio::spawn(async move {
        loop {
            let current = clients.borrow_and_update().clone();
            tokio::select! {
                changed = clients.changed() => if changed.is_err() { return },
                never = bootstrap_and_report(current, &sender) => match never {},
            }
        }
    });
    receiver
}

async fn bootstrap_and_report(client: Option<Client>, sender: &watch::Sender<Bootstrap>) -> Infallible {
    let Some(client) = client else {
        sender.send_replace(Bootstrap { text: "the client is being replaced".to_owned(), ..Bootstrap::default() });
        return std::future::pending().await;
    };
    let mut events = client.bootstrap_events();
    let report = async {
        publish(sender, Bootstrap::of(&client.bootstrap_status()));
        while let Some(status) = events.next().await {
            publish(sender, Bootstrap::of(&status));
        }
    };
    tokio::join!(report, keep_trying(&client)).1
}

fn publish(sender: &watch::Sender<Bootstrap>, new: Bootstrap) {
    sender.send_if_modified(|old| {
        if *old == new {
            return false;
        }
        if (old.percent, old.ready) != (new.percent, new.ready) {
            tracing::info!(percent = new.percent, "Tor: {}", new.text);
        }
        *old = new;
        true
    });
}

async fn keep_trying(client: &Client) -> Infallible {
    let mut wait = Duration::from_secs(2);
    while let Err(error) = client.bootstrap().await {
        tracing::warn!("Tor cannot start, trying again in {} s: {}", wait.as_secs(), with_causes(&error));
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_percentage_is_told_and_not_two() {
        assert_eq!(without_percent("100%: connecting; directory is usable"), "connecting; directory is usable");
        assert_eq!(without_percent("something else"), "something else");
        let bootstrap = Bootstrap::of(&BootstrapStatus::default());
        assert!(!bootstrap.ready && !bootstrap.text.contains('%'), "{bootstrap:?}");
    }
}

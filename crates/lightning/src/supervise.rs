//! Keeps the settlement stream of a node alive: connects, hands each settlement to its owner, waits
//! a little after a failure and goes on where the owner says.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::LightningNode;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, NodeInvoice};

/// How long to wait after failures in a row: 1 s, 2 s, then 4 s each. No longer, since what was
/// settled while a node was away is to be applied within 5 s of its return.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The longest wait.
    pub const LONGEST: Duration = Duration::from_secs(4);

    /// The wait after one more failure.
    pub fn after_failure(&mut self) -> Duration {
        let wait = Duration::from_secs(1 << self.failures.min(2));
        self.failures = self.failures.saturating_add(1);
        wait.min(Self::LONGEST)
    }

    /// Whether nothing has failed since things last worked.
    pub const fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// Things work again: the next failure starts with the shortest wait.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A stream that has lasted for so long works.
pub const STEADY: Duration = Duration::from_secs(10);
/// Before a stream is opened again from another cursor: whatever a node does, this does not turn into a busy loop.
const REOPEN: Duration = Duration::from_millis(200);

/// The owner of a settlement stream.
#[async_trait]
pub trait SettlementSink: Send + Sync {
    /// The settle index that everything up to is safely stored of.
    ///
    /// # Errors
    /// When it can't be read now: it is asked for again after the wait, and nothing is subscribed to meanwhile.
    async fn cursor(&self) -> Result<u64, NodeError>;

    /// The subscription stands: the moment to compare all open invoices, since a stream alone may
    /// miss some.
    async fn connected(&self);

    /// The stream has lasted for [`STEADY`].
    async fn steady(&self) {}

    /// Waits until the stream is to be opened again, since the cursor was moved back.
    async fn reopen(&self) {
        std::future::pending().await
    }

    /// One settlement. Whoever can't store it (a full disk) answers with an error and gets it again
    /// after the wait; `cursor` must not have moved then.
    async fn settled(&self, invoice: NodeInvoice) -> Result<(), NodeError>;

    /// The stream failed or ended; the next attempt follows after `wait`. It is news when the stream had worked
    /// before: a node that is down for hours fails every few seconds.
    async fn lost(&self, error: &NodeError, wait: Duration, is_news: bool);
}

/// Runs until dropped.
pub async fn supervise(node: &dyn LightningNode, sink: &dyn SettlementSink) -> std::convert::Infallible {
    let mut backoff = Backoff::default();
    loop {
        let Some(error) = follow(node, sink, &mut backoff).await else {
            tokio::time::sleep(REOPEN).await;
            continue;
        };
        let is_news = backoff.is_fresh();
        let wait = backoff.after_failure();
        sink.lost(&error, wait, is_news).await;
        tokio::time::sleep(wait).await;
    }
}

/// One life of the stream; answers with what ended it, or `None` when it is to be opened again.
async fn follow(node: &dyn LightningNode, sink: &dyn SettlementSink, backoff: &mut Backoff) -> Option<NodeError> {
    let opened = match sink.cursor().await {
        Ok(cursor) => node.settlements(cursor).await,
        Err(error) => Err(error),
    };
    let mut stream = match opened {
        Ok(stream) => stream,
        Err(error) => return Some(error),
    };
    let started = Instant::now();
    sink.connected().await;
    let (mut is_steady, steady) = (false, tokio::time::sleep(STEADY));
    tokio::pin!(steady);
    let mut reopen = sink.reopen();
    loop {
        let item = tokio::select! {
            item = stream.next() => item,
            () = &mut steady, if !is_steady => {
                is_steady = true;
                sink.steady().await;
                continue;
            }
            () = &mut reopen => return None,
        };
        let applied = match item {
            Some(Ok(invoice)) => sink.settled(invoice).await,
            Some(Err(error)) => Err(error),
            None => Err(NodeError::new(NodeErrorKind::Unavailable, "the node ended the stream of settlements")),
        };
        match applied {
            Ok(()) => backoff.reset(),
            Err(error) => return Some(reset_if_old(started, backoff, error)),
        }
    }
}

/// A stream that lasted was a success, even when nothing was paid.
fn reset_if_old(started: Instant, backoff: &mut Backoff, error: NodeError) -> NodeError {
    if started.elapsed() > Backoff::LONGEST {
        backoff.reset();
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_four_seconds_and_start_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..5).map(|_| backoff.after_failure().as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 4, 4]);
        backoff.reset();
        assert_eq!(backoff.after_failure(), Duration::from_secs(1));
    }
}

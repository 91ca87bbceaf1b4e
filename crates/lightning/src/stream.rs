//! Invoice streams that run whether or not their reader looks: the request goes out at once, the
//! connection stays served, and dropping the stream ends it.

use futures_util::future::Either;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

use std::future::Future;
use std::time::Duration;

use super::InvoiceStream;
use ip2tor_domain::lightning::{NodeError, NodeInvoice};

/// Items that wait for the reader before the node is made to wait.
const BUFFER: usize = 64;

/// A node that knows an invoice tells its state at once.
const FIRST_STATE: Duration = Duration::from_secs(5);

/// Runs `inner` in a task of its own until it ends, fails, or the returned stream is dropped.
pub fn run(inner: impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static) -> InvoiceStream {
    let (sender, receiver) = mpsc::channel(BUFFER);
    let task = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut inner = Box::pin(inner);
        while let Some(item) = inner.next().await {
            let failed = item.is_err();
            if sender.send(item).await.is_err() || failed {
                break;
            }
        }
    }));
    ReceiverStream::new(receiver)
        .map(move |item| {
            // The task lives as long as this closure, that is, as long as the stream.
            let _running = &task;
            item
        })
        .boxed()
}

/// The states of one invoice, until it turns out that the node does not know it: LND says nothing then, neither
/// that nor anything else. `is_known` is asked when no state has come for a while.
pub fn of_known(
    states: impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static,
    is_known: impl Future<Output = Result<bool, NodeError>> + Send + 'static,
) -> impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static {
    stream::once(async move {
        let mut states = Box::pin(states);
        let first = match tokio::time::timeout(FIRST_STATE, states.next()).await {
            Ok(first) => first,
            Err(_) => match is_known.await {
                Ok(true) => states.next().await,
                Ok(false) => None,
                Err(error) => Some(Err(error)),
            },
        };
        let rest = match &first {
            Some(_) => Either::Left(states),
            None => Either::Right(stream::empty()),
        };
        stream::iter(first).chain(rest)
    })
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ip2tor_domain::lightning::NodeErrorKind;

    #[tokio::test]
    async fn an_error_is_the_last_item() {
        let error = || Err(NodeError::new(NodeErrorKind::Unavailable, "gone"));
        let items: Vec<_> = run(futures_util::stream::iter([error(), error()])).collect().await;
        assert_eq!(items.len(), 1);
    }
}

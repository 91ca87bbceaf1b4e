//! A connection through the embedded Tor client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use arti_client::DataStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tor_cell::relaycell::msg::EndReason;

/// arti's stream, with ends that are ends: a service run by arti ends all its streams with the
/// reason "misc", which arti's client reports as an error where C-tor's reports the end of the
/// stream, as this does. Nothing is sent before a flush.
pub struct TorStream(DataStream);

impl TorStream {
    pub(super) const fn new(stream: DataStream) -> Self {
        Self(stream)
    }
}

impl AsyncRead for TorStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match AsyncRead::poll_read(Pin::new(&mut self.0), cx, buf) {
            Poll::Ready(Err(error)) if is_plain_end(&error) => Poll::Ready(Ok(())),
            other => other,
        }
    }
}

fn is_plain_end(error: &io::Error) -> bool {
    let reason = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(reason, Some(tor_proto::Error::EndReceived(EndReason::MISC)))
}

impl AsyncWrite for TorStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.0), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.0), cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reason_misc_is_a_plain_end() {
        let received = |reason| io::Error::from(tor_proto::Error::EndReceived(reason));
        assert!(is_plain_end(&received(EndReason::MISC)));
        assert!(!is_plain_end(&received(EndReason::DESTROY)));
        assert!(!is_plain_end(&io::Error::other("misc")));
    }
}

//! The connections of an onion service.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use arti_client::DataStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::circuit_slots::InUse;

/// A client's connection to the onion service.
pub struct OnionStream {
    stream: DataStream,
    pub(super) in_use: InUse,
}

impl OnionStream {
    /// One that waits for [`super::OnionAcceptor`] to take it.
    pub(super) fn new(stream: DataStream, mut in_use: InUse) -> Self {
        in_use.set_waiting(true);
        Self { stream, in_use }
    }
}

impl AsyncRead for OnionStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        AsyncRead::poll_read(Pin::new(&mut self.stream), cx, buf)
    }
}

impl AsyncWrite for OnionStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.stream), cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.stream), cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(&mut self.stream), cx)
    }
}

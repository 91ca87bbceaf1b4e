//! What every listener needs and poem's server lacks: a cap on connections and on those of one client, a
//! deadline for request headers, and patience when accepting fails. TCP and the onion service share it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response, Server};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::visitors::{Visitor, Visitors};

/// Waiting after a failed `accept`: most failures (no more file descriptors) pass by themselves.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How long requests may go on once the shop is stopping.
const GRACE: Duration = Duration::from_secs(10);

/// How connections are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time; more wait until one ends. One client gets a quarter of them.
    pub max_connections: usize,
    /// From a request's first byte to the end of its headers.
    pub header_time: Duration,
    /// A connection on which nothing happens for so long is closed.
    pub idle_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { max_connections: 512, header_time: Duration::from_secs(10), idle_time: Duration::from_secs(60) }
    }
}

/// Serves `app` on `acceptor` until `stop` is ready, then lets running requests end.
pub async fn serve<A, E, S>(acceptor: A, app: Arc<E>, limits: ConnectionLimits, stop: S) -> io::Result<()>
where
    A: Acceptor + 'static,
    E: Endpoint<Output = Response> + 'static,
    S: Future<Output = ()>,
{
    let acceptor = Limited::new(acceptor, limits);
    Server::new_with_acceptor(acceptor)
        .idle_timeout(limits.idle_time)
        .run_with_graceful_shutdown(app, stop, Some(GRACE))
        .await
}

/// An acceptor with limits.
pub struct Limited<A> {
    inner: A,
    seats: Arc<Semaphore>,
    visitors: Arc<Visitors>,
    header_time: Duration,
}

impl<A> Limited<A> {
    /// Puts limits on an acceptor.
    pub fn new(inner: A, limits: ConnectionLimits) -> Self {
        Self {
            inner,
            seats: Arc::new(Semaphore::new(limits.max_connections)),
            visitors: Visitors::new(limits.max_connections),
            header_time: limits.header_time,
        }
    }
}

impl<A: Acceptor> Acceptor for Limited<A> {
    type Io = LimitedIo<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match self.inner.accept().await {
                Ok((io, local, remote, scheme)) => {
                    // Without a place for its client the connection is closed at once.
                    if let Some(visitor) = self.visitors.admit(&remote.0) {
                        return Ok((LimitedIo::new(io, seat, visitor, self.header_time), local, remote, scheme));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing of the next request has come; the idle limit counts.
    Quiet,
    /// Headers are coming; so many bytes of the blank line at their end have been seen.
    Headers(usize),
    /// A request is being worked on; its own time-out counts.
    Working,
    /// No longer HTTP/1: an upgraded connection or HTTP/2. They have limits of their own.
    Other,
}

const END_OF_HEADERS: &[u8] = b"\r\n\r\n";

/// A connection with a deadline for request headers.
pub struct LimitedIo<T> {
    inner: T,
    _seat: OwnedSemaphorePermit,
    visitor: Visitor,
    stage: Stage,
    header_time: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl<T> LimitedIo<T> {
    fn new(inner: T, seat: OwnedSemaphorePermit, visitor: Visitor, header_time: Duration) -> Self {
        // A connection that never says anything is cut by the first deadline.
        let deadline = Box::pin(sleep(header_time));
        Self { inner, _seat: seat, visitor, stage: Stage::Headers(0), header_time, deadline }
    }

    /// Follows what the client sends.
    fn heard(&mut self, bytes: &[u8]) {
        if self.stage == Stage::Quiet {
            self.stage = Stage::Headers(0);
            let end = Instant::now() + self.header_time;
            self.deadline.as_mut().reset(end);
        }
        let Stage::Headers(mut seen) = self.stage else { return };
        for byte in bytes {
            seen = match *byte {
                byte if byte == END_OF_HEADERS[seen] => seen + 1,
                b'\r' => 1,
                _ => 0,
            };
            if seen == END_OF_HEADERS.len() {
                self.visitor.has_spoken();
                self.stage = if bytes.starts_with(b"PRI * HTTP/2") { Stage::Other } else { Stage::Working };
                return;
            }
        }
        self.stage = Stage::Headers(seen);
    }

    /// Follows what the server answers.
    fn said(&mut self, bytes: &[u8]) {
        if self.stage == Stage::Working {
            self.stage = if bytes.starts_with(b"HTTP/1.1 101 ") { Stage::Other } else { Stage::Quiet };
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for LimitedIo<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => {
                this.heard(&buffer.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Pending if matches!(this.stage, Stage::Headers(_)) => {
                let late = "the request's headers did not come in time";
                if this.visitor.gives_way(context) {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, late)));
                }
                let late = || Err(io::Error::new(io::ErrorKind::TimedOut, late));
                this.deadline.as_mut().poll(context).map(|()| late())
            }
            other => other,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for LimitedIo<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            this.said(&bytes[..count]);
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

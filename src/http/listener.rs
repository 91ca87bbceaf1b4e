//! What every listener needs and poem's server lacks: a cap on connections and on those of one client, a
//! deadline for whatever a connection waits for, and patience when accepting fails. TCP and the onion
//! service share it. HTTP/2 without TLS is not spoken: nobody needs it, and its connections could be held
//! without ever asking for anything.

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
/// So much later than a request is given up its connection is.
const SLACK: Duration = Duration::from_secs(5);

/// How connections are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time; more wait until one ends. One client gets a quarter of them.
    pub max_connections: usize,
    /// From a request's first byte to the end of its headers.
    pub header_time: Duration,
    /// How long a request may take; it is given up elsewhere, and here only a little later.
    pub request_time: Duration,
    /// A connection without a request, or whose client takes nothing of the answer, is closed then.
    pub idle_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 512,
            header_time: Duration::from_secs(10),
            request_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
        }
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
    Server::new_with_acceptor(acceptor).run_with_graceful_shutdown(app, stop, Some(GRACE)).await
}

/// An acceptor with limits.
pub struct Limited<A> {
    inner: A,
    seats: Arc<Semaphore>,
    visitors: Arc<Visitors>,
    limits: ConnectionLimits,
}

impl<A> Limited<A> {
    /// Puts limits on an acceptor.
    pub fn new(inner: A, limits: ConnectionLimits) -> Self {
        Self {
            inner,
            seats: Arc::new(Semaphore::new(limits.max_connections)),
            visitors: Visitors::new(limits.max_connections),
            limits,
        }
    }
}

impl<A: Acceptor> Acceptor for Limited<A> {
    type Io = LimitedIo<A::Io>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        if self.seats.available_permits() == 0 {
            self.visitors.make_room();
        }
        let seat = Arc::clone(&self.seats).acquire_owned().await.map_err(io::Error::other)?;
        loop {
            match self.inner.accept().await {
                Ok((io, local, remote, scheme)) => {
                    // Without a place for its client the connection is closed at once.
                    if let Some(visitor) = self.visitors.admit(&remote.0) {
                        return Ok((LimitedIo::new(io, seat, visitor, self.limits), local, remote, scheme));
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
    /// Nothing of the next request has come, or an answer is on its way.
    Quiet,
    /// Headers are coming; so many bytes of the blank line at their end have been seen.
    Headers(usize),
    /// A request is being worked on, or its body is coming.
    Working,
    /// An upgraded connection. It has limits of its own.
    Upgraded,
}

const END_OF_HEADERS: &[u8] = b"\r\n\r\n";
/// How a connection of HTTP/2 begins; no request of HTTP/1 does.
const HTTP2: &[u8] = b"PRI ";

/// A connection with a deadline for each stage.
pub struct LimitedIo<T> {
    inner: T,
    _seat: OwnedSemaphorePermit,
    visitor: Visitor,
    limits: ConnectionLimits,
    stage: Stage,
    deadline: Pin<Box<Sleep>>,
}

impl<T> LimitedIo<T> {
    fn new(inner: T, seat: OwnedSemaphorePermit, visitor: Visitor, limits: ConnectionLimits) -> Self {
        // A connection that never says anything is cut by the first deadline.
        let deadline = Box::pin(sleep(limits.header_time));
        Self { inner, _seat: seat, visitor, limits, stage: Stage::Quiet, deadline }
    }

    fn enter(&mut self, stage: Stage, time: Duration) {
        self.stage = stage;
        self.deadline.as_mut().reset(Instant::now() + time);
    }

    /// Follows what the client sends.
    fn heard(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.stage == Stage::Quiet {
            // Empty lines before a request are no part of it, and no sign of one.
            let Some(start) = bytes.iter().position(|byte| !b"\r\n".contains(byte)) else { return Ok(()) };
            bytes = &bytes[start..];
            if bytes.starts_with(HTTP2) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "HTTP/2 is not spoken here"));
            }
            self.enter(Stage::Headers(0), self.limits.header_time);
        }
        let Stage::Headers(mut seen) = self.stage else { return Ok(()) };
        for byte in bytes {
            seen = match *byte {
                byte if byte == END_OF_HEADERS[seen] => seen + 1,
                b'\r' => 1,
                _ => 0,
            };
            if seen == END_OF_HEADERS.len() {
                self.visitor.has_spoken();
                self.enter(Stage::Working, self.limits.request_time + SLACK);
                return Ok(());
            }
        }
        self.stage = Stage::Headers(seen);
        Ok(())
    }

    /// Follows what the server answers.
    fn said(&mut self, bytes: &[u8]) {
        if bytes.starts_with(b"HTTP/1.1 101 ") {
            self.stage = Stage::Upgraded;
        } else if self.stage != Stage::Upgraded && !bytes.starts_with(b"HTTP/1.1 1") {
            // Not one of the others that only announce an answer, as `100 Continue` does.
            self.enter(Stage::Quiet, self.limits.idle_time);
        }
    }

    /// An error once the deadline has passed, or when the connection gives way to another one; else
    /// `context` is woken then.
    fn is_late(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.stage == Stage::Upgraded {
            return Poll::Pending;
        }
        let late = |()| io::Error::new(io::ErrorKind::TimedOut, "nothing came in time");
        if self.visitor.gives_way(context) {
            Poll::Ready(late(()))
        } else {
            self.deadline.as_mut().poll(context).map(late)
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for LimitedIo<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(context, buffer) {
            Poll::Ready(Ok(())) => Poll::Ready(this.heard(&buffer.filled()[before..])),
            Poll::Pending => this.is_late(context).map(Err),
            failed => failed,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for LimitedIo<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.inner).poll_write(context, bytes) {
            Poll::Ready(Ok(count)) => {
                this.said(&bytes[..count]);
                Poll::Ready(Ok(count))
            }
            Poll::Pending => this.is_late(context).map(Err),
            failed => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

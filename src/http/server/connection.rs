//! One connection: hyper speaks HTTP/1.1 on it, the shop answers, and the connection's state hears of both.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::StatusCode;
use http::uri::Scheme;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Response};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::CancellationToken;

use super::connection_limiter::ConnectionPermit;
use super::connection_state::{ConnectionState, End};
use super::limits::HEAD_BYTES;
use crate::http::security;

/// Both ends of a connection.
#[derive(Clone)]
pub struct Ends {
    /// Ours.
    pub local: LocalAddr,
    /// The client's.
    pub remote: RemoteAddr,
    /// How it came.
    pub scheme: Scheme,
}

/// Serves `app` on a connection until either side ends it, its time is up, or another one gets its place.
pub async fn serve<I, E>(io: I, ends: Ends, place: ConnectionPermit, app: Arc<E>, stopping: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    let state = Arc::clone(place.state());
    let mut end = End::of(Arc::clone(&state));
    let answer = service_fn(move |request| answer(Arc::clone(&app), ends.clone(), Arc::clone(&state), request));
    let connection = http1::Builder::new()
        .max_header_size(HEAD_BYTES)
        .max_buf_size(HEAD_BYTES)
        // The state's deadlines tell a quiet connection from a head that does not end.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(Watched { io, place, refusal: None }), answer)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let mut is_told = false;
    loop {
        tokio::select! {
            biased;
            // What goes wrong with it is the client's affair.
            _ = connection.as_mut() => return,
            () = &mut end => return,
            () = stopping.cancelled(), if !is_told => {
                is_told = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

async fn answer<E: Endpoint<Output = Response>>(
    app: Arc<E>,
    ends: Ends,
    state: Arc<ConnectionState>,
    mut request: http::Request<Incoming>,
) -> Result<http::Response<Answer>, Infallible> {
    state.begins();
    request.extensions_mut().insert(Arc::clone(&state));
    let response = app.get_response((request, ends.local, ends.remote, ends.scheme).into()).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        state.upgrades();
    } else {
        state.answers();
    }
    let (parts, body) = http::Response::<BoxBody<Bytes, io::Error>>::from(response).into_parts();
    Ok(http::Response::from_parts(parts, Answer { body, state }))
}

/// The body of an answer; its end is told to the state.
struct Answer {
    body: BoxBody<Bytes, io::Error>,
    state: Arc<ConnectionState>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.state.answered();
    }
}

/// A connection that tells its state what comes and goes, and has its place as long as it lives.
struct Watched<T> {
    io: T,
    place: ConnectionPermit,
    /// What is left of an answer that hyper has made by itself.
    refusal: Option<Bytes>,
}

/// How hyper answers by itself what it can't read as a request, before the connection ends: with a status of this
/// kind, and then with these lines, which no answer of the shop's begins with.
const REFUSAL: (&[u8], &[u8]) = (b"HTTP/1.1 4", b"connection: close\r\ncontent-length: 0\r\n");

/// An answer of hyper's with the headers that every answer has, since hyper itself takes none for it. `None` for
/// whatever else is written.
fn refusal(bytes: &[u8]) -> Option<Bytes> {
    let (status, lines) = REFUSAL;
    if !bytes.starts_with(status) {
        return None;
    }
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
    bytes[end..].starts_with(lines).then(|| [&bytes[..end], &security::header_lines(), &bytes[end..]].concat().into())
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            this.place.state().heard();
        }
        read
    }
}

impl<T> Watched<T> {
    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.place.state().took();
        }
        written
    }
}

impl<T: AsyncWrite + Unpin> Watched<T> {
    /// Writes an answer of hyper's; none of it counts as written before all of it is. `None` for whatever else is to
    /// be written.
    fn refuse(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.refusal.is_none() {
            self.refusal = refusal(bytes);
        }
        let rest = self.refusal.as_mut()?;
        while rest.has_remaining() {
            match Pin::new(&mut self.io).poll_write(context, rest.chunk()) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => rest.advance(count),
                other => return Some(other),
            }
        }
        Some(Poll::Ready(Ok(bytes.len())))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(refused) = this.refuse(context, bytes) {
            return refused;
        }
        let written = Pin::new(&mut this.io).poll_write(context, bytes);
        this.wrote(written)
    }

    // Without this hyper would copy whole answers for each connection that is slow to take them.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = slices.iter().find(|slice| !slice.is_empty());
        if let Some(refused) = first.and_then(|first| this.refuse(context, first)) {
            return refused;
        }
        let written = Pin::new(&mut this.io).poll_write_vectored(context, slices);
        this.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.io).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            this.place.flushed();
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}

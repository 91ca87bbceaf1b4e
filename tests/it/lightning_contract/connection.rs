//! The one HTTP/2 connection to an LND.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use ip2tor_shop::domain::lightning::NodeErrorKind;
use ip2tor_shop::lightning::dial::{BoxedIo, Dial};
use ip2tor_shop::lightning::policy::Policy;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::world::{World, next, plain};

pub async fn one_connection_serves_all_calls(world: World) {
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let dial = Dial::new(move |host, port| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Dial::direct().open(&host, port).await })
    });
    let node = world.node_over(dial, world.credentials("shop.macaroon"), Policy::default());
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    next(&mut stream).await.unwrap().unwrap();
    for number in 2..10 {
        node.create(&plain(number)).await.unwrap();
    }
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

pub async fn a_connection_that_fell_silent_ends_its_streams(world: World) {
    let silent = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&silent);
    let dial = Dial::new(move |host, port| {
        let silent = Arc::clone(&flag);
        Box::pin(async move {
            let inner = Dial::direct().open(&host, port).await?;
            Ok(Box::new(Silenceable { inner, silent }) as BoxedIo)
        })
    });
    let probe = Duration::from_secs(2);
    let policy = Policy { probe_interval: probe, probe_limit: probe, ..Policy::default() };
    let node = world.node_over(dial, world.credentials("shop.macaroon"), policy);
    node.create(&plain(1)).await.unwrap();
    let mut stream = node.watch(plain(1).hash).await.unwrap();
    next(&mut stream).await.unwrap().unwrap();
    silent.store(true, Ordering::SeqCst);
    let error = next(&mut stream).await.unwrap().unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Unavailable, "{error}");
    silent.store(false, Ordering::SeqCst);
    assert!(node.look_up(plain(1).hash).await.unwrap().is_some());
}

/// A stream whose other side can vanish without a word, as behind a router that lost power.
struct Silenceable {
    inner: BoxedIo,
    silent: Arc<AtomicBool>,
}

impl AsyncRead for Silenceable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        // What arrives is swallowed while it is silent.
        loop {
            let before = buf.filled().len();
            match Pin::new(&mut self.inner).poll_read(cx, buf) {
                Poll::Ready(Ok(())) if self.silent.load(Ordering::SeqCst) && buf.filled().len() > before => {
                    buf.set_filled(before);
                }
                other => return other,
            }
        }
    }
}

impl AsyncWrite for Silenceable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

//! A small HTTP/1.1 load generator: some connections, each with one request at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        Self::over(TcpStream::connect(address).await?)
    }

    /// On a stream that leads to the shop.
    pub fn over(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    /// Sends a request and returns the status and the body.
    pub async fn call(&mut self, request: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
            while self.buffer.len() < end + 4 + length {
                self.stream.read_buf(&mut self.buffer).await?;
            }
            let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
            return Ok((status, self.buffer[end + 4..].to_vec()));
        }
    }
}

/// A GET with an optional token.
pub fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    let auth = token.map(|token| format!("Authorization: Token {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nHost: shop\r\n{auth}\r\n").into_bytes()
}

/// A POST of a form.
pub fn post(path: &str, form: &str) -> Vec<u8> {
    let length = form.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
    .into_bytes()
}

/// What a burst of requests showed.
pub struct Burst {
    pub requests: u64,
    pub failures: u64,
    pub seconds: f64,
}

/// Sends the same request over `connections` until the time or the number of requests is used up.
pub async fn burst(address: SocketAddr, request: Vec<u8>, expect: u16, connections: usize, limit: Limit) -> Burst {
    let (sent, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let request = Arc::new(request);
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (sent, failed, request) = (sent.clone(), failed.clone(), request.clone());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await.expect("the shop accepts");
            while start.elapsed() < limit.time && sent.fetch_add(1, Ordering::Relaxed) < limit.requests {
                match connection.call(&request).await {
                    Ok((status, _)) if status == expect => {}
                    _ => {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    let requests = sent.load(Ordering::Relaxed).min(limit.requests);
    Burst { requests, failures: failed.load(Ordering::Relaxed), seconds: start.elapsed().as_secs_f64() }
}

/// When a burst ends: whichever comes first.
#[derive(Clone, Copy)]
pub struct Limit {
    pub time: Duration,
    pub requests: u64,
}

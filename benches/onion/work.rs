//! The measured work, row by row. The goals are those of the shop's specification.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig, Tor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::load::{self, Connection};
use crate::table::Table;
use crate::tor_network::TorNetwork;
use crate::world::{OnionShop, connect, connected, until};

/// What every request asks for.
const PATH: &str = "/api/v1/public/hosts/";
/// Circuits that are busy at a time.
const BUSY: usize = 8;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Size {
    /// Cold starts.
    starts: usize,
    /// Circuits whose latency is measured, for each way.
    circuits: usize,
    /// Requests on each of them.
    requests: usize,
    /// Circuits of the crowd, with 50 requests each.
    crowd: usize,
    /// How long the idle process is watched.
    idle: Duration,
}

impl Size {
    /// What `make bench` does: a few minutes.
    pub const FULL: Self = Self { starts: 5, circuits: 5, requests: 100, crowd: 200, idle: Duration::from_secs(60) };
    /// Enough to see that it works.
    pub const QUICK: Self = Self { starts: 1, circuits: 2, requests: 10, crowd: 8, idle: Duration::from_secs(5) };
}

/// Everything.
pub async fn all(network: &TorNetwork, size: Size, table: &mut Table) {
    cold_starts(network, size, table).await;
    let shop = OnionShop::start(network).await;
    drop(connected(network.socks(), &shop.onion, "warm-up").await);
    idle(&shop, size, table).await;
    latency(network, &shop, size, table).await;
    crowd(network, &shop, size, table).await;
    shop.process.stop();
}

/// From the start of the process, without any state, to the first answer over the onion.
async fn cold_starts(network: &TorNetwork, size: Size, table: &mut Table) {
    let mut times = Vec::new();
    for _ in 0..size.starts {
        let (_dir, visitor) = visitor(network).await;
        let begun = Instant::now();
        let shop = OnionShop::start(network).await;
        until(async || answers(&visitor, &shop.onion).await.then_some(())).await;
        times.push(begun.elapsed());
        shop.process.stop();
        visitor.shutdown().await;
    }
    table.row("cold start to reachable, median", millis(percentile(&mut times, 50)), String::new(), "2 s");
}

/// A Tor client of this process that is ready.
async fn visitor(network: &TorNetwork) -> (tempfile::TempDir, Tor) {
    let dir = tempfile::tempdir().unwrap();
    let config = OnionConfig {
        state_dir: dir.path().join("state"),
        cache_dir: dir.path().join("cache"),
        arti: network.arti(),
        ..OnionConfig::default()
    };
    let tor = Tor::new(config).unwrap();
    let progress = tor.bootstrap_progress();
    until(async || progress.borrow().ready.then_some(())).await;
    (dir, tor)
}

async fn answers(tor: &Tor, onion: &str) -> bool {
    let dialer = Dialer::Arti(tor.clone());
    let Ok(mut stream) = dialer.connect(onion, 80, Isolation::fresh(), Duration::from_secs(5)).await else {
        return false;
    };
    let mut start = [0; 7];
    let exchange = async {
        stream.write_all(&load::get("/healthz", None)).await?;
        stream.flush().await?;
        stream.read_exact(&mut start).await
    };
    exchange.await.is_ok() && start.starts_with(b"HTTP/1.")
}

/// Memory and CPU while nobody asks.
async fn idle(shop: &OnionShop, size: Size, table: &mut Table) {
    let before = shop.process.cpu();
    tokio::time::sleep(size.idle).await;
    let share = (shop.process.cpu() - before) / size.idle.as_secs_f64() * 100.0;
    let memory = format!("{:.1} MiB", shop.process.memory());
    table.row("onion up, idle", memory, format!("{share:.2} %"), "64 MiB, under 1 %");
}

/// Requests on warm circuits: to the shop's onion service, to C-tor's before the same shop, and over
/// plain TCP.
async fn latency(network: &TorNetwork, shop: &OnionShop, size: Size, table: &mut Table) {
    let c_tor = network.onion_service("bench", &[(80, shop.tcp)]);
    let (mut plain, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for circuit in 0..size.circuits {
        let name = format!("latency{circuit}");
        let mut to_ours = connected(network.socks(), &shop.onion, &name).await;
        let mut to_theirs = connected(network.socks(), &c_tor.address, &name).await;
        // Last: a connection without a request is closed after a while.
        let mut tcp = Connection::open(shop.tcp).await.unwrap();
        // In turns, so that what else the machine does meets all.
        for _ in 0..size.requests {
            plain.push(round_trip(&mut tcp).await);
            ours.push(round_trip(&mut to_ours).await);
            theirs.push(round_trip(&mut to_theirs).await);
        }
    }
    let base = percentile(&mut plain, 50);
    for (way, times, goal) in [("this shop's onion", ours, "not above C-tor's"), ("C-tor's onion", theirs, "")] {
        let added = |percent| millis(percentile(&mut times.clone(), percent).saturating_sub(base));
        let measured = format!("{} (p95 {})", added(50), added(95));
        table.row(&format!("added to a request on a warm circuit, {way}"), measured, String::new(), goal);
    }
}

async fn round_trip(connection: &mut Connection) -> Duration {
    let begun = Instant::now();
    let (status, _) = connection.call(&load::get(PATH, None)).await.unwrap();
    assert_eq!(status, 200);
    begun.elapsed()
}

/// Memory after many requests over many circuits.
async fn crowd(network: &TorNetwork, shop: &OnionShop, size: Size, table: &mut Table) {
    let before = shop.process.cpu();
    let mut tasks = tokio::task::JoinSet::new();
    let (mut done, mut next) = (0, 0);
    while next < size.crowd || !tasks.is_empty() {
        while tasks.len() < BUSY && next < size.crowd {
            tasks.spawn(member(network.socks(), shop.onion.clone(), format!("crowd{next}")));
            next += 1;
        }
        done += tasks.join_next().await.unwrap().unwrap();
    }
    let cpu = (shop.process.cpu() - before) * 1000.0 / done.max(1) as f64;
    let work = format!("memory after {done} requests over {} circuits", size.crowd);
    table.row(&work, format!("{:.1} MiB", shop.process.memory()), format!("{cpu:.3} ms"), "96 MiB");
}

/// One client of the crowd; how many of its 50 requests were answered.
async fn member(socks: SocketAddr, onion: String, name: String) -> usize {
    // A client tries again when it was not let through.
    let mut attempts = 0..3;
    let mut connection = loop {
        match connect(socks, &onion, &name).await {
            Some(connection) => break connection,
            None if attempts.next().is_none() => return 0,
            None => {}
        }
    };
    let mut answered = 0;
    while answered < 50 && matches!(connection.call(&load::get(PATH, None)).await, Ok((200, _))) {
        answered += 1;
    }
    answered
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() - 1) * percent / 100]
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

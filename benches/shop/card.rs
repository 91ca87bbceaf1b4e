//! What the shop writes to the memory card: while nothing happens, and while ten hosts poll.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::load::{self, Connection};
use crate::table::Table;
use crate::world::World;

/// How long the writes are counted: what is kept in memory is stored every twenty minutes.
const WINDOW: Duration = Duration::from_secs(1200);

/// Writes of a shop without hosts, and of one with ten, at the same time.
pub async fn writes(table: &mut Table) {
    let (idle, busy) = (World::new().await, World::new().await);
    // Hosts that fall silent are news: an idle shop has none.
    idle.remove_hosts();
    // The start writes what a start writes.
    poll(&busy, Duration::from_secs(20)).await;
    let counts = [Writes::begin(&idle), Writes::begin(&busy)];
    poll(&busy, WINDOW).await;
    let [idle_row, busy_row] = counts.map(Writes::end);
    table.row("writes, idle", idle_row, String::new(), "1 sync a minute, 5 MB a day");
    table.row("writes, ten hosts poll every 2 s", busy_row, String::new(), "4 a minute, 20 MB a day");
    idle.end().await;
    busy.end().await;
}

/// All hosts do every two seconds what their scripts do: look for work, and check in.
async fn poll(world: &World, time: Duration) {
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    let start = Instant::now();
    while start.elapsed() < time {
        for host in &world.hosts {
            for path in [
                format!("/api/v1/tor_bridges/?host={}&status=P", host.id),
                format!("/api/v1/tor_bridges/?host={}&status=S", host.id),
                format!("/api/v1/hosts/{}/check_in/", host.id),
            ] {
                let (status, _) = connection.call(&load::get(&path, Some(&host.token))).await.expect("an answer");
                assert_eq!(status, 200, "{path}");
            }
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Counts what a process writes and syncs.
struct Writes {
    pid: u32,
    tracer: Option<Child>,
    trace: PathBuf,
    bytes: u64,
    start: Instant,
}

impl Writes {
    fn begin(world: &World) -> Self {
        let (pid, trace) = (world.shop.child.id(), world.dir.path().join("syncs"));
        let tracer = Command::new("strace")
            .args(["-f", "-q", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&trace)
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::null())
            .spawn();
        Self { pid, tracer: tracer.ok(), trace, bytes: written(pid), start: Instant::now() }
    }

    fn end(self) -> String {
        let minutes = self.start.elapsed().as_secs_f64() / 60.0;
        let megabytes = (written(self.pid) - self.bytes) as f64 / 1e6 / minutes * 1440.0;
        let syncs = self.tracer.map_or_else(
            || "syncs not counted: there is no strace".to_owned(),
            |mut tracer| {
                let _ = Command::new("kill").args(["-INT", &tracer.id().to_string()]).status();
                let _ = tracer.wait();
                let lines = fs::read_to_string(&self.trace).unwrap_or_default();
                let syncs = lines.lines().filter(|line| line.contains("sync(")).count();
                format!("{:.1} syncs a minute", syncs as f64 / minutes)
            },
        );
        format!("{syncs}, {megabytes:.1} MB a day")
    }
}

/// Bytes that a process has sent to the disk so far.
fn written(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).expect("the process runs");
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
}

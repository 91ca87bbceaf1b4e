//! The shop as a process: start, CPU, memory.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Clock ticks per second in `/proc`: 100 on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// The program that is measured: the one just built, or another to compare it with.
fn program() -> OsString {
    std::env::var_os("IP2TOR_SHOP_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_ip2tor-shop").into())
}

/// A running shop.
pub struct ShopProcess {
    child: Child,
}

impl ShopProcess {
    /// Starts `serve` with a configuration file.
    pub fn start(config: &Path) -> Self {
        let child = Command::new(program())
            .args(["serve", "--config"])
            .arg(config)
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .expect("the shop starts");
        Self { child }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Seconds of CPU used so far, user and system.
    pub fn cpu(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("the process runs");
        let after_name = stat.rsplit(')').next().expect("fields after the name");
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |field: usize| fields[field].parse::<f64>().expect("a number of ticks");
        // utime and stime are fields 14 and 15 of the line, 11 and 12 after the name.
        (ticks(11) + ticks(12)) / TICKS_PER_SECOND
    }

    /// Resident memory in MiB.
    pub fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the process runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
        let kib: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
        kib / 1024.0
    }

    /// Ends the process as systemd does.
    pub fn stop(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The shop as a process with a configuration and a log.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::onion_shop::world::until;

/// How long the shop may take to end after SIGTERM.
const END_LIMIT: Duration = Duration::from_secs(120);

/// A running shop; killed when dropped.
pub struct ShopProcess {
    child: Child,
    /// Where it answers over TCP.
    pub tcp: SocketAddr,
}

impl ShopProcess {
    /// Starts `serve` and waits until it answers over TCP.
    pub async fn start(config: &Path) -> Self {
        let log = config.with_extension("log");
        let child = spawn(config, &log);
        let mut shop = Self { child, tcp: ([127, 0, 0, 1], 0).into() };
        until("the shop listens", async || said_address(&log).is_some()).await;
        shop.tcp = said_address(&log).unwrap();
        shop
    }

    /// Starts `serve` and waits until it gives up; its log.
    pub async fn fails(config: &Path) -> String {
        let log = config.with_extension("refused.log");
        let mut refused = Self { child: spawn(config, &log), tcp: ([127, 0, 0, 1], 0).into() };
        assert!(!refused.end().await, "the shop must not start");
        fs::read_to_string(log).unwrap()
    }

    /// Ends the process as systemd does.
    pub async fn stop(mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.end().await, "the shop ends well");
    }

    async fn end(&mut self) -> bool {
        let child = &mut self.child;
        let wait = async {
            loop {
                if let Some(status) = child.try_wait().unwrap() {
                    return status.success();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(END_LIMIT, wait).await.expect("the shop ends")
    }
}

impl Drop for ShopProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(config: &Path, log: &PathBuf) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ip2tor-shop"))
        .args(["serve", "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log).unwrap())
        .spawn()
        .unwrap()
}

/// The address in the log's line "the shop answers".
fn said_address(log: &Path) -> Option<SocketAddr> {
    let text = fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().find(|line| line.contains("the shop answers"))?;
    line.split_once("address=")?.1.trim().parse().ok()
}

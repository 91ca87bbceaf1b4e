//! What systemd is told (sd_notify): how far the start is, that the shop answers, how it is, that it is alive, and that
//! it ends. Without systemd nobody listens, and nothing is said.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::http::{self, Readiness};
use crate::services::Shop;
use crate::store::StoreError;

/// Names the socket that systemd listens on.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How often the state is looked at where systemd does not ask for a sign of life more often.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// What bringing an old database up to date may take, in microseconds: half an hour, on a slow card.
const MIGRATION_USEC: u64 = 30 * 60 * 1_000_000;

/// The way to systemd, if it has started this process and wants to hear. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Systemd {
    address: Option<Arc<SocketAddr>>,
    /// How often it wants a sign of life.
    watchdog: Option<Duration>,
}

impl Systemd {
    /// As this process' environment says.
    pub fn of_process() -> Self {
        let text = |name: &str| std::env::var(name).ok();
        let address = text(SOCKET).as_deref().and_then(address);
        let own = std::process::id().to_string();
        // A sign of life is the main process' matter, and the environment is inherited.
        let is_asked = text("WATCHDOG_PID").is_none_or(|process| process == own);
        let micros = text("WATCHDOG_USEC").and_then(|text| text.parse().ok()).filter(|micros| *micros > 0 && is_asked);
        Self { address: address.map(Arc::new), watchdog: micros.map(Duration::from_micros) }
    }

    /// Whether somebody listens.
    pub const fn listens(&self) -> bool {
        self.address.is_some()
    }

    /// The shop is starting, or waits for something, and this is what for.
    pub fn status(&self, text: &str) {
        self.tell(&status(text));
    }

    /// The database is brought up to date: the start may take longer than usual.
    pub fn migrating(&self) {
        let text = status("bringing the database up to date");
        self.tell(&format!("EXTEND_TIMEOUT_USEC={MIGRATION_USEC}\n{text}"));
    }

    /// The shop answers (again).
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The configuration is read again; [`Systemd::ready`] says when that is over.
    pub fn reloading(&self) {
        self.tell("RELOADING=1");
    }

    /// The shop ends.
    pub fn stopping(&self) {
        self.tell(&format!("STOPPING=1\n{}", status("finishing what is under way")));
    }

    /// Gives a sign of life as long as the writer of the database answers, and says how the shop is, for ever.
    pub async fn attend(self, shop: Shop, readiness: Readiness) {
        let pause = self.watchdog.map_or(LOOK_EVERY, |asked| (asked / 3).min(LOOK_EVERY));
        let mut told = String::new();
        while self.listens() {
            // A disk that refuses is an answer, too: restarting would not make room on it.
            let _: Result<(), StoreError> = shop.db.write(|_| Ok(())).await;
            self.tell("WATCHDOG=1");
            let now = summary(&http::readiness_of(&shop, &readiness).await);
            if now != told {
                self.status(&now);
                told = now;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Nobody is told when this fails: the shop sells all the same.
    fn tell(&self, message: &str) {
        let Some(address) = &self.address else { return };
        let sent = UnixDatagram::unbound().and_then(|socket| socket.send_to_addr(message.as_bytes(), address));
        if let Err(error) = sent {
            tracing::debug!(%error, "systemd can't be told");
        }
    }
}

/// A path, or with `@` a name that is in no folder.
fn address(text: &str) -> Option<SocketAddr> {
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(text),
    };
    address.ok()
}

/// A message has a line for each variable, so a text is one line.
fn status(text: &str) -> String {
    format!("STATUS={}", text.replace(char::is_control, " "))
}

/// What `readyz` knows, as one line.
fn summary(readyz: &Value) -> String {
    let database = &readyz["database"];
    let (nodes, alive) = (&readyz["lightning"]["nodes"], readyz["lightning"]["alive"].as_u64().unwrap_or(0));
    let mut text = match readyz["ready"].as_bool() {
        Some(true) => "can sell".to_owned(),
        _ if database["readable"] != true => "can't sell: the database can't be read".to_owned(),
        _ if database["writable"] != true => "can't sell: the disk is full or read-only".to_owned(),
        _ if nodes == 0 => "can't sell: there is no Lightning node yet".to_owned(),
        _ => "can't sell: no Lightning node is alive".to_owned(),
    };
    text.push_str(&format!("; Lightning nodes alive: {alive} of {nodes}"));
    if let Some(reachability) = readyz["onion"]["reachability"].as_str() {
        text.push_str(&format!("; onion service: {}", reachability.replace('_', " ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::services::test_support::shop_in;

    fn listening(dir: &std::path::Path) -> (UnixDatagram, Systemd) {
        let path = dir.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let address = address(path.to_str().unwrap()).map(Arc::new);
        (socket, Systemd { address, watchdog: Some(Duration::from_millis(30)) })
    }

    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 512];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_text_can_not_smuggle_in_another_variable() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, systemd) = listening(dir.path());
        systemd.status("waits\nREADY=1");
        assert_eq!(heard(&socket), "STATUS=waits READY=1");
        systemd.ready();
        assert_eq!(heard(&socket), "READY=1");
    }

    #[test]
    fn the_state_is_told_in_one_line() {
        let state = |readable: bool, writable: bool, nodes: u32, alive: u32| {
            let ready = readable && writable && alive > 0;
            json!({"ready": ready, "database": {"readable": readable, "writable": writable},
                "lightning": {"nodes": nodes, "alive": alive}, "onion": {"reachability": "key_lost"}})
        };
        for (state, says) in [
            (state(true, true, 2, 1), "can sell; Lightning nodes alive: 1 of 2; onion service: key lost"),
            (state(true, false, 1, 1), "can't sell: the disk is full or read-only; "),
            (state(false, true, 1, 1), "can't sell: the database can't be read; "),
            (state(true, true, 0, 0), "can't sell: there is no Lightning node yet; "),
            (state(true, true, 1, 0), "can't sell: no Lightning node is alive; "),
        ] {
            assert!(summary(&state).starts_with(says), "{}", summary(&state));
        }
    }

    #[tokio::test]
    async fn a_sign_of_life_is_given_only_while_the_writer_of_the_database_answers() {
        let dir = tempfile::tempdir().unwrap();
        let (socket, systemd) = listening(dir.path());
        let shop = shop_in(&dir.path().join("shop.sqlite3"));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let db = shop.db.clone();
        let busy = tokio::spawn(async move {
            db.write::<(), StoreError, _>(move |_| {
                let _ = begun.send(());
                let _ = held.recv();
                Ok(())
            })
            .await
        });
        has_begun.await.unwrap();
        let attending = tokio::spawn(systemd.attend(shop, Readiness::default()));
        let (first, second) = tokio::task::spawn_blocking(move || {
            socket.set_nonblocking(true).unwrap();
            let silent = socket.recv(&mut [0; 64]).is_err();
            socket.set_nonblocking(false).unwrap();
            assert!(silent, "the writer does not answer");
            drop(release);
            (heard(&socket), heard(&socket))
        })
        .await
        .unwrap();
        assert_eq!(first, "WATCHDOG=1");
        assert!(second.starts_with("STATUS=can't sell"), "and how the shop is: {second}");
        busy.await.unwrap().unwrap();
        attending.abort();
    }
}

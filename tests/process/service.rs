//! The shop as systemd runs it: what it is told, how a start fails, and that commands of root leave nothing that the
//! service can't use.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");
/// The user and group `nobody` and `nogroup` of Debian.
const NOBODY: u32 = 65_534;

/// A folder with a configuration and the data of a shop without Tor.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        shop.configure("");
        shop
    }

    fn configure(&self, more: &str) {
        let data = self.data();
        let text = format!(
            "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false\n{more}",
            data.to_str().unwrap()
        );
        std::fs::write(self.config(), text).unwrap();
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args).arg("--config").arg(self.config()).env_remove("RUST_LOG");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn done(&self, args: &[&str]) {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What plays systemd.
struct Listener {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Listener {
    fn new(folder: &Path) -> Self {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self { socket, path }
    }

    /// Reads on until a message begins like this.
    fn wait_for(&self, start: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self.socket.recv(&mut buffer).unwrap_or_else(|error| panic!("waiting for {start}: {error}"));
            let message = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if message.starts_with(start) {
                return message;
            }
        }
    }
}

struct Running(Child);

impl Running {
    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.0.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn systemd_is_told_when_the_shop_answers_how_it_is_and_when_it_ends() {
    let shop = Shop::new();
    let systemd = Listener::new(shop.0.path());
    let mut command = shop.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &systemd.path).env("WATCHDOG_USEC", "60000000");
    let mut running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    systemd.wait_for("READY=1");
    systemd.wait_for("WATCHDOG=1");
    assert!(systemd.wait_for("STATUS=").contains("no Lightning node yet"));
    shop.configure("[log]\nlevel = \"verbose\"\n");
    for _ in 0..2 {
        running.signal("HUP");
        systemd.wait_for("RELOADING=1");
        systemd.wait_for("READY=1");
        shop.configure("[log]\nlevel = \"debug\"\n");
    }
    running.signal("TERM");
    systemd.wait_for("STOPPING=1");
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn a_reload_that_needs_a_restart_is_refused_and_names_what_does() {
    let shop = Shop::new();
    let systemd = Listener::new(shop.0.path());
    let runtime = shop.0.path().join("runtime");
    std::fs::create_dir(&runtime).unwrap();
    let noted = runtime.join("running.toml");
    let check = || shop.run(&["check-config", "--running", noted.to_str().unwrap()]);
    let mut command = shop.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &systemd.path).env("RUNTIME_DIRECTORY", &runtime);
    let running = Running(command.stderr(Stdio::null()).spawn().unwrap());
    systemd.wait_for("READY=1");
    // As soon as it is ready it can be told so.
    running.signal("HUP");
    systemd.wait_for("RELOADING=1");
    systemd.wait_for("READY=1");
    assert!(noted.exists());

    shop.configure("[log]\nlevel = \"debug\"\n");
    assert!(check().status.success(), "{}", stderr(&check()));
    shop.configure("[retention]\nunpaid_days = 15\n[log]\nlevel = \"debug\"\n");
    let refused = check();
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("retention"), "{}", stderr(&refused));
    assert!(!stderr(&refused).contains("http"), "{}", stderr(&refused));
    // Beside no running shop there is nothing to compare with.
    std::fs::remove_file(&noted).unwrap();
    assert!(check().status.success());
}

#[test]
fn a_start_that_trying_again_does_not_help_ends_with_78_and_tells_systemd_why() {
    let shop = Shop::new();
    let systemd = Listener::new(shop.0.path());
    shop.done(&["operator", "add", "admin"]);
    for log in ["shop.sqlite3-wal", "shop.sqlite3-shm"] {
        let _ = std::fs::remove_file(shop.data().join(log));
    }
    std::fs::write(shop.data().join("shop.sqlite3"), [b'x'; 8192]).unwrap();
    let output = shop.command(&["serve"]).env("NOTIFY_SOCKET", &systemd.path).output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    assert!(systemd.wait_for("STATUS=failed").contains("shop.sqlite3"));
    shop.configure("[log]\nlevel = \"verbose\"\n");
    let output = shop.command(&["serve"]).env("NOTIFY_SOCKET", &systemd.path).output().unwrap();
    assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
    assert!(systemd.wait_for("STATUS=failed").contains("log.level"));
}

/// The owners of all that is in a folder, and of itself.
fn owners(folder: &Path, found: &mut Vec<(PathBuf, u32, u32)>) {
    let about = std::fs::symlink_metadata(folder).unwrap();
    found.push((folder.to_owned(), about.uid(), about.gid()));
    if about.is_dir() {
        std::fs::read_dir(folder).unwrap().for_each(|entry| owners(&entry.unwrap().path(), found));
    }
}

#[test]
fn what_a_command_of_root_makes_belongs_to_the_one_who_owns_the_data_folder() {
    let shop = Shop::new();
    std::fs::create_dir(shop.data()).unwrap();
    if chown(shop.data(), Some(NOBODY), Some(NOBODY)).is_err() {
        return; // only root may give a folder away
    }
    // The way there is open to that user, as it is to /var/lib.
    Command::new("chmod").arg("755").arg(shop.0.path()).status().unwrap();
    let mut key = b"== ed25519v1-secret: type0 ==\0\0\0".to_vec();
    key.extend([8].iter().chain(&[7; 30]).chain(&[0x47]).chain(&[9; 32]));
    let key_file = shop.0.path().join("key");
    std::fs::write(&key_file, key).unwrap();
    let key_file = key_file.to_str().unwrap();
    let backup = shop.data().join("made.backup");
    let backup = backup.to_str().unwrap();
    for args in [
        vec!["operator", "add", "admin", "--role", "administrator"],
        vec!["onion", "import", key_file],
        vec!["backup", "create"],
        vec!["backup", "create", "--output", backup],
        vec!["backup", "restore", backup, "--force"],
        vec!["host", "add", "--ip", "203.0.113.7", "--name", "vienna"],
        vec!["onion", "address"],
        vec!["check-config"],
    ] {
        shop.done(&args);
    }
    let mut found = Vec::new();
    owners(&shop.data(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    let foreign: Vec<_> = found.iter().filter(|(_, user, group)| (*user, *group) != (NOBODY, NOBODY)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

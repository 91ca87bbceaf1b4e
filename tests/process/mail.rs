//! Alerts by e-mail from the real program to a mail server that is not ours: Debian's aiosmtpd, with STARTTLS.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use ip2tor_shop::domain::alert::AlertTopic;
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::store::{Db, StoreError, alerts};

use crate::live::process::{BIN, Process, wait_until};

/// Debian's own: another one may come first in the path, and know nothing of Debian's packages.
const PYTHON: &str = "/usr/bin/python3";
const PATIENCE: Duration = Duration::from_secs(90);

/// Whether there is such a server; otherwise the test says SKIPPED, and with `REQUIRE_SMTP=1` it fails.
fn has_server() -> bool {
    let found = Command::new(PYTHON).args(["-c", "import aiosmtpd"]).output().is_ok_and(|said| said.status.success());
    assert!(
        found || std::env::var_os("REQUIRE_SMTP").is_none(),
        "REQUIRE_SMTP is set, but python3-aiosmtpd is missing"
    );
    if !found {
        eprintln!("SKIPPED: python3-aiosmtpd is missing");
    }
    found
}

/// Starts the server in `dir`; its port.
fn start_server(dir: &Path) -> (Process, u16) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    std::fs::write(dir.join("smtp.pem"), made.cert.pem()).expect("a file");
    std::fs::write(dir.join("smtp.key"), made.signing_key.serialize_pem()).expect("a file");
    let mut command = Command::new(PYTHON);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/mail_server.py")).arg(dir);
    let process = Process::spawn(command, &dir.join("smtp.log"));
    let port = || std::fs::read_to_string(dir.join("port")).ok()?.parse().ok();
    (process, wait_until(PATIENCE, port).expect("the mail server listens"))
}

fn write_config(dir: &Path, port: u16, password: &str) {
    std::fs::write(dir.join("password"), password).expect("a file");
    let folder = dir.display();
    let config = format!(
        "data_dir = \"{folder}/data\"\n[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false\n\
         [alerts]\ngroup_secs = 0\n[alerts.email]\nserver = \"localhost\"\nport = {port}\n\
         certificate = \"{folder}/smtp.pem\"\nuser = \"shop\"\npassword = \"file:{folder}/password\"\n\
         from = \"Shop <shop@example.com>\"\nto = [\"me@example.com\"]\n"
    );
    std::fs::write(dir.join("config.toml"), config).expect("a file");
}

/// A running shop, whose first start has made the database.
fn start_shop(dir: &Path) -> Process {
    let config = dir.join("config.toml").display().to_string();
    let shop = Process::start(&["serve", "--config", &config], &dir.join("shop.log"));
    wait_until(PATIENCE, || shop.said().contains("the shop answers").then_some(())).expect("the shop starts");
    shop
}

fn test_mail(dir: &Path) -> Output {
    let config = dir.join("config.toml").display().to_string();
    Command::new(BIN).args(["alerts", "test", "email", "--config", &config]).output().expect("it runs")
}

fn change(dir: &Path, change: impl FnOnce(&ip2tor_shop::store::Connection) -> Result<(), StoreError> + Send + 'static) {
    let db = Db::open(&dir.join("data/shop.sqlite3")).expect("the database opens");
    db.write_blocking(change).expect("it is stored");
}

fn mail(dir: &Path, number: u32) -> String {
    let read = || std::fs::read_to_string(dir.join(format!("mail-{number}"))).ok();
    wait_until(PATIENCE, read).unwrap_or_else(|| panic!("mail {number} comes"))
}

#[test]
fn an_alert_comes_by_mail_when_it_opens_and_when_it_is_over() {
    if !has_server() {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let (_server, port) = start_server(dir.path());
    write_config(dir.path(), port, "a lamp by the window");
    let mut shop = start_shop(dir.path());
    let tested = test_mail(dir.path());
    assert!(tested.status.success(), "{tested:?}");
    let first = mail(dir.path(), 1);
    for line in ["Encrypted: True", "Authenticated: True", "From: shop@example.com", "To: me@example.com"] {
        assert!(first.lines().any(|known| known == line), "{line} in {first}");
    }
    assert!(first.contains("Alerts of the shop arrive here."), "{first}");
    let now = Timestamp::from_secs(1_800_000_000);
    change(dir.path(), move |db| {
        alerts::raise(db, AlertTopic::HostDead, "a-host", "it does not check in – für immer?", now).map(drop)
    });
    let second = mail(dir.path(), 2);
    assert!(second.contains("Subject: ") && second.contains("host_dead (warning)"), "{second}");
    change(dir.path(), move |db| alerts::close(db, AlertTopic::HostDead, "a-host", now.plus_secs(60)));
    assert!(mail(dir.path(), 3).contains("host_dead (over)"));
    assert!(shop.is_running());
}

#[test]
fn a_mail_server_that_refuses_the_password_is_told_of_in_one_line() {
    if !has_server() {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let (_server, port) = start_server(dir.path());
    write_config(dir.path(), port, "hunter2");
    let _shop = start_shop(dir.path());
    let tested = test_mail(dir.path());
    let said = format!("{}{}", String::from_utf8_lossy(&tested.stdout), String::from_utf8_lossy(&tested.stderr));
    assert!(!tested.status.success() && said.contains("535") && !said.contains("hunter2"), "{said}");
    assert!(!dir.path().join("mail-1").exists());
}

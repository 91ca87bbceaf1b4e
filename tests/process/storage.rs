//! A disk that is full or turns read-only under a running shop: 503 and a log line, reads go on, no
//! crash, no busy loop; with room again it goes on by itself. The same at its start: it waits.
//!
//! Full: the size limit for files (`RLIMIT_FSIZE`, set from outside by `prlimit`) makes every write
//! beyond it fail, needs no privileges and can be taken back. Read-only: `strace` answers the
//! shop's writes to the database with `EROFS`, since permissions don't stop what is open already.
//! (`ENOSPC` in the same way for the very error of a full disk.)

use std::process::Command;
use std::time::Duration;

use crate::live::process::{BIN, Process, wait_until};
use crate::live::shop::{QUIET_JOBS, Setup, Shop};
use crate::live::strace::Strace;

const HOSTS: [&[&str]; 1] = [&["--port-range", "20000-20999"]];
const PATIENCE: Duration = Duration::from_secs(60);

fn setup() -> Setup<'static> {
    Setup { nodes: 1, hosts: &HOSTS, config: "", jobs: &QUIET_JOBS }
}

/// A shop that gets an error instead of the signal `XFSZ` at its limit, as from a full disk.
fn limitable_shop() -> Shop {
    Shop::start_with(&setup(), |config| {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\"", BIN]).arg(config);
        command
    })
}

fn limit_file_size(shop: &Shop, bytes: &str) {
    let (pid, limit) = (format!("--pid={}", shop.process.id()), format!("--fsize={bytes}:unlimited"));
    let status = Command::new("prlimit").args([&pid, &limit]).status();
    assert!(status.is_ok_and(|status| status.success()), "prlimit (util-linux) sets the limit");
}

fn order_status(shop: &Shop) -> u16 {
    shop.order(&shop.hosts[0], "storage").expect("an answer").status
}

/// What must hold while nothing can be written.
fn refuses_but_lives(shop: &mut Shop) {
    let (pid, said) = (shop.process.id(), shop.process.said().lines().count());
    for _ in 0..5 {
        let answer = shop.order(&shop.hosts[0], "storage").expect("an answer");
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let list = shop.client().get("/api/v1/public/hosts/").expect("an answer");
    assert_eq!((list.status, list.json().as_array().map(Vec::len)), (200, Some(1)), "reads go on");
    assert!(shop.process.is_running() && shop.process.id() == pid, "it runs on");
    let log = shop.process.said();
    let new: Vec<&str> = log.lines().skip(said).collect();
    assert!(new.iter().any(|line| line.contains("ERROR") && line.contains("stored")), "a log line: {new:?}");
    assert!(new.len() < 100, "no busy loop: {} lines", new.len());
    assert!(!log.contains("panicked"), "{log}");
}

/// What must hold afterwards: without a restart, and with one.
fn goes_on(shop: &mut Shop) {
    wait_until(PATIENCE, || (order_status(shop) == 201).then_some(())).expect("orders are taken again");
    shop.restart();
    wait_until(PATIENCE, || (order_status(shop) == 201).then_some(())).expect("and after a restart");
    let db = rusqlite::Connection::open(shop.database()).expect("the database opens");
    let integrity: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a result");
    assert_eq!(integrity, "ok");
}

#[test]
fn a_full_disk_is_answered_with_503_until_there_is_room_again() {
    let mut shop = limitable_shop();
    let wal = format!("{}-wal", shop.database().display());
    let length = || std::fs::metadata(&wal).map_or(0, |file| file.len());
    // The log still has room below the limit, the database has none.
    wait_until(PATIENCE, || (order_status(&shop) == 201 && length() > 256 << 10).then_some(())).expect("a long WAL");
    limit_file_size(&shop, "65536");
    refuses_but_lives(&mut shop);
    // Now not even the log can be written.
    limit_file_size(&shop, "1");
    assert_eq!(order_status(&shop), 503);
    limit_file_size(&shop, "unlimited");
    goes_on(&mut shop);
}

#[test]
fn a_file_system_that_turns_read_only_or_full_is_answered_with_503_until_it_is_back() {
    if !Strace::is_permitted() {
        return;
    }
    let mut shop = Shop::start(&setup());
    for error in ["EROFS", "ENOSPC"] {
        assert_eq!(order_status(&shop), 201);
        let database = shop.database().display().to_string();
        let inject = format!("inject=pwrite64,ftruncate,fdatasync,fsync:error={error}");
        let wal = format!("{database}-wal");
        let trace = Strace::attach(shop.process.id(), &["-P", &database, "-P", &wal, "-e", &inject]);
        refuses_but_lives(&mut shop);
        drop(trace);
        wait_until(PATIENCE, || (order_status(&shop) == 201).then_some(())).expect("orders are taken again");
    }
    goes_on(&mut shop);
}

#[test]
fn a_disk_that_is_full_at_the_start_is_waited_for() {
    let mut shop = Shop::start(&setup());
    shop.process.signal("TERM");
    shop.process.wait(PATIENCE).expect("it ends");
    let mut command = Command::new("sh");
    let serve = "trap '' XFSZ; exec prlimit --fsize=4096:unlimited \"$0\" serve --config \"$1\"";
    command.args(["-c", serve, BIN]).arg(shop.config());
    shop.process = Process::spawn(command, &shop.dir.path().join("full.log"));
    wait_until(PATIENCE, || shop.process.said().contains("make room").then_some(())).expect("what to do is said");
    assert!(shop.process.is_running());
    limit_file_size(&shop, "unlimited");
    let sells = || shop.order(&shop.hosts[0], "storage").ok().filter(|answer| answer.status == 201);
    wait_until(PATIENCE, sells).expect("with room it starts by itself");
}

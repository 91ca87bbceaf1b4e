//! That an answer is durable, shown by the system calls of the real process: a kill of the process
//! can't show it, since the kernel keeps what was written. Skipped, loudly, where `strace` is
//! missing or not permitted.

use std::time::{Duration, Instant};

use crate::live::process::wait_until;
use crate::live::shop::{QUIET_JOBS, START, Setup, Shop, order};
use crate::live::strace::Strace;
use rusqlite::Connection;

const HOSTS: [&[&str]; 1] = [&["--port-range", "20000-20999"]];
const CALLS: &str = "trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync";

/// How long nothing was stored when the shop is at rest: what follows a start follows within less.
const REST: Duration = Duration::from_secs(2);

/// A shop that does nothing unasked: its jobs have run and rest.
fn quiet_shop() -> Shop {
    let shop = Shop::start(&Setup { nodes: 1, hosts: &HOSTS, config: "", jobs: &QUIET_JOBS });
    let db = Connection::open(shop.database()).expect("the database opens");
    let sql = "SELECT count(*) > 0 AND count(*) = count(outcome) FROM job_run";
    let have_run = || -> bool { db.query_row(sql, [], |row| row.get(0)).expect("an answer") };
    wait_until(START, || have_run().then_some(())).expect("the jobs that run at the start have had their turn");
    wait_for_rest(&shop);
    shop
}

/// The same with its node stopped, so that the only changes are the orders themselves.
fn quiet_shop_without_invoices() -> Shop {
    let shop = quiet_shop();
    shop.nodes[0].process.signal("STOP");
    shop
}

fn wait_for_rest(shop: &Shop) {
    let db = Connection::open(shop.database()).expect("the database opens");
    let version = || -> i64 { db.query_row("PRAGMA data_version", [], |row| row.get(0)).expect("a version") };
    let (mut seen, mut since) = (version(), Instant::now());
    let rests = || {
        let version = version();
        if version != seen {
            (seen, since) = (version, Instant::now());
        }
        (since.elapsed() > REST).then_some(())
    };
    wait_until(START, rests).expect("the shop comes to rest");
}

/// Where a sync of the write-ahead log came back without an error.
fn is_synced(call: &str) -> bool {
    let sync = call.contains("fdatasync(") || call.contains("fsync(");
    (sync && call.contains("-wal>") || call.contains("fdatasync resumed") || call.contains("fsync resumed"))
        && call.trim_end().ends_with("= 0")
}

/// Where a sync of anything began.
fn is_sync(call: &str) -> bool {
    call.contains("fdatasync(") || call.contains("fsync(")
}

fn is_log_write(call: &str) -> bool {
    call.contains("pwrite64(") && call.contains("-wal>")
}

#[test]
fn an_order_is_on_the_disk_before_it_is_answered() {
    if !Strace::is_permitted() {
        return;
    }
    let shop = quiet_shop_without_invoices();
    let trace = Strace::attach(shop.process.id(), &["-e", CALLS]);
    let answer = shop.order(&shop.hosts[0], "a-comment-to-be-found").expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    let calls = trace.calls();
    let find = |what: &str, fits: &dyn Fn(&str) -> bool| {
        let place = calls.iter().position(|call| fits(call));
        place.unwrap_or_else(|| panic!("{what} is not in the trace:\n{}", calls.join("\n")))
    };
    let written = find("the order's page", &|call| is_log_write(call) && call.contains("a-comment-to-be-found"));
    let answered = find("the answer", &|call| call.contains("HTTP/1.1 201") && call.contains(&id));
    let synced = calls[..answered].iter().rposition(|call| is_synced(call));
    assert!(
        synced.is_some_and(|synced| written < synced),
        "no sync between the write (line {written}) and the answer (line {answered}):\n{}",
        calls.join("\n")
    );
}

#[test]
fn many_orders_share_a_sync_when_the_disk_is_slow() {
    if !Strace::is_permitted() {
        return;
    }
    let shop = quiet_shop_without_invoices();
    // As an SD card, only slower: the machine that runs this test may be slow as well.
    let slow = "inject=fsync,fdatasync:delay_enter=150000";
    let trace = Strace::attach(shop.process.id(), &["-e", CALLS, "-e", slow]);
    let buyers: Vec<_> = (0..16)
        .map(|_| {
            let (client, host) = (shop.client(), shop.hosts[0].clone());
            std::thread::spawn(move || order(&client, &host, "together").expect("an answer").status)
        })
        .collect();
    let statuses: Vec<u16> = buyers.into_iter().map(|buyer| buyer.join().expect("no panic")).collect();
    assert_eq!(statuses, [201; 16]);
    let calls = trace.calls();
    let syncs = calls.iter().filter(|call| is_sync(call)).count();
    assert!((1..8).contains(&syncs), "16 orders took {syncs} syncs:\n{}", calls.join("\n"));
    println!("16 orders at the same time took {syncs} syncs");
}

#[test]
fn looking_writes_nothing() {
    if !Strace::is_permitted() {
        return;
    }
    let shop = quiet_shop();
    let answer = shop.order(&shop.hosts[0], "look").expect("an answer");
    let order = answer.json()["id"].as_str().expect("an id").to_owned();
    let view = || shop.client().get(&format!("/api/v1/public/pos/{order}/")).expect("an answer").json();
    let is_made = || view()["ln_invoices"][0]["payment_request"].is_string().then_some(());
    wait_until(START, is_made).expect("an invoice");
    wait_for_rest(&shop);
    let trace = Strace::attach(shop.process.id(), &["-e", CALLS]);
    for _ in 0..20 {
        for path in ["public/hosts/".to_owned(), format!("public/pos/{order}/")] {
            assert_eq!(shop.client().get(&format!("/api/v1/{path}")).expect("an answer").status, 200);
        }
    }
    let calls = trace.calls();
    assert!(calls.iter().any(|call| call.contains("HTTP/1.1 200")), "the trace shows the answers");
    let writes: Vec<_> = calls.iter().filter(|call| is_sync(call) || call.contains("pwrite64(")).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

//! A second machine by Litestream, with the real program: both are killed under load, the replica is restored elsewhere,
//! and the shop sells there. Runs where `LITESTREAM_BIN` names the program (`make test-litestream`); prints its figures.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::live::http::{Body, Client};
use crate::live::payer::{Paid, pay};
use crate::live::process::{Process, run_json, wait_until};
use crate::live::shop::{Host, START, Setup, Shop, order};

const PATIENCE: Duration = Duration::from_secs(60);
/// So long is ordered before both are killed.
const LOAD: Duration = Duration::from_secs(15);
/// Litestream copies each second; what is older than this must be there on a busy machine as well.
const MOST_LOST: Duration = Duration::from_secs(5);
const BUYERS: usize = 4;

/// Ids of orders that were acknowledged, each with when.
type Acknowledged = Arc<Mutex<Vec<(Instant, String)>>>;

struct Load {
    acknowledged: Acknowledged,
    is_over: Arc<AtomicBool>,
    buyers: Vec<JoinHandle<()>>,
}

impl Load {
    fn start(shop: &Shop) -> Self {
        let (acknowledged, is_over) = (Acknowledged::default(), Arc::new(AtomicBool::new(false)));
        let buyer = |_| {
            let (client, host) = (shop.client(), shop.hosts[0].clone());
            let (acknowledged, is_over) = (Arc::clone(&acknowledged), Arc::clone(&is_over));
            std::thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    match placed(&client, &host) {
                        Some(id) => acknowledged.lock().expect("a list").push((Instant::now(), id)),
                        None => std::thread::sleep(Duration::from_millis(20)),
                    }
                }
            })
        };
        let buyers = (0..BUYERS).map(buyer).collect();
        Self { acknowledged, is_over, buyers }
    }

    fn end(self) -> Vec<(Instant, String)> {
        self.is_over.store(true, Ordering::Relaxed);
        self.buyers.into_iter().for_each(|buyer| buyer.join().expect("no buyer panics"));
        std::mem::take(&mut self.acknowledged.lock().expect("a list"))
    }
}

fn placed(client: &Client, host: &Host) -> Option<String> {
    let answer = order(client, host, "litestream").ok().filter(|answer| answer.status == 201)?;
    Some(answer.json()["id"].as_str()?.to_owned())
}

/// The same shop with another data folder: a second machine, as far as a process can tell. Its configuration and
/// where its database belongs.
fn second_machine(shop: &Shop) -> (String, PathBuf) {
    let data = shop.dir.path().join("second");
    std::fs::create_dir(&data).expect("a folder");
    let text = std::fs::read_to_string(shop.config()).expect("the configuration");
    let first = shop.dir.path().join("data").display().to_string();
    let config = shop.dir.path().join("second.toml");
    std::fs::write(&config, text.replace(&first, &data.display().to_string())).expect("it is written");
    (config.display().to_string(), data.join("shop.sqlite3"))
}

fn settings(shop: &Shop) -> PathBuf {
    let file = shop.dir.path().join("litestream.yml");
    let (database, replica) = (shop.database(), shop.dir.path().join("replica"));
    let text = format!("dbs:\n  - path: {}\n    replica:\n      path: {}\n", database.display(), replica.display());
    std::fs::write(&file, text).expect("it is written");
    file
}

fn sells_to(client: &Client, host: &Host, node: &Path) -> Option<()> {
    let id = placed(client, host)?;
    let path = format!("/api/v1/public/pos/{id}/");
    let request = wait_until(PATIENCE, || {
        let view = client.get(&path).ok()?.json();
        Some(view["ln_invoices"][0]["payment_request"].as_str()?.to_owned())
    })?;
    (pay(node, &request, PATIENCE) == Paid::Settled).then_some(())
}

#[test]
fn a_second_machine_sells_seconds_after_the_first_was_killed_and_knows_what_it_lost() {
    let Some(litestream) = std::env::var_os("LITESTREAM_BIN") else {
        eprintln!("\n*** SKIPPED: LITESTREAM_BIN does not name the program of Litestream ***\n");
        return;
    };
    let flags: &[&str] = &["--port-range", "20000-29999", "--use-holds=false"];
    let mut shop = Shop::start(&Setup { nodes: 1, hosts: &[flags], config: "", jobs: "" });
    let first = shop.config().display().to_string();
    // Ports are tried there after the restore.
    run_json(&["host", "set", &shop.hosts[0].id, "--ip", "127.0.0.1", "--config", &first]);
    let settings = settings(&shop);
    let mut command = Command::new(&litestream);
    command.args(["replicate", "-config"]).arg(&settings);
    let mut replication = Process::spawn(command, &shop.dir.path().join("litestream.log"));
    let load = Load::start(&shop);
    std::thread::sleep(LOAD);
    shop.process.kill();
    replication.kill();
    let killed = Instant::now();
    let acknowledged = load.end();

    let (config, database) = second_machine(&shop);
    let mut command = Command::new(&litestream);
    command.args(["restore", "-config"]).arg(&settings).arg("-o").arg(&database).arg(shop.database());
    assert!(command.status().expect("it runs").success(), "the replica is restored");
    let restored = killed.elapsed();
    let mut second = Process::start(&["serve", "--config", &config], &shop.dir.path().join("second.log"));
    let client = shop.client();
    let answers = || client.get("/api/v1/public/hosts/").ok().filter(|answer| answer.status == 200);
    wait_until(START, answers).expect("the second machine answers");
    let answered = killed.elapsed();
    let host = &shop.hosts[0];
    let check_in = format!("/api/v1/hosts/{}/check_in/", host.id);
    client.as_host(&host.token).send("POST", &check_in, &Body::None).expect("an answer");
    wait_until(PATIENCE, || sells_to(&client, host, &shop.nodes[0].dir)).expect("the second machine sells");
    let sold = killed.elapsed();

    let is_there = |id: &str| client.get(&format!("/api/v1/public/pos/{id}/")).expect("an answer").status == 200;
    let lost: Vec<_> = acknowledged.iter().filter(|(_, id)| !is_there(id)).collect();
    let oldest = lost.iter().map(|(at, _)| killed.saturating_duration_since(*at)).max().unwrap_or_default();
    println!(
        "{} orders in {LOAD:?}, {} lost, of the last {oldest:?}; restored after {restored:?}, answers after {answered:?}, \
         first sale after {sold:?}",
        acknowledged.len(),
        lost.len()
    );
    assert!(!acknowledged.is_empty());
    assert!(oldest < MOST_LOST, "older than that nothing is lost");
    let alerts = run_json(&["alerts", "--config", &config]);
    let topics: Vec<_> =
        alerts.as_array().expect("a list").iter().filter_map(|alert| alert["topic"].as_str()).collect();
    assert_eq!(topics.contains(&"database_older"), !lost.is_empty(), "{topics:?}");
    assert!(!topics.contains(&"second_copy"), "{topics:?}");
    // Whatever else it finds: it ends with 1 then.
    let doctor =
        Command::new(crate::live::process::BIN).args(["doctor", "--config", &config]).output().expect("it runs");
    assert!(!String::from_utf8_lossy(&doctor.stdout).contains("_litestream"), "its tables are known: {doctor:?}");
    second.kill();
}

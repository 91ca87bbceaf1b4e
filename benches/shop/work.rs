//! The measured work, row by row. The goals are those of the shop's specification.

use std::fs::File;
use std::time::{Duration, Instant};

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::lightning::PaymentHash;
use serde_json::Value;

use crate::load::{self, Burst, Connection, Limit};
use crate::process::ShopProcess;
use crate::table::Table;
use crate::world::{self, World};

const CLIENTS: usize = 16;
/// As many requests as fit into a while.
pub const LONG: Limit = Limit { time: Duration::from_secs(5), requests: u64::MAX };

/// Requests per second, and how many failed.
pub fn rate(burst: &Burst) -> String {
    let failures = if burst.failures == 0 { String::new() } else { format!(" ({} FAILED)", burst.failures) };
    format!("{:.0}/s{failures}", burst.requests as f64 / burst.seconds)
}

/// CPU of one request.
pub fn per_request(cpu: f64, burst: &Burst) -> String {
    format!("{:.3} ms", cpu * 1000.0 / burst.requests.max(1) as f64)
}

/// Asks the same again and again; seconds of CPU that the shop took.
pub async fn measure(world: &World, request: Vec<u8>, expect: u16, limit: Limit) -> (Burst, f64) {
    let before = world.shop.cpu();
    let burst = load::burst(world.address, request, expect, CLIENTS, limit).await;
    (burst, world.shop.cpu() - before)
}

const ORDERS: Limit = Limit { time: Duration::from_secs(10), requests: 14_000 };
const FEWER_ORDERS: Limit = Limit { time: Duration::from_secs(10), requests: 4_000 };

/// The public list and one order.
pub async fn reads(world: &World, table: &mut Table) {
    let idle = world.shop.memory();
    table.row("memory, idle", format!("{idle:.1} MiB"), String::new(), "26 MiB");
    let (burst, cpu) = measure(world, load::get("/api/v1/public/hosts/", None), 200, LONG).await;
    table.row("GET public/hosts/, 10 hosts", rate(&burst), per_request(cpu, &burst), "10,000/s, 0.1 ms");
    let order = place(world, 0).await;
    let path = format!("/api/v1/public/pos/{order}/");
    let (burst, cpu) = measure(world, load::get(&path, None), 200, LONG).await;
    table.row("GET public/pos/{id}/", rate(&burst), per_request(cpu, &burst), "6,000/s, 0.15 ms");
}

/// Places an order.
pub async fn place(world: &World, host: usize) -> OrderId {
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    let (status, body) = connection.call(&world.order_form(host)).await.expect("an answer");
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    let answer: Value = serde_json::from_slice(&body).expect("JSON");
    answer["id"].as_str().and_then(OrderId::parse).expect("an order id")
}

async fn look(connection: &mut Connection, path: &str) -> Value {
    let (_, body) = connection.call(&load::get(path, None)).await.expect("an answer");
    serde_json::from_slice(&body).expect("JSON")
}

/// From the order to its payment request, and from the settlement to [P]; medians of 21. `when` says
/// what else there is.
pub async fn latencies(world: &World, table: &mut Table, when: &str) {
    world.check_in();
    let (mut made, mut paid) = (Vec::new(), Vec::new());
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    for _ in 0..21 {
        let start = Instant::now();
        let path = format!("/api/v1/public/pos/{}/", place(world, 1).await);
        let invoice = loop {
            let order = look(&mut connection, &path).await;
            let invoice = order["ln_invoices"][0].clone();
            if invoice["payment_request"].is_string() {
                break invoice;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        made.push(start.elapsed());
        let start = Instant::now();
        world.pay(hash_of(&invoice), invoice["msatoshi"].as_u64().expect("an amount"));
        while look(&mut connection, &path).await["item_details"][0]["product"]["status"] != "P" {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        paid.push(start.elapsed());
    }
    table.row(&format!("order to payment_request visible{when}"), median(made), String::new(), "50 ms");
    table.row(&format!("settled to [P] visible{when}"), median(paid), String::new(), "100 ms");
}

fn hash_of(invoice: &Value) -> PaymentHash {
    use base64::Engine;
    let text = invoice["payment_hash"].as_str().expect("a hash");
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
    PaymentHash(bytes.try_into().expect("32 bytes"))
}

fn median(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.1} ms", times[times.len() / 2].as_secs_f64() * 1000.0)
}

/// Orders of an empty shop, and what it uses after them.
pub async fn orders(world: &World, table: &mut Table) {
    world.check_in();
    let (burst, cpu) = measure(world, world.order_form(2), 201, ORDERS).await;
    table.row("POST order, 16 clients", rate(&burst), per_request(cpu, &burst), "2,000/s, 0.5 ms");
    settle_down(world).await;
    let memory = world.shop.memory();
    table.row("memory, after this load", format!("{memory:.1} MiB"), String::new(), "60 MiB");
}

/// Ports in use; the fewest come first and are what the others are compared with.
const USED: [u32; 3] = [0, 10_000, 50_000];
/// Single runs differ by more than what is looked for: each row is the median of so many, taken in turn.
const ROUNDS: usize = 5;

/// The same on hosts with many ports in use, each by an order of its own, in new shops.
pub async fn orders_on_used_ports(table: &mut Table) {
    let mut runs = USED.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (used, runs) in USED.iter().zip(&mut runs) {
            runs.push(orders_with(*used).await);
        }
    }
    let each = |(burst, _): &(Burst, f64)| burst.seconds / burst.requests as f64;
    let mut fewest = None;
    for (used, mut runs) in USED.iter().zip(runs) {
        runs.sort_by(|a, b| each(a).total_cmp(&each(b)));
        let (burst, cpu) = &runs[ROUNDS / 2];
        let times = each(&runs[ROUNDS / 2]) / *fewest.get_or_insert(each(&runs[ROUNDS / 2]));
        let work = format!("the same, {used} ports in use ({times:.2} times)");
        table.row(&work, rate(burst), per_request(*cpu, burst), "1.2 times");
    }
}

async fn orders_with(used: u32) -> (Burst, f64) {
    let world = World::new().await;
    fill_ports(&world, 2, used);
    // What was filled in at once would have been on the disk for long.
    File::open(world.dir.path().join("shop.sqlite3")).and_then(|file| file.sync_all()).expect("the disk takes it");
    let measured = measure(&world, world.order_form(2), 201, FEWER_ORDERS).await;
    world.end().await;
    measured
}

/// Waits until the invoices of earlier orders are made.
async fn settle_down(world: &World) {
    let db = world::open(world.dir.path());
    for _ in 0..600 {
        let left = db.read(|db| {
            db.query_row("SELECT count(*) FROM effect", [], |row| row.get::<_, i64>(0))
                .map_err(ip2tor_shop::store::StoreError::from)
        });
        if left.is_ok_and(|left| left == 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Uses ports of a host: for each a bridge that runs, with its paid order.
fn fill_ports(world: &World, host: usize, used: u32) {
    let db = world::open(world.dir.path());
    let id = world.hosts[host].id;
    world::change(&db, move |tx| {
        let db = tx.db;
        let fill = || {
            db.execute(
                "CREATE TEMP TABLE fill AS SELECT ?1 AS host, ?2 AS ports, ?3 AS now, ?4 AS target",
                (id, used, tx.now, world::TARGET),
            )?;
            db.execute_batch(include_str!("fill.sql"))
        };
        fill().map_err(ip2tor_shop::store::StoreError::from)?;
        Ok(())
    });
}

/// CPU while thousands of invoices are open and nothing happens.
pub async fn open_invoices(world: &World, table: &mut Table) {
    settle_down(world).await;
    let work = format!("{} open invoices, idle", open_hashes(world, u32::MAX).len());
    table.row(&work, share(world).await, String::new(), "not measurable");
}

/// CPU while they are open and their node is away.
pub async fn node_away(world: &mut World, table: &mut Table) {
    let work = format!("{} open invoices, node down", open_hashes(world, u32::MAX).len());
    world.stop_node().await;
    table.row(&work, share(world).await, String::new(), "1 % of a core");
}

/// The share of a core that the shop uses within ten seconds.
async fn share(world: &World) -> String {
    let seconds = 10.0;
    let before = world.shop.cpu();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    format!("{:.2} % of a core", (world.shop.cpu() - before) / seconds * 100.0)
}

fn open_hashes(world: &World, limit: u32) -> Vec<(PaymentHash, u64)> {
    let db = world::open(world.dir.path());
    let found = db.read(|db| {
        let mut statement =
            db.prepare("SELECT payment_hash, amount FROM invoice WHERE state = 'open' ORDER BY seq LIMIT ?")?;
        let rows = statement.query_map([limit], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        Ok::<_, ip2tor_shop::store::StoreError>(rows.collect::<Result<_, _>>()?)
    });
    found.expect("the open invoices")
}

/// How fast settlements are applied when thousands come at once.
pub async fn settlements(world: &World, table: &mut Table) {
    settle_down(world).await;
    let open = open_hashes(world, u32::MAX).len();
    let wanted = open_hashes(world, 4_000);
    let (cpu, start) = (world.shop.cpu(), Instant::now());
    for (hash, amount) in &wanted {
        world.pay(*hash, *amount);
    }
    let left = open - wanted.len();
    while open_hashes(world, u32::MAX).len() > left && start.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let burst = Burst { requests: wanted.len() as u64, failures: 0, seconds: start.elapsed().as_secs_f64() };
    let work = format!("settlements applied, {open} invoices open");
    table.row(&work, rate(&burst), per_request(world.shop.cpu() - cpu, &burst), "2,000/s");
}

/// A host's poll and the start with 100,000 bridges.
pub async fn big_database(table: &mut Table) {
    let world = World::new().await;
    let World { dir, simulator, shop, hosts, .. } = world;
    shop.stop();
    let db = world::open(dir.path());
    let id = hosts[0].id;
    world::change(&db, move |tx| {
        let db = tx.db;
        db.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
             INSERT INTO product (id, kind, host_id, status, port, placed, target, duration_secs, grace_secs, \
             price_extension, bandwidth_initial, bandwidth_remaining, suspend_after, created_at, modified_at) \
             SELECT randomblob(16), 'tor_bridge', ?1, iif(i <= 10, 'P', 'A'), 20000 + i % 40000, 0, ?3, 86400, 600, \
             20000, 1073741824, 1073741824, ?2 + 864000000, ?2, ?2 FROM n",
            (id, tx.now, world::TARGET),
        )
        .map_err(ip2tor_shop::store::StoreError::from)?;
        Ok(())
    });
    drop(db);
    let (config, address) = world::write_config(dir.path(), "");
    let start = Instant::now();
    let shop = ShopProcess::start(&config);
    first_answer(address).await;
    let text = format!("{:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    table.row("start to first answer, 100,000 bridges", text, String::new(), "100 ms");
    let world = World { dir, simulator, shop, address, hosts };
    let path = format!("/api/v1/tor_bridges/?host={id}&status=P");
    let (burst, cpu) = measure(&world, load::get(&path, Some(&world.hosts[0].token)), 200, LONG).await;
    table.row("a host's poll, 10 of 100,000", rate(&burst), per_request(cpu, &burst), "1 ms");
    world.end().await;
}

/// Waits until the shop answers.
pub async fn first_answer(address: std::net::SocketAddr) {
    loop {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.call(&load::get("/healthz", None)).await.is_ok_and(|(status, _)| status == 200)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

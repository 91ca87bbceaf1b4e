//! What those who run a large shop look at, with 100 hosts, 100,000 products and 1,000,000 orders: every list with every
//! combination of its filters, the dashboard, the reports, the figures.

mod lists;

use std::net::SocketAddr;
use std::time::Instant;

use ip2tor_shop::domain::account::Scope;
use ip2tor_shop::domain::id::{OperatorId, SystemRandom};
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::services::operators::{api_tokens, manage};
use ip2tor_shop::store::StoreError;
use lists::Look;

use crate::load::Connection;
use crate::process::ShopProcess;
use crate::table::Table;
use crate::work;
use crate::world::{self, World};

/// Each path is asked for so often, for the kernel counts CPU in hundredths of a second; the costliest again.
const TIMES: u32 = 10;
const AGAIN: u32 = 50;
/// So many of the costliest are asked for again.
const COSTLIEST: usize = 5;
/// What a list may cost.
const GOAL: &str = "20 ms";

/// Everything, row by row.
pub async fn looks(table: &mut Table) {
    let World { dir, simulator, shop, hosts, .. } = World::new().await;
    shop.stop();
    let tokens = fill(dir.path());
    let (config, address) = world::write_config(dir.path(), "");
    let shop = ShopProcess::start(&config);
    work::first_answer(address).await;
    let world = World { dir, simulator, shop, address, hosts };
    for look in lists::all(&world.hosts[0].id.to_string()) {
        let (cpu, path) = costliest(&world, &tokens, &look).await;
        let text = format!("{}: the costliest of {}", look.name, look.paths.len());
        table.row(&text, path, format!("{:.2} ms", cpu * 1000.0), GOAL);
    }
    world.end().await;
}

/// Fills the database; API tokens of an administrator and of the operator of all hosts.
fn fill(dir: &std::path::Path) -> [String; 2] {
    let start = Instant::now();
    let tokens = world::change(&world::open(dir), |tx| {
        (10..100).try_for_each(|i| world::add_host(tx, i).map(drop))?;
        let operator = manage::add(tx, "large", Role::Operator, "-")?;
        let fill = || {
            let present = "CREATE TEMP TABLE present AS SELECT ?1 AS now, ?2 AS target";
            tx.db.execute(present, (tx.now, world::TARGET))?;
            tx.db.execute_batch(include_str!("admin/fill.sql"))
        };
        fill().map_err(StoreError::from)?;
        let token = |owner| api_tokens::make(tx, &SystemRandom, owner, ("bench", Scope::Read), 1).map(|made| made.1);
        Ok([token(OperatorId(1))?, token(operator)?])
    });
    eprintln!("1,000,000 orders are there after {:.0} s", start.elapsed().as_secs_f64());
    tokens
}

/// The path that costs most, and what it costs, in seconds.
async fn costliest(world: &World, tokens: &[String; 2], look: &Look) -> (f64, String) {
    let token = &tokens[usize::from(look.as_operator)];
    let mut costs = Vec::new();
    for path in &look.paths {
        costs.push((cost(world, token, path, TIMES).await, path.clone()));
    }
    costs.sort_by(|a, b| b.0.total_cmp(&a.0));
    costs.truncate(COSTLIEST);
    for (cpu, path) in &mut costs {
        *cpu = cost(world, token, path, AGAIN).await;
        eprintln!("  {path}: {:.2} ms", *cpu * 1000.0);
    }
    costs.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).expect("each list has a path")
}

/// CPU of the shop for one answer, in seconds.
async fn cost(world: &World, token: &str, path: &str, times: u32) -> f64 {
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/admin/{path}") };
    let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes();
    // The face for those who run the shop is beside that of buyers.
    let face = SocketAddr::new(world.address.ip(), world.address.port() + 1);
    let mut connection = Connection::open(face).await.expect("the shop accepts");
    let before = world.shop.cpu();
    for _ in 0..times {
        let (status, body) = connection.call(&request).await.expect("an answer");
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    }
    (world.shop.cpu() - before) / f64::from(times)
}

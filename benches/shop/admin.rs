//! What those who run a large shop look at: every list with each of its filters, and the first look, with 100,000 bridges
//! and 1,000,000 orders.

use std::net::SocketAddr;
use std::time::Instant;

use ip2tor_shop::domain::account::Scope;
use ip2tor_shop::domain::id::{OperatorId, SystemRandom};
use ip2tor_shop::services::operators::api_tokens;
use ip2tor_shop::store::StoreError;

use crate::load::Connection;
use crate::process::ShopProcess;
use crate::table::Table;
use crate::work;
use crate::world::{self, World};

/// Each list is asked for so often: the kernel counts CPU in hundredths of a second.
const TIMES: u32 = 40;
/// What a list may cost, in seconds.
const GOAL: &str = "20 ms";

/// All lists and the first look.
pub async fn looks(table: &mut Table) {
    let World { dir, simulator, shop, hosts, .. } = World::new().await;
    shop.stop();
    let token = fill(dir.path());
    let (config, address) = world::write_config(dir.path(), "");
    let shop = ShopProcess::start(&config);
    work::first_answer(address).await;
    let world = World { dir, simulator, shop, address, hosts };
    let host = world.hosts[0].id.to_string();
    for (name, lists) in lists(&host) {
        let mut worst = (0.0, String::new());
        for list in &lists {
            let cpu = cost(&world, &token, list).await;
            if cpu >= worst.0 {
                worst = (cpu, list.clone());
            }
        }
        let text = format!("{name}, the costliest of {}", lists.len());
        table.row(&text, worst.1, format!("{:.2} ms", worst.0 * 1000.0), GOAL);
    }
    world.end().await;
}

/// Fills the database; an API token for its operator.
fn fill(dir: &std::path::Path) -> String {
    let start = Instant::now();
    let token = world::change(&world::open(dir), |tx| {
        let fill = || {
            let present = "CREATE TEMP TABLE present AS SELECT ?1 AS now, ?2 AS target";
            tx.db.execute(present, (tx.now, world::TARGET))?;
            tx.db.execute_batch(include_str!("admin.sql"))
        };
        fill().map_err(StoreError::from)?;
        api_tokens::make(tx, &SystemRandom, OperatorId(1), ("bench", Scope::Read), 1)
    });
    eprintln!("1,000,000 orders are there after {:.0} s", start.elapsed().as_secs_f64());
    token.1
}

/// The lists, by what they are of.
fn lists(host: &str) -> Vec<(&'static str, Vec<String>)> {
    let with = |list: &str, filters: &[&str]| {
        filters.iter().map(|filter| format!("{list}/?{}", filter.replace("HOST", host))).collect::<Vec<_>>()
    };
    let month = "from=2026-01-01&until=2100-01-01";
    let sold = [
        "",
        "limit=500",
        "oldest_first=true",
        "host=HOST",
        "host=HOST&oldest_first=true",
        month,
        "until=2020-01-01",
        "from=2100-01-01",
        "q=nothing",
        "q=10007",
    ];
    let mut products = with("products", &sold);
    products.extend(with(
        "products",
        &["status=A", "status=Z", "status=H", "status=S", "status=A&host=HOST", "q=pg6", "q=number"],
    ));
    products.push(format!("products/?status=Z&host={host}&{month}&oldest_first=true"));
    let mut orders = with("orders", &sold);
    orders.extend(with(
        "orders",
        &["status=P", "status=N", "status=R", "status=S", "status=R&host=HOST", "owed=true", "owed=true&host=HOST"],
    ));
    orders.push(format!("orders/?status=R&host={host}&{month}&oldest_first=true"));
    let changes = [
        "",
        "noun=order",
        "noun=host",
        "person=shop",
        "person=operator:bench",
        "person=cli",
        "until=2020-01-01",
        month,
    ];
    let rest = ["hosts", "nodes", "deny", "alerts", "outbox", "jobs/history", "sessions", "tokens", "reports/months"];
    vec![
        ("list of 100,000 bridges", products),
        ("list of 1,000,000 orders", orders),
        ("change log of 1,000,000 entries", with("changes", &changes)),
        ("other lists beside them", rest.iter().map(|list| format!("{list}/")).collect()),
        ("the dashboard with 1,000,000 orders", vec!["dashboard/".to_owned()]),
    ]
}

/// CPU of the shop for a look at a list, in seconds.
async fn cost(world: &World, token: &str, list: &str) -> f64 {
    let request = format!("GET /api/v1/admin/{list} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\n\r\n")
        .into_bytes();
    // The face for those who run the shop is beside that of buyers.
    let face = SocketAddr::new(world.address.ip(), world.address.port() + 1);
    let mut connection = Connection::open(face).await.expect("the shop accepts");
    let before = world.shop.cpu();
    for _ in 0..TIMES {
        let (status, body) = connection.call(&request).await.expect("an answer");
        assert_eq!(status, 200, "{list}: {}", String::from_utf8_lossy(&body));
    }
    let cpu = (world.shop.cpu() - before) / f64::from(TIMES);
    eprintln!("  {list}: {:.2} ms", cpu * 1000.0);
    cpu
}

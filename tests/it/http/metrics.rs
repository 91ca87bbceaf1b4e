//! `/metrics`: what programs read, and who may.

use ip2tor_shop::domain::account::Scope;
use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::http::Surface;
use ip2tor_shop::services::Principal;
use ip2tor_shop::services::operators::api_tokens;
use poem::Addr;

use crate::support::TestShop;

fn local() -> Addr {
    Addr::SocketAddr("127.0.0.1:50000".parse().expect("an address"))
}

#[tokio::test]
async fn strangers_find_no_figures_and_programs_on_this_machine_do() {
    let shop = TestShop::new();
    assert_eq!(shop.ask("GET", "/metrics").send().await.status, 404);
    assert_eq!(shop.ask("GET", "/metrics").from(local()).send().await.status, 404, "not on the public listener");
    let there = || shop.ask("GET", "/metrics").on(Surface::Admin);
    assert_eq!(there().send().await.status, 401, "from another machine");
    assert_eq!(there().from(local()).send().await.status, 401, "a web site that leads to this machine");
    let answer = there().from(local()).header("Host", "127.0.0.1:8001").send().await;
    assert_eq!(answer.status, 200);
    let text = String::from_utf8(answer.body).expect("text");
    for line in ["ip2tor_hosts ", "ip2tor_lightning_nodes_alive ", "ip2tor_database_writable 1", "ip2tor_sold_total 0"]
    {
        assert!(text.contains(&format!("\n{line}")), "{line} in {text}");
    }
    assert!(text.contains("ip2tor_http_responses_total{class=\"4xx\"} 4"), "{text}");
    for (id, _) in shop.hosts.values() {
        assert!(!text.contains(&id.to_string()), "an id in {text}");
    }
}

#[tokio::test]
async fn a_token_of_an_administrator_reads_the_figures_anywhere_and_nobody_elses() {
    let shop = TestShop::new();
    for (name, status) in [("admin", 200), ("operator", 404)] {
        let by = Principal::CommandLine(None);
        let owner = shop.shop.db.read(|db| ip2tor_shop::store::operators::by_name(db, name)).expect("read");
        let owner = owner.expect("an operator");
        let made = shop
            .shop
            .tx(&by, move |tx| api_tokens::make(tx, &SystemRandom, owner.id, ("prometheus", Scope::Read), 30))
            .await
            .expect("a token");
        let bearer = format!("Bearer {}", made.1);
        assert_eq!(shop.ask("GET", "/metrics").header("Authorization", bearer).send().await.status, status, "{name}");
    }
    let wrong = shop.ask("GET", "/metrics").header("Authorization", "Bearer nothing").send().await;
    assert_eq!(wrong.status, 404);
}

/// The sum of a field over the days of the dashboard.
fn sum(days: &serde_json::Value, field: &str) -> i64 {
    days.as_array().expect("days").iter().map(|day| day[field].as_i64().expect("a number")).sum()
}

/// The figures that a property of the dashboard stands in, each with its value; only its beginning, where it may have
/// changed since. A property that is not known here has no figure yet.
fn figures_of(name: &str, value: &serde_json::Value) -> Vec<String> {
    let products = |state: &str| vec![format!("ip2tor_products{{state=\"{state}\"}} {value}")];
    let plain = |figure: &str| vec![format!("ip2tor_{figure} {value}")];
    let recent = |figure: &str, field: &str| format!("ip2tor_recent_{figure}{{days=\"30\"}} {}", sum(value, field));
    match name {
        "days" => {
            let mut all = vec![
                recent("sold", "sold"),
                recent("extended", "extended"),
                recent("received_msat", "received_msat"),
                recent("refunded_msat", "refunded_msat"),
                recent("refund_fees_msat", "fees_msat"),
            ];
            for (figure, field) in [
                ("received_fiat", "received_cents"),
                ("refunded_fiat", "refunded_cents"),
                ("refund_fees_fiat", "fees_cents"),
            ] {
                let money = sum(value, field) as f64 / 100.0;
                all.push(format!("ip2tor_recent_{figure}{{days=\"30\",currency=\"EUR\"}} {money}"));
            }
            all
        }
        "active" | "to_activate" | "to_suspend" | "suspended" => products(name),
        "ending" => vec!["ip2tor_product_next_end_timestamp_seconds ".to_owned()],
        "owing" => plain("orders_owing"),
        "owed_msat" => plain("owed_msat"),
        "todo" => {
            let all = value.as_array().expect("a list");
            let count = |severity: &str| all.iter().filter(|one| one["severity"] == severity).count();
            let open = |severity: &str| format!("ip2tor_alerts_open{{severity=\"{severity}\"}} {}", count(severity));
            let topics = all.iter().map(|one| one["topic"].as_str().expect("a topic"));
            let topics = topics.map(|topic| format!("ip2tor_alerts_open_by_topic{{topic=\"{topic}\"}} "));
            ["info", "warning", "critical"].map(open).into_iter().chain(topics).collect()
        }
        "hosts" | "hosts_alive" | "hosts_with_room" => plain(name),
        "nodes" => plain("lightning_nodes"),
        "nodes_alive" => plain("lightning_nodes_alive"),
        "disk" => ["disk_free_bytes", "disk_size_bytes", "database_bytes"].map(|one| format!("ip2tor_{one} ")).to_vec(),
        "version" => vec![format!("ip2tor_build_info{{version={value},")],
        "sqlite_version" => vec![format!(",sqlite={value}}} 1")],
        // The time of the answer.
        "now" => Vec::new(),
        _ => panic!("the dashboard shows {name}, and there is no figure for it"),
    }
}

#[tokio::test]
async fn every_number_of_the_dashboard_is_among_the_figures() {
    let shop = TestShop::new();
    shop.active_bridge("host1", None).await;
    shop.order_bridge("host1", None).await;
    shop.sql(
        "INSERT INTO alert (topic, subject, severity, text, first_at, last_at) \
         VALUES ('host_dead', 'x', 'warning', 'says', 0, 0), ('storage', '', 'critical', 'says', 0, 0)",
    );
    // As if a part was paid back, at some rate.
    for table in ["day_total", "month_total"] {
        shop.sql(&format!(
            "UPDATE {table} SET currency = 'EUR', fiat = 1230000, fiat_refunded = 450000, refunded = 5000, fees = 7, \
             fiat_fees = 300"
        ));
    }
    let dashboard = shop.ask_admin("GET", "dashboard/").basic("admin", crate::support::PASSWORD).send().await;
    let dashboard = dashboard.json();
    let figures = shop.ask("GET", "/metrics").on(Surface::Admin).from(local()).header("Host", "127.0.0.1:8001");
    let figures = String::from_utf8(figures.send().await.body).expect("text");
    let shown = dashboard.as_object().expect("an object");
    assert!(shown["days"].as_array().is_some_and(|days| !days.is_empty()), "{dashboard}");
    for (name, value) in shown {
        for figure in figures_of(name, value) {
            let is_there = figures.lines().any(|line| line.starts_with(&figure) || line.ends_with(&figure));
            assert!(is_there, "{name}: {figure} in {figures}");
        }
    }
}

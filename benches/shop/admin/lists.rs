//! What is asked for: each list with each combination of the filters that its screen offers, those that leave nothing or only
//! what is rare or old among them.

use ip2tor_shop::domain::time::{Clock, SystemClock};

/// Nothing, a week in the middle of the year, what was before everything, what comes after everything.
fn times() -> [String; 4] {
    let day = |back: i64| SystemClock.now().plus_secs(-back * 86_400).to_wire()[..10].to_owned();
    [
        String::new(),
        format!("from={}&until={}", day(190), day(183)),
        "until=2020-01-01".into(),
        "from=2100-01-01".into(),
    ]
}

const SORTS: [&str; 2] = ["", "oldest_first=true"];
const SIZES: [&str; 2] = ["", "limit=250"];

/// A list with one of each kind of filter, in all combinations.
fn crossed(list: &str, kinds: &[&[&str]]) -> Vec<String> {
    let mut all = vec![format!("{list}/?")];
    for kind in kinds {
        all = all.iter().flat_map(|begun| kind.iter().map(move |one| joined(begun, one))).collect();
    }
    all
}

fn joined(begun: &str, one: &str) -> String {
    let between = if begun.ends_with('?') || one.is_empty() { "" } else { "&" };
    format!("{begun}{between}{one}")
}

/// What is measured together.
pub struct Look {
    /// What it is called.
    pub name: &'static str,
    /// Paths below the admin API, or of the shop where they begin with a slash.
    pub paths: Vec<String>,
    /// Whether somebody asks who may see their own hosts alone (all of them are theirs).
    pub as_operator: bool,
}

/// All of them.
pub fn all(host: &str) -> Vec<Look> {
    let look = |name, paths| Look { name, paths, as_operator: false };
    let (products, orders) = (products(host), orders(host));
    vec![
        Look { name: "100,000 products, as an operator of all 100 hosts", paths: products.clone(), as_operator: true },
        Look { name: "1,000,000 orders, as an operator of all 100 hosts", paths: orders.clone(), as_operator: true },
        look("100,000 products", products),
        look("1,000,000 orders", orders),
        look("change log of 1,600,000 entries", changes()),
        look("hosts, nodes, deny list, alerts, outbox, jobs, accounts", others()),
        look("the dashboard", vec!["dashboard/".into()]),
        look("a year by month", vec!["reports/months/".into(), "reports/months/csv/".into()]),
        look("the figures for Prometheus", vec!["/metrics".into()]),
    ]
}

fn products(host: &str) -> Vec<String> {
    let (times, host) = (times(), format!("host={host}"));
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    let states = ["", "status=I", "status=P", "status=A", "status=S", "status=H", "status=Z", "status=D"];
    let mut all = crossed("products", &[&["", &host], &states, &times, &SORTS, &SIZES]);
    // A comment or target that all begin with, one that a few have, none; a port; an id.
    let texts = ["q=number", "q=number+9999", "q=pg6mm", "q=nobody", "q=name1", "q=10007", "q=9", NO_ID];
    all.extend(crossed("products", &[&texts, &["", &host], &["", "status=A", "status=S"], &SORTS, &SIZES]));
    all
}

const NO_ID: &str = "q=00000000-0000-4000-8000-000000000000";

fn orders(host: &str) -> Vec<String> {
    let (times, host) = (times(), format!("host={host}"));
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    let states = ["", "status=I", "status=T", "status=P", "status=R", "status=N", "status=S"];
    let mut all = crossed("orders", &[&["", &host], &states, &["", "owed=true"], &times, &SORTS, &SIZES]);
    let hash = format!("q={}", "00".repeat(32));
    all.extend(crossed("orders", &[&[NO_ID, &hash], &["", &host], &["", "owed=true"]]));
    all
}

fn changes() -> Vec<String> {
    let times = times();
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    let nouns = ["", "noun=order", "noun=product", "noun=host", "noun=nothing"];
    let people = ["", "person=operator:bench", "person=operator:script", "person=cli", "person=operator:nobody"];
    crossed("changes", &[&nouns, &people, &times, &SIZES])
}

fn others() -> Vec<String> {
    let mut all: Vec<String> = ["sessions", "failed-logins", "tokens", "operators", "hosts", "nodes", "deny", "jobs"]
        .iter()
        .flat_map(|list| crossed(list, &[&SIZES]))
        .collect();
    all.extend(crossed("jobs/history", &[&["", "name=job7", "name=nothing"], &SIZES]));
    all.extend(crossed("outbox", &[&["", "failed=true"], &SIZES]));
    all.extend(crossed("alerts", &[&["", "closed=true"]]));
    all.extend(["alert-channels/", "flows/", "rates/", "settings/", "log/"].map(str::to_owned));
    all
}

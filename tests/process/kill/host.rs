//! A host's scripts: check in, set forwards up for what is pending and take them down for what is
//! to be suspended, report traffic. A forward is what counts for a buyer: never may two products
//! want the same port at the same time.
//!
//! As the real ones, they keep a forward that is there; a report gets lost now and then and is not sent again; and one
//! of the two never reports a product as taken down whose forward it does not find. What is stuck then its operator
//! looks for on the host and gives back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::kill::ledger::Ledger;
use crate::live::http::{Answer, Body, Client};
use crate::live::process::BIN;
use crate::live::shop::{self, Shop};

const PAUSE: Duration = Duration::from_millis(80);
/// A bridge that has 1 MB is used up after three reports.
const REPORT_BYTES: i64 = 400_000;

struct Host {
    client: Client,
    id: String,
    ledger: Arc<Ledger>,
    /// The forwards that stand, by port.
    forwards: BTreeMap<i64, String>,
    /// Whether it reports what it does not find as taken down.
    reports_all: bool,
    /// For the operator's commands.
    config: PathBuf,
}

/// Runs the scripts until all is over.
pub fn start(shop: &Shop, host: &shop::Host, ledger: &Arc<Ledger>) -> JoinHandle<()> {
    let client = shop.client().as_host(&host.token);
    let mut host = Host {
        client,
        id: host.id.clone(),
        ledger: Arc::clone(ledger),
        forwards: BTreeMap::new(),
        reports_all: host.id != shop.hosts[0].id,
        config: shop.config().to_owned(),
    };
    std::thread::spawn(move || {
        while !host.ledger.all_is_over() {
            host.round();
            std::thread::sleep(PAUSE);
        }
    })
}

impl Host {
    /// One run of the scripts; given up where the shop does not answer.
    fn round(&mut self) -> Option<()> {
        self.call("POST", &format!("hosts/{}/check_in/", self.id), json!({}))?;
        for bridge in self.told_to_activate()? {
            self.activate(&bridge)?;
        }
        for bridge in self.list("S")? {
            self.suspend(&bridge)?;
        }
        self.report_traffic()
    }

    fn list(&self, status: &str) -> Option<Vec<Value>> {
        let path = format!("tor_bridges/?host={}&status={status}", self.id);
        self.call("GET", &path, Value::Null)?.json().as_array().cloned()
    }

    /// What it is told of from here on it may have.
    fn told_to_activate(&self) -> Option<Vec<Value>> {
        let list = self.list("P")?;
        let ids = list.iter().filter_map(|bridge| bridge["id"].as_str().map(str::to_owned));
        self.ledger.told().listed.extend(ids);
        Some(list)
    }

    fn activate(&mut self, bridge: &Value) -> Option<()> {
        let (id, port) = (bridge["id"].as_str()?, bridge["port"].as_i64()?);
        // Some can't be forwarded, and some are forgotten for a while.
        let luck = u32::from_str_radix(&id[..4], 16).ok()? % 16;
        if self.ledger.careless() && luck == 1 {
            return Some(());
        }
        let has = self.forwards.entry(port).or_insert_with(|| id.to_owned());
        if has != id {
            self.ledger.violation(format!("port {port} still forwards to {has} and was given to {id}"));
        }
        // It can't be started, and its file is there.
        if matches!(luck, 2..=4) {
            return self.report(id, "F").map(drop);
        }
        if self.report(id, "A")?.status == 200 {
            self.ledger.told().activated.insert(id.to_owned());
        }
        Some(())
    }

    fn suspend(&mut self, bridge: &Value) -> Option<()> {
        let (id, port) = (bridge["id"].as_str()?, bridge["port"].as_i64()?);
        let found = self.forwards.remove(&port).is_some();
        if !found && !self.reports_all {
            return self.is_seen_to(id);
        }
        // It counts or it doesn't: the answer may be lost.
        self.ledger.told().listed.remove(id);
        if self.ledger.careless() && fastrand::u32(..10) == 0 {
            return Some(());
        }
        self.report(id, "H").map(drop)
    }

    /// The operator is told of what is stuck after an hour; here when everything else is through. What is owed for it is
    /// paid back first.
    fn is_seen_to(&self, id: &str) -> Option<()> {
        if !self.ledger.buying_is_over() {
            return Some(());
        }
        self.ledger.told().listed.remove(id);
        if self.operator(&["bridge", "release", id]).is_none() {
            let bridge = self.operator(&["bridge", "show", id])?;
            for order in bridge["orders"].as_array()?.iter().filter(|order| order["status"] == "N") {
                self.operator(&["order", "resolve", order["id"].as_str()?, "--note", "by hand"]);
            }
        }
        Some(())
    }

    fn operator(&self, command: &[&str]) -> Option<Value> {
        let output = Command::new(BIN).args(command).arg("--json").arg("--config").arg(&self.config).output().ok()?;
        output.status.success().then(|| serde_json::from_slice(&output.stdout).ok()).flatten()
    }

    fn report(&self, id: &str, status: &str) -> Option<Answer> {
        self.call("PATCH", &format!("tor_bridges/{id}/"), json!({"status": status}))
    }

    /// One of the forwards was used.
    fn report_traffic(&self) -> Option<()> {
        if self.forwards.is_empty() || self.ledger.buying_is_over() {
            return Some(());
        }
        let id = self.forwards.values().nth(fastrand::usize(..self.forwards.len()))?;
        let path = format!("tor_bridges/{id}/consume_bandwidth/");
        let answer = self.call("PATCH", &path, json!({"amount": REPORT_BYTES.to_string()}));
        let mut told = self.ledger.told();
        match answer {
            Some(answer) if answer.status == 200 => *told.used.entry(id.clone()).or_default() += REPORT_BYTES,
            Some(answer) if answer.status < 500 => {}
            _ => *told.maybe_used.entry(id.clone()).or_default() += REPORT_BYTES,
        }
        Some(())
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Option<Answer> {
        let body = if body.is_null() { Body::None } else { Body::Json(body) };
        match self.client.send(method, &format!("/api/v1/{path}"), &body) {
            Ok(answer) => {
                self.ledger.status(path, &answer);
                Some(answer).filter(|answer| answer.status != 503)
            }
            Err(_) => {
                self.ledger.no_answer();
                None
            }
        }
    }
}

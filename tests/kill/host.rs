//! A host's scripts: check in, set forwards up for what is pending and take them down for what is
//! to be suspended, report traffic. A forward is what counts for a buyer: never may two products
//! want the same port at the same time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ledger::Ledger;
use crate::live::http::{Answer, Body, Client};
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
}

/// Runs the scripts until all is over.
pub fn start(shop: &Shop, host: &shop::Host, ledger: &Arc<Ledger>) -> JoinHandle<()> {
    let client = shop.client().as_host(&host.token);
    let mut host = Host { client, id: host.id.clone(), ledger: Arc::clone(ledger), forwards: BTreeMap::new() };
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
        for bridge in self.list("P")? {
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

    fn activate(&mut self, bridge: &Value) -> Option<()> {
        let (id, port) = (bridge["id"].as_str()?, bridge["port"].as_i64()?);
        // Some can't be forwarded, and some are forgotten for a while.
        let luck = u32::from_str_radix(&id[..4], 16).ok()? % 16;
        if self.ledger.careless() && luck == 1 {
            return Some(());
        }
        if matches!(luck, 2..=4) {
            return self.report(id, "F").map(drop);
        }
        if let Some(other) = self.forwards.insert(port, id.to_owned()).filter(|other| other != id) {
            self.ledger.violation(format!("port {port} still forwards to {other} and was given to {id}"));
        }
        if self.report(id, "A")?.status == 200 {
            self.ledger.told().activated.insert(id.to_owned());
        }
        Some(())
    }

    fn suspend(&mut self, bridge: &Value) -> Option<()> {
        let id = bridge["id"].as_str()?;
        self.forwards.retain(|_, product| product != id);
        self.report(id, "H").map(drop)
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

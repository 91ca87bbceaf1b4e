//! Buyers: order, poll, pay, poll, extend, as RaspiBlitz does; some walk away without paying. A
//! connection that breaks is tried again, as a script in a loop would.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kill::ledger::{Ledger, Seen};
use crate::live::http::{Answer, Body, Client};
use crate::live::payer::{Paid, pay};
use crate::live::shop::{Host, Shop, order};

/// How long a buyer waits for an invoice, and for a bridge, before something else is done.
const PATIENCE: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(40);

struct Buyer {
    client: Client,
    hosts: Vec<Host>,
    nodes: BTreeMap<String, PathBuf>,
    ledger: Arc<Ledger>,
}

/// A buyer who buys one bridge after the other.
pub fn start(shop: &Shop, ledger: &Arc<Ledger>) -> JoinHandle<()> {
    let address: SocketAddr = shop.address;
    let buyer = Buyer {
        client: Client::new(address),
        hosts: shop.hosts.clone(),
        nodes: shop.nodes.iter().map(|node| (node.id.clone(), node.dir.clone())).collect(),
        ledger: Arc::clone(ledger),
    };
    std::thread::spawn(move || {
        while !buyer.ledger.buying_is_over() {
            let bought = buyer.buy();
            if bought.is_none() {
                std::thread::sleep(PAUSE);
            }
        }
    })
}

impl Buyer {
    /// One bridge's life, as far as this buyer cares.
    fn buy(&self) -> Option<()> {
        let host = &self.hosts[fastrand::usize(..self.hosts.len())];
        let answer = self.heard("order", order(&self.client, host, "kill"))?;
        if answer.status != 201 {
            return None;
        }
        let id = text(&answer.json()["id"])?;
        self.ledger.saw(&id, Seen::default());
        let product = self.pay_order(&id)?;
        let active = |bridge: &Value| bridge["status"] == "A";
        self.watch_bridge(&product, active)?;
        for _ in 0..fastrand::usize(..3) {
            self.extend(&product)?;
        }
        if fastrand::u8(..4) == 0 {
            // Used up some time, and bought again.
            self.watch_bridge(&product, |bridge| bridge["status"] == "H")?;
            self.extend(&product)?;
            self.watch_bridge(&product, active)?;
        }
        Some(())
    }

    fn extend(&self, product: &str) -> Option<()> {
        let path = format!("/api/v1/public/tor_bridges/{product}/extend/");
        let answer = self.heard("extend", self.client.send("POST", &path, &Body::None))?;
        if answer.status != 200 {
            return None;
        }
        let id = text(&answer.json()["po_id"])?;
        self.ledger.saw(&id, Seen::default());
        self.pay_order(&id).map(drop)
    }

    /// Polls an order for its invoice and pays it; the product.
    fn pay_order(&self, id: &str) -> Option<String> {
        let view = self.poll(&format!("/api/v1/public/pos/{id}/"), |view| self.is_payable(id, view))?;
        let (product, invoice) = (text(&view["item_details"][0]["product"]["id"])?, &view["ln_invoices"][0]);
        let walks_away = self.ledger.careless() && fastrand::u8(..10) == 0;
        if view["status"] == "R" || walks_away {
            return None;
        }
        let node = self.nodes.get(invoice["lnnode_id"].as_str()?)?;
        match pay(node, invoice["payment_request"].as_str()?, PATIENCE) {
            Paid::Settled => drop(self.ledger.told().settled.insert(id.to_owned())),
            Paid::Failed(_) => return None,
            Paid::Unknown => {}
        }
        Some(product)
    }

    /// Notes what is to be seen of an order; whether the buyer need not wait any more.
    fn is_payable(&self, id: &str, view: &Value) -> bool {
        let invoices = view["ln_invoices"].as_array().map_or(0, Vec::len);
        if invoices > 1 {
            self.ledger.violation(format!("order {id} shows {invoices} invoices"));
        }
        let (item, invoice) = (&view["item_details"][0]["product"], &view["ln_invoices"][0]);
        let request = invoice["payment_request"].is_string();
        let hash = request.then(|| text(&invoice["payment_hash"])).flatten();
        self.ledger.saw(id, Seen { product: text(&item["id"]), port: item["port"].as_i64(), hash });
        request || view["status"] == "R"
    }

    fn watch_bridge(&self, product: &str, done: impl Fn(&Value) -> bool) -> Option<Value> {
        self.poll(&format!("/api/v1/public/tor_bridges/{product}/"), done)
    }

    fn poll(&self, path: &str, done: impl Fn(&Value) -> bool) -> Option<Value> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let answer = self.heard(path, self.client.get(path));
            if answer.as_ref().is_some_and(|answer| answer.status == 404) {
                self.ledger.violation(format!("{path} is gone"));
                return None;
            }
            let view = answer.filter(|answer| answer.status == 200).map(|answer| answer.json());
            if let Some(view) = view.filter(|view| done(view)) {
                return Some(view);
            }
            std::thread::sleep(PAUSE);
        }
        None
    }

    fn heard(&self, what: &str, answer: std::io::Result<Answer>) -> Option<Answer> {
        match answer {
            Ok(answer) => {
                self.ledger.status(what, &answer);
                Some(answer)
            }
            Err(_) => {
                self.ledger.no_answer();
                None
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

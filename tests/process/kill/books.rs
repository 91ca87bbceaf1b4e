//! The nodes' own books: what the simulated nodes have written down, which survives their kills.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::live::shop::Node;

/// An invoice at a node.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `Open`, `Settled`, `Canceled` or `Accepted`.
    pub state: String,
    pub memo: String,
    /// What was taken, in msat.
    pub settled_msat: i64,
}

/// All invoices of all nodes, by node and payment hash (both as hex).
#[derive(Clone, Debug, Default)]
pub struct Books(pub HashMap<(String, String), Entry>);

impl Books {
    pub fn read(nodes: &[Node]) -> Self {
        let mut books = Self::default();
        for node in nodes {
            books.add(&node.id.replace('-', ""), &node.dir);
        }
        books
    }

    fn add(&mut self, node: &str, dir: &Path) {
        let text = std::fs::read_to_string(dir.join("journal.jsonl")).unwrap_or_default();
        // A line that is being written ends without a newline; nobody was told of it yet.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let entry: Value = serde_json::from_str(line).expect("whole lines are JSON");
            if let Some(added) = entry.get("Added") {
                let key = (node.to_owned(), hex(&added["terms"]["hash"]));
                let memo = added["terms"]["memo"].as_str().unwrap_or_default().to_owned();
                let entry = Entry { state: String::new(), memo, settled_msat: 0 };
                self.0.entry(key).or_insert(entry).progress(&added["progress"]);
            } else if let Some(changed) = entry.get("Changed")
                && let Some(known) = self.0.get_mut(&(node.to_owned(), hex(&changed["hash"])))
            {
                known.progress(&changed["progress"]);
            }
        }
    }

    /// The invoice with this hash at this node.
    pub fn get(&self, node: &str, hash: &str) -> Option<&Entry> {
        self.0.get(&(node.to_owned(), hash.to_owned()))
    }

    /// The shop's own, by node and hash.
    pub fn of_the_shop(&self) -> impl Iterator<Item = (&(String, String), &Entry)> {
        self.0.iter().filter(|(_, entry)| entry.memo.starts_with("PO: "))
    }
}

impl Entry {
    fn progress(&mut self, progress: &Value) {
        self.state = progress["state"].as_str().expect("a state").to_owned();
        let parts = progress["htlcs"].as_array().map(Vec::as_slice).unwrap_or_default();
        let settled = parts.iter().filter(|part| part["state"] == "Settled");
        self.settled_msat = settled.filter_map(|part| part["amount_msat"].as_i64()).sum();
    }

    pub fn is_settled(&self) -> bool {
        self.state == "Settled"
    }

    /// Whether somebody could still pay it, or the payment is under way.
    pub fn is_live(&self) -> bool {
        matches!(self.state.as_str(), "Open" | "Accepted")
    }
}

fn hex(value: &Value) -> String {
    value.as_str().expect("a hash").to_owned()
}

//! What became of each object of the dump, for people and as a document.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ledger::Fate;
use super::plan::Plan;

/// The report of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many objects of each model are taken over and dropped.
    pub counts: BTreeMap<String, (usize, usize)>,
    /// Each object that is taken over: model, key, what it became.
    pub taken: Vec<(String, String, String)>,
    /// Each object that is not: model, key, why.
    pub dropped: Vec<(String, String, String)>,
    /// What is different now.
    pub notes: Vec<String>,
    /// What the operator has to do.
    pub todo: Vec<String>,
    /// What the shop raises as alerts.
    pub alerts: Vec<String>,
}

impl Plan {
    /// What becomes of each object of the dump.
    pub fn report(&self) -> Report {
        Report::of(self)
    }
}

impl Report {
    fn of(plan: &Plan) -> Self {
        let (mut counts, mut taken, mut dropped) = (BTreeMap::<String, (usize, usize)>::new(), Vec::new(), Vec::new());
        for (key, fate) in &plan.ledger.fates {
            let count = counts.entry(key.model.clone()).or_default();
            let (list, text) = match fate {
                Fate::Taken(what) => {
                    count.0 += 1;
                    (&mut taken, what)
                }
                Fate::Dropped(why) => {
                    count.1 += 1;
                    (&mut dropped, why)
                }
            };
            list.push((key.model.clone(), key.pk.clone(), text.clone()));
        }
        // The key of a token is the token.
        for (model, pk, _) in taken.iter_mut().chain(&mut dropped).filter(|(model, ..)| model == "authtoken.token") {
            *pk = format!("{}… of {model}", pk.chars().take(4).collect::<String>());
        }
        let alerts = plan.alerts.iter().map(|alert| format!("{}: {}", alert.subject, alert.text)).collect();
        Self { counts, taken, dropped, notes: plan.ledger.notes.clone(), todo: plan.ledger.todo.clone(), alerts }
    }

    /// What people read first: how much becomes of what, what is dropped and why, and what is to be done.
    pub fn summary(&self) -> String {
        let mut lines = vec!["What becomes of the old shop (taken over, dropped):".to_owned()];
        lines.extend(self.counts.iter().map(|(model, (taken, dropped))| format!("  {model}  {taken}, {dropped}")));
        let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (model, pk, why) in &self.dropped {
            reasons.entry((model, why)).or_default().push(pk);
        }
        section(
            &mut lines,
            "Dropped:",
            reasons.iter().map(|((model, why), pks)| format!("{model}: {why}: {}", few(pks))),
        );
        section(&mut lines, "Different now:", self.notes.iter().cloned());
        section(&mut lines, "Alerts that the shop begins with:", self.alerts.iter().cloned());
        section(&mut lines, "To be done by you:", self.todo.iter().cloned());
        lines.join("\n")
    }

    /// Every object, for the file that is kept.
    pub fn text(&self) -> String {
        let line = |(model, pk, text): &(String, String, String)| format!("{model} {pk}: {text}");
        let mut lines = vec![self.summary()];
        section(&mut lines, "Each object that was taken over:", self.taken.iter().map(line));
        section(&mut lines, "Each object that was dropped:", self.dropped.iter().map(line));
        lines.join("\n") + "\n"
    }

    /// The same for scripts.
    pub fn document(&self) -> Value {
        let list = |all: &[(String, String, String)], name: &str| -> Vec<Value> {
            all.iter().map(|(model, pk, text)| json!({"model": model, "pk": pk, name: text})).collect()
        };
        let counts: BTreeMap<_, _> = self
            .counts
            .iter()
            .map(|(model, (taken, dropped))| (model, json!({"taken": taken, "dropped": dropped})))
            .collect();
        json!({
            "counts": counts,
            "taken": list(&self.taken, "became"),
            "dropped": list(&self.dropped, "reason"),
            "notes": self.notes,
            "alerts": self.alerts,
            "todo": self.todo,
        })
    }
}

fn section(lines: &mut Vec<String>, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("  {item}")).collect();
    if !items.is_empty() {
        lines.push(String::new());
        lines.push(title.to_owned());
        lines.extend(items);
    }
}

/// So many keys are named one by one in the summary.
const NAMED: usize = 10;

fn few(pks: &[&str]) -> String {
    let more = pks.len().saturating_sub(NAMED);
    let named = pks.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{named} and {more} more") } else { named }
}

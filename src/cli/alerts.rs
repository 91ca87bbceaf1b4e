//! `alerts`: what the operator should know.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;
use crate::services::alerts;
use crate::store::alerts::Alert;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Show closed alerts as well
    #[arg(long)]
    all: bool,
    /// Close the alert with this number: you have seen to it
    #[arg(long, value_name = "ID")]
    close: Option<i64>,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = args.data.open()?;
    if let Some(id) = args.close {
        data.write(move |tx| alerts::close(tx, id))?;
        output.result(&json!({"id": id, "closed": true}), &format!("Alert {id} is closed."));
        return Ok(());
    }
    let list = data.read(|tx| alerts::list(tx, args.all))?;
    let rows: Vec<_> = list.iter().map(row).collect();
    let documents: Vec<Value> = list.iter().map(document).collect();
    let headers = ["ID", "SINCE", "LAST", "TIMES", "SEVERITY", "TOPIC", "SUBJECT", "WHAT"];
    output.list(&json!(documents), &headers, &rows, "There is nothing to worry about.");
    Ok(())
}

fn row(alert: &Alert) -> Vec<String> {
    let closed = if alert.closed_at.is_some() { " (closed)" } else { "" };
    vec![
        alert.id.to_string(),
        alert.first_at.to_wire(),
        alert.last_at.to_wire(),
        alert.occurrences.to_string(),
        alert.severity.name().to_owned(),
        alert.topic.name().to_owned(),
        alert.subject.clone(),
        format!("{}{closed}", alert.text),
    ]
}

fn document(alert: &Alert) -> Value {
    json!({
        "id": alert.id,
        "topic": alert.topic.name(),
        "subject": alert.subject,
        "severity": alert.severity.name(),
        "text": alert.text,
        "occurrences": alert.occurrences,
        "first_at": alert.first_at.to_wire(),
        "last_at": alert.last_at.to_wire(),
        "closed_at": alert.closed_at.map(|at| at.to_wire()),
    })
}

//! `alerts`: what the operator should know, and whether it reaches them.

use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;
use super::runtime::block_on;
use super::user;
use crate::app;
use crate::background;
use crate::domain::id::SystemRandom;
use crate::domain::time::SystemClock;
use crate::notify::Channels;
use crate::services::{Shop, alerts};
use crate::store::alerts::Alert;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    /// Show closed alerts as well, of the newest 1,000
    #[arg(long)]
    all: bool,
    /// Close the alert with this number: you have seen to it
    #[arg(long, value_name = "ID")]
    close: Option<i64>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Send a test message on the channels of the configuration
    Test {
        /// email, ntfy, webhook or nostr; without it, all that are configured
        channel: Option<String>,
    },
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    if let Some(Command::Test { channel }) = args.command {
        return test(&args.data, channel, output);
    }
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

/// Tries channels, from here: a credential of the systemd unit (`cred:`) is not to be had for a command.
fn test(data: &DataArgs, channel: Option<String>, output: &Output) -> Result<(), Failure> {
    let data = data.open()?;
    crate::onion::tls::install_provider();
    let settings = data.config.shop_settings();
    let shop = Shop::new(data.db.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), settings)?;
    let results = block_on(async {
        let ways = app::command_ways(&data.config, channel.as_deref()).await?;
        let channels = Channels::new(&data.config.alerts, &ways);
        let names: Vec<_> = channels.names().into_iter().map(|(name, _)| name).collect();
        let wanted = |name: &&str| channel.as_deref().is_none_or(|wanted| wanted == *name);
        let chosen: Vec<_> = names.iter().copied().filter(wanted).collect();
        if chosen.is_empty() {
            return Err(Failure::Failed(nothing_to_test(channel.as_deref(), &names)));
        }
        let mut results = Vec::new();
        for name in chosen {
            let outcome = background::alerts::test(&shop, &channels, name, &user::principal()).await?;
            results.push((name, channels.place(name).unwrap_or_default(), outcome));
        }
        Ok(results)
    })?;
    let rows = results.iter().map(|(name, place, outcome)| {
        let ended = outcome.as_ref().map_or_else(Clone::clone, |()| "ok".to_owned());
        vec![(*name).to_owned(), place.clone(), ended]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    let documents: Vec<Value> = results
        .iter()
        .map(|(name, place, outcome)| {
            json!({"channel": name, "place": place, "works": outcome.is_ok(), "problem": outcome.as_ref().err()})
        })
        .collect();
    output.list(&json!(documents), &["CHANNEL", "PLACE", "RESULT"], &rows, "");
    if results.iter().all(|(.., outcome)| outcome.is_ok()) { Ok(()) } else { Err(Failure::Told) }
}

fn nothing_to_test(channel: Option<&str>, names: &[&str]) -> String {
    match channel {
        Some(channel) if !names.is_empty() => {
            format!("there is no channel {channel}: the configuration has {}", names.join(", "))
        }
        _ => "the configuration has no channel: see [alerts] in packaging/config.example.toml".to_owned(),
    }
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

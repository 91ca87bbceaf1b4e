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
use crate::domain::alert_channel::ChannelKind;
use crate::domain::id::SystemRandom;
use crate::domain::time::SystemClock;
use crate::notify::Channels;
use crate::services::{Shop, alerts, own_channels};
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
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Send a test message on the channels of the configuration, and on those of operators' own
    Test {
        /// email, ntfy, webhook or nostr, or the name of somebody's own (own-1); without it, all that there are
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

/// A channel that is tried.
struct Tried {
    name: String,
    /// Where its messages go, as far as it may be shown.
    place: String,
    /// Whether its messages go through Tor where the shop has it: they go to a server that an operator has named.
    is_theirs: bool,
}

/// Those of operators' own.
fn those_of_operators(shop: &Shop) -> Result<Vec<Tried>, Failure> {
    let states = shop.read(&user::principal(), own_channels::list)?;
    let tried = |state: own_channels::ChannelState| {
        let own = state.own?.channel;
        let is_theirs = matches!(own.kind, ChannelKind::Ntfy | ChannelKind::Webhook);
        Some(Tried { name: state.name, place: own.place(), is_theirs })
    };
    Ok(states.into_iter().filter_map(tried).collect())
}

/// Tries channels, from here: a credential of the systemd unit (`cred:`) is not to be had for a command.
fn test(data: &DataArgs, channel: Option<String>, output: &Output) -> Result<(), Failure> {
    let data = data.open()?;
    crate::onion::tls::install_provider();
    let settings = data.config.shop_settings();
    let shop = Shop::new(data.db.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), settings)?;
    let own = those_of_operators(&shop)?;
    let is_wanted = |name: &str| channel.as_deref().is_none_or(|wanted| wanted == name);
    let need_tor = data.config.alerts.need_tor(channel.as_deref())
        || own.iter().any(|tried| tried.is_theirs && is_wanted(&tried.name));
    let results = block_on(async {
        let ways = app::command_ways(&data.config, need_tor).await?;
        let channels = Channels::new(&data.config.alerts, &ways);
        let configured = channels.names().into_iter().map(|(name, _)| {
            let place = channels.place(name).unwrap_or_default();
            Tried { name: name.to_owned(), place, is_theirs: false }
        });
        let all: Vec<_> = configured.chain(own).collect();
        if !all.iter().any(|tried| is_wanted(&tried.name)) {
            return Err(Failure::Failed(nothing_to_test(channel.as_deref(), &all)));
        }
        let mut results = Vec::new();
        for Tried { name, place, .. } in all.into_iter().filter(|tried| is_wanted(&tried.name)) {
            let outcome = background::alerts::test(&shop, &channels, &name, &user::principal()).await?;
            results.push((name, place, outcome));
        }
        Ok(results)
    })?;
    let rows = results.iter().map(|(name, place, outcome)| {
        let ended = outcome.as_ref().map_or_else(Clone::clone, |()| "ok".to_owned());
        vec![name.clone(), place.clone(), ended]
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

fn nothing_to_test(channel: Option<&str>, all: &[Tried]) -> String {
    let names: Vec<_> = all.iter().map(|tried| tried.name.as_str()).collect();
    match channel {
        Some(channel) if !names.is_empty() => format!("there is no channel {channel}: there is {}", names.join(", ")),
        _ => "there is no channel: see [alerts] in packaging/config.example.toml".to_owned(),
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

//! `host`: the machines with public IP addresses.

use clap::{ArgGroup, Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::history;
use super::host_fields::{HostFields, settings_document};
use super::output::{Output, fields, yes_no};
use crate::domain::host::PortRange;
use crate::domain::id::{HostId, SystemRandom};
use crate::domain::time::{Clock, SystemClock, Timestamp};
use crate::domain::vanity_ports::{Span, is_premium, is_silver, split};
use crate::services::Tx;
use crate::services::hosts::manage;
use crate::services::hosts::manage::{HostView, NewHost};

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add a host; prints its id and its token, the only time that the token can be seen
    Add {
        #[command(flatten)]
        fields: Box<HostFields>,
        /// The id that it had in an old shop
        #[arg(long, value_parser = host_id)]
        id: Option<HostId>,
        /// The token that it had in an old shop: 40 hex characters
        #[arg(long)]
        token: Option<String>,
    },
    /// List the hosts in the order of their addresses
    List,
    /// Show everything about one host, and what happened to it
    Show {
        /// The host's id
        #[arg(value_parser = host_id)]
        id: HostId,
    },
    /// Change a host; port ranges that are given replace those of the same kind
    Set {
        /// The host's id
        #[arg(value_parser = host_id)]
        id: HostId,
        #[command(flatten)]
        fields: Box<HostFields>,
        /// After a restore: the host has no forward any more that the shop does not know
        #[arg(long)]
        swept: bool,
    },
    /// Give a host a new token; the old one works until the new one was used, for a day at most
    RotateToken {
        /// The host's id
        #[arg(value_parser = host_id)]
        id: HostId,
        /// End the old one at once: somebody else has it. Scripts that still use it may take all bridges down
        #[arg(long)]
        now: bool,
    },
    /// Remove a host on which nothing stands; its record stays. Drain it first: `host set ID --is-draining=true`
    Remove {
        /// The host's id
        #[arg(value_parser = host_id)]
        id: HostId,
    },
    /// Propose port ranges with numbers that people pay more for, and the rest
    #[command(group = ArgGroup::new("numbers").args(["premium", "silver"]).required(true).multiple(true))]
    Ports {
        /// Five times the same digit: 11111, 22222, …
        #[arg(long)]
        premium: bool,
        /// Two different digits, one of them only once: 22922, 10000, …
        #[arg(long)]
        silver: bool,
        /// The first port to look at
        #[arg(long, value_name = "PORT", default_value_t = 10_000, value_parser = clap::value_parser!(u16).range(1..))]
        min_port: u16,
        /// The last port to look at
        #[arg(long, value_name = "PORT", default_value_t = 65_535, value_parser = clap::value_parser!(u16).range(1..))]
        max_port: u16,
    },
}

fn host_id(text: &str) -> Result<HostId, String> {
    HostId::parse(text).ok_or_else(|| "this is not the id of a host (see `host list`)".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = &args.data;
    match args.command {
        Command::Add { fields, id, token } => add(data, *fields, id, token, output),
        Command::List => list(data, output),
        Command::Show { id } => show(data, id, output),
        Command::Set { id, fields, swept } => set(data, id, *fields, swept, output),
        Command::RotateToken { id, now } => rotate_token(data, id, now, output),
        Command::Remove { id } => remove(data, id, output),
        Command::Ports { premium, silver, min_port, max_port } => {
            ports(output, min_port, max_port, |port| (premium && is_premium(port)) || (silver && is_silver(port)))
        }
    }
}

fn add(
    data: &DataArgs,
    fields: HostFields,
    id: Option<HostId>,
    token: Option<String>,
    output: &Output,
) -> Result<(), Failure> {
    let (ranges, owner) = (fields.spans(), fields.owner.clone());
    let new = NewHost { ranges, owner, change: fields.change(), id, token };
    let added = data.open_or_create()?.write(move |tx| manage::add(tx, &SystemRandom, new))?;
    added.warnings.iter().for_each(|warning| output.warn(warning));
    let (id, token) = (added.host.id.to_string(), added.token);
    let document = json!({"id": id, "token": token, "warnings": added.warnings});
    let text = format!("Added host {}.\nid     {id}\ntoken  {token}  (shown only now)", added.host.name);
    output.result(&document, &text);
    Ok(())
}

fn set(data: &DataArgs, id: HostId, fields: HostFields, swept: bool, output: &Output) -> Result<(), Failure> {
    let (spans, owner, change) = (fields.spans(), fields.owner.clone(), fields.change());
    let change = move |tx: &mut Tx<'_>| {
        let (mut changed, warnings) = manage::set(tx, id, change, &spans, owner.as_deref())?;
        if swept {
            changed.extend(manage::swept(tx, id)?);
        }
        Ok((changed, warnings))
    };
    let (changed, warnings) = data.open()?.write(change)?;
    warnings.iter().for_each(|warning| output.warn(warning));
    let text = if changed.is_empty() { "Nothing changed.".to_owned() } else { changed.join("\n") };
    output.result(&json!({"id": id.to_string(), "changed": changed, "warnings": warnings}), &text);
    Ok(())
}

fn rotate_token(data: &DataArgs, id: HostId, now: bool, output: &Output) -> Result<(), Failure> {
    let rotate = move |tx: &mut Tx<'_>| manage::rotate_token(tx, &SystemRandom, id, now);
    let token = data.open()?.write(rotate)?;
    let former = match now {
        true => "the old one no longer works",
        false => "the old one works until this one was used, for a day at most",
    };
    let text = format!("token  {token}  (shown only now; {former})");
    output.result(&json!({"id": id.to_string(), "token": token, "old_token_ended": now}), &text);
    Ok(())
}

fn remove(data: &DataArgs, id: HostId, output: &Output) -> Result<(), Failure> {
    data.open()?.write(move |tx| manage::remove(tx, id))?;
    output.result(&json!({"id": id.to_string()}), "The host is removed. Its token no longer works.");
    Ok(())
}

fn list(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let hosts = data.open()?.read(manage::list)?;
    let now = SystemClock.now();
    let row = |view: &HostView| {
        let host = &view.host;
        vec![
            host.id.to_string(),
            host.name.clone(),
            host.ip.clone(),
            view.owner.clone(),
            yes_no(host.is_enabled),
            yes_no(host.is_alive(now)),
            offers(view),
            view.ranges.iter().map(PortRange::free).sum::<u32>().to_string(),
        ]
    };
    let rows: Vec<_> = hosts.iter().map(row).collect();
    let documents: Vec<Value> = hosts.iter().map(|view| document(view, now)).collect();
    let headers = ["ID", "NAME", "IP", "OWNER", "ENABLED", "ALIVE", "OFFERS", "FREE PORTS"];
    let nothing = "There are no hosts yet: `ip2tor-shop host add --help` tells how to add one.";
    output.list(&json!(documents), &headers, &rows, nothing);
    Ok(())
}

fn offers(view: &HostView) -> String {
    let host = &view.host;
    let products = [(host.offers_tor_bridges, "bridges"), (host.offers_nostr_aliases, "aliases")];
    let offered: Vec<_> = products.into_iter().filter(|(offers, _)| *offers).map(|(_, name)| name).collect();
    if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") }
}

fn show(data: &DataArgs, id: HostId, output: &Output) -> Result<(), Failure> {
    let (view, past) = data.open()?.read(|tx| Ok((manage::show(tx, id)?, manage::history(tx, id)?)))?;
    let mut document = document(&view, SystemClock.now());
    let pairs: Vec<(&str, String)> = document.as_object().into_iter().flatten().map(shown).collect();
    let text = format!("{}\n\n{}", fields(&pairs), history::text(&past));
    document["history"] = history::document(&past);
    output.result(&document, &text);
    Ok(())
}

/// A field as people read it.
fn shown<'a>((name, value): (&'a String, &Value)) -> (&'a str, String) {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(value) => yes_no(*value),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(ports) if ports[0].is_number() => {
            ports.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
        }
        Value::Array(ranges) => {
            let range = |range: &Value| {
                let letter = range["type"].as_str().unwrap_or_default();
                format!("{letter} {}-{} ({} used)", range["start"], range["end"], range["used"])
            };
            ranges.iter().map(range).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    (name.as_str(), text)
}

fn document(view: &HostView, now: Timestamp) -> Value {
    let HostView { host, ranges, owner, set_aside } = view;
    let range = |range: &PortRange| json!({"type": range.kind.letter(), "start": range.first, "end": range.last, "used": range.used});
    let mut document = json!({
        "id": host.id.to_string(),
        "owner": owner,
        "name": host.name,
        "ip": host.ip,
        "description": host.description,
        "port_ranges": ranges.iter().map(range).collect::<Vec<_>>(),
        "is_alive": host.is_alive(now),
    });
    let state = json!({
        "unswept_since": host.unswept_since.map(Timestamp::to_wire),
        "ports_set_aside": set_aside,
        "ci_date": host.ci_date.map(Timestamp::to_wire),
        "ci_status": host.ci_status,
        "ci_message": host.ci_message,
        "created_at": host.created_at.to_wire(),
        "modified_at": host.modified_at.to_wire(),
    });
    if let (Value::Object(document), Value::Object(state)) = (&mut document, state) {
        document.extend(settings_document(host).into_iter().chain(state));
    }
    document
}

fn ports(output: &Output, first: u16, last: u16, special: impl Fn(u16) -> bool) -> Result<(), Failure> {
    if first > last {
        return Err(Failure::Usage("--min-port is greater than --max-port".to_owned()));
    }
    let (picked, rest) = split(first, last, special);
    let flags = |spans: &[Span]| {
        let list: Vec<_> = spans.iter().map(|(first, last)| format!("--port-range {first}-{last}")).collect();
        if list.is_empty() { "(none)".to_owned() } else { list.join(" ") }
    };
    let list = |spans: &[Span]| -> Vec<Value> {
        spans.iter().map(|(first, last)| json!({"start": first, "end": last})).collect()
    };
    let text = format!("For the host with the special numbers:\n{}\n\nFor the rest:\n{}", flags(&picked), flags(&rest));
    output.result(&json!({"special": list(&picked), "rest": list(&rest)}), &text);
    Ok(())
}

//! `node`: Lightning nodes.

mod asking;
mod detect;
mod fields;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::credential;
use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, yes_no};
use crate::domain::id::{NodeId, SystemRandom};
use crate::domain::node::{Node, NodeKind};
use crate::domain::time::{Clock, SystemClock, Timestamp};
use crate::services::nodes::manage;
use crate::services::nodes::manage::NodeChange;
use crate::services::{ReadTx, Tx};
use fields::NodeFields;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Whether what is wrong with a node is the result itself, so that no log has to tell it as well.
    pub const fn is_check(&self) -> bool {
        matches!(self.command, Command::Check { .. })
    }
}

#[derive(Subcommand)]
enum Command {
    /// Try a node and add it
    Add {
        /// lnd_grpc, lnd_rest or cln
        #[arg(long, default_value = "lnd_grpc", value_parser = kind)]
        kind: NodeKind,
        /// Store it without trying it first
        #[arg(long)]
        untested: bool,
        /// Look for the nodes of this machine, and add those that you say yes to
        #[arg(long, conflicts_with_all = ["kind", "untested", "host", "certificate_file", "macaroon_file"])]
        detect: bool,
        /// With --detect: yes to all of them
        #[arg(long, requires = "detect")]
        yes: bool,
        #[command(flatten)]
        fields: NodeFields,
    },
    /// List the nodes in the order in which they are tried
    List,
    /// Connect, and print what the node says of itself or exactly what is wrong; makes an invoice and cancels it
    Check {
        /// The node's id; without it, all nodes
        #[arg(value_parser = node_id)]
        id: Option<NodeId>,
    },
    /// Change a node; what is about access to it is tried first
    Set {
        /// The node's id
        #[arg(value_parser = node_id)]
        id: NodeId,
        /// The same node is now at the new host or port; without it these stay while invoices can be paid
        #[arg(long)]
        moved: bool,
        /// Store the change without trying it first
        #[arg(long)]
        untested: bool,
        #[command(flatten)]
        fields: NodeFields,
    },
    /// Remove a node; refused while invoices of it could still be paid
    Remove {
        /// The node's id
        #[arg(value_parser = node_id)]
        id: NodeId,
    },
}

fn kind(text: &str) -> Result<NodeKind, String> {
    NodeKind::parse(text).ok_or_else(|| "the kinds are lnd_grpc, lnd_rest and cln".to_owned())
}

fn node_id(text: &str) -> Result<NodeId, String> {
    NodeId::parse(text).ok_or_else(|| "this is not the id of a node (see `node list`)".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = &args.data;
    match args.command {
        Command::Add { detect: true, yes, .. } => detect::run(data, yes, output),
        Command::Add { kind, untested, fields, .. } => {
            let (node, text) = add_one(data, kind, untested, fields, output)?;
            output.result(&document(&node), &text);
            Ok(())
        }
        Command::List => list(data, output),
        Command::Check { id } => asking::check(data, id, output),
        Command::Set { id, moved, untested, fields } => set(data, id, moved, untested, fields, output),
        Command::Remove { id } => {
            data.open()?.write(move |tx| manage::remove(tx, id))?;
            output.result(&json!({"id": id.to_string(), "removed": true}), "The node is removed.");
            Ok(())
        }
    }
}

/// Tries a node and adds it; returns it with what to say of it.
fn add_one(
    data: &DataArgs,
    kind: NodeKind,
    untested: bool,
    fields: NodeFields,
    output: &Output,
) -> Result<(Node, String), Failure> {
    let owner = fields.owner.clone();
    let change = fields.change(&data.load()?.database())?;
    warn_of_untested(untested, &change, output);
    let data = data.open_or_create()?;
    if let (Some(file), false) = (&change.payment_macaroon_file, untested) {
        asking::look_at_payment_macaroon(file)?;
    }
    let new = |tx: &ReadTx<'_>| manage::new_node(tx, &SystemRandom, kind, change, owner.as_deref());
    let node = data.read(new)?;
    let found = if untested { None } else { Some(asking::try_out(&data, &node)?) };
    let stored = node.clone();
    data.write(move |tx| manage::insert(tx, &stored))?;
    let advice = || format!("Try it: `ip2tor-shop node check {}`", node.id);
    let text = format!("Added node {}.\nid  {}\n{}", node.name, node.id, found.unwrap_or_else(advice));
    Ok((node, text))
}

/// What a try would have found, as far as it can be seen from here.
fn warn_of_untested(untested: bool, change: &NodeChange, output: &Output) {
    if let Some(warning) = untested.then(|| credential::expired(change, SystemClock.now())).flatten() {
        output.warn(&warning);
    }
}

fn set(
    data: &DataArgs,
    id: NodeId,
    moved: bool,
    untested: bool,
    fields: NodeFields,
    output: &Output,
) -> Result<(), Failure> {
    let owner = fields.owner.clone();
    let change = NodeChange { has_moved: moved, ..fields.change(&data.load()?.database())? };
    warn_of_untested(untested, &change, output);
    let data = data.open()?;
    if let (Some(file), false) = (&change.payment_macaroon_file, untested) {
        asking::look_at_payment_macaroon(file)?;
    }
    let mut found = None;
    if !untested && change.is_about_access() {
        let (node, _) = data.read(|tx| manage::changed(tx, id, change.clone(), owner.as_deref()))?;
        // One that is not used may well be switched off.
        if node.is_enabled {
            found = Some(asking::try_out(&data, &node)?);
        }
    }
    let set = move |tx: &mut Tx<'_>| manage::set(tx, id, change, owner.as_deref());
    let changed = data.write(set)?;
    let mut lines = if changed.is_empty() { vec!["Nothing changed.".to_owned()] } else { changed.clone() };
    lines.extend(found);
    output.result(&json!({"id": id.to_string(), "changed": changed}), &lines.join("\n"));
    Ok(())
}

fn list(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let nodes = data.open()?.read(manage::list)?;
    let row = |node: &Node| {
        vec![
            node.id.to_string(),
            node.name.clone(),
            node.kind.name().to_owned(),
            node.priority.to_string(),
            yes_no(node.is_enabled),
            if node.checked_at.is_none() { "not asked yet".to_owned() } else { yes_no(node.is_alive) },
            node.network.clone().unwrap_or_else(|| "-".to_owned()),
            node.last_error.clone().or_else(|| node.clock_note.clone()).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = nodes.iter().map(row).collect();
    let documents: Vec<Value> = nodes.iter().map(document).collect();
    let headers = ["ID", "NAME", "KIND", "PRIORITY", "ENABLED", "ALIVE", "NETWORK", "PROBLEM"];
    let nothing = "There are no nodes yet: nothing can be sold without one (`ip2tor-shop node add --help`).";
    output.list(&json!(documents), &headers, &rows, nothing);
    Ok(())
}

fn document(node: &Node) -> Value {
    let info: Value = node.info.as_deref().and_then(|info| serde_json::from_str(info).ok()).unwrap_or_default();
    json!({
        "id": node.id.to_string(),
        "owner_id": node.operator_id.0,
        "kind": node.kind.name(),
        "name": node.name,
        "host": node.host,
        "port": node.port,
        "certificate_file": node.certificate_file,
        "macaroon_file": node.macaroon_file,
        "payment_macaroon_file": node.payment_macaroon_file,
        "pays_refunds": node.pays_refunds,
        "priority": node.priority,
        "is_enabled": node.is_enabled,
        "allow_spending": node.allow_spending,
        "use_holds": node.use_holds,
        "is_alive": node.is_alive,
        "checked_at": node.checked_at.map(Timestamp::to_wire),
        "last_error": node.last_error,
        "network": node.network,
        "pubkey": node.pubkey,
        "alias": info["alias"],
        "uris": info["uris"],
        "active_channels": info["active_channels"],
        "inbound_msat": info["inbound_msat"],
        "block_height": info["block_height"],
        "synced_to_chain": info["synced_to_chain"],
        "version": info["version"],
        "cannot_hold": info["cannot_hold"],
        "clock_note": node.clock_note,
        "created_at": node.created_at.to_wire(),
        "modified_at": node.modified_at.to_wire(),
    })
}

//! `node`: Lightning nodes.

mod adding;
mod asking;
mod detect;
mod fields;
mod find;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, yes_no};
use crate::domain::id::NodeId;
use crate::domain::node::{Node, NodeKind};
use crate::services::Tx;
use crate::services::nodes::manage;
use crate::services::nodes::manage::NodeChange;
use adding::{document, warn};
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
    let names = || NodeKind::ALL.map(NodeKind::name).join(", ");
    NodeKind::parse(text).ok_or_else(|| format!("the kinds are {}", names()))
}

fn node_id(text: &str) -> Result<NodeId, String> {
    NodeId::parse(text).ok_or_else(|| "this is not the id of a node (see `node list`)".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = &args.data;
    match args.command {
        Command::Add { detect: true, yes, .. } => detect::run(data, yes, output),
        Command::Add { kind, untested, fields, .. } => {
            let (node, text) = adding::add(data, kind, untested, fields, output)?;
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
    warn(untested, &change, output);
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

//! `node`: Lightning nodes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::block_on;
use super::credential::{Kind, credential};
use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, yes_no};
use crate::app;
use crate::domain::id::{NodeId, SystemRandom};
use crate::domain::lightning::NodeInfo;
use crate::domain::node::{Node, NodeKind};
use crate::domain::time::{SystemClock, Timestamp};
use crate::lightning;
use crate::lightning::check::NodeCheck;
use crate::lightning::dial::Dial;
use crate::services::instance::InstanceLock;
use crate::services::nodes_admin::{self, NodeChange};
use crate::services::{Shop, nodes_alive};
use crate::worker::connect::connect;

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
    /// Add a node
    Add {
        /// lnd_grpc, lnd_rest or cln
        #[arg(long, default_value = "lnd_grpc", value_parser = kind)]
        kind: NodeKind,
        #[command(flatten)]
        fields: NodeFields,
    },
    /// List the nodes in the order in which they are tried
    List,
    /// Connect, and print what the node says of itself or exactly what is wrong
    Check {
        /// The node's id; without it, all nodes
        #[arg(value_parser = node_id)]
        id: Option<NodeId>,
    },
    /// Change a node
    Set {
        /// The node's id
        #[arg(value_parser = node_id)]
        id: NodeId,
        /// The same node is now at the new host or port; without it these stay while invoices can be paid
        #[arg(long)]
        moved: bool,
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

#[derive(ClapArgs)]
struct NodeFields {
    /// What you call it
    #[arg(long)]
    name: Option<String>,
    /// Host name, IP address, .onion address, or the full path of a Core Lightning socket
    #[arg(long)]
    host: Option<String>,
    /// Its port [default: 10009 for lnd_grpc, 8080 for lnd_rest]
    #[arg(long)]
    port: Option<u16>,
    /// The file with its certificate (tls.cert), read anew for each connection
    #[arg(long, value_name = "FILE")]
    certificate_file: Option<PathBuf>,
    /// The file with its macaroon for invoices (invoice.macaroon), read anew for each connection
    #[arg(long, value_name = "FILE")]
    macaroon_file: Option<PathBuf>,
    /// The file with its read-only macaroon, where the one for invoices tells nothing of the node
    #[arg(long, value_name = "FILE")]
    details_macaroon_file: Option<PathBuf>,
    /// The file with an LND's macaroon that can pay (offchain:read offchain:write): lets the node pay refunds; only
    /// `order refund` reads it
    #[arg(long, value_name = "FILE")]
    payment_macaroon_file: Option<PathBuf>,
    /// Whether `order refund` may pay from this node; an LND needs a payment macaroon for that, Core Lightning nothing
    #[arg(long, value_name = "BOOL")]
    pays_refunds: Option<bool>,
    /// Keep copies of certificate and macaroon for invoices in the database, so that the files may go
    #[arg(long)]
    store_credentials: bool,
    /// The lowest number is tried first
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// Whether it is used
    #[arg(long, value_name = "BOOL")]
    is_enabled: Option<bool>,
    /// Whether a macaroon that could spend is accepted
    #[arg(long, value_name = "BOOL")]
    allow_spending: Option<bool>,
    /// Whether hold invoices are used where it can make them
    #[arg(long, value_name = "BOOL")]
    use_holds: Option<bool>,
    /// The name of the operator that it belongs to
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
}

impl NodeFields {
    fn change(self, database: &Path) -> Result<NodeChange, Failure> {
        let read = |field, file, what, store| credential(database, field, file, what, store);
        let stores = self.store_credentials;
        let (certificate_file, certificate) =
            read("certificate_file", self.certificate_file, Kind::Certificate, stores)?;
        let (macaroon_file, macaroon) = read("macaroon_file", self.macaroon_file, Kind::Macaroon, stores)?;
        let (details_macaroon_file, _) =
            read("details_macaroon_file", self.details_macaroon_file, Kind::Macaroon, false)?;
        // Never stored: what can spend stays in its file.
        let (payment_macaroon_file, _) =
            read("payment_macaroon_file", self.payment_macaroon_file, Kind::Macaroon, false)?;
        Ok(NodeChange {
            name: self.name,
            host: self.host,
            port: self.port,
            certificate_file,
            certificate,
            macaroon_file,
            macaroon,
            details_macaroon_file,
            payment_macaroon_file,
            pays_refunds: self.pays_refunds,
            priority: self.priority,
            is_enabled: self.is_enabled,
            allow_spending: self.allow_spending,
            use_holds: self.use_holds,
            has_moved: false,
        })
    }
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
        Command::Add { kind, fields } => add(data, kind, fields, output),
        Command::List => list(data, output),
        Command::Check { id } => check(data, id, output),
        Command::Set { id, moved, fields } => set(data, id, moved, fields, output),
        Command::Remove { id } => {
            data.open()?.write(move |db, act| nodes_admin::remove(db, act, id))?;
            output.result(&json!({"id": id.to_string(), "removed": true}), "The node is removed.");
            Ok(())
        }
    }
}

fn add(data: &DataArgs, kind: NodeKind, fields: NodeFields, output: &Output) -> Result<(), Failure> {
    let owner = fields.owner.clone();
    let change = fields.change(&data.load()?.database())?;
    let add = move |db: &_, act: &_| nodes_admin::add(db, act, &SystemRandom, kind, change, owner.as_deref());
    let node = data.open_or_create()?.write(add)?;
    let text = format!("Added node {}.\nid  {}\nTry it: `ip2tor-shop node check {}`", node.name, node.id, node.id);
    output.result(&document(&node), &text);
    Ok(())
}

fn set(data: &DataArgs, id: NodeId, moved: bool, fields: NodeFields, output: &Output) -> Result<(), Failure> {
    let owner = fields.owner.clone();
    let change = NodeChange { has_moved: moved, ..fields.change(&data.load()?.database())? };
    let set = move |db: &_, act: &_| nodes_admin::set(db, act, id, change, owner.as_deref());
    let changed = data.open()?.write(set)?;
    let text = if changed.is_empty() { "Nothing changed.".to_owned() } else { changed.join("\n") };
    output.result(&json!({"id": id.to_string(), "changed": changed}), &text);
    Ok(())
}

/// Asks the nodes. What they answer is stored, as the shop does each minute, unless one is running: that finds out by
/// itself, and what this command can't reach (with another user's rights, without its Tor) it may. Fails when one
/// can't be used.
fn check(data: &DataArgs, id: Option<NodeId>, output: &Output) -> Result<(), Failure> {
    let data = data.open()?;
    let nodes = match id {
        Some(id) => vec![data.read(|db, act| nodes_admin::show(db, act, id))?],
        None => data.read(nodes_admin::list)?,
    };
    crate::tls::install_provider();
    let settings = data.config.shop_settings();
    let shop = Shop::new(data.db.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), settings)?;
    let checks = block_on(async {
        let dial = app::command_dial(&data.config, nodes.iter().map(|node| node.host.as_str())).await?;
        let mut checks = Vec::new();
        for node in &nodes {
            checks.push((node, ask(&shop, &dial, node, &data.config.data_dir).await?));
        }
        Ok(checks)
    })?;
    report(&checks, output)
}

/// What one node says.
async fn ask(shop: &Shop, dial: &Dial, node: &Node, data_dir: &Path) -> Result<NodeCheck, Failure> {
    let answer = match connect(&nodes_admin::spec(node), dial) {
        Ok(connection) => lightning::check::check(&*connection, None, None).await,
        Err(error) => NodeCheck { info: NodeInfo::default(), problem: Some(error) },
    };
    // A node that is behind the chain has answered; for how long it may be is decided below.
    let problem = answer.problem.clone().filter(|_| answer.info.synced_to_chain != Some(false));
    let result = problem.map_or_else(|| Ok(answer.info.clone()), Err);
    let verdict = match InstanceLock::take(data_dir) {
        Ok(_alone) => nodes_alive::store(shop, node.id, &node.name, result).await?,
        Err(_) => nodes_alive::judge(shop, node.id, &result)?,
    };
    Ok(NodeCheck { problem: verdict.problem.or(verdict.unfit).or(answer.problem), info: answer.info })
}

fn report(checks: &[(&Node, NodeCheck)], output: &Output) -> Result<(), Failure> {
    let document = |(node, check): &(&Node, NodeCheck)| {
        json!({
            "id": node.id.to_string(),
            "name": node.name,
            "ok": check.problem.is_none(),
            "text": check.line(),
            "network": check.info.network.map(|network| network.name()),
            "pubkey": check.info.pubkey,
            "alias": check.info.alias,
            "version": check.info.version,
        })
    };
    let documents: Vec<Value> = checks.iter().map(document).collect();
    let lines: Vec<String> = checks.iter().map(|(node, check)| format!("{}: {}", node.name, check.line())).collect();
    let text = if lines.is_empty() { "There are no nodes yet.".to_owned() } else { lines.join("\n") };
    output.result(&json!(documents), &text);
    if checks.iter().all(|(_, check)| check.problem.is_none()) {
        return Ok(());
    }
    // Each line, or the document, has said why.
    Err(Failure::Told)
}

fn list(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let nodes = data.open()?.read(nodes_admin::list)?;
    let row = |node: &Node| {
        vec![
            node.id.to_string(),
            node.name.clone(),
            node.kind.name().to_owned(),
            node.priority.to_string(),
            yes_no(node.is_enabled),
            if node.checked_at.is_none() { "not asked yet".to_owned() } else { yes_no(node.is_alive) },
            node.network.clone().unwrap_or_else(|| "-".to_owned()),
            node.last_error.clone().unwrap_or_default(),
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
        "created_at": node.created_at.to_wire(),
        "modified_at": node.modified_at.to_wire(),
    })
}

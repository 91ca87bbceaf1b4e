//! `deny`: deny lists for targets, IP addresses and networks.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, yes_no};
use crate::domain::deny_list::{DenyEntry, DenyKind, DenyStatus};
use crate::services::deny_list;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Put a target, an IP address or a network on its list, or change the entry that is there
    Add {
        #[command(flatten)]
        what: What,
        /// initial, proposed, in_review, neutral, recommended or denied; the last two deny
        #[arg(long, default_value = "denied", value_parser = status)]
        status: DenyStatus,
        /// Why, at most 140 characters
        #[arg(long, value_name = "TEXT", default_value = "")]
        comment: String,
    },
    /// List all entries, newest first
    List,
    /// Take a target, an IP address or a network off its list
    Remove {
        #[command(flatten)]
        what: What,
    },
}

#[derive(ClapArgs)]
#[group(required = true, multiple = false)]
struct What {
    /// An onion address, alone (all its ports) or with a port
    #[arg(long, value_name = "ONION[:PORT]")]
    target: Option<String>,
    /// An IP address or network; of IPv6 the first 64 bits count
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    ip: Option<String>,
}

impl What {
    fn get(self) -> (DenyKind, String) {
        match (self.target, self.ip) {
            (Some(target), _) => (DenyKind::Target, target),
            (None, ip) => (DenyKind::Ip, ip.unwrap_or_default()),
        }
    }
}

fn status(text: &str) -> Result<DenyStatus, String> {
    DenyStatus::parse(text).ok_or_else(|| {
        let names: Vec<_> = DenyStatus::ALL.iter().map(|status| status.name()).collect();
        format!("the states are {}", names.join(", "))
    })
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    match args.command {
        Command::Add { what, status, comment } => {
            let (kind, value) = what.get();
            let data = args.data.open_or_create()?;
            let entry = data.write(move |tx| deny_list::add(tx, kind, &value, status, &comment))?;
            output.result(&document(&entry), &format!("{} is on the list: {}.", entry.value, entry.status.name()));
        }
        Command::List => list(output, &args.data.open()?.read(deny_list::list)?),
        Command::Remove { what } => {
            let (kind, value) = what.get();
            let text = format!("{value} is off the list.");
            args.data.open()?.write(move |tx| deny_list::remove(tx, kind, &value))?;
            output.result(&json!({"removed": true}), &text);
        }
    }
    Ok(())
}

fn list(output: &Output, entries: &[DenyEntry]) {
    let row = |entry: &DenyEntry| {
        vec![
            entry.kind.name().to_owned(),
            entry.value.clone(),
            entry.status.name().to_owned(),
            yes_no(entry.status.denies()),
            entry.modified_at.to_wire(),
            entry.comment.clone(),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    let headers = ["KIND", "VALUE", "STATUS", "DENIED", "CHANGED", "COMMENT"];
    let documents: Vec<Value> = entries.iter().map(document).collect();
    output.list(&json!(documents), &headers, &rows, "The deny lists are empty.");
}

fn document(entry: &DenyEntry) -> Value {
    json!({
        "kind": entry.kind.name(),
        "value": entry.value,
        "status": entry.status.name(),
        "is_denied": entry.status.denies(),
        "comment": entry.comment,
        "created_at": entry.created_at.to_wire(),
        "modified_at": entry.modified_at.to_wire(),
    })
}

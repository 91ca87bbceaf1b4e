//! `backup`: one-file backups.

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::{DataArgs, create_data_dir};
use super::failure::Failure;
use super::output::Output;
use super::user;
use crate::domain::time::{Clock, SystemClock};
use crate::services::Session;
use crate::services::backup::{self, BackupFile, Restored};
use crate::services::restored;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a backup now, while the shop runs
    Create {
        /// The file [default: a new one in DATA_DIR/backups]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The backup before an upgrade to VERSION: DATA_DIR/backups/before-VERSION.backup; refused where room is short
        #[arg(long, value_name = "VERSION", conflicts_with = "output", value_parser = version)]
        before: Option<String>,
    },
    /// Put a backup in place; the shop must not be running
    Restore {
        /// The backup
        file: PathBuf,
        /// Move the shop that is in the data folder aside
        #[arg(long)]
        force: bool,
    },
    /// Say that the database in place came back from a copy (Litestream, a snapshot): treat it like a restored backup
    Doubt,
    /// List the backups in DATA_DIR/backups, newest first
    List,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    match args.command {
        Command::Create { before: Some(version), .. } => create_before(&args.data, &version, output),
        Command::Create { output: file, .. } => create(&args.data, file.as_deref(), output),
        Command::Restore { file, force } => restore(&args.data, &file, force, output),
        Command::Doubt => doubt(&args.data, output),
        Command::List => list(&args.data, output),
    }
}

fn session() -> Session {
    Session { by: user::principal(), now: SystemClock.now() }
}

/// A version of a Debian package, which becomes part of a file's name.
fn version(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+~-".contains(&byte);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(is_plain);
    if fits { Ok(text.to_owned()) } else { Err("this is not a version, such as 1.2.3".to_owned()) }
}

/// Before the first set-up there is nothing to save.
fn create_before(data: &DataArgs, version: &str, output: &Output) -> Result<(), Failure> {
    let places = data.load()?.places();
    if !places.database.try_exists().unwrap_or(true) {
        output.result(&json!({"file": null}), "There is no shop yet, so there is nothing to save.");
        return Ok(());
    }
    let made = backup::create_before(&data.open()?.db, &places, &session(), version)?;
    output.result(&document(&made), &made.path.display().to_string());
    Ok(())
}

fn create(data: &DataArgs, file: Option<&Path>, output: &Output) -> Result<(), Failure> {
    let opened = data.open()?;
    let places = opened.config.places();
    if let Some(text) = backup::crowding(&opened.db, &places, file) {
        output.warn(&text);
    }
    let made = backup::create(&opened.db, &places, &session(), file)?;
    let text = format!(
        "{}\nKeep it secret and elsewhere: whoever has it is your shop, and an SD card dies without notice.",
        made.path.display()
    );
    output.result(&document(&made), &text);
    Ok(())
}

fn list(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let files = backup::list(&data.load()?.places())?;
    let row = |file: &BackupFile| {
        vec![file.made_at.to_wire(), format!("{} KiB", file.size.div_ceil(1024)), file.path.display().to_string()]
    };
    let rows: Vec<_> = files.iter().map(row).collect();
    let documents: Vec<Value> = files.iter().map(document).collect();
    let nothing = "There are no backups here yet: `ip2tor-shop backup create` makes one.";
    output.list(&json!(documents), &["MADE", "SIZE", "FILE"], &rows, nothing);
    Ok(())
}

fn document(file: &BackupFile) -> Value {
    json!({"file": file.path.display().to_string(), "size": file.size, "made_at": file.made_at.to_wire()})
}

fn restore(data: &DataArgs, file: &Path, force: bool, output: &Output) -> Result<(), Failure> {
    let config = data.load()?;
    create_data_dir(&config)?;
    let restored = backup::restore(&config.places(), file, force, &session())?;
    let moved: Vec<String> = restored.moved.iter().map(|path| path.display().to_string()).collect();
    let document = json!({
        "data_dir": config.data_dir.display().to_string(),
        "onion_key": restored.onion,
        "config": restored.config.as_ref().map(|path| path.display().to_string()),
        "nodes_with_stored_credentials": restored.nodes,
        "orders_that_may_be_paid_back": restored.owing.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "moved_aside": moved,
    });
    output.result(&document, &advice(&restored, &config.data_dir, &moved));
    Ok(())
}

fn doubt(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let owing = data.open()?.write(restored::say)?;
    let text = format!(
        "What happened since the copy is looked for at the nodes; ports are tried until you have swept the hosts (`alerts`); \
         {} orders owe money that may have been paid back since.",
        owing.len()
    );
    let owing: Vec<_> = owing.iter().map(ToString::to_string).collect();
    output.result(&json!({"orders_that_may_be_paid_back": owing}), &text);
    Ok(())
}

/// What an operator must know after a restore.
fn advice(restored: &Restored, data_dir: &Path, moved: &[String]) -> String {
    let mut lines = vec![format!("The backup is in place in {}.", data_dir.display())];
    lines.extend(moved.iter().map(|path| format!("Moved aside: {path}")));
    lines.push(match (restored.onion, &restored.address) {
        (true, _) => "The onion service keeps its address.".to_owned(),
        (false, None) => "The backup has no key of an onion service: the shop gets a new .onion address.".to_owned(),
        (false, Some(address)) => format!(
            "The backup has no key of {address}: the shop runs without its onion service until the key is back (`onion \
             import FILE`)."
        ),
    });
    if let Some(path) = &restored.config {
        lines.push(format!("Its configuration is in {}: compare it with yours.", path.display()));
    }
    for node in &restored.nodes {
        lines.push(format!("Node {node} uses the credentials of the backup; `node set` points it to files again."));
    }
    if !restored.owing.is_empty() {
        lines.push(format!(
            "{} orders owe money that may have been paid back since the backup was made (`alerts`): look through the \
             nodes' payments before `order refund`.",
            restored.owing.len()
        ));
    }
    lines.push("The old shop must never run again: two shops with one key and one node harm each other.".to_owned());
    lines.push(
        "Orders placed after the backup was made are unknown here; payments for them raise an alert (`alerts`)."
            .to_owned(),
    );
    lines.push(
        "Hosts may have forwards of bridges that were sold since (`alerts`): sweep each one, then `host set ID --swept`."
            .to_owned(),
    );
    lines.join("\n")
}

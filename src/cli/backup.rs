//! `backup`: one-file backups.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;

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
    },
    /// Put a backup in place; the shop must not be running
    Restore {
        /// The backup
        file: PathBuf,
        /// Replace the shop that is in the data folder
        #[arg(long)]
        force: bool,
    },
    /// List the backups in DATA_DIR/backups, newest first
    List,
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    args.data.load()?;
    match args.command {
        Command::Create { output: _ } => Err(Failure::not_available("backup create")),
        Command::Restore { file: _, force: _ } => Err(Failure::not_available("backup restore")),
        Command::List => Err(Failure::not_available("backup list")),
    }
}

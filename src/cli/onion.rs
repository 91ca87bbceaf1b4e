//! `onion`: the shop's onion service and its keys.

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
    /// Print the shop's .onion address
    Address,
    /// Write the service's key into a file: whoever has it is the shop
    Export {
        /// The file, which must not exist
        file: PathBuf,
    },
    /// Take over the key of another installation or of a C Tor service (hs_ed25519_secret_key)
    Import {
        /// The file with the key
        file: PathBuf,
        /// Give up the address that the shop has now
        #[arg(long)]
        force: bool,
    },
    /// Give up the address and make a new one
    Reset {
        /// Yes, the present address will be gone for good
        #[arg(long)]
        force: bool,
    },
    /// Let a client find the operators' own service
    Authorize {
        /// What you call the client
        name: String,
        /// Its public key, as in descriptor:x25519:…
        key: String,
    },
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    args.data.load()?;
    match args.command {
        Command::Address => Err(Failure::not_available("onion address")),
        Command::Export { file: _ } => Err(Failure::not_available("onion export")),
        Command::Import { file: _, force: _ } => Err(Failure::not_available("onion import")),
        Command::Reset { force: _ } => Err(Failure::not_available("onion reset")),
        Command::Authorize { name: _, key: _ } => Err(Failure::not_available("onion authorize")),
    }
}

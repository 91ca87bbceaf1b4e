//! `bridge`: Tor bridges and Nostr aliases that were sold.

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
    /// List products, newest first
    List {
        /// Only those in this state: a letter such as P (to activate), A (active), H (suspended)
        #[arg(long, value_name = "LETTER")]
        status: Option<String>,
        /// Only those of the host with this id
        #[arg(long, value_name = "ID")]
        host: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show one product with its orders and history
    Show {
        /// The product's id
        id: String,
    },
    /// Switch a product off; it can be extended again
    Suspend {
        /// The product's id
        id: String,
        /// Why, for the change log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Switch a product off for good: abuse
    Kill {
        /// The product's id
        id: String,
        /// Why, for the change log
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Also put its target on the deny list
        #[arg(long)]
        deny_target: bool,
    },
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    args.data.open()?;
    match args.command {
        Command::List { status: _, host: _, limit: _ } => Err(Failure::not_available("bridge list")),
        Command::Show { id: _ } => Err(Failure::not_available("bridge show")),
        Command::Suspend { id: _, reason: _ } => Err(Failure::not_available("bridge suspend")),
        Command::Kill { id: _, reason: _, deny_target: _ } => Err(Failure::not_available("bridge kill")),
    }
}

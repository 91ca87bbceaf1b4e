//! `order`: purchase orders, and what becomes of the ones that need a person.

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
    /// List orders, newest first
    List {
        /// Only orders in this state: a letter such as T (to be paid), P (paid), N (needs refund)
        #[arg(long, value_name = "LETTER")]
        status: Option<String>,
        /// Only orders that owe the buyer something
        #[arg(long)]
        owed: bool,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show one order with its invoice, product and history
    Show {
        /// The order's id
        id: String,
    },
    /// Note that a person has settled what an order needed
    Resolve {
        /// The order's id
        id: String,
        /// What was done, for the change log
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Note that the buyer's money was given back
    Refund {
        /// The order's id
        id: String,
        /// How, for the change log: a payment hash, for example
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    args.data.open()?;
    match args.command {
        Command::List { status: _, owed: _, limit: _ } => Err(Failure::not_available("order list")),
        Command::Show { id: _ } => Err(Failure::not_available("order show")),
        Command::Resolve { id: _, note: _ } => Err(Failure::not_available("order resolve")),
        Command::Refund { id: _, note: _ } => Err(Failure::not_available("order refund")),
    }
}

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
    /// Pay what the order owes back to the buyer, through a node with a payment macaroon
    Refund(super::refund::Args),
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let data = args.data.open()?;
    match args.command {
        Command::List { status: _, owed: _, limit: _ } => Err(Failure::not_available("order list")),
        Command::Show { id: _ } => Err(Failure::not_available("order show")),
        Command::Resolve { id: _, note: _ } => Err(Failure::not_available("order resolve")),
        Command::Refund(args) => super::refund::run(data, args, output),
    }
}

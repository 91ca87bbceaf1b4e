//! `lnd-simulator`: a development node that speaks LND's gRPC.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::failure::Failure;
use super::output::Output;
use super::{block_on, data};
use crate::lnd_simulator::{CommandError, cli_fault, cli_pay, cli_serve};

#[derive(ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the node until it is told to stop
    Serve {
        /// The address of its gRPC interface
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:10009")]
        listen: SocketAddr,
        /// The folder with its state, certificate and macaroons
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
    /// Pay an invoice, as somebody else's wallet would
    Pay {
        /// The folder of the running simulator
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// The invoice
        bolt11: String,
    },
    /// Make the node fail; an unknown instruction lists the known ones
    Fault {
        /// The folder of the running simulator
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// For example AddInvoice:unavailable, all:slow=500:3, streams:drop or clear
        instruction: String,
    },
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    let failed = |error: CommandError| Failure::Failed(error.to_string());
    block_on(async {
        match args.command {
            Command::Serve { listen, dir } => {
                data::create_folder(&dir)?;
                cli_serve(listen, &dir).await.map_err(failed)
            }
            Command::Pay { dir, bolt11 } => cli_pay(&dir, &bolt11).await.map_err(failed),
            Command::Fault { dir, instruction } => cli_fault(&dir, &instruction).await.map_err(failed),
        }
    })
}

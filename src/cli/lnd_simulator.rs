//! `lnd-simulator`: a development node that speaks LND's gRPC.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::data;
use super::failure::Failure;
use super::output::Output;
use super::runtime::block_on;
use ip2tor_lnd_simulator::{CommandError, MACAROONS, Options, Running, cli_fault, cli_pay, cli_serve};

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
        /// The address of its REST interface; without, there is none
        #[arg(long, value_name = "ADDR")]
        rest: Option<SocketAddr>,
        /// Serve Core Lightning's socket `lightning-rpc` in the folder, too
        #[arg(long)]
        lightning_rpc: bool,
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

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let failed = |error: CommandError| Failure::Failed(error.to_string());
    block_on(async {
        match args.command {
            Command::Serve { listen, rest, lightning_rpc, dir } => {
                data::create_folder(&dir)?;
                let options = Options { rest_listen: rest, lightning_rpc, ..Options::new(listen, dir) };
                cli_serve(options, |node| tell(node, lightning_rpc, output)).await.map_err(failed)
            }
            Command::Pay { dir, bolt11 } => {
                // It may take long: a person is told why; a script waits for its one document.
                let held = || {
                    if !output.is_json() {
                        println!("held: the payee has the payment and has not taken it yet");
                    }
                };
                let preimage = cli_pay(&dir, &bolt11, held).await.map_err(failed)?;
                let document = json!({"status": "settled", "preimage": preimage});
                output.result(&document, &format!("settled: preimage {preimage}"));
                Ok(())
            }
            Command::Fault { dir, instruction } => {
                cli_fault(&dir, &instruction).await.map_err(failed)?;
                output.result(&json!({"instruction": instruction, "done": true}), "done");
                Ok(())
            }
        }
    })
}

/// Prints where the node listens and which files a client needs.
fn tell(node: &Running, lightning_rpc: bool, output: &Output) {
    let file = |name: &str| node.dir().join(name).display().to_string();
    let macaroons: Vec<String> = MACAROONS.iter().map(|(name, _)| file(name)).collect();
    let socket = lightning_rpc.then(|| node.lightning_rpc().display().to_string());
    let rest = node.rest_addr().map(|address| address.to_string());
    let mut lines = vec![format!("LND gRPC on {} (regtest, no real money)", node.local_addr())];
    lines.extend(rest.iter().map(|address| format!("LND REST on {address}")));
    lines.extend(socket.iter().map(|socket| format!("Core Lightning socket {socket}")));
    lines.push(format!("certificate {}", file("tls.cert")));
    lines.extend(macaroons.iter().map(|file| format!("macaroon {file}")));
    let document = json!({
        "grpc": node.local_addr().to_string(),
        "rest": rest,
        "lightning_rpc": socket,
        "dir": node.dir().display().to_string(),
        "certificate": file("tls.cert"),
        "macaroons": macaroons,
    });
    output.result(&document, &lines.join("\n"));
}

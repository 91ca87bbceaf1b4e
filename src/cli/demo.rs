//! `demo`: a complete shop to try out.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::data::create_folder;
use super::failure::Failure;
use super::logging;
use super::output::Output;

#[derive(ClapArgs)]
pub struct Args {
    /// The address of the shop
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,
    /// The folder of the demo; what is in it goes on where it was
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    pub data_dir: PathBuf,
    /// Without the agent that checks in and activates bridges: play the host yourself
    #[arg(long)]
    pub no_agent: bool,
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    logging::init("info");
    create_folder(&args.data_dir)?;
    Err(Failure::not_available("demo"))
}

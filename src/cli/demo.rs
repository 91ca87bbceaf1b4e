//! `demo`: a complete shop to try out.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::data::create_folder;
use super::failure::Failure;
use super::logging;
use super::output::Output;
use super::runtime::block_on;
use crate::demo::Demo;

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
    /// With an onion service of its own: needs a way out to the Tor network
    #[arg(long)]
    pub onion: bool,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    logging::init("info");
    create_folder(&args.data_dir)?;
    let Args { listen, data_dir, no_agent, onion } = args;
    let demo = Demo { listen, data_dir, with_agent: !no_agent, with_onion: onion, json: output.is_json() };
    block_on(async { Ok(demo.run().await?) })
}

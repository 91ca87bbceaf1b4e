//! `serve`: runs the shop.

use clap::Args as ClapArgs;

use super::data::{DataArgs, create_folder};
use super::failure::Failure;
use super::logging;
use super::output::Output;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    let config = args.data.load()?;
    logging::init(&config.log.level);
    create_folder(&config.data_dir)?;
    Err(Failure::not_available("serve"))
}

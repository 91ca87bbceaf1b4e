//! `serve`: runs the shop.

use clap::Args as ClapArgs;

use super::block_on;
use super::data::{DataArgs, create_folder};
use super::failure::Failure;
use super::logging;
use super::output::Output;
use crate::app;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: Args, _output: &Output) -> Result<(), Failure> {
    let config = args.data.load()?;
    logging::init(&config.log.level);
    create_folder(&config.data_dir)?;
    block_on(async {
        let app = app::start(config).await?;
        app::wait_for_signal().await;
        app.stop().await;
        Ok(())
    })
}

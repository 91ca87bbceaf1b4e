//! `serve`: runs the shop.

use std::path::Path;

use clap::Args as ClapArgs;
use serde_json::json;

use super::data::{DataArgs, create_folder};
use super::failure::Failure;
use super::logging;
use super::output::Output;
use super::runtime::block_on;
use crate::app::{self, App};

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let config = args.data.load()?;
    logging::init(&config.log.level);
    create_folder(&config.data_dir)?;
    block_on(async {
        // A path that holds wherever it is read.
        let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
        let app = app::start(config).await?;
        tell(&app, &data_dir, output);
        app::wait_for_signal().await;
        app.stop().await;
        Ok(())
    })
}

/// Tells a script where the shop is, as `demo` does; people have the log.
fn tell(app: &App, data_dir: &Path, output: &Output) {
    if output.is_json() {
        let shop_url = format!("http://{}", app.local_addr());
        output.result(&json!({"shop_url": shop_url, "onion": app.onion_address(), "data_dir": data_dir}), "");
    }
}

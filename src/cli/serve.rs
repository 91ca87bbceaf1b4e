//! `serve`: runs the shop.

use std::path::Path;

use clap::Args as ClapArgs;
use serde_json::json;

use super::data::{DataArgs, create_data_dir};
use super::failure::Failure;
use super::logging;
use super::output::Output;
use super::reload;
use super::runtime::block_on;
use crate::app::{self, App, Systemd};

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let systemd = Systemd::of_process();
    serve(args.data, &systemd, output).inspect_err(|failure| {
        // What `systemctl status` shows; the log has all of it.
        systemd.status(&format!("failed: {}", failure.text(str::to_owned)));
    })
}

fn serve(data: DataArgs, systemd: &Systemd, output: &Output) -> Result<(), Failure> {
    let config = data.load().map_err(Failure::at_start)?;
    logging::init(&config.log.level);
    create_data_dir(&config).map_err(Failure::at_start)?;
    block_on(async {
        // A path that holds wherever it is read.
        let data_dir = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
        let app = app::start(config.clone()).await?;
        tell(&app, &data_dir, output);
        tokio::select! {
            () = app::wait_for_signal() => {}
            () = reload::at_hangups(&data, config, systemd) => {}
        }
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

//! `serve`: runs the shop.

use std::net::SocketAddr;
use std::path::Path;

use clap::Args as ClapArgs;
use serde_json::json;

use super::data::{DataArgs, create_folder};
use super::failure::Failure;
use super::logging;
use super::output::Output;
use super::runtime::block_on;
use crate::app::{self, App};
use crate::domain::account::SETUP_SECS;

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
        let link = app.first_run_link().await?;
        tell(&app, link.as_deref(), &data_dir, output);
        app::wait_for_signal().await;
        app.stop().await;
        Ok(())
    })
}

/// Tells a script where the shop is, as `demo` does; people have the log. Both are told how the first administrator is
/// made while there is none.
fn tell(app: &App, link: Option<&str>, data_dir: &Path, output: &Output) {
    let text = link.map_or_else(String::new, |link| {
        format!(
            "Nobody runs this shop yet. Within {} minutes, on this machine or from its local network, make the first \
             administrator at\n{link}\nLater: ip2tor-shop operator first-run-link",
            SETUP_SECS / 60
        )
    });
    if output.is_json() || link.is_some() {
        let url = |address: SocketAddr| format!("http://{address}");
        let document = json!({
            "shop_url": url(app.local_addr()),
            "admin_url": app.admin_addr().map(url),
            "first_run_link": link,
            "onion": app.onion_address(),
            "data_dir": data_dir,
        });
        output.result(&document, &text);
    }
}

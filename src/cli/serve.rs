//! `serve`: runs the shop.

use std::net::SocketAddr;
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
use crate::domain::account::SETUP_SECS;
use crate::services::operators::first_run;

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
        let hangups = reload::listen(&config, systemd);
        let app = app::start(config.clone()).await?;
        let link = app.first_run_link().await?;
        tell(&app, link.as_deref(), &data_dir, output);
        tokio::select! {
            () = app::wait_for_signal() => {}
            () = reload::at_hangups(hangups, &data, config, systemd) => {}
        }
        app.stop().await;
        Ok(())
    })
}

/// Tells a script where the shop is, as `demo` does; people have the log. Both are told how the first administrator is
/// made while there is none.
fn tell(app: &App, link: Option<&str>, data_dir: &Path, output: &Output) {
    let from_where = app.admin_addr().map(first_run::from_where).unwrap_or_default();
    let text = link.map_or_else(String::new, |link| {
        format!(
            "Nobody runs this shop yet. Within {} minutes, {from_where}, make the first administrator at\n{link}\n\
             Later: ip2tor-shop operator first-run-link",
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

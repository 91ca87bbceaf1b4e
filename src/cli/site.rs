//! `site`: the shop's own domain and name.

use clap::{Args as ClapArgs, Subcommand};
use serde_json::json;

use super::data::DataArgs;
use super::failure::Failure;
use super::output::{Output, fields};
use crate::services::hosts::catalog::Site;
use crate::services::{hosts, site};

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the domain and name
    Show,
    /// Set the domain, the name or both
    Set {
        /// The domain, as buyers see it with each host
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
        /// The name of the shop
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    match args.command {
        Command::Show => print(output, args.data.open()?.read(|tx| hosts::catalog::site(tx.db))?),
        Command::Set { domain: None, name: None } => {
            return Err(Failure::Usage("say what to set: --domain, --name or both".to_owned()));
        }
        Command::Set { domain, name } => {
            let data = args.data.open_or_create()?;
            print(output, data.write(move |tx| site::set(tx, domain.as_deref(), name.as_deref()))?);
        }
    }
    Ok(())
}

fn print(output: &Output, site: Site) {
    let document = json!({"domain": site.domain, "name": site.name});
    output.result(&document, &fields(&[("domain", site.domain), ("name", site.name)]));
}

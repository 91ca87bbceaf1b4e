//! `onion`: the shop's onion service and its keys. Changes need the shop to be stopped.

mod identity;

use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use serde_json::json;

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;
use crate::app::StartError;
use crate::config::Config;
use crate::onion::keys::{self, KeyFormat};
use crate::onion::{OnionConfig, OnionError, authorized};
use crate::services::backup;
use identity::Identity;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the shop's .onion address; works while the shop is stopped, too
    Address {
        /// The address of the operators' own service instead
        #[arg(long)]
        admin: bool,
    },
    /// Write the service's key into a file: whoever has it is the shop
    Export {
        /// The file, which must not exist
        file: PathBuf,
        /// How the key is written
        #[arg(long, value_enum, default_value = "arti")]
        format: Format,
        /// The key of the operators' own service instead
        #[arg(long)]
        admin: bool,
    },
    /// Take over the key of another installation, of a C Tor service (hs_ed25519_secret_key) or in a backup
    Import {
        /// The file with the key, or a backup of which nothing else is used; it never replaces another address
        file: PathBuf,
        /// The key of the operators' own service instead
        #[arg(long)]
        admin: bool,
    },
    /// Give up the address; the next start makes a new one
    Reset {
        /// Yes, the present address will be gone for good
        #[arg(long)]
        yes_lose_the_address: bool,
        /// The address of the operators' own service instead
        #[arg(long)]
        admin: bool,
    },
    /// Let a client find the operators' own service, from its next start on
    Authorize {
        /// What you call the client
        name: String,
        /// Its public key, as in descriptor:x25519:…
        #[arg(required_unless_present = "revoke", conflicts_with = "revoke")]
        key: Option<String>,
        /// Take the client off the list instead
        #[arg(long)]
        revoke: bool,
    },
}

/// How a key is written.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// As this shop and arti keep it
    Arti,
    /// As C Tor keeps it, for a HiddenServiceDir
    CTor,
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    let config = args.data.load()?;
    backup::settle_pending(&config.places())?;
    let settings = config.onion_settings()?;
    let of = |admin| Identity::of(&config, &settings, admin);
    match args.command {
        Command::Address { admin } => print_address(output, &of(admin)?.address()?),
        Command::Export { file, format, admin } => {
            let format = match format {
                Format::Arti => KeyFormat::Arti,
                Format::CTor => KeyFormat::CTor,
            };
            of(admin)?.export(&file, format)?;
            let path = file.display().to_string();
            output.result(&json!({"file": path}), &format!("The key is in {path}: whoever has it is the shop."));
        }
        Command::Import { file, admin } => {
            print_address(output, &of(admin)?.import(&file)?);
            output.warn("the instance that had this key must be off for good: two of them take each other's clients");
        }
        Command::Reset { yes_lose_the_address: false, .. } => {
            let text = "the address would be gone for good: export the key, then say --yes-lose-the-address";
            return Err(Failure::Usage(text.to_owned()));
        }
        Command::Reset { yes_lose_the_address: true, admin } => {
            let lost = of(admin)?.reset()?;
            let name = lost.as_deref().unwrap_or("The address (whose key could not be read)");
            output.result(&json!({"lost": lost}), &format!("{name} is gone; the next start makes a new address."));
        }
        Command::Authorize { name, key, .. } => authorize(&settings, &name, key.as_deref(), output)?,
    }
    Ok(())
}

/// The address of a key of C Tor, which is left where it is.
pub fn address_of_key(config: &Config, file: &Path) -> Result<String, Failure> {
    let content = identity::read_key(file)?;
    if content.starts_with(b"-----BEGIN OPENSSH") {
        let text = format!("{} is a key of a shop like this one: take it with `onion import`", file.display());
        return Err(Failure::Failed(text));
    }
    Ok(keys::address_in(&config.onion_settings()?.state_dir, file, &content)?)
}

/// The address that the shop has already, when it is not `wanted`.
pub fn other_address(config: &Config, wanted: &str) -> Result<Option<String>, Failure> {
    public(config)?.other_than(wanted)
}

/// Takes over the key in a file; says its address. For an empty shop, which gives up the address that its first start
/// has made: nobody can have bought there.
pub fn take_key(config: &Config, file: &Path) -> Result<String, Failure> {
    let (wanted, identity) = (address_of_key(config, file)?, public(config)?);
    if identity.other_than(&wanted)?.is_some() {
        identity.reset()?;
    }
    identity.import(file)
}

fn public(config: &Config) -> Result<Identity, Failure> {
    Identity::of(config, &config.onion_settings()?, false)
}

fn print_address(output: &Output, address: &str) {
    output.result(&json!({"address": address}), address);
}

/// Without a key the client is taken off the list.
fn authorize(settings: &OnionConfig, name: &str, key: Option<&str>, output: &Output) -> Result<(), Failure> {
    let (state, nickname) = (&settings.state_dir, &settings.admin.nickname);
    match key {
        Some(key) => {
            authorized::authorize(state, nickname, name, key).map_err(of_arguments)?;
            let text = format!("{name} can find the operators' service after the next start of the shop.");
            output.result(&json!({"name": name, "authorized": true}), &text);
        }
        None if authorized::revoke(state, nickname, name).map_err(of_arguments)? => {
            let text = format!("{name} can't find the operators' service any more after the next start of the shop.");
            output.result(&json!({"name": name, "authorized": false}), &text);
        }
        None => return Err(Failure::Failed(format!("there is no client {name} on the list"))),
    }
    Ok(())
}

/// A name or a key that is none was given on the command line.
fn of_arguments(error: OnionError) -> Failure {
    match error {
        OnionError::Config { problem, .. } => Failure::Usage(problem),
        other => other.into(),
    }
}

impl From<OnionError> for Failure {
    fn from(error: OnionError) -> Self {
        StartError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use super::identity::of_change;
    use super::*;

    #[test]
    fn a_setting_of_the_onion_that_cannot_work_is_a_problem_of_the_configuration() {
        let unusable =
            || OnionError::Config { field: "admin.clients".into(), problem: "nobody is authorized".to_owned() };
        let failure = Failure::from(unusable());
        assert_eq!(failure.exit_code(), 78);
        let text = failure.text(str::to_owned);
        assert!(text.ends_with("onion.admin.clients: nobody is authorized"), "{text}");
        assert_eq!(of_arguments(unusable()).exit_code(), 2, "the file is not to blame for an argument");
    }

    #[test]
    fn who_changes_the_key_of_a_running_shop_is_told_to_stop_it() {
        let text = of_change(OnionError::StateInUse("/shop/tor".into())).text(str::to_owned);
        assert!(text.contains("stop it first") && !text.contains("state_dir"), "{text}");
    }
}

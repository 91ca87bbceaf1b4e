//! `check-config`: all problems of a configuration file at once.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::as_owner::become_owner;
use super::failure::Failure;
use super::output::Output;
use super::reload;
use crate::config::{Config, DEFAULT_FILE, Problem, Problems};
use crate::onion::AuthorizedClients;

#[derive(ClapArgs)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    config: PathBuf,
    /// Also refuse what a running shop can't take over: FILE is what it runs with (none there: nothing is compared)
    #[arg(long, value_name = "FILE")]
    running: Option<PathBuf>,
}

pub fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    if let Some(folder) = Config::data_dir_in(&args.config) {
        become_owner(&folder)?;
    }
    let checked = Config::load(&args.config).and_then(|config| check_all(&config, output).map(|()| config));
    match checked {
        Ok(config) => {
            let running = args.running.as_deref().filter(|file| file.exists());
            running.map_or(Ok(()), |running| check_against(&Config::load(running)?, &config))?;
            let document = json!({"valid": true, "problems": []});
            output.result(&document, &format!("{} is valid.", args.config.display()));
            Ok(())
        }
        Err(problems) => {
            if output.is_json() {
                let list: Vec<_> =
                    problems.0.iter().map(|problem| json!({"key": problem.key, "message": problem.message})).collect();
                output.result(&json!({"valid": false, "problems": list}), "");
            }
            Err(problems.into())
        }
    }
}

/// Refuses what differs from the configuration that the shop runs with and is used from its start on.
fn check_against(running: &Config, new: &Config) -> Result<(), Failure> {
    let waiting = reload::needing_a_restart(running, new);
    if waiting.is_empty() {
        return Ok(());
    }
    let text = format!(
        "nothing is read again, since this needs a restart (systemctl restart ip2tor-shop): {}",
        waiting.join(", ")
    );
    Err(Failure::Failed(text))
}

/// What only other files show.
fn check_all(config: &Config, output: &Output) -> Result<(), Problems> {
    config.branding.read_logo().map_err(|problem| Problems(vec![problem]))?;
    check_clients(config, output)
}

/// The operators' own onion service needs somebody who can find it: in the file or beside Tor's keys.
/// Those who may not look there learn that.
fn check_clients(config: &Config, output: &Output) -> Result<(), Problems> {
    let Err(error) = AuthorizedClients::of_operators(&config.onion_settings()?) else { return Ok(()) };
    match Problem::of_onion(&error) {
        Some(problem) => Err(Problems(vec![problem])),
        None => {
            output.warn(&format!("who may find the operators' onion service could not be checked: {error}"));
            Ok(())
        }
    }
}

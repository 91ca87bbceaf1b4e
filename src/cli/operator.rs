//! `operator`: the people who run the shop or own hosts and nodes in it.

use std::io::Read;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use super::data::DataArgs;
use super::failure::Failure;
use super::output::Output;
use crate::config::{Secret, SecretSource};
use crate::domain::account::SETUP_SECS;
use crate::domain::id::SystemRandom;
use crate::domain::operator::{Operator, Role};
use crate::services::operators;

/// More than this is no password. Bytes.
const MAX_INPUT: u64 = 64 * 1024;

#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Add an operator; without a password one is made and shown once
    Add {
        /// The name to log in with
        name: String,
        /// administrator (may do everything) or operator (own hosts and nodes only)
        #[arg(long, default_value = "operator", value_parser = role)]
        role: Role,
        #[command(flatten)]
        password: Password,
    },
    /// List the operators
    List,
    /// Make a link with which the first administrator is made in a browser, while there is none
    FirstRunLink,
    /// Take the second factor of an operator away who has lost it
    ResetTotp {
        /// The operator's name
        name: String,
    },
    /// Replace a password; without one, a new one is made and shown once
    SetPassword {
        /// The operator's name
        name: String,
        #[command(flatten)]
        password: Password,
    },
}

#[derive(ClapArgs)]
#[group(multiple = false)]
struct Password {
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from file:PATH, env:NAME or cred:NAME (a credential of systemd)
    #[arg(long, value_name = "SOURCE", value_parser = SecretSource::parse)]
    password_from: Option<SecretSource>,
}

impl Password {
    /// The password, and whether it was made here and so must be shown.
    fn get(self) -> Result<(Secret, bool), Failure> {
        let source = self.password_from.or(self.password_file.map(SecretSource::File));
        if let Some(source) = source {
            return source.read().map(|secret| (secret, false)).map_err(Failure::Failed);
        }
        if !self.password_stdin {
            return Ok((Secret::new(&operators::passwords::generate(&SystemRandom)), true));
        }
        let mut bytes = Vec::new();
        let read = std::io::stdin().take(MAX_INPUT).read_to_end(&mut bytes);
        read.map_err(|error| Failure::Failed(format!("can't read the password: {error}")))?;
        let secret = Secret::read(&bytes).map_err(|why| Failure::Failed(format!("the password: {why}")))?;
        Ok((secret, false))
    }
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "the roles are administrator and operator".to_owned())
}

pub fn run(args: Args, output: &Output) -> Result<(), Failure> {
    match args.command {
        Command::Add { name, role, password } => add(&args.data, name, role, password, output),
        Command::List => list(&args.data, output),
        Command::FirstRunLink => first_run_link(&args.data, output),
        Command::ResetTotp { name } => reset_totp(&args.data, name, output),
        Command::SetPassword { name, password } => set_password(&args.data, name, password, output),
    }
}

fn add(data: &DataArgs, name: String, role: Role, password: Password, output: &Output) -> Result<(), Failure> {
    let (password, show) = password.get()?;
    let hash = operators::passwords::hash_new(&name, password.reveal(), &SystemRandom)?;
    let data = data.open_or_create()?;
    let stored = name.clone();
    let id = data.write(move |tx| operators::manage::add(tx, &stored, role, &hash))?;
    let mut document = json!({"id": id.0, "name": name, "role": role.name()});
    let mut text = format!("Added {} {name}.", role.name());
    show_password(&mut document, &mut text, &password, show);
    output.result(&document, &text);
    Ok(())
}

fn set_password(data: &DataArgs, name: String, password: Password, output: &Output) -> Result<(), Failure> {
    let (password, show) = password.get()?;
    let hash = operators::passwords::hash_new(&name, password.reveal(), &SystemRandom)?;
    let stored = name.clone();
    data.open()?.write(move |tx| operators::manage::set_password(tx, &stored, &hash, None))?;
    let mut text = format!("The password of {name} is replaced, and all sessions of {name} have ended.");
    let mut document = json!({"name": name});
    show_password(&mut document, &mut text, &password, show);
    output.result(&document, &text);
    Ok(())
}

fn first_run_link(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let data = data.open_or_create()?;
    let Some(address) = data.config.http.admin_listen.filter(|address| address.port() != 0) else {
        let text = "nobody could open the link: set http.admin_listen in the configuration to an address, such as \
                    127.0.0.1:8001";
        return Err(Failure::Failed(text.to_owned()));
    };
    let Some(key) = data.write(|tx| operators::first_run::new_link(tx, &SystemRandom))? else {
        let text = "there is an administrator already: `operator set-password NAME` makes a new password";
        return Err(Failure::Failed(text.to_owned()));
    };
    let link = operators::first_run::link(address, &key);
    let from_where = operators::first_run::from_where(address);
    let text = format!("While the shop runs, within {} minutes, {from_where}:\n{link}", SETUP_SECS / 60);
    output.result(&json!({"first_run_link": link}), &text);
    Ok(())
}

fn reset_totp(data: &DataArgs, name: String, output: &Output) -> Result<(), Failure> {
    let stored = name.clone();
    data.open()?.write(move |tx| operators::manage::reset_second_factor(tx, &stored))?;
    output.result(&json!({"name": name}), &format!("{name} signs in with name and password alone again."));
    Ok(())
}

/// A password that was made here is shown this once.
fn show_password(document: &mut Value, text: &mut String, password: &Secret, show: bool) {
    if show {
        document["password"] = json!(password.reveal());
        text.push_str(&format!("\nPassword (shown only now): {}", password.reveal()));
    }
}

fn list(data: &DataArgs, output: &Output) -> Result<(), Failure> {
    let operators = data.open()?.read(operators::manage::list)?;
    let row = |operator: &Operator| {
        let Operator { id, name, role, created_at, .. } = operator;
        let signs_in = match (operator.disabled_at, operator.has_second_factor) {
            (Some(_), _) => "no",
            (None, true) => "with a second factor",
            (None, false) => "yes",
        };
        vec![id.0.to_string(), name.clone(), role.name().to_owned(), signs_in.to_owned(), created_at.to_wire()]
    };
    let document = |operator: &Operator| {
        json!({
            "id": operator.id.0,
            "name": operator.name,
            "role": operator.role.name(),
            "is_enabled": operator.disabled_at.is_none(),
            "has_second_factor": operator.has_second_factor,
            "created_at": operator.created_at.to_wire(),
            "modified_at": operator.modified_at.to_wire(),
        })
    };
    let rows: Vec<_> = operators.iter().map(row).collect();
    let documents: Vec<Value> = operators.iter().map(document).collect();
    let nothing = "There are no operators yet: `ip2tor-shop operator add NAME --role administrator`.";
    output.list(&json!(documents), &["ID", "NAME", "ROLE", "SIGNS IN", "ADDED"], &rows, nothing);
    Ok(())
}

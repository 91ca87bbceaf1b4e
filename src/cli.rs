//! The command line: names, flags and output are an interface that scripts rely on. One file per
//! noun; each command is one function that is given its parsed arguments.

mod alerts;
mod arguments;
mod as_owner;
mod backup;
mod bridge;
mod check_config;
mod clock;
mod credential;
mod data;
#[cfg(feature = "demo")]
mod demo;
mod deny;
mod doctor;
mod failure;
mod history;
mod host;
mod host_fields;
mod import;
#[cfg(feature = "demo")]
mod lnd_simulator;
mod log_kept;
mod logging;
mod node;
mod onion;
mod openapi;
mod operator;
mod order;
mod output;
mod refund;
mod reload;
mod runtime;
mod serve;
mod site;
mod user;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use serde_json::json;

use crate::domain::text::for_terminal;
use arguments::Arguments;
use failure::Failure;
use output::Output;

/// Sells Tor bridges and Nostr aliases over Lightning.
#[derive(Parser)]
#[command(name = "ip2tor-shop", version, max_term_width = 100)]
struct Cli {
    /// Print one JSON document, and nothing else, on standard output; after a failure one with `error` and `fields`
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the shop
    Serve(serve::Args),
    /// Run a complete shop to try out: a simulated Lightning node, a host, and its agent
    #[cfg(feature = "demo")]
    Demo(demo::Args),
    /// Report every problem of a configuration file (exit code 78 when there is one)
    CheckConfig(check_config::Args),
    /// Print the OpenAPI document of the HTTP interface
    Openapi,
    /// Hosts: the machines with public IP addresses
    Host(host::Args),
    /// Operators: the people who run the shop or own hosts and nodes
    Operator(operator::Args),
    /// The shop's own domain and name
    Site(site::Args),
    /// Deny lists for targets and IP addresses
    Deny(deny::Args),
    /// Purchase orders
    Order(order::Args),
    /// Tor bridges and Nostr aliases that were sold
    Bridge(bridge::Args),
    /// What you should know (refunds due, dead hosts and nodes, …), and whether it reaches you
    Alerts(alerts::Args),
    /// One-file backups, taken while the shop runs
    Backup(backup::Args),
    /// Moving in from another kind of shop
    Import(import::Args),
    /// Lightning nodes
    Node(node::Args),
    /// A development node that speaks LND's gRPC (regtest, no real money)
    #[cfg(feature = "demo")]
    LndSimulator(lnd_simulator::Args),
    /// The shop's onion service and its keys
    Onion(onion::Args),
    /// Whether the machine's clock is trusted, and how to say that it is right
    Clock(clock::Args),
    /// Check the installation: configuration, database, clock, disk, hosts, nodes, onion service, backups
    Doctor(doctor::Args),
}

/// Parses the command line, runs the command and says how it went: 0 done, 1 failed, 2 wrong usage,
/// 78 wrong configuration, or a start that trying again does not help.
pub fn run() -> ExitCode {
    let command = Cli::command();
    let matches = match command.clone().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return misuse(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return misuse(&error),
    };
    let output = Output::new(cli.json);
    match dispatch(cli.command, &output) {
        Ok(()) if output.is_whole() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(failure) => {
            if !matches!(failure, Failure::Told) {
                let arguments = Arguments::of(command, &matches);
                let text = failure.text(|field| arguments.name(field));
                output.failure(&failure.document(&text), &text);
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What the parser says: that the command line can't be understood, or help and version.
fn misuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // Nobody may be reading any more.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // What was typed stands in it: a script may have it from a stranger.
    eprint!("{}", for_terminal(&error.to_string()));
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        let reason = text.split_once("\n\nUsage:").map_or(text, |(reason, _)| reason).trim_end();
        Output::new(true).result(&json!({"error": reason, "fields": {}}), "");
    }
    ExitCode::from(2)
}

fn dispatch(command: Command, output: &Output) -> Result<(), Failure> {
    // Long-running commands log as they are configured; the others only what is wrong.
    match &command {
        Command::Serve(_) => {}
        #[cfg(feature = "demo")]
        Command::Demo(_) => {}
        Command::Import(_) => logging::init("warn,ip2tor_shop::store::alerts=off"),
        Command::Node(args) if args.is_check() => logging::init("warn,ip2tor_shop::store::alerts=off"),
        _ => logging::init("warn"),
    }
    match command {
        Command::Serve(args) => serve::run(args, output),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(args, output),
        Command::CheckConfig(args) => check_config::run(&args, output),
        Command::Openapi => openapi::run(output),
        Command::Host(args) => host::run(args, output),
        Command::Operator(args) => operator::run(args, output),
        Command::Site(args) => site::run(args, output),
        Command::Deny(args) => deny::run(args, output),
        Command::Order(args) => order::run(args, output),
        Command::Bridge(args) => bridge::run(args, output),
        Command::Alerts(args) => alerts::run(args, output),
        Command::Backup(args) => backup::run(args, output),
        Command::Import(args) => import::run(args, output),
        Command::Node(args) => node::run(args, output),
        #[cfg(feature = "demo")]
        Command::LndSimulator(args) => lnd_simulator::run(args, output),
        Command::Onion(args) => onion::run(args, output),
        Command::Clock(args) => clock::run(args, output),
        Command::Doctor(args) => doctor::run(&args, output),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The help of a command and of those below it, as on a terminal of 100 columns.
    fn help(command: &clap::Command, name: &str) -> String {
        let own = command.clone().bin_name(name).term_width(100).render_long_help();
        let below = command.get_subcommands().filter(|sub| sub.get_name() != "help");
        let below = below.map(|sub| help(sub, &format!("{name} {}", sub.get_name())));
        format!("# {name}\n\n{own}\n{}", below.collect::<String>())
    }

    #[test]
    fn help_is_as_it_was_looked_through() {
        let mut command = Cli::command();
        command.build();
        for noun in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            insta::assert_snapshot!(format!("help_{}", noun.get_name()), help(noun, noun.get_name()));
        }
    }

    #[test]
    fn every_command_and_flag_explains_itself() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no explanation", command.get_name());
            for arg in command.get_arguments().filter(|arg| !matches!(arg.get_id().as_str(), "help" | "version")) {
                assert!(arg.get_help().is_some(), "{} {} has no explanation", command.get_name(), arg.get_id());
            }
            command.get_subcommands().filter(|sub| sub.get_name() != "help").for_each(check);
        }
        check(&Cli::command());
    }
}

//! How a field is given on the command line: a message about a field is a message about an argument.

use clap::{Arg, ArgMatches, Command};

/// The arguments of the command that was called.
pub struct Arguments(Command);

impl Arguments {
    /// Those of the command that `matches` of `command` chose.
    pub fn of(mut command: Command, mut matches: &ArgMatches) -> Self {
        while let Some((name, chosen)) = matches.subcommand() {
            let Some(next) = command.find_subcommand(name).cloned() else { break };
            (command, matches) = (next, chosen);
        }
        Self(command)
    }

    /// As people know the field: the flag that sets it (or all from which it can come, as
    /// `--password-file` or `--password-stdin`), the place in the usage line, or else its own name.
    pub fn name(&self, field: &str) -> String {
        if let Some(argument) = self.0.get_arguments().find(|argument| argument.get_id() == field) {
            return spelling(argument);
        }
        let prefix = format!("{field}_");
        let sources = self.0.get_arguments().filter(|argument| argument.get_id().as_str().starts_with(&prefix));
        let names: Vec<_> = sources.map(spelling).collect();
        if names.is_empty() { field.to_owned() } else { names.join(" or ") }
    }
}

/// `--flag`, or the name of a place as clap writes it.
fn spelling(argument: &Arg) -> String {
    argument.get_long().map_or_else(|| argument.get_id().as_str().to_uppercase(), |long| format!("--{long}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_as_the_called_command_takes_it() {
        let add = Command::new("add").args([
            Arg::new("name"),
            Arg::new("port_range").long("port-range"),
            Arg::new("password_file").long("password-file"),
            Arg::new("password_stdin").long("password-stdin"),
        ]);
        let command = Command::new("shop").arg(Arg::new("name").long("other")).subcommand(add);
        let matches = command.clone().try_get_matches_from(["shop", "add", "x"]).unwrap();
        let arguments = Arguments::of(command, &matches);
        for (field, name) in [
            ("name", "NAME"),
            ("port_range", "--port-range"),
            ("password", "--password-file or --password-stdin"),
            ("status", "status"),
        ] {
            assert_eq!(arguments.name(field), name);
        }
    }
}

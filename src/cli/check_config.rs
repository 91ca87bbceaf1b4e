//! `check-config`: all problems of a configuration file at once.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::failure::Failure;
use super::output::Output;
use crate::config::{Config, DEFAULT_FILE};

#[derive(ClapArgs)]
pub struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = DEFAULT_FILE)]
    config: PathBuf,
}

pub fn run(args: &Args, output: &Output) -> Result<(), Failure> {
    match Config::load(&args.config) {
        Ok(_) => {
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

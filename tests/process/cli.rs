//! The command line as scripts use it: the built program, its output and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folders;
mod hosts;
mod nodes;
mod words;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");

/// A data folder to run commands on.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_operator() -> Self {
        let shop = Self::new();
        shop.json(&["operator", "add", "anna", "--role", "administrator"]);
        shop
    }

    /// From now on nodes on regtest may sell.
    fn permit_regtest(&self) {
        let config = format!("data_dir = \"{}\"\n[lightning]\nallow_regtest = true\n", self.0.path().display());
        std::fs::write(self.config(), config).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn run(&self, args: &[&str]) -> Output {
        let config = self.config();
        let (flag, place) =
            if config.exists() { ("--config", config) } else { ("--data-dir", self.0.path().to_owned()) };
        run(&[args, &[flag, place.to_str().unwrap()]].concat())
    }

    /// The document that a command prints; it must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}{}", stderr(&output), stdout(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", stdout(&output)))
    }

    /// What a command that must fail says.
    fn refusal(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stdout(&output));
        assert!(output.stdout.is_empty(), "{args:?}: {}", stdout(&output));
        stderr(&output)
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(BIN).args(args).env_remove("RUST_LOG").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The one document that a command prints with `--json` when it fails.
fn error_document(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)));
    let error = document["error"].as_str().unwrap();
    assert!(stderr(output).contains(error.lines().next().unwrap()), "{error}: {}", stderr(output));
    assert!(document["fields"].is_object(), "{document}");
    document
}

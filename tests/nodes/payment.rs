//! A payment on its way: a command of the payer's node that ends when the payee has decided.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::PATIENCE;
use crate::live::payer::Paid;
use crate::live::process::wait_until;

/// A payment; forgotten by this process when dropped, not by the payer's node.
pub struct Payment {
    child: Child,
    output: tempfile::NamedTempFile,
}

impl Payment {
    pub fn start(mut command: Command) -> Self {
        let output = tempfile::NamedTempFile::new().expect("a file");
        let file = output.reopen().expect("a second handle");
        let errors = file.try_clone().expect("a third");
        let child = command.stdin(Stdio::null()).stdout(file).stderr(errors).spawn().expect("it starts");
        Self { child, output }
    }

    /// What became of it within `patience`.
    pub fn outcome(&mut self, patience: Duration) -> Paid {
        let Some(status) = wait_until(patience, || self.child.try_wait().ok().flatten()) else { return Paid::Unknown };
        let said = std::fs::read_to_string(self.output.path()).expect("what it said");
        // The last document is the outcome; parts may have failed before.
        let documents = serde_json::Deserializer::from_str(&said).into_iter::<Value>().map_while(Result::ok);
        let failed = documents.last().is_some_and(|outcome| outcome["status"] == "FAILED");
        if status.success() && !failed { Paid::Settled } else { Paid::Failed(said) }
    }

    pub fn expect_settled(&mut self) {
        assert_eq!(self.outcome(PATIENCE), Paid::Settled);
    }

    pub fn expect_given_back(&mut self, patience: Duration) {
        let outcome = self.outcome(patience);
        assert!(matches!(outcome, Paid::Failed(_)), "{outcome:?}");
    }
}

impl Drop for Payment {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

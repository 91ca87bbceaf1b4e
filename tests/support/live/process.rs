//! The built program as processes of its own: started, killed and restarted by their ids. Whatever
//! still runs when a test ends, also by a panic, is killed.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The built program.
pub const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");

/// A running process.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the program; what it says is added to the file `log`.
    pub fn start(args: &[&str], log: &Path) -> Self {
        let mut command = Command::new(BIN);
        command.args(args);
        Self::spawn(command, log)
    }

    /// Starts any command; what it says is added to the file `log`.
    pub fn spawn(mut command: Command, log: &Path) -> Self {
        let file = append(log);
        let errors = file.try_clone().expect("a second handle");
        command.env("NO_COLOR", "1").env_remove("RUST_LOG").stdin(Stdio::null()).stdout(file).stderr(errors);
        Self::adopt(command.spawn().expect("the process starts"), log)
    }

    /// Takes care of a process that was started elsewhere.
    pub fn adopt(child: Child, log: &Path) -> Self {
        Self { child, log: log.to_owned() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as a power cut does, as far as a process can tell.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends a signal by name, as in `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "SIG{name} can be sent");
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        wait_until(patience, || self.child.try_wait().ok().flatten())
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let said = self.said();
            let tail: Vec<&str> = said.lines().rev().take(30).collect();
            eprintln!("--- the end of {}:", self.log.display());
            tail.iter().rev().for_each(|line| eprintln!("{line}"));
        }
    }
}

fn append(log: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(log).expect("a log file")
}

/// Asks every few milliseconds until there is an answer.
pub fn wait_until<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if start.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a command to its end; the document that it prints.
pub fn run_json(args: &[&str]) -> Value {
    let output = Command::new(BIN).args(args).arg("--json").env_remove("RUST_LOG").output().expect("it runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"))
}

//! System calls of a running process, recorded or tampered with for a while by `strace`, or all those of a command.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::process::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// An attached tracer; detaches when dropped.
pub struct Strace {
    child: Child,
    dir: TempDir,
}

impl Strace {
    /// Whether this machine lets one process trace another. Says loudly when not; with
    /// `REQUIRE_STRACE=1` in the environment that is a failure.
    pub fn is_permitted() -> bool {
        let mut command = Command::new("strace");
        let tried = command.args(["-e", "trace=none", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let permitted = tried.is_ok_and(|status| status.success());
        if !permitted {
            let required = std::env::var_os("REQUIRE_STRACE").is_some();
            assert!(!required, "REQUIRE_STRACE is set, but strace is missing or not permitted");
            eprintln!("\n*** SKIPPED: strace is missing or not permitted here (ptrace); install it, or allow it ***\n");
        }
        permitted
    }

    /// Attaches to all threads of a process.
    pub fn attach(pid: u32, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let messages = std::fs::File::create(dir.path().join("messages")).expect("a file");
        let mut command = Command::new("strace");
        command.args(["-f", "-y", "-s", "20000", "-o"]).arg(dir.path().join("trace")).args(flags);
        command.args(["-p", &pid.to_string()]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(messages);
        let trace = Self { child: command.spawn().expect("strace starts"), dir };
        let attached = || trace.read("messages").contains("attached").then_some(());
        wait_until(PATIENCE, attached).expect("strace attaches");
        trace
    }

    /// The calls of a command from its start to its end, as [`Strace::calls`]; it must succeed.
    pub fn of(command: &[&str], flags: &[&str]) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let trace = dir.path().join("trace");
        let mut strace = Command::new("strace");
        strace
            .args(["-f", "-y", "-s", "200", "-o"])
            .arg(&trace)
            .args(flags)
            .arg("--")
            .args(command)
            .env_remove("RUST_LOG");
        let output = strace.output().expect("strace runs");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        let bytes = std::fs::read(trace).expect("a trace");
        String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
    }

    fn read(&self, name: &str) -> String {
        let bytes = std::fs::read(self.dir.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn detach(&mut self) {
        let _ = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status();
        if wait_until(PATIENCE, || self.child.try_wait().ok().flatten()).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    /// Detaches; the calls in the order in which they began or came back, one a line.
    pub fn calls(mut self) -> Vec<String> {
        self.detach();
        self.read("trace").lines().map(str::to_owned).collect()
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.detach();
        }
    }
}

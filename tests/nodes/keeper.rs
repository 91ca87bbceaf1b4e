//! Processes of the networks that scenes share. They live as long as the test binary and end with it, however it ends: a
//! shell beside it reads a pipe, and when that closes it kills what is noted in the folder and removes the folder.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::live::process::Process;

/// Waits for the end of the pipe. A moment lies between killing and removing: who is killed writes no more then.
const WATCH: &str = r#"cat >/dev/null; cat "$0"/*.pid | xargs -r kill -KILL 2>/dev/null; sleep 1
[ -n "$IP2TOR_KEEP_NODES" ] && echo "kept: $0" || rm -rf "$0""#;

/// The folder of one network. `IP2TOR_KEEP_NODES=1` leaves it there, with the logs.
pub struct Keeper {
    dir: PathBuf,
    /// Its end is what the shell waits for.
    _pipe: Option<ChildStdin>,
    _shell: Child,
}

impl Keeper {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("ip2tor-nodes-").tempdir().expect("a folder").keep();
        let mut command = Command::new("sh");
        // A group of its own: Ctrl-C must not end it before it has done its work.
        command.args(["-c", WATCH]).arg(&dir).stdin(Stdio::piped()).process_group(0);
        let mut shell = command.spawn().expect("a shell");
        Self { dir, _pipe: shell.stdin.take(), _shell: shell }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A process that is to be started here.
    pub fn daemon(&self, name: &str) -> Daemon {
        let file = |ending: &str| self.dir.join(format!("{name}.{ending}"));
        Daemon { process: None, pid_file: file("pid"), log: file("log") }
    }
}

/// A process of the network, running or not.
pub struct Daemon {
    process: Option<Process>,
    pid_file: PathBuf,
    log: PathBuf,
}

impl Daemon {
    pub fn start(&mut self, command: Command) {
        self.kill();
        let process = Process::spawn(command, &self.log);
        std::fs::write(&self.pid_file, format!("{}\n", process.id())).expect("its id is noted");
        self.process = Some(process);
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
            let _ = std::fs::remove_file(&self.pid_file);
        }
    }

    /// Ends it as an operator does.
    pub fn end(&mut self) {
        if let Some(process) = &mut self.process {
            process.signal("TERM");
            process.wait(crate::PATIENCE).expect("it ends when it is told to");
        }
        self.kill();
    }

    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(Process::is_running)
    }

    /// Stops it in the middle of whatever it does, until the result is dropped.
    pub fn stop(&self) -> Stopped<'_> {
        let process = self.process.as_ref().expect("it runs");
        process.signal("STOP");
        Stopped(process)
    }

    /// CPU time used so far, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let id = self.process.as_ref().expect("it runs").id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("a running process");
        // What follows the name, which may have blanks: user and system time are the 14th and 15th of all.
        let rest = stat.rsplit_once(')').expect("a name").1;
        rest.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// A process that does nothing, whatever it is sent.
pub struct Stopped<'a>(&'a Process);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.signal("CONT");
    }
}

//! What tests of the real program from outside share: processes, a shop set up by the command line,
//! an HTTP client, a payer, and system calls.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod http;
pub mod payer;
#[path = "../port.rs"]
pub mod port;
pub mod process;
pub mod shop;
pub mod strace;

/// The machine's time: a test from outside has no other. Unix seconds.
pub fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the clock of the process under test can't be moved")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

//! What tests of the real program from outside share: processes, a shop set up by the command line,
//! an HTTP client, a payer, and system calls.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod http;
pub mod payer;
pub mod process;
pub mod shop;
pub mod strace;

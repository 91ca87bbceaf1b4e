//! The tests of the real process, from outside: commands, kills, system calls, full disks, browsers. What looks through every line
//! that is logged is here too: the log is the whole process's.

mod browser;
mod cli;
mod durability;
mod durable_restore;
mod first_run;
mod import;
mod import_invoices;
mod kill;
mod litestream;
#[path = "../support/live/mod.rs"]
mod live;
mod mail;
mod mishaps;
mod purchase;
mod secrets;
mod service;
mod storage;
#[path = "../support/mod.rs"]
mod support;

use live::port;

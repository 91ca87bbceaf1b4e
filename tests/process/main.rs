//! The tests of the real process, from outside: commands, kills, system calls, full disks. What looks through every line
//! that is logged is here too: the log is the whole process's.

mod cli;
mod durability;
mod first_run;
mod kill;
#[path = "../support/live/mod.rs"]
mod live;
mod mishaps;
mod purchase;
mod secrets;
mod storage;

use live::port;

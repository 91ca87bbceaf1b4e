//! The rules of the shop as pure code: no I/O, no clock, no randomness of its own.

pub mod id;
pub mod lightning;
pub mod money;
pub mod time;

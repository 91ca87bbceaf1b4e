//! Replaying the recorded exchanges.

pub mod compare;
pub mod deviations;
pub mod exchange;
pub mod scenario;

//! The scheduled jobs: one table, each job a small idempotent function of the shop and now. A job
//! that is late, doubled or missed changes no result; the scheduler only triggers.

mod memory;
pub mod plan;
mod runs;
pub mod schedule;
pub mod table;

pub use runs::Runs;
pub use schedule::Scheduler;
pub use table::JobContext;

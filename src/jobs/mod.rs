//! The scheduled jobs: one table, each job a small idempotent function of the shop and now. A job
//! that is late, doubled or missed changes no result; the scheduler only triggers.

mod memory;
pub mod plan;
pub mod schedule;
pub mod table;

pub use schedule::Scheduler;
pub use table::JobContext;

//! The scheduled jobs ([`crate::config::Job`]), each a small idempotent function of the shop and now. A job
//! that is late, doubled or missed changes no result; the scheduler only triggers.

pub mod jobs;
pub(super) mod memory;
pub mod plan;
pub mod run;
pub(super) mod runs;
mod scheduler;

pub use jobs::JobContext;
pub use runs::Runs;
pub use scheduler::Scheduler;

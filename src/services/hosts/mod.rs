//! Hosts: as buyers see them, as operators keep them, their check-ins, and what is watched of them.

pub mod catalog;
pub mod check_ins;
pub mod manage;
pub(super) mod sweep;
pub(in crate::services) mod visible;
pub mod watch;

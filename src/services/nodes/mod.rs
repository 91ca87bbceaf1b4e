//! Lightning nodes: as operators keep them, and what they say of themselves.

pub mod clocks;
pub mod health;
pub mod manage;
pub(super) mod names;

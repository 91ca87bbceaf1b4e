//! Payments: what nodes say of them, applied to orders, and paying back what is owed.

pub mod apply;
pub mod claims;
pub(super) mod doubt;
pub(super) mod late;
pub(super) mod refund_nodes;
pub mod refunds;
mod return_late;

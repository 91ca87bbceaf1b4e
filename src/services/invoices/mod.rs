//! Invoices: which node makes one, what became of making it, whose it is, and those that can't be paid any more.

pub mod absence;
pub mod choose_node;
pub mod create;
pub mod intent;
pub mod ownership;

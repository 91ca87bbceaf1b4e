//! Lightning nodes: who is connected, what they say of themselves and of invoices, and what was missed.

mod all_invoices;
mod arrivals;
pub mod asking;
pub(super) mod compare;
pub mod connect;
pub mod entry;
pub mod follow;
pub mod health;
pub(super) mod heard;
pub mod history;
pub mod holds;
pub mod payer;
pub mod registry;
pub mod settlements;
pub(super) mod strangers;
#[cfg(test)]
mod test_entry;
pub(super) mod troubles;
pub(super) mod unheard;

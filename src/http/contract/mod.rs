//! The compatible API below `/api/v1`: everything that imitates the predecessor's framework, for the clients that
//! rely on it, and only over its paths. [`dispatch`] does what is common to all operations, in the recorded order.

pub(super) mod answer;
pub(super) mod auth;
pub(super) mod body;
pub(super) mod call;
pub(super) mod dispatch;
pub(super) mod dto;
pub(super) mod extract;
pub(super) mod fields;
pub mod host;
pub(super) mod negotiate;
pub(super) mod operations;
pub(super) mod options;
pub(super) mod paths;
pub mod public;
pub(super) mod resources;
pub(super) mod tag;

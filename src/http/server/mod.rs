//! Connections: who has one and for how long, what HTTP on it may cost, who is at its other end, and which face of
//! the shop it is shown.

pub(super) mod bodies;
pub(super) mod body_wait;
pub mod client;
pub(super) mod connection;
pub mod connection_limiter;
pub(super) mod connection_state;
pub mod limits;
pub mod listener;
pub(super) mod surface;

//! Operations for hosts with their token, and for administrators. A host sees only what is its own.

pub mod aliases;
pub mod bridges;
pub mod hosts;
pub mod index;
mod products;
mod telegraf;

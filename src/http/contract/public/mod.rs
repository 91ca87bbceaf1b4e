//! Operations for anybody.

pub mod hosts;
pub mod nodes;
pub mod orders;
pub mod products;

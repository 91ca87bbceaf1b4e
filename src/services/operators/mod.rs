//! The people who run the shop, and how they and hosts show who they are.

pub mod authenticate;
pub mod manage;
pub mod passwords;

//! The people who run the shop, and how they and hosts show who they are.

pub mod authenticate;
pub(super) mod django_hash;
pub mod manage;
pub mod passwords;

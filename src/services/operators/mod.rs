//! Operators: their administration, their passwords and keys, and who calls.

pub mod api_tokens;
pub mod authenticate;
pub(super) mod django_hash;
mod failures;
pub mod first_run;
mod keys;
pub mod login;
pub mod manage;
pub mod passwords;
pub mod second_factor;
pub mod sessions;
pub mod totp;

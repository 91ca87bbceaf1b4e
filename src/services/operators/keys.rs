//! Keys that open a door by themselves: of sessions, API tokens, the setup link. They have 256 random bits, so that their
//! SHA-256, which alone is stored, tells nothing.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::domain::id::Random;

/// A key that nobody can guess: 43 characters that need no quoting anywhere.
pub fn generate(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

/// What is stored of a key.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

//! Passwords: hashed with argon2id (19 MiB, two passes), never stored or logged otherwise.

use std::sync::Arc;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{CustomizedPasswordHasher, Error as HashError, PasswordVerifier};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::django_hash::DjangoHash;
use crate::domain::account::{MAX_PASSWORD_BYTES, password_fault};
use crate::domain::id::Random;
use crate::domain::texts::Message;
use crate::services::{Error, Shop};

/// A password that nobody can guess: 120 bits, as 24 letters and digits.
pub fn generate(random: &dyn Random) -> String {
    let mut bytes = [0; 15];
    random.fill(&mut bytes);
    data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()
}

/// Hashes the new password of the operator `name`; takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// [`Error::Invalid`] under `password` for one that is not taken.
pub fn hash_new(name: &str, password: &str, random: &dyn Random) -> Result<String, Error> {
    match password_fault(name, password) {
        Some(fault) => Err(Error::field("password", Message::WeakPassword(fault))),
        None => hash(password, random),
    }
}

/// [`hash_new`] where the caller must not be kept from other work.
///
/// # Errors
/// As [`hash_new`].
pub async fn hash_aside(name: String, password: String, shop: &Shop) -> Result<String, Error> {
    let random = Arc::clone(&shop.random);
    let hashed = tokio::task::spawn_blocking(move || hash_new(&name, &password, &*random));
    hashed.await.map_err(|error| Error::Internal(error.to_string()))?
}

/// Hashes a password, whatever it is; as costly as [`hash_new`].
///
/// # Errors
/// None that could be provoked.
pub fn hash(password: &str, random: &dyn Random) -> Result<String, Error> {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let hashed = Hasher.hash_password_customized(password.as_bytes(), &salt, None, None, Params::default());
    hashed.map(|hash| hash.to_string()).map_err(|error| Error::Internal(format!("argon2: {error}")))
}

/// Whether `password` is the one of `hash`; as costly as [`hash`].
pub fn verify(password: &str, hash: &str) -> bool {
    if let Some(theirs) = DjangoHash::parse(hash) {
        return theirs.fits(password);
    }
    password.len() <= MAX_PASSWORD_BYTES
        && PasswordHash::new(hash).is_ok_and(|hash| Hasher.verify_password(password.as_bytes(), &hash).is_ok())
}

/// So many blocks are reserved, of which argon2 uses fewer. glibc gives memory back to the system at once
/// only if it was reserved in pieces of more than 32 MiB; smaller ones that are used often it keeps, and
/// that for several threads. What is reserved and not used costs nothing.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// Argon2 with memory that is given back.
struct Hasher;

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<PasswordHash, HashError> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let mut memory = Vec::with_capacity(RESERVED_BLOCKS);
        memory.resize(params.block_count(), Block::new());
        let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(password, salt, &mut output, &mut memory)?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(argon2.params())?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(&output)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SystemRandom;
    use argon2::password_hash::PasswordHasher;

    const PASSWORD: &[u8] = b"correct horse";

    #[test]
    fn only_the_right_password_fits_its_hash() {
        let password = generate(&SystemRandom);
        assert_eq!(password.len(), 24);
        let hashed = hash(&password, &SystemRandom).unwrap();
        assert!(hashed.starts_with("$argon2id$"));
        assert!(verify(&password, &hashed));
        assert!(!verify("something else", &hashed));
        assert!(!verify(&password, "not a hash"));
        assert_ne!(hash(&password, &SystemRandom).unwrap(), hashed, "each hash has its own salt");
    }

    #[test]
    fn hashes_are_those_of_argon2() {
        let theirs = Argon2::default().hash_password_with_salt(PASSWORD, b"some salt of ours").unwrap();
        assert!(verify("correct horse", &theirs.to_string()) && !verify("correct horses", &theirs.to_string()));
        let ours = PasswordHash::new(&hash("correct horse", &SystemRandom).unwrap()).unwrap();
        assert_eq!(Argon2::default().verify_password(PASSWORD, &ours), Ok(()));
    }

    #[test]
    fn a_new_password_that_others_would_try_is_refused() {
        for password in ["short", "password123"] {
            assert!(matches!(hash_new("anna", password, &SystemRandom), Err(Error::Invalid(_))), "{password}");
        }
    }
}

//! Passwords: hashed with argon2id (19 MiB, two passes), never stored or logged otherwise.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::Error;
use crate::domain::id::Random;

/// The shortest password that is accepted.
const MIN_LENGTH: usize = 8;
/// Longer ones only cost time.
const MAX_LENGTH: usize = 256;

/// A password that nobody can guess: 120 bits, as 24 letters and digits.
pub fn generate(random: &dyn Random) -> String {
    let mut bytes = [0; 15];
    random.fill(&mut bytes);
    data_encoding::BASE32_NOPAD.encode(&bytes).to_lowercase()
}

/// Hashes a password; takes tens of milliseconds and 19 MiB.
///
/// # Errors
/// [`Error::Invalid`] under `password` when it is too short or too long.
pub fn hash(password: &str, random: &dyn Random) -> Result<String, Error> {
    if password.chars().count() < MIN_LENGTH || password.len() > MAX_LENGTH {
        let message = format!("A password has at least {MIN_LENGTH} characters and at most {MAX_LENGTH} bytes.");
        return Err(Error::field("password", message));
    }
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let hashed: Result<PasswordHash, _> = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|error| Error::Internal(format!("argon2: {error}")))
}

/// Whether `password` is the one of `hash`; as costly as [`hash`].
pub fn verify(password: &str, hash: &str) -> bool {
    password.len() <= MAX_LENGTH
        && PasswordHash::new(hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SystemRandom;

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
    fn a_short_password_is_refused() {
        assert!(matches!(hash("1234567", &SystemRandom), Err(Error::Invalid(_))));
    }
}

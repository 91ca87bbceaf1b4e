//! Hashes of passwords as the old shop's framework writes them: `pbkdf2_sha256$ROUNDS$SALT$HASH`. They count until their
//! owner has logged in once; then the password is hashed as all others are.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The framework is at 1.2 million rounds; more would only keep everybody else's logins waiting.
const MOST_ROUNDS: u32 = 2_000_000;

/// In place of a hash: no password fits it.
pub const NO_PASSWORD: &str = "!";

/// Whether a hash is to be replaced when its password is known.
pub fn is_foreign(hash: &str) -> bool {
    DjangoHash::parse(hash).is_some()
}

/// A hash that was read.
pub struct DjangoHash<'a> {
    rounds: u32,
    salt: &'a str,
    hash: [u8; 32],
}

impl<'a> DjangoHash<'a> {
    /// Reads the text; `None` for every other kind of hash.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("pbkdf2_sha256$")?.split('$');
        let (rounds, salt, hash) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none() && (1..=MOST_ROUNDS).contains(&rounds) && !salt.is_empty();
        let hash = STANDARD.decode(hash).ok()?.try_into().ok()?;
        is_whole.then_some(Self { rounds, salt, hash })
    }

    /// Whether `password` is the one of this hash.
    pub fn fits(&self, password: &str) -> bool {
        let mut found = [0; 32];
        let (password, salt) = (password.as_bytes(), self.salt.as_bytes());
        pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, self.rounds, &mut found).is_ok()
            && found.ct_eq(&self.hash).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the framework makes of "correct horse" with so few rounds.
    const HASH: &str = "pbkdf2_sha256$3$salt$5fsvK/5cg+5HQjgU+5JQn4Jne5Vn6Qfpm4P682gTF28=";

    #[test]
    fn only_the_password_of_a_hash_fits_it() {
        let hash = DjangoHash::parse(HASH).expect("a hash");
        assert!(hash.fits("correct horse") && !hash.fits("correct horses") && !hash.fits(""));
    }

    #[test]
    fn other_hashes_and_those_that_would_take_for_ever_are_none() {
        let long = HASH.replace("$3$", "$2000001$");
        for text in ["", "!x", "argon2$argon2id$v=19", "pbkdf2_sha1$3$salt$AAAA", "pbkdf2_sha256$3$salt$AAAA", &long] {
            assert!(DjangoHash::parse(text).is_none(), "{text}");
        }
        for changed in [HASH.replace("$3$", "$0$"), HASH.replace("$salt$", "$$"), format!("{HASH}$")] {
            assert!(DjangoHash::parse(&changed).is_none(), "{changed}");
        }
    }
}

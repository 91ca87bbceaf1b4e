//! Nostr aliases: which names and keys may be ordered.

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use bitcoin::secp256k1::XOnlyPublicKey;

use crate::texts::Message;

/// What the text of a Nostr public key begins with.
const PREFIX: Hrp = Hrp::parse_unchecked("npub");
/// What the text of a secret key begins with.
const SECRET_PREFIX: Hrp = Hrp::parse_unchecked("nsec");
/// The longest alias.
pub const MAX_LENGTH: usize = 100;
/// The longest text that is looked at as a public key.
pub const MAX_KEY_LENGTH: usize = 5000;

/// Names that would be mistaken for the operator or for a service.
const RESERVED: [&str; 14] = [
    "www",
    "shop",
    "admin",
    "administrator",
    "root",
    "postmaster",
    "hostmaster",
    "webmaster",
    "abuse",
    "support",
    "security",
    "info",
    "api",
    "_",
];

/// Reads an alias: a slug (letters, digits, `-`, `_`) that is not reserved. It is returned in lower case: Nostr
/// clients ask for names in lower case, whatever people type.
///
/// # Errors
/// What is wrong with it.
pub fn parse_alias(alias: &str) -> Result<String, Message> {
    let slug = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if alias.is_empty() || !alias.bytes().all(slug) {
        return Err(Message::NoSlug);
    }
    if RESERVED.iter().any(|name| name.eq_ignore_ascii_case(alias)) {
        return Err(Message::AliasReserved);
    }
    Ok(alias.to_ascii_lowercase())
}

/// Reads a public key: an `npub1…` (NIP-19) or 64 hexadecimal digits. It is returned as an npub, since the hosts'
/// scripts read nothing else.
///
/// # Errors
/// What is wrong with it: also when its number belongs to no point of the curve, and so to nobody.
pub fn parse_public_key(key: &str) -> Result<String, Message> {
    let Some(bytes) = public_key_bytes(key).or_else(|| of_hex(key)) else {
        return Err(Message::NoNostrKey);
    };
    if XOnlyPublicKey::from_slice(&bytes).is_err() {
        return Err(Message::NobodysKey);
    }
    Ok(npub(&bytes))
}

/// The bytes of a public key, an `npub1…`.
pub fn public_key_bytes(npub: &str) -> Option<[u8; 32]> {
    of_bech32(PREFIX, npub)
}

/// The bytes of a secret key: an `nsec1…` (NIP-19) or 64 hexadecimal digits.
pub fn secret_key_bytes(key: &str) -> Option<[u8; 32]> {
    of_bech32(SECRET_PREFIX, key).or_else(|| of_hex(key))
}

/// A key in hexadecimal digits as an npub; `None` for anything else.
pub fn to_npub(key: &str) -> Option<String> {
    of_hex(key).map(|bytes| npub(&bytes))
}

fn of_hex(key: &str) -> Option<[u8; 32]> {
    hex::decode(key).ok()?.try_into().ok()
}

/// BIP-173 allows upper case as well, but no mixture. The checksum is that of BIP-173, not its successor's.
fn of_bech32(prefix: Hrp, key: &str) -> Option<[u8; 32]> {
    let read = CheckedHrpstring::new::<Bech32>(key).ok()?;
    let bytes: Vec<u8> = read.byte_iter().collect();
    bytes.try_into().ok().filter(|_| read.hrp() == prefix)
}

fn npub(bytes: &[u8; 32]) -> String {
    bech32::encode_lower::<Bech32>(PREFIX, bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_slug_or_reserved_are_refused() {
        for alias in ["", "a b", "a/b", "..", "\u{fc}", "www", "ADMIN"] {
            assert!(parse_alias(alias).is_err(), "{alias:?}");
        }
        assert_eq!(parse_alias("Alice_1-X").as_deref(), Ok("alice_1-x"));
    }

    /// The example of NIP-19, in both forms.
    const HEX: &str = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
    const NPUB: &str = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";

    #[test]
    fn a_public_key_becomes_an_npub_whatever_form_it_comes_in() {
        for form in [HEX, &HEX.to_ascii_uppercase(), NPUB, &NPUB.to_ascii_uppercase()] {
            assert_eq!(parse_public_key(form).as_deref(), Ok(NPUB), "{form}");
        }
        assert_eq!((to_npub(HEX).as_deref(), to_npub(NPUB), to_npub("")), (Some(NPUB), None, None));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let mixed = NPUB.replacen("npub", "NPUB", 1);
        let wrong = format!("{}h", &NPUB[..NPUB.len() - 1]);
        let successor = bech32::encode::<bech32::Bech32m>(PREFIX, &hex::decode(HEX).unwrap()).unwrap();
        let secret = bech32::encode::<Bech32>(Hrp::parse_unchecked("nsec"), &hex::decode(HEX).unwrap()).unwrap();
        for key in ["npub1xyz", "", &wrong, &mixed, &successor, &secret, &"ab".repeat(31), &HEX[1..]] {
            assert!(parse_public_key(key).is_err(), "{key:?}");
        }
    }

    #[test]
    fn the_zero_key_and_numbers_that_are_no_points_are_nobodys_keys() {
        let zero = [0; 32];
        let too_large = [0xff; 32];
        let mut no_point = [0; 32];
        no_point[31] = 5;
        for bytes in [zero, too_large, no_point] {
            for form in [hex::encode(bytes), npub(&bytes)] {
                let refused = parse_public_key(&form).unwrap_err();
                assert!(refused == Message::NobodysKey, "{form}: {refused}");
            }
        }
    }

    #[test]
    fn a_secret_key_is_read_in_both_forms_and_a_public_one_is_none() {
        let bytes: [u8; 32] = hex::decode(HEX).unwrap().try_into().unwrap();
        let secret = bech32::encode::<Bech32>(SECRET_PREFIX, &bytes).unwrap();
        assert_eq!((secret_key_bytes(&secret), secret_key_bytes(HEX)), (Some(bytes), Some(bytes)));
        assert_eq!((public_key_bytes(NPUB), public_key_bytes(&secret)), (Some(bytes), None));
        assert_eq!((secret_key_bytes(NPUB), secret_key_bytes("")), (None, None));
    }
}

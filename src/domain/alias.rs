//! Nostr aliases: which names and keys may be ordered.

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

/// Checks that an alias is a slug (letters, digits, `-`, `_`) and not reserved.
pub fn check_alias(alias: &str) -> Result<(), String> {
    let slug = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if alias.is_empty() || !alias.bytes().all(slug) {
        let text = "Enter a valid \u{201c}slug\u{201d} consisting of letters, numbers, underscores or hyphens.";
        return Err(text.to_owned());
    }
    if RESERVED.iter().any(|name| name.eq_ignore_ascii_case(alias)) {
        return Err("The selected alias is taken. Try another one...".to_owned());
    }
    Ok(())
}

/// Reads a public key: an `npub1…` (NIP-19), which is returned in lower case (BIP-173 allows upper case as
/// well, but no mixture), or 64 hexadecimal digits.
pub fn parse_public_key(key: &str) -> Result<String, String> {
    if key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(key.to_owned());
    }
    if is_npub(key) {
        return Ok(key.to_ascii_lowercase());
    }
    Err("Must be a Nostr public key: npub1\u{2026} (with a valid checksum) or 64 hexadecimal digits.".to_owned())
}

fn is_npub(key: &str) -> bool {
    match bech32::decode(key) {
        Ok((prefix, data)) => prefix.as_str().eq_ignore_ascii_case("npub") && data.len() == 32,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_slug_or_reserved_are_refused() {
        for alias in ["", "a b", "a/b", "..", "\u{fc}", "www", "ADMIN"] {
            assert!(check_alias(alias).is_err(), "{alias:?}");
        }
        assert!(check_alias("alice_1-x").is_ok());
    }

    #[test]
    fn a_public_key_is_an_npub_with_checksum_or_hex() {
        let prefix = bech32::Hrp::parse("npub").expect("a valid prefix");
        let npub = bech32::encode::<bech32::Bech32>(prefix, &[9; 32]).expect("32 bytes fit");
        assert_eq!(parse_public_key(&npub).as_ref(), Ok(&npub));
        assert_eq!(parse_public_key(&npub.to_ascii_uppercase()), Ok(npub.clone()));
        assert!(parse_public_key(&"ab".repeat(32)).is_ok());
        let mixed = npub.replacen("npub", "NPUB", 1);
        let wrong = format!("{}{}", &npub[..npub.len() - 1], if npub.ends_with('q') { 'p' } else { 'q' });
        for key in ["npub1xyz", "", wrong.as_str(), &mixed, &"ab".repeat(31)] {
            assert!(parse_public_key(key).is_err(), "{key:?}");
        }
    }
}

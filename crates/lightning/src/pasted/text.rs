//! What is pasted, as text, and what is written in base64 there.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Bytes as text, without what editors put around it: byte order marks, UTF-16, quotes and blanks. `None` for what is
/// no text.
pub fn text(bytes: &[u8]) -> Option<String> {
    let utf16 = |of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
        String::from_utf16(&units).ok()
    };
    let text = match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes)?,
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes)?,
        _ => std::str::from_utf8(bytes).ok()?.to_owned(),
    };
    Some(bare(&text).to_owned())
}

/// A text without blanks, quotes and marks around it.
pub fn bare(text: &str) -> &str {
    text.trim_matches(|symbol: char| {
        symbol.is_whitespace()
            || matches!(symbol, '\u{feff}' | '\0' | '"' | '\'' | '`' | '“' | '”' | '‘' | '’' | ',' | ';')
    })
}

/// Base64 in either alphabet, with or without padding, in any number of lines.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|symbol| !symbol.is_whitespace()).collect();
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(&compact).ok())
}

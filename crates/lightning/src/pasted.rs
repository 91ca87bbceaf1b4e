//! Certificates and macaroons as people hand them on: copied out of a terminal, a mail or an editor of another
//! system. What can only mean one thing is brought into its one form; all else is refused with the reason, which
//! says nothing of the content.

mod certificate;
mod dump;
mod text;

pub use certificate::{certificate, check_certificate};

use super::macaroon::{Macaroon, MacaroonError};
use text::{base64, text};

/// The binary form of a macaroon: the file as LND writes it, or its content in hex of any layout or in base64.
///
/// # Errors
/// What [`Macaroon::parse`] says of what was meant.
pub fn macaroon(bytes: &[u8]) -> Result<Vec<u8>, MacaroonError> {
    let Err(binary) = Macaroon::parse(bytes) else { return Ok(bytes.to_vec()) };
    let Some(text) = text(bytes) else { return Err(binary) };
    let text = in_json(&text).unwrap_or(text);
    let from_hex = dump::hex(&text);
    let read = |bytes: &Vec<u8>| Macaroon::parse(bytes).is_ok();
    if let Some(bytes) = from_hex.iter().chain(base64(&text).iter()).find(|bytes| read(bytes)) {
        return Ok(bytes.clone());
    }
    // A word of hex digits is taken for hex: then that is what is damaged.
    Err(from_hex.and_then(|bytes| Macaroon::parse(&bytes).err()).unwrap_or(binary))
}

/// The field `macaroon` of a JSON document, as `lncli` and LND's REST interface answer.
fn in_json(text: &str) -> Option<String> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    document.get("macaroon")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use base64::Engine;

    use super::*;

    fn binary() -> Vec<u8> {
        Macaroon::mint(b"root", b"0", [7; 16], &[("invoices", "read"), ("invoices", "write"), ("info", "read")])
            .encode()
    }

    fn utf16(text: &str) -> Vec<u8> {
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    }

    #[test]
    fn a_macaroon_is_understood_in_every_layout_that_people_paste() {
        let binary = binary();
        let hex = hex::encode(&binary);
        let pairs: Vec<_> = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect();
        let lines = |text: &str, width: usize| {
            let lines: Vec<_> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            lines.join("\r\n")
        };
        let engine = base64::engine::general_purpose::STANDARD;
        let (padded, bare) = (engine.encode(&binary), base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&binary));
        let layouts = [
            hex.clone(),
            hex.to_uppercase(),
            format!(" {hex}\n"),
            lines(&hex, 60),
            format!("0x{hex}"),
            pairs.join(":"),
            pairs.join(" "),
            format!("0x{}", pairs.join(", 0x")),
            pairs.iter().map(|pair| format!("\\x{pair}")).collect(),
            format!("\"{hex}\""),
            format!("'{hex}'\n"),
            format!("“{hex}”"),
            format!("\u{feff}{hex}"),
            format!("{{\"macaroon\": \"{hex}\"}}"),
            padded.clone(),
            lines(&padded, 64),
            bare,
            format!("\u{feff}\"{padded}\"\r\n"),
        ];
        for layout in layouts {
            assert_eq!(macaroon(layout.as_bytes()).unwrap(), binary, "{layout}");
            assert_eq!(macaroon(&utf16(&layout)).unwrap(), binary, "{layout}");
        }
        assert_eq!(macaroon(&binary).unwrap(), binary);
    }

    #[test]
    fn what_is_no_macaroon_or_only_a_part_of_one_is_refused_in_every_layout() {
        let binary = binary();
        let hex = hex::encode(&binary);
        let cut = &hex[..hex.len() - 8];
        assert_eq!(macaroon(cut.as_bytes()), Err(MacaroonError::Damaged));
        assert_eq!(macaroon(&binary[..binary.len() - 4]), Err(MacaroonError::Damaged));
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----", "lndconnect://x?macaroon=AgED", "{\"macaroon\": 5}"] {
            assert_eq!(macaroon(text.as_bytes()), Err(MacaroonError::NotBinary), "{text}");
        }
        assert!(macaroon(&hex.as_bytes()[1..]).is_err(), "an odd number of digits");
    }
}

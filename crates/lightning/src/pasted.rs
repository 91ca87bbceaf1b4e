//! Certificates and macaroons as people hand them on: copied out of a terminal, a mail or an editor of another
//! system. What can only mean one thing is brought into its one form; all else is refused with the reason, which
//! says nothing of the content.

mod certificate;
mod dump;
mod text;

pub use certificate::{certificate, check_certificate, expiry};

use super::macaroon::{Macaroon, MacaroonError};
use text::{bare, base64, text};

/// The binary form of a macaroon: the file as LND writes it, or its content in hex of any layout or in base64.
///
/// # Errors
/// What [`Macaroon::parse`] says of what was meant.
pub fn macaroon(bytes: &[u8]) -> Result<Vec<u8>, MacaroonError> {
    let Err(binary) = Macaroon::parse(bytes) else { return Ok(bytes.to_vec()) };
    let Some(text) = text(bytes) else { return Err(binary) };
    let text = without_continuations(&text);
    let texts = [in_json(&text), after_its_name(&text), in_braces(&text), in_data_url(&text), Some(text)];
    let mut problem = binary;
    for text in texts.into_iter().flatten() {
        for bytes in [dump::hex(&text), base64(&text)].into_iter().flatten() {
            match Macaroon::parse(&bytes) {
                Ok(_) => return Ok(bytes),
                // What begins as one is what is damaged.
                Err(MacaroonError::NotBinary) => {}
                Err(damaged) => problem = damaged,
            }
        }
    }
    Err(problem)
}

/// Lines as a shell reads them, which a backslash at the end joins.
fn without_continuations(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end().trim_end_matches('\\')).collect();
    lines.join("\n")
}

/// What follows a name such as `Grpc-Metadata-macaroon:`, `MACAROON=` or, in `lndconnect://…`, `&macaroon=`.
fn after_its_name(text: &str) -> Option<String> {
    let start = text.to_ascii_lowercase().find("macaroon")?;
    let rest = text[start..].trim_start_matches(|symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_');
    let value = rest.trim_start().strip_prefix([':', '='])?;
    Some(bare(value.split('&').next().unwrap_or_default()).to_owned())
}

/// What stands in the braces of an array, as `xxd -i` writes one.
fn in_braces(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('{')?;
    rest.split_once('}').map(|(inner, _)| inner.to_owned())
}

/// The content of `data:…;base64,…`.
fn in_data_url(text: &str) -> Option<String> {
    text.strip_prefix("data:")?.split_once(";base64,").map(|(_, content)| content.to_owned())
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
            bare.clone(),
            format!("\u{feff}\"{padded}\"\r\n"),
        ];
        let words: Vec<_> = binary.chunks(16).map(|line| line.to_vec()).collect();
        let dumped = |offset: fn(usize) -> String, group: fn(&[u8]) -> String, size: usize| {
            let line = |(row, line): (usize, &Vec<u8>)| {
                let groups: Vec<_> = line.chunks(size).map(group).collect();
                format!("{} {}\n", offset(row * 16), groups.join(" "))
            };
            words.iter().enumerate().map(line).collect::<String>() + &offset(binary.len()) + "\n"
        };
        let (octal, hexadecimal) = (|at| format!("{at:07o}"), |at| format!("{at:06x}"));
        // Little-endian words, the last of which may be half a one.
        let word = |bytes: &[u8]| format!("{:02x}{:02x}", bytes.get(1).copied().unwrap_or(0), bytes[0]);
        let array = format!(
            "unsigned char invoice_macaroon[] = {{\n  0x{}\n}};\nunsigned int invoice_macaroon_len = {};\n",
            pairs.join(", 0x"),
            binary.len()
        );
        let more = [
            dumped(octal, |bytes| hex::encode(bytes), 1),
            dumped(hexadecimal, |bytes| hex::encode(bytes), 1),
            dumped(|at| format!("{at:07x}"), word, 2),
            dumped(octal, word, 2),
            lines(&hex, 60).replace("\r\n", "\\\n"),
            lines(&padded, 64).replace("\r\n", " \\\r\n"),
            array,
            format!("Grpc-Metadata-macaroon: {hex}"),
            format!("-H \"Grpc-Metadata-Macaroon: {hex}\""),
            format!("export MACAROON={hex}"),
            format!("MACAROON=\"{padded}\""),
            format!("data:;base64,{padded}"),
            format!("data:application/octet-stream;base64,{padded}"),
            format!("lndconnect://node.example:10009?cert=MIIC&macaroon={bare}"),
            format!("lndconnect://node.example:10009?macaroon={bare}&cert=MIIC"),
        ];
        for layout in layouts.into_iter().chain(more) {
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
        for text in ["", "hello", "-----BEGIN CERTIFICATE-----", "lndconnect://x?cert=AgED", "{\"macaroon\": 5}"] {
            assert_eq!(macaroon(text.as_bytes()), Err(MacaroonError::NotBinary), "{text}");
        }
        assert!(macaroon(&hex.as_bytes()[1..]).is_err(), "an odd number of digits");
        assert_eq!(macaroon(b"lndconnect://x?macaroon=AgED"), Err(MacaroonError::Damaged));
    }
}

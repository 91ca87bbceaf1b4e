//! The recorded exchanges, with real targets and keys in place of the recorded short ones.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::request::AUTHORITY;
use crate::support::{ONION, PUBLIC_KEY};

/// Onion names in the recording; a real address takes their place.
const ONIONS: [&str; 6] = [
    "ruv6ue7d3t22el2a.onion",
    "lifecycle22el2a.onion",
    "newtarget.onion",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.onion",
    "abc.onion",
    "p.onion",
];

/// One recorded exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub name: String,
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers of the request.
    pub headers: Vec<(String, String)>,
    /// The body of the request.
    pub body: Vec<u8>,
    /// The recorded status.
    pub status: u16,
    /// The recorded headers that count.
    pub expected_headers: BTreeMap<String, String>,
    /// The recorded JSON body.
    pub json: Value,
    /// The recorded text body.
    pub text: Option<String>,
}

/// All of them.
pub fn all() -> Vec<Exchange> {
    include_str!("../../fixtures/exchanges.jsonl").lines().map(parse).collect()
}

fn parse(line: &str) -> Exchange {
    let mut line = line.replace("{authority}", AUTHORITY).replace("npub1xyz", PUBLIC_KEY);
    line = line.replace("\\\"public_key\\\": \\\"b\\\"", &format!("\\\"public_key\\\": \\\"{PUBLIC_KEY}\\\""));
    for name in ONIONS {
        for before in ["\"", "\\\"", "=", " ", "//"] {
            line = line.replace(&format!("{before}{name}"), &format!("{before}{ONION}"));
        }
    }
    // Bridges are ordered with one port here.
    line = line.replace(&format!("{ONION}:443"), &format!("{ONION}:80"));
    let recorded: Value = serde_json::from_str(&line).expect("an exchange is JSON");
    let (request, response) = (&recorded["request"], &recorded["response"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pairs = |value: &Value| -> Vec<(String, String)> {
        let pairs = value.as_object().expect("headers").iter();
        pairs.map(|(name, value)| (name.clone(), text(value).expect("a header"))).collect()
    };
    Exchange {
        name: text(&recorded["name"]).expect("a name"),
        method: text(&request["method"]).expect("a method"),
        path: text(&request["path"]).expect("a path"),
        headers: pairs(&request["headers"]),
        body: bytes_of(&text(&request["body"]).unwrap_or_default()),
        status: u16::try_from(response["status"].as_u64().expect("a status")).expect("a status"),
        expected_headers: pairs(&response["headers"]).into_iter().collect(),
        json: response["json"].clone(),
        text: text(&response["text"]),
    }
}

/// The recording shows bytes that are no UTF-8 as a replacement character.
fn bytes_of(text: &str) -> Vec<u8> {
    let parts: Vec<&[u8]> = text.split('\u{fffd}').map(str::as_bytes).collect();
    parts.join(&0xff)
}

impl Exchange {
    /// The same with names (`{token.host1}`, recorded ids) replaced by what they stand for here.
    pub fn with(&self, known: &[(String, String)]) -> Self {
        let put = |text: &str| known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
        let json = serde_json::from_str(&put(&self.json.to_string())).expect("still JSON");
        let body = match std::str::from_utf8(&self.body) {
            Ok(body) => put(body).into_bytes(),
            Err(_) => self.body.clone(),
        };
        let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(name, value)| (name.clone(), put(value))).collect();
        Self {
            path: put(&self.path),
            headers: pairs(&self.headers),
            body,
            expected_headers: self.expected_headers.iter().map(|(name, value)| (name.clone(), put(value))).collect(),
            json,
            text: self.text.as_deref().map(put),
            ..self.clone()
        }
    }

    /// A recorded id in the path, but for the one that nothing has.
    pub fn id(&self) -> Option<String> {
        let parts = self.path.split(['/', '?', '=', '&']);
        parts.map(str::to_owned).find(|part| is_uuid(part) && !part.starts_with("00000000"))
    }
}

/// Whether a text is an id.
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

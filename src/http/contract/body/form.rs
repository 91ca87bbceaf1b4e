//! Forms: URL-encoded and multipart. Every value is a text; parts that are files are ignored.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::domain::texts::Message;
use crate::http::problem::Problem;

/// More fields than this are nobody's form.
const MAX_FIELDS: usize = 1000;

/// The fields of an URL-encoded form.
pub fn urlencoded(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).map_err(|_| broken())?;
    if pairs.len() > MAX_FIELDS {
        return Err(broken());
    }
    Ok(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// The fields of a multipart form. It is small and in memory already, so it is read in one go.
pub fn multipart(content_type: &str, bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let boundary = boundary(content_type).ok_or_else(no_boundary)?;
    let delimiter = format!("--{boundary}");
    let mut fields = Map::new();
    // The first piece is a preamble; a piece that starts with "--" ends the form.
    for piece in split(bytes, delimiter.as_bytes()).into_iter().skip(1).take(MAX_FIELDS) {
        if piece.starts_with(b"--") {
            return Ok(fields);
        }
        let piece = piece.strip_prefix(b"\r\n").ok_or_else(broken)?;
        let piece = piece.strip_suffix(b"\r\n").ok_or_else(broken)?;
        let end = find(piece, b"\r\n\r\n").ok_or_else(broken)?;
        let head = std::str::from_utf8(&piece[..end]).map_err(|_| broken())?;
        if let Some(name) = field_name(head) {
            let value = std::str::from_utf8(&piece[end + 4..]).map_err(|_| broken())?;
            fields.insert(name, Value::String(value.to_owned()));
        }
    }
    Err(broken())
}

fn broken() -> Problem {
    Problem::detail(StatusCode::BAD_REQUEST, Message::FormUnreadable)
}

fn no_boundary() -> Problem {
    Problem::detail(StatusCode::BAD_REQUEST, Message::NoBoundary)
}

fn boundary(content_type: &str) -> Option<&str> {
    let parameter = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"'))
    })?;
    (1..=70).contains(&parameter.len()).then_some(parameter)
}

/// The name in a part's `Content-Disposition`; `None` for files.
fn field_name(head: &str) -> Option<String> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let mut name = None;
    for parameter in line.split(';').skip(1) {
        match parameter.split_once('=').map(|(key, value)| (key.trim(), value.trim().trim_matches('"'))) {
            Some(("filename" | "filename*", _)) => return None,
            Some(("name", value)) => name = Some(value.to_owned()),
            _ => {}
        }
    }
    name
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

fn split<'a>(mut bytes: &'a [u8], needle: &[u8]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while let Some(at) = find(bytes, needle) {
        pieces.push(&bytes[..at]);
        bytes = &bytes[at + needle.len()..];
    }
    pieces.push(bytes);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multipart_form_gives_its_texts_and_no_files() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; \
                    name=\"f\"; filename=\"f.txt\"\r\n\r\nfile\r\n--x\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--x--\r\n";
        let fields = multipart("multipart/form-data; boundary=x", body.as_bytes()).expect("a good form");
        assert_eq!(Value::Object(fields), serde_json::json!({"a": "1", "b": ""}));
    }

    #[test]
    fn broken_multipart_forms_are_refused() {
        for (kind, body) in [
            ("multipart/form-data", "--x--"),
            ("multipart/form-data; boundary=", "--x--"),
            ("multipart/form-data; boundary=x", "rubbish"),
            ("multipart/form-data; boundary=x", "--x\r\nno header end"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nunfinished"),
        ] {
            assert!(multipart(kind, body.as_bytes()).is_err(), "{kind} {body:?}");
        }
    }
}

//! Forms: URL-encoded and multipart. Every value is a text; parts that are files are ignored.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use futures_util::stream::once;
use http::StatusCode;
use multer::Multipart;
use serde_json::{Map, Value};

use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::http::url_encoded;

/// More fields than this are nobody's form.
const MAX_FIELDS: usize = 1000;

/// The fields of an URL-encoded form.
pub fn urlencoded(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let pairs = url_encoded::fields(bytes, MAX_FIELDS).ok_or_else(broken)?;
    Ok(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect())
}

/// The fields of a multipart form. It is small and in memory already.
pub async fn multipart(content_type: &str, bytes: &Bytes) -> Result<Map<String, Value>, Problem> {
    let boundary = multer::parse_boundary(content_type).ok().filter(|boundary| (1..=70).contains(&boundary.len()));
    let body = once(ready(Ok::<_, Infallible>(bytes.clone())));
    let mut form = Multipart::new(body, boundary.ok_or_else(no_boundary)?);
    let mut fields = Map::new();
    for _ in 0..MAX_FIELDS {
        let Some(field) = form.next_field().await.map_err(|_| broken())? else { return Ok(fields) };
        let name = field.name().filter(|_| field.file_name().is_none()).map(str::to_owned);
        let value = field.bytes().await.map_err(|_| broken())?;
        if let Some(name) = name {
            let text = std::str::from_utf8(&value).map_err(|_| broken())?;
            fields.insert(name, Value::String(text.to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_multipart_form_gives_its_texts_and_no_files() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x\r\ncontent-disposition: form-data; \
                    name=\"f\"; filename=\"f.txt\"\r\n\r\nfile\r\n--x\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--x--\r\n";
        let fields = multipart("multipart/form-data; boundary=x", &body.into()).await.expect("a good form");
        assert_eq!(Value::Object(fields), serde_json::json!({"a": "1", "b": ""}));
    }

    #[tokio::test]
    async fn broken_multipart_forms_are_refused() {
        for (kind, body) in [
            ("multipart/form-data", "--x--"),
            ("multipart/form-data; boundary=", "--x--"),
            ("multipart/form-data; boundary=x", "rubbish"),
            ("multipart/form-data; boundary=x", "--x\r\nno header end"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nunfinished"),
        ] {
            assert!(multipart(kind, &body.into()).await.is_err(), "{kind} {body:?}");
        }
    }
}

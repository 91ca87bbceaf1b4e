//! The fields of a REST request: a JSON object, or a query. Numbers may be strings, bytes are base64,
//! names are in snake or camel case.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Value};
use tonic::Status;

/// What is left to read of a request.
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of a JSON body; an empty body has none.
    pub fn from_json(body: &[u8]) -> Result<Self, Status> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        let fields: Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| Status::invalid_argument(format!("proto: {error}")))?;
        Ok(Self(fields.into_iter().map(|(name, value)| (snake_case(&name), value)).collect()))
    }

    /// The fields of a query.
    pub fn from_query(query: &str) -> Result<Self, Status> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Self(pairs.into_iter().map(|(name, value)| (snake_case(&name), Value::String(value))).collect()))
    }

    /// Refuses what nothing has read, as LND does.
    pub fn finish(self) -> Result<(), Status> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(Status::invalid_argument(format!("proto: (line 1:2): unknown field {name:?}"))),
        }
    }

    /// A text; empty when it is left out.
    pub fn text(&mut self, name: &str) -> Result<String, Status> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(bad(name)),
        }
    }

    /// Bytes; none when they are left out.
    pub fn bytes(&mut self, name: &str) -> Result<Vec<u8>, Status> {
        let text = self.text(name)?;
        Self::decode(&text).map_err(|_| bad(name))
    }

    /// Bytes in either alphabet of base64, percent-encoded or not.
    pub fn decode(text: &str) -> Result<Vec<u8>, Status> {
        let text = text.replace("%3D", "=").replace("%3d", "=");
        let decoded = STANDARD.decode(&text).or_else(|_| URL_SAFE.decode(&text));
        decoded.map_err(|_| Status::invalid_argument("illegal base64 data"))
    }

    /// A number; 0 when it is left out.
    pub fn signed(&mut self, name: &str) -> Result<i64, Status> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::String(text)) => text.parse().map_err(|_| bad(name)),
            Some(value) => value.as_i64().ok_or_else(|| bad(name)),
        }
    }

    /// A number that is not negative; 0 when it is left out.
    pub fn unsigned(&mut self, name: &str) -> Result<u64, Status> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(0),
            Some(Value::String(text)) => text.parse().map_err(|_| bad(name)),
            Some(value) => value.as_u64().ok_or_else(|| bad(name)),
        }
    }

    /// Yes or no; no when it is left out.
    pub fn flag(&mut self, name: &str) -> Result<bool, Status> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(text)) => text.parse().map_err(|_| bad(name)),
            Some(_) => Err(bad(name)),
        }
    }
}

fn bad(name: &str) -> Status {
    Status::invalid_argument(format!("proto: invalid value for field {name}"))
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_strings_and_names_in_camel_case() {
        let mut fields = Fields::from_json(br#"{"valueMsat":"7","expiry":8,"private":true}"#).unwrap();
        assert_eq!(fields.signed("value_msat").unwrap(), 7);
        assert_eq!(fields.signed("expiry").unwrap(), 8);
        assert!(fields.flag("private").unwrap());
        assert_eq!(fields.unsigned("cltv_expiry").unwrap(), 0);
        fields.finish().unwrap();
    }

    #[test]
    fn bytes_come_in_both_alphabets() {
        assert_eq!(Fields::decode("-_8=").unwrap(), [0xfb, 0xff]);
        assert_eq!(Fields::decode("+/8%3D").unwrap(), [0xfb, 0xff]);
        assert!(Fields::decode("?").is_err());
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let refused = Fields::from_json(br#"{"memoo":"x"}"#).unwrap().finish().unwrap_err();
        assert!(refused.message().contains("unknown field \"memoo\""));
        assert!(Fields::from_json(b"[]").is_err());
    }
}

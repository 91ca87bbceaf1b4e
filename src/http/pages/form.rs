//! What a form of ours sends.

use http::StatusCode;

use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::http::url_encoded;

/// More fields than this are nobody's form.
const MAX_FIELDS: usize = 32;

/// The fields of a form.
#[derive(Debug)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads an URL-encoded form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        url_encoded::fields(bytes, MAX_FIELDS)
            .map(Self)
            .ok_or_else(|| Problem::detail(StatusCode::BAD_REQUEST, Message::FormUnreadable))
    }

    /// A field without the blanks around it; empty when it is not there. Repeated, the last wins.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_few_fields_and_the_last_of_a_name_counts() {
        let form = Form::parse(b"a=1&b=+x+%C3%BC&a=2").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), ("2", "x \u{fc}", ""));
        assert!(Form::parse("a=1&".repeat(33).as_bytes()).is_err());
    }
}

//! Who calls: HTTP Basic, then the session cookie, then the host's token, in this order. Bad
//! credentials are refused on every endpoint; an unknown scheme or session is an anonymous caller.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use crate::domain::operator::Operator;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::http::server::client::{Client, Origin};
use crate::services::Principal;
use crate::services::operators::authenticate::{Authenticator, Source, principal};

/// What an `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
enum Credentials<'a> {
    None,
    Basic(&'a str),
    Token(&'a str),
    Malformed(Message),
}

fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Credentials::None };
    let Ok(text) = value.to_str() else {
        return match value.as_bytes().get(..6).map(<[u8]>::to_ascii_lowercase).as_deref() {
            Some(b"token ") => Credentials::Malformed(Message::CharactersInToken),
            Some(b"basic ") => Credentials::Malformed(Message::WrongPassword),
            _ => Credentials::None,
        };
    };
    let mut words = text.split_ascii_whitespace();
    let scheme = words.next().unwrap_or_default().to_ascii_lowercase();
    let (first, more) = (words.next(), words.next().is_some());
    match (scheme.as_str(), first, more) {
        ("basic", Some(word), false) => Credentials::Basic(word),
        ("basic", None, _) => Credentials::Malformed(Message::NoBasicCredentials),
        ("basic", Some(_), true) => Credentials::Malformed(Message::SpacesInBasic),
        ("token", Some(word), false) => Credentials::Token(word),
        ("token", None, _) => Credentials::Malformed(Message::NoToken),
        ("token", Some(_), true) => Credentials::Malformed(Message::SpacesInToken),
        _ => Credentials::None,
    }
}

/// The caller of a request: `None` is anonymous.
pub async fn authenticate(
    authenticator: &Authenticator,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Option<Principal>, Problem> {
    match credentials(headers) {
        Credentials::None => Ok(None),
        Credentials::Malformed(text) => Err(Problem::unauthorized(text)),
        Credentials::Token(token) => match authenticator.token(token).await? {
            Some(host) => Ok(Some(Principal::Host(host))),
            None => Err(Problem::unauthorized(Message::InvalidToken)),
        },
        Credentials::Basic(encoded) => Ok(Some(principal(&basic(authenticator, encoded, origin).await?))),
    }
}

/// The name in what stands behind `Basic`.
pub fn name_in(encoded: &str) -> Option<String> {
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
    decoded.split_once(':').map(|(name, _)| name.to_owned())
}

/// The operator whose name and password these are, as in an `Authorization: Basic …`. Where there is a second factor, the
/// first alone is not enough.
pub async fn basic(authenticator: &Authenticator, encoded: &str, origin: &Origin) -> Result<Operator, Problem> {
    let wrong = || Problem::unauthorized(Message::WrongPassword);
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let (name, password) = decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(wrong)?;
    // New circuits cost nothing, except where the operator's list lets nobody else in.
    let is_of_crowd = origin.surface.is_limited() && matches!(origin.client, Client::Circuit(_));
    let source = Source { client: &origin.client.label(), is_of_crowd };
    let operator = authenticator.password(name, password, source).await?.ok_or_else(wrong)?;
    if operator.has_second_factor {
        return Err(Problem::unauthorized(Message::SecondFactorNeeded));
    }
    Ok(operator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.try_into().expect("a header value"));
        format!("{:?}", credentials(&headers))
    }

    #[test]
    fn the_scheme_is_read_in_any_case_and_unknown_schemes_are_anonymous() {
        assert_eq!(read(b"tOkEn abc"), "Token(\"abc\")");
        assert_eq!(read(b"BASIC YTpi"), "Basic(\"YTpi\")");
        assert_eq!(read(b"Bearer abc"), "None");
        assert_eq!(read(b""), "None");
    }

    #[test]
    fn malformed_credentials_are_told_apart() {
        assert!(read(b"Token").contains("NoToken"));
        assert!(read(b"Token a b").contains("SpacesInToken"));
        assert!(read(b"Token \xff").contains("CharactersInToken"));
        assert!(read(b"Basic").contains("NoBasicCredentials"));
    }
}

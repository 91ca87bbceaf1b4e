//! The forms of a successful answer. Each serves and documents itself.

use std::marker::PhantomData;

use http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::dto;
use super::dto::Detail;
use crate::domain::texts::Language;
use crate::http::problem::Problem;
use crate::http::response::json_response;

/// A documented response.
fn documented(status: StatusCode, description: &'static str, content: Vec<MetaMediaType>) -> MetaResponse {
    MetaResponse { description, status: Some(status.as_u16()), status_range: None, content, headers: Vec::new() }
}

fn json_of<T: Type>() -> Vec<MetaMediaType> {
    vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }]
}

/// 200 with a JSON body.
pub struct Reply<T>(pub T);

impl<T: Serialize + Send> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

impl<T: Type> ApiResponse for Reply<T> {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![documented(StatusCode::OK, "Done.", json_of::<T>())] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 200 with a JSON body that has a text of ours in it, and the language of that.
pub struct Spoken<T>(pub T, pub Language);

impl<T: Serialize + Send> IntoResponse for Spoken<T> {
    fn into_response(self) -> Response {
        let mut response = Reply(self.0).into_response();
        response.headers_mut().insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(self.1.tag()));
        response
    }
}

impl<T: Type> ApiResponse for Spoken<T> {
    fn meta() -> MetaResponses {
        Reply::<T>::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 201 with a JSON body and the new thing's URL in `Location`.
pub struct Created<T> {
    /// The body.
    pub body: T,
    /// The URL.
    pub location: String,
}

impl<T: Serialize + Send> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = json_response(StatusCode::CREATED, &self.body);
        if let Ok(location) = HeaderValue::try_from(self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
    }
}

impl<T: Type> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        let mut response = documented(StatusCode::CREATED, "Made.", json_of::<T>());
        response.headers.push(MetaHeader {
            name: "Location".to_owned(),
            description: Some("The new thing's URL.".to_owned()),
            required: true,
            deprecated: false,
            schema: String::schema_ref(),
        });
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 204: gone, nothing to say.
pub struct Deleted;

impl IntoResponse for Deleted {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for Deleted {
    fn meta() -> MetaResponses {
        MetaResponses { responses: vec![documented(StatusCode::NO_CONTENT, "Deleted.", Vec::new())] }
    }

    fn register(_: &mut Registry) {}
}

/// 200 with plain text.
pub struct Text(pub String);

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        Response::builder().header(header::CONTENT_TYPE, "text/plain; charset=utf-8").body(self.0)
    }
}

impl ApiResponse for Text {
    fn meta() -> MetaResponses {
        let content = MetaMediaType { content_type: "text/plain; charset=utf-8", schema: String::schema_ref() };
        MetaResponses { responses: vec![documented(StatusCode::OK, "Done.", vec![content])] }
    }

    fn register(_: &mut Registry) {}
}

/// Which problems an operation can have, for the document.
pub trait Problems: Send + Sync + 'static {
    /// Statuses besides [`ALWAYS`], and what they mean.
    const OWN: &'static [(StatusCode, &'static str)];
}

/// Problems of every request.
const ALWAYS: [(StatusCode, &str); 7] = [
    (StatusCode::UNAUTHORIZED, "Credentials are missing or wrong. Wrong ones are refused on public endpoints too."),
    (
        StatusCode::NOT_FOUND,
        "There is no such thing, or the caller may not see it; a page when the path leads nowhere.",
    ),
    (StatusCode::METHOD_NOT_ALLOWED, "The method is not one of those in the header `Allow`."),
    (StatusCode::NOT_ACCEPTABLE, "The answer has none of the media types in the header `Accept`."),
    (StatusCode::TOO_MANY_REQUESTS, "Too many requests: see the header `Retry-After`."),
    (StatusCode::INTERNAL_SERVER_ERROR, "A defect of the shop; the body has an id for its operator."),
    (StatusCode::SERVICE_UNAVAILABLE, "Not now: see the header `Retry-After`."),
];
const BAD_PARAMETER: (StatusCode, &str) =
    (StatusCode::BAD_REQUEST, "A parameter is wrong (messages by field), or the request as a whole (one sentence).");
const FOREIGN: &str =
    "With a name and a password, or with a cookie: the browser says that another web site asks for it.";

/// Problems of a request that only reads.
pub struct Reading;

impl Problems for Reading {
    const OWN: &'static [(StatusCode, &'static str)] = &[BAD_PARAMETER];
}

/// Problems of a request that reads what not everybody may see.
pub struct ReadingAsStaff;

impl Problems for ReadingAsStaff {
    const OWN: &'static [(StatusCode, &'static str)] =
        &[BAD_PARAMETER, (StatusCode::FORBIDDEN, "The caller is known and may not see this: a host.")];
}

/// Problems of a request that changes something with GET.
pub struct Saying;

impl Problems for Saying {
    const OWN: &'static [(StatusCode, &'static str)] = &[
        BAD_PARAMETER,
        (StatusCode::FORBIDDEN, "With a name and a password only POST is taken, and nothing from another web site."),
    ];
}

/// Problems of a request that changes something.
pub struct Writing;

impl Problems for Writing {
    const OWN: &'static [(StatusCode, &'static str)] = &[
        (
            StatusCode::BAD_REQUEST,
            "The body is wrong (messages by field), or it can't be done in this state (one sentence).",
        ),
        (StatusCode::FORBIDDEN, FOREIGN),
        (StatusCode::REQUEST_TIMEOUT, "The body did not come in time."),
        (StatusCode::CONFLICT, "It is in use, or was changed at the same time."),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is neither JSON nor a form, or it is compressed."),
    ];
}

/// A [`Problem`] of an operation with the problems `P`.
pub struct Failure<P>(Problem, PhantomData<P>);

impl<P, E: Into<Problem>> From<E> for Failure<P> {
    fn from(error: E) -> Self {
        Self(error.into(), PhantomData)
    }
}

impl<P: Problems> From<Failure<P>> for poem::Error {
    fn from(failure: Failure<P>) -> Self {
        failure.0.into()
    }
}

impl<P: Problems> ApiResponse for Failure<P> {
    fn meta() -> MetaResponses {
        let schema = |status: StatusCode| match status {
            StatusCode::BAD_REQUEST => dto::bad_request(),
            _ => Detail::schema_ref(),
        };
        let response = |(status, description): &(StatusCode, &'static str)| {
            let mut content = vec![MetaMediaType { content_type: "application/json", schema: schema(*status) }];
            if *status == StatusCode::NOT_FOUND {
                content.push(MetaMediaType { content_type: "text/html; charset=utf-8", schema: String::schema_ref() });
            }
            documented(*status, description, content)
        };
        let mut statuses: Vec<_> = P::OWN.iter().chain(&ALWAYS).collect();
        statuses.sort_by_key(|(status, _)| *status);
        MetaResponses { responses: statuses.into_iter().map(response).collect() }
    }

    fn register(registry: &mut Registry) {
        Detail::register(registry);
    }
}

/// The outcome of an operation that only reads.
pub type ReadResult<T> = Result<T, Failure<Reading>>;
/// The outcome of an operation that only reads, for operators.
pub type StaffResult<T> = Result<T, Failure<ReadingAsStaff>>;
/// The outcome of an operation that changes something with GET.
pub type SayResult<T> = Result<T, Failure<Saying>>;
/// The outcome of an operation that changes something.
pub type WriteResult<T> = Result<T, Failure<Writing>>;

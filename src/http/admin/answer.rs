//! What an operation answers, and which problems it can have. The forms of answers are those of the rest of the API.

use http::StatusCode;

use crate::http::contract::answer::{Failure, Problems};

pub use crate::http::contract::answer::{Created, Deleted, Reply, Text};

/// Problems of the operations in here, besides those of every request.
pub struct Administration;

impl Problems for Administration {
    const OWN: &'static [(StatusCode, &'static str)] = &[
        (
            StatusCode::BAD_REQUEST,
            "A parameter or the body is wrong, or it can't be done in this state; messages by field or one sentence.",
        ),
        (
            StatusCode::FORBIDDEN,
            "The browser says that another web site asks for it, the header `X-CSRF-Token` is missing, or the API token \
             has no right to it.",
        ),
        (StatusCode::REQUEST_TIMEOUT, "The body did not come in time."),
        (StatusCode::CONFLICT, "It is in use, or was changed at the same time."),
        (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON, or it is compressed."),
    ];
}

/// The outcome of an operation: errors of the services and problems become answers by `?`.
pub type Answer<T> = Result<T, Failure<Administration>>;

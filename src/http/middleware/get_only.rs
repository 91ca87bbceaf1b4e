//! Paths outside of the API, which are only read: what other methods are answered.

use http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::http::problem::Problem;

/// The methods of a path that is only read.
const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");

/// An endpoint that is only read.
pub struct GetOnly<E>(pub E);

impl<E: Endpoint<Output = Response>> Endpoint for GetOnly<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = match *request.method() {
            Method::GET | Method::HEAD => return self.0.call(request).await,
            Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
            ref other => Problem::method_not_allowed(other.as_str()).into_response(),
        };
        response.headers_mut().insert(header::ALLOW, ALLOW);
        Ok(response)
    }
}

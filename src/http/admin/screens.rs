//! The screens: files that browsers show and run, which know nothing but the admin API. They are where that is.

use http::{HeaderValue, header};
use poem::{Endpoint, Request, Response};

use crate::http::pages;
use crate::http::server::surface::Surface;

/// What the screens may do: run modules and look as the files here say, ask this shop, show pictures that it makes.
/// No text becomes a part of a page or of a program, whoever wrote it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);

/// Everything below `/admin/`.
pub struct Screens;

impl Endpoint for Screens {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        if !Surface::of(&request).has_admin() {
            return Ok(pages::not_found());
        }
        if path == "/admin" {
            return Ok(pages::add_slash(request.uri()));
        }
        let mut response = pages::asset(path, request.headers()).unwrap_or_else(pages::not_found);
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
        Ok(response)
    }
}

//! The OpenAPI document, made from the operations, and the page that shows it.

mod optional;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use poem::Response;
use poem_openapi::{LicenseObject, OpenApiService};
use serde_json::Value;

use super::admin;
use super::contract::operations;
use super::pages::asset;

/// The page has no script.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);
/// What does not change while the shop runs.
const FOR_MINUTES: HeaderValue = HeaderValue::from_static("public, max-age=300");
const ABOUT: &str = "Sells Tor bridges and Nostr aliases over Lightning.\n\n\
    A buyer lists hosts, places an order, polls it until its invoice has a payment request, pays, and polls the \
    product until it is active. A host polls its products with its token, and reports what it has done.\n\n\
    Amounts are millisatoshi, dates are UTC (`YYYY-MM-DDTHH:MM:SSZ`), ids are UUIDs. Every path ends with a slash; \
    without it the answer is a redirect (301). Bodies may be JSON, URL-encoded or multipart forms. `HEAD` works \
    wherever `GET` does; `OPTIONS` describes a resource.\n\n\
    Beside the API: `/shop/host` (WebSocket, see below), `/media/invoices/…` (QR codes), `/healthz` and \
    `/readyz`, and `/metrics` for those who run the shop.\n\n\
    The WebSocket `/shop/host` tells a host at once what it has to do; it replaces no poll, since a message may be \
    lost. The host shows its token (header `Authorization: Token <token>` or cookie `x-auth-token`) and gets JSON \
    texts: first `{\"type\":\"hello\",\"host\":\"<id>\"}`, then for each product that waits for it, now or later, \
    `{\"type\":\"product\",\"product\":\"tor_bridge\",\"id\":\"<id>\",\"status\":\"P\"}`: `product` is `tor_bridge` or \
    `nostr_alias`, `status` is `P` (activate, then report `A`) or `S` (suspend, then report `H`). What the host \
    sends is ignored. A host may have four connections; one that does not answer pings for 90 seconds is closed, as is \
    one whose token was replaced (code 1008).";

fn service() -> OpenApiService<impl poem_openapi::OpenApi, ()> {
    OpenApiService::new((operations::operations(), admin::operations()), "IP2Tor Shop", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .license(LicenseObject::new("MIT"))
}

/// The document as YAML, with the paths as they are served: poem-openapi drops the slash at their end.
pub fn openapi_document() -> String {
    let mut document = String::new();
    let mut in_paths = false;
    let nullable = serde_json::from_str(&service().spec()).map(|spec| optional::find(&spec)).unwrap_or_default();
    let mut schemas = optional::Lines::default();
    for line in service().spec_yaml().lines() {
        if !line.starts_with(' ') {
            in_paths = line == "paths:";
        }
        match line.strip_suffix(':') {
            Some(path) if in_paths && path.starts_with("  /") && !path.ends_with('/') => {
                document.push_str(path);
                document.push_str("/:");
            }
            _ => document.push_str(&schemas.pass(line, &nullable)),
        }
        document.push('\n');
    }
    document
}

/// The same as it is checked in: a test compares both. It is part of the program, and takes no memory of its own.
const DOCUMENT: &[u8] = include_bytes!("../../openapi.yaml");

/// The same document as JSON.
pub fn openapi_json() -> Result<Value, serde_json::Error> {
    let mut document: Value = serde_json::from_str(&service().spec())?;
    let nullable = optional::find(&document);
    optional::say(&mut document, &nullable);
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        let with_slash = |(path, item): (String, Value)| (format!("{}/", path.trim_end_matches('/')), item);
        *paths = std::mem::take(paths).into_iter().map(with_slash).collect();
    }
    Ok(document)
}

/// The page that shows the document, made of it when the program was built.
pub fn page(headers: &HeaderMap) -> Option<Response> {
    let mut response = asset("/docs/", headers)?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Some(response)
}

/// The document, as it is served.
pub fn document() -> Response {
    let document = Response::builder().header(header::CONTENT_TYPE, "application/yaml");
    document.header(header::CACHE_CONTROL, FOR_MINUTES).body(Bytes::from_static(DOCUMENT))
}

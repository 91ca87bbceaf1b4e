//! The OpenAPI document, made from the operations, and the page that shows it.

use std::sync::OnceLock;

use bytes::Bytes;
use poem_openapi::{LicenseObject, OpenApiService};
use serde_json::Value;

use super::api;

const ABOUT: &str = "Sells Tor bridges and Nostr aliases over Lightning.\n\n\
    A buyer lists hosts, places an order, polls it until its invoice has a payment request, pays, and polls the \
    product until it is active. A host polls its products with its token, and reports what it has done.\n\n\
    Amounts are millisatoshi, dates are UTC (`YYYY-MM-DDTHH:MM:SSZ`), ids are UUIDs. Every path ends with a slash; \
    without it the answer is a redirect (301). Bodies may be JSON, URL-encoded or multipart forms. `HEAD` works \
    wherever `GET` does; `OPTIONS` describes a resource.\n\n\
    Beside the API: `/shop/host` (WebSocket, see below), `/media/invoices/…` (QR codes), `/healthz` and \
    `/readyz`.\n\n\
    The WebSocket `/shop/host` tells a host at once what it has to do; it replaces no poll, since a message may be \
    lost. The host shows its token (header `Authorization: Token <token>` or cookie `x-auth-token`) and gets JSON \
    texts: first `{\"type\":\"hello\",\"host\":\"<id>\"}`, then for each product that waits for it, now or later, \
    `{\"type\":\"product\",\"product\":\"tor_bridge\",\"id\":\"<id>\",\"status\":\"P\"}`: `product` is `tor_bridge` or \
    `nostr_alias`, `status` is `P` (activate, then report `A`) or `S` (suspend, then report `H`). What the host \
    sends is ignored. A host may have four connections; one that does not answer pings for 90 seconds is closed, as is \
    one whose token was replaced (code 1008).";

fn service() -> OpenApiService<impl poem_openapi::OpenApi, ()> {
    OpenApiService::new(api::operations(), "IP2Tor Shop", env!("CARGO_PKG_VERSION"))
        .description(ABOUT)
        .license(LicenseObject::new("MIT"))
}

/// The document as YAML, with the paths as they are served: poem-openapi drops the slash at their end.
pub fn openapi_document() -> String {
    let mut document = String::new();
    let mut in_paths = false;
    for line in service().spec_yaml().lines() {
        if !line.starts_with(' ') {
            in_paths = line == "paths:";
        }
        match line.strip_suffix(':') {
            Some(path) if in_paths && path.starts_with("  /") && !path.ends_with('/') => {
                document.push_str(path);
                document.push_str("/:");
            }
            _ => document.push_str(line),
        }
        document.push('\n');
    }
    document
}

/// The same document as JSON.
pub fn openapi_json() -> Result<Value, serde_json::Error> {
    let mut document: Value = serde_json::from_str(&service().spec())?;
    if let Some(Value::Object(paths)) = document.get_mut("paths") {
        let with_slash = |(path, item): (String, Value)| (format!("{}/", path.trim_end_matches('/')), item);
        *paths = std::mem::take(paths).into_iter().map(with_slash).collect();
    }
    Ok(document)
}

/// The page that shows the document.
pub fn page() -> Bytes {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    PAGE.get_or_init(|| {
        let service = service();
        let html = service.swagger_ui_html();
        let html = match openapi_json().map(|document| document.to_string()) {
            Ok(document) => html.replacen(&service.spec(), &document, 1),
            Err(_) => html,
        };
        html.replacen("<title>Swagger UI</title>", "<title>IP2Tor Shop API</title>", 1).into()
    })
    .clone()
}

//! Requests to a [`TestShop`] and what came back.

use std::time::Duration;

use ip2tor_shop::http::Surface;
use poem::http::uri::Scheme;
use poem::http::{HeaderMap, Method, StatusCode, Uri};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint, Request, RequestParts, Response};
use serde_json::Value;

use super::TestShop;

/// The authority that requests name in `Host`.
pub const AUTHORITY: &str = "shop.example:8000";

/// A request, built step by step.
pub struct Ask<'a> {
    shop: &'a TestShop,
    method: Method,
    uri: Uri,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    peer: Addr,
    surface: Surface,
    uri_waits: bool,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl TestShop {
    /// A request.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask {
            shop: self,
            method: method.parse().expect("a method"),
            uri: path.parse().expect("a path"),
            headers: vec![("Host".to_owned(), AUTHORITY.to_owned())],
            body: Vec::new(),
            peer: Addr::SocketAddr("203.0.113.9:50000".parse().expect("an address")),
            surface: Surface::Clearnet,
            uri_waits: path.contains("/extend") || path.contains("/lnurl/renew/"),
        }
    }
}

impl Ask<'_> {
    /// Adds a header; the same name again replaces `Host` only.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        if name.eq_ignore_ascii_case("host") {
            self.headers.clear();
        }
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Sends a host's token.
    pub fn token(self, host: &str) -> Self {
        let token = self.shop.token(host);
        self.header("Authorization", token)
    }

    /// Sends bytes as they are.
    pub fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends JSON.
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").bytes(body.to_string())
    }

    /// Sends an URL-encoded form.
    pub fn form(self, body: &str) -> Self {
        self.header("Content-Type", "application/x-www-form-urlencoded").bytes(body)
    }

    /// Sends from another address.
    pub fn from(mut self, peer: Addr) -> Self {
        self.peer = peer;
        self
    }

    /// Sends to the listener for those who run the shop, from its local network.
    pub fn on_admin_face(mut self) -> Self {
        self.surface = Surface::Admin;
        self.from(Addr::SocketAddr("192.168.1.7:50000".parse().expect("an address")))
    }

    /// Asks at another listener.
    pub const fn on(mut self, surface: Surface) -> Self {
        self.surface = surface;
        self
    }

    /// Sends to an onion service, on a circuit.
    pub fn on_circuit(mut self, surface: Surface, circuit: u64) -> Self {
        self.surface = surface;
        self.from(Addr::custom("onion-circuit", circuit.to_string()))
    }

    /// Sends it. What waits for an invoice gets one.
    pub async fn send(self) -> Answer {
        let mut response = self.open().await;
        let body = response.take_body().into_vec().await.expect("a body");
        Answer { status: response.status(), headers: response.headers().clone(), body }
    }

    /// The same, for an answer that goes on.
    pub async fn open(self) -> Response {
        let mut builder = Request::builder().method(self.method).uri(self.uri);
        for (name, value) in &self.headers {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let (parts, body) = builder.body(self.body).into_parts();
        let mut plain = poem::http::Request::new(());
        *plain.method_mut() = parts.method;
        *plain.uri_mut() = parts.uri;
        *plain.headers_mut() = parts.headers;
        let local = LocalAddr(Addr::SocketAddr("127.0.0.1:8000".parse().expect("an address")));
        let parts = RequestParts::from((plain.into_parts().0, local, RemoteAddr(self.peer), Scheme::HTTP));
        let mut request = Request::from_parts(parts, body);
        request.set_data(self.surface);
        let waits = self.uri_waits;
        let answering = self.shop.app.get_response(request);
        if waits { with_node(self.shop, answering).await } else { answering.await }
    }
}

/// Waits for an answer while a node makes the invoices that are asked for.
async fn with_node(shop: &TestShop, answer: impl Future<Output = Response>) -> Response {
    let mut answer = std::pin::pin!(answer);
    loop {
        let node = tokio::time::timeout(Duration::from_millis(5), &mut answer);
        if let Ok(response) = node.await {
            return response;
        }
        shop.make_invoices().await;
    }
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

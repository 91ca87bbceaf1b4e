//! One stream of events that says which lists have changed (server-sent events): a screen asks for those again that it
//! shows.

use std::io::Error as IoError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, OpenApi};
use serde_json::json;

use super::answer::Answer;
use super::context::Context;
use super::signed::Signed;
use super::tag::Tag;
use crate::http::App;
use crate::http::event_limit::Seat;
use crate::http::problem::Problem;
use crate::services::pulse::{self, Pulse};
use crate::services::{Error, Principal, log_ring};

/// How often it is asked whether anything was committed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A quiet stream says so often that it is there: connections without a word are ended.
const PING_EVERY: u32 = 15;
/// A stream ends after so many looks; its browser opens it again, and shows who asks.
const LOOKS: u32 = 600;

/// The stream of events.
pub struct Events;

/// A body that goes on.
pub struct EventStream(Body);

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let mut response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream").body(self.0);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: "text/event-stream", schema: String::schema_ref() }];
        let status = Some(StatusCode::OK.as_u16());
        let description = "Events, as they come.";
        let response = MetaResponse { description, status, status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Events {
    /// What changes, as it does
    ///
    /// Server-sent events: `changed` with `{"lists": ["order", "host", …]}`, the nouns of the lists that are not as they
    /// were (`everything` for all); `log` when there is a new warning. The stream ends after ten minutes, and a browser
    /// opens it again.
    #[oai(path = "/events/", method = "get", operation_id = "admin_event_stream")]
    async fn listen(&self, context: &Context, signed: Signed) -> Answer<EventStream> {
        let pulse = context.shop().read(&signed.by, pulse::feel)?;
        let seat = context.app.listeners.take().ok_or_else(|| Problem::throttled(60))?;
        let version = context.shop().db.version().map_err(Error::from)?;
        let log = log_ring::ring().newest();
        let app = Arc::clone(&context.app);
        let listener = Listener { app, by: signed.by, pulse, version, log, looks: 0, _seat: seat };
        Ok(EventStream(Body::from_bytes_stream(stream::unfold(listener, Listener::next))))
    }
}

/// One who listens.
struct Listener {
    app: Arc<App>,
    by: Principal,
    pulse: Pulse,
    version: i64,
    log: u64,
    looks: u32,
    _seat: Seat,
}

impl Listener {
    /// The next piece of the stream, once there is one.
    async fn next(mut self) -> Option<(Result<Bytes, IoError>, Self)> {
        if self.looks == 0 {
            self.looks = 1;
            return Some((Ok(Bytes::from_static(b"retry: 2000\n: here\n\n")), self));
        }
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.looks += 1;
            let is_stopping = self.app.backstage.as_ref().is_some_and(|backstage| backstage.is_stopping());
            if self.looks > LOOKS || is_stopping {
                return None;
            }
            match self.look() {
                Ok(text) if !text.is_empty() => return Some((Ok(text.into()), self)),
                Ok(_) if self.looks.is_multiple_of(PING_EVERY) => {
                    return Some((Ok(Bytes::from_static(b": still here\n\n")), self));
                }
                Ok(_) => {}
                // Whoever may not see anything any more is told nothing more.
                Err(_) => return None,
            }
        }
    }

    /// What is new since the last look.
    fn look(&mut self) -> Result<String, Error> {
        let mut text = String::new();
        let version = self.app.shop.db.version()?;
        if std::mem::replace(&mut self.version, version) != version {
            let (lists, pulse) = self.app.shop.read(&self.by, |tx| pulse::changed(tx, &self.pulse))?;
            self.pulse = pulse;
            if !lists.is_empty() {
                text = format!("event: changed\ndata: {}\n\n", json!({ "lists": lists }));
            }
        }
        let newest = log_ring::ring().newest();
        let is_administrator = crate::services::authz::needs_administrator(&self.by).is_ok();
        if std::mem::replace(&mut self.log, newest) != newest && is_administrator {
            text.push_str("event: log\ndata: {}\n\n");
        }
        Ok(text)
    }
}

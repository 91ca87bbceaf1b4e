//! ntfy: one POST of JSON to a server, which pushes it to whoever follows the topic.

use bytes::Bytes;
use http::header;
use serde_json::json;

use super::outcome::{failed, shortened, taken};
use crate::config::alerts;
use crate::domain::alert::Severity;
use crate::domain::alert_message::Message;
use crate::lightning::dial::Dial;
use crate::services::alert_messages::Refusal;
use crate::web::Server;

/// A longer message would become a file that is attached. Bytes.
const MOST_BYTES: usize = 3900;

/// A topic of an ntfy server.
#[derive(Debug)]
pub struct Ntfy {
    pub(super) dial: Dial,
    pub(super) config: alerts::Ntfy,
}

impl Ntfy {
    pub(super) fn place(&self) -> String {
        format!("a topic at {}", self.config.url)
    }

    pub(super) async fn send(&self, message: &Message) -> Result<(), Refusal> {
        let answer = Server::new(self.dial.clone()).ask(self.request(message).map_err(failed)?).await;
        taken(&answer.map_err(failed)?)
    }

    fn request(&self, message: &Message) -> Result<http::Request<Bytes>, String> {
        let (priority, tag) = match message.severity {
            Severity::Critical => (5, "rotating_light"),
            Severity::Warning => (4, "warning"),
            Severity::Info => (3, "information_source"),
        };
        let body = json!({
            "topic": self.config.topic.read()?.reveal(),
            "title": message.title,
            "message": shortened(&message.text, MOST_BYTES),
            "priority": priority,
            "tags": [tag],
        });
        let mut request = http::Request::post(self.config.url.read()?).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.config.token {
            let token = header::HeaderValue::try_from(format!("Bearer {}", token.read()?.reveal()));
            let mut token = token.map_err(|_| "the token has characters that none has".to_owned())?;
            token.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, token);
        }
        request.body(body.to_string().into()).map_err(|error| error.to_string())
    }
}

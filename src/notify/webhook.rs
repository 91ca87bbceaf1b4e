//! Webhooks as the Standard Webhooks specification has them: JSON, signed so that its receiver knows from whom it is, and
//! with a name and a time, so that one who sends it again can be told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use http::header;
use serde_json::json;
use sha2::Sha256;

use super::outcome::{failed, taken};
use crate::config::{SecretSource, alerts};
use crate::domain::alert_message::Message;
use crate::domain::time::Timestamp;
use crate::lightning::credentials::Source;
use crate::lightning::dial::Dial;
use crate::services::alert_messages::Refusal;
use crate::web::Server;

/// The status of a receiver that wants no more.
const GONE: u16 = 410;

/// Somebody's web server.
#[derive(Debug)]
pub struct Webhook {
    pub(super) dial: Dial,
    pub(super) config: alerts::Webhook,
}

impl Webhook {
    pub(super) fn place(&self) -> String {
        self.config.url.to_string()
    }

    pub(super) async fn send(&self, message: &Message, now: Timestamp) -> Result<(), Refusal> {
        let certificate = self.config.certificate.clone().map(Source::File);
        let server = Server { certificate, ..Server::new(self.dial.clone()) };
        let answer = server.ask(self.request(message, now).map_err(failed)?).await.map_err(failed)?;
        let is_final = answer.status == GONE;
        taken(&answer).map_err(|refusal| Refusal { is_final, ..refusal })
    }

    /// The body is the same at each try, the time is that of the try.
    fn request(&self, message: &Message, now: Timestamp) -> Result<http::Request<Bytes>, String> {
        let body = json!({
            "type": format!("shop.{}", message.kind.name()),
            "timestamp": message.made_at.to_wire(),
            "data": { "severity": message.severity.name(), "title": message.title, "text": message.text },
        });
        let (body, time) = (body.to_string(), now.secs().to_string());
        let signed = format!("{}.{time}.{body}", message.key);
        let mut signatures = vec![signature(&key(&self.config.secret)?, signed.as_bytes())];
        if let Some(former) = &self.config.former_secret {
            signatures.push(signature(&key(former)?, signed.as_bytes()));
        }
        http::Request::post(self.config.url.read()?)
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.key)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signatures.join(" "))
            .body(body.into())
            .map_err(|error| error.to_string())
    }
}

/// The key in a place: base64, with or without `whsec_` before it.
pub(super) fn key(place: &SecretSource) -> Result<Vec<u8>, String> {
    let secret = place.read()?;
    let text = secret.reveal();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok();
    let wrong = || format!("{place} is no secret of a webhook: base64 of 24 to 64 bytes (openssl rand -base64 32)");
    key.filter(|key| (24..=64).contains(&key.len())).ok_or_else(wrong)
}

fn signature(key: &[u8], signed: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(signed);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(signature(&key, signed), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_without_being_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let place = SecretSource::File(dir.path().join("secret"));
        for (text, is_good) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true),
            ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", true),
            ("hunter2hunter2", false),
            ("aHVudGVyMg==", false),
        ] {
            std::fs::write(dir.path().join("secret"), text).unwrap();
            let read = key(&place);
            assert_eq!(read.is_ok(), is_good, "{text}");
            assert!(!read.err().unwrap_or_default().contains("hunter2"));
        }
    }
}

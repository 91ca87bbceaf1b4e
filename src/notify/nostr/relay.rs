//! One relay: it is given an event, and says whether it has taken it. It may want to know first who asks (NIP-42).

use std::time::Duration;

use bitcoin::secp256k1::Keypair;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::wrapping::signed;
use crate::config::alerts;
use crate::domain::id::SystemRandom;
use crate::domain::time::Timestamp;
use crate::lightning::connector::{Connector, NodeAddress};
use crate::lightning::dial::{BoxedIo, Dial};

/// For all of it.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The largest message of a relay. Bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The kind of an event that says who asks.
const AUTH: u16 = 22_242;

/// A relay, and the way to it.
pub struct Relay<'a> {
    /// `wss://…`, or `ws://…` near by or behind an onion address.
    pub url: &'a str,
    /// How it is reached.
    pub dial: &'a Dial,
    /// As whom the shop says that it asks.
    pub sender: &'a Keypair,
    /// When.
    pub now: Timestamp,
    /// How long it may take for all.
    pub limit: Duration,
}

impl Relay<'_> {
    /// Gives it an event.
    ///
    /// # Errors
    /// Why it has not taken it.
    pub async fn publish(&self, event: &Value) -> Result<(), String> {
        let asked = tokio::time::timeout(self.limit, self.talk(event)).await;
        asked.map_err(|_| format!("no answer within {} s", self.limit.as_secs()))?
    }

    async fn talk(&self, event: &Value) -> Result<(), String> {
        let limits = WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
        let connected = client_async_with_config(self.url, self.connect().await?, Some(limits)).await;
        let (mut socket, _) = connected.map_err(|error| format!("it speaks no WebSocket: {error}"))?;
        let mut heard = Heard::of(event);
        let mut next = Next::Send(json!(["EVENT", event]));
        loop {
            match next {
                Next::Send(said) => {
                    socket
                        .send(Frame::text(said.to_string()))
                        .await
                        .map_err(|error| heard.closed(&error.to_string()))?;
                }
                Next::Authenticate(challenge) => {
                    let tags = json!([["relay", self.url], ["challenge", challenge]]);
                    let auth = signed(self.sender, self.now.secs(), AUTH, &tags, "", &SystemRandom);
                    for said in [json!(["AUTH", auth]), json!(["EVENT", event])] {
                        let sent = socket.send(Frame::text(said.to_string())).await;
                        sent.map_err(|error| heard.closed(&error.to_string()))?;
                    }
                }
                Next::Wait => {}
                Next::Done(outcome) => {
                    // It has said what counts; whether it says goodbye is all the same.
                    let _ = socket.close(None).await;
                    return outcome;
                }
            }
            next = match socket.next().await {
                Some(Ok(Frame::Text(text))) => heard.hear(&text),
                Some(Ok(Frame::Close(_))) | None => return Err(heard.closed("without an answer")),
                Some(Ok(_)) => Next::Wait,
                Some(Err(error)) => return Err(heard.closed(&error.to_string())),
            };
        }
    }

    async fn connect(&self) -> Result<BoxedIo, String> {
        let url = alerts::relay_as_web(self.url)?;
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if url.scheme_str() == Some("http") {
            let port = url.port_u16().unwrap_or(80);
            return self.dial.open(&host, port).await.map_err(|error| error.to_string());
        }
        let address = NodeAddress { host, port: url.port_u16().unwrap_or(443) };
        let connector = Connector::new(address, None, self.dial.clone(), b"http/1.1", self.limit);
        Ok(Box::new(connector.connect().await.map_err(|error| error.to_string())?))
    }
}

/// What follows.
#[derive(Debug, PartialEq)]
enum Next {
    /// Say this.
    Send(Value),
    /// Say who asks, and ask again.
    Authenticate(String),
    /// Hear on.
    Wait,
    /// It is over.
    Done(Result<(), String>),
}

/// What a relay has said so far about an event.
#[derive(Default)]
struct Heard {
    id: String,
    notice: Option<String>,
    challenge: Option<String>,
    wants_to_know: bool,
    was_told: bool,
}

impl Heard {
    fn of(event: &Value) -> Self {
        Self { id: event["id"].as_str().unwrap_or_default().to_owned(), ..Self::default() }
    }

    /// Whatever it says that is none of this is not understood, and no reason to give up.
    fn hear(&mut self, text: &str) -> Next {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |index: usize| said[index].as_str().unwrap_or_default();
        match word(0) {
            "OK" if word(1) == self.id => self.answered(said[2] == json!(true), word(3)),
            "OK" if self.was_told && said[2] == json!(false) => {
                Next::Done(Err(format!("it does not let the shop in: {}", word(3))))
            }
            "AUTH" => {
                self.challenge = Some(word(1).to_owned());
                if self.wants_to_know { self.authenticate() } else { Next::Wait }
            }
            "NOTICE" => {
                self.notice = Some(word(1).to_owned());
                Next::Wait
            }
            _ => Next::Wait,
        }
    }

    fn answered(&mut self, is_taken: bool, why: &str) -> Next {
        if is_taken || why.starts_with("duplicate:") {
            return Next::Done(Ok(()));
        }
        if why.starts_with("auth-required:") && !self.was_told {
            self.wants_to_know = true;
            return self.authenticate();
        }
        Next::Done(Err(format!("it does not take the message: {why}")))
    }

    /// With what it gives for that, when it has given it.
    fn authenticate(&mut self) -> Next {
        let Some(challenge) = self.challenge.take() else { return Next::Wait };
        (self.wants_to_know, self.was_told) = (false, true);
        Next::Authenticate(challenge)
    }

    fn closed(&self, why: &str) -> String {
        let notice = self.notice.as_ref().map(|notice| format!("; it said: {notice}")).unwrap_or_default();
        format!("it has closed the connection: {why}{notice}")
    }
}

#[cfg(test)]
pub(super) mod tests;

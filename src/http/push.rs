//! Host push: a WebSocket that tells a host at once which of its products need activation or
//! suspension, so that it need not wait for its next poll. A lost message is harmless: hosts also
//! poll.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, StatusCode, header};
use poem::web::websocket::{CloseCode, Message, WebSocket, WebSocketStream};
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::App;
use super::middleware::same_site;
use super::problem::Problem;
use super::server::client::Origin;
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{ProductKind, ProductStatus};
use crate::domain::texts;
use crate::services::hosts::manage::hash_token;
use crate::services::{Error, Principal, products};

/// How often the database is asked whether anything was committed: the command line works in a process
/// of its own, and its changes ring no bell here. Asking costs microseconds; only after a commit the
/// host's work is looked up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// How often a quiet connection is checked.
const PING_EVERY: Duration = Duration::from_secs(30);
/// A host that has said nothing (not even a pong) for so long is gone.
const SILENCE_LIMIT: Duration = Duration::from_secs(90);
/// A message that can't be sent within this time ends the connection.
const SEND_LIMIT: Duration = Duration::from_secs(10);
/// The largest message that is read; what hosts say is ignored.
const MAX_MESSAGE: usize = 16 * 1024;

/// Accepts a host's connection.
pub async fn connect(app: &Arc<App>, request: &Request) -> Result<Response, Problem> {
    same_site::check_socket(request.headers(), &Origin::of(request, &*app.is_trusted_proxy))?;
    let token = token(request.headers()).ok_or_else(|| Problem::unauthorized(texts::Message::NotAuthenticated))?;
    let host = app.auth.token(token).await?.ok_or_else(|| Problem::unauthorized(texts::Message::InvalidToken))?;
    let upgrade = WebSocket::from_request(request, &mut RequestBody::default()).await;
    let no_socket = |_| Problem::detail(StatusCode::UPGRADE_REQUIRED, texts::Message::SocketOnly);
    let upgrade = upgrade.map_err(no_socket)?;
    let seat = app.pushes.take(host).ok_or_else(|| Problem::throttled(60))?;
    let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let token_hash = hash_token(token);
    let app = Arc::clone(app);
    let serve = move |socket| async move {
        let _seat = seat;
        if let Err(error) = (Session { host, token_hash, socket, told: HashMap::new() }).run(&app).await {
            tracing::warn!(host = %host, %error, "a host's connection ended");
        }
    };
    Ok(upgrade.config(config).on_upgrade(serve).into_response())
}

/// The token in `Authorization: Token x`, `Authorization: Token: x` (as the predecessor's clients
/// write it) or the cookie `x-auth-token`.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        let (scheme, token) = value.trim().split_once(' ')?;
        let scheme = scheme.trim_end_matches(':');
        return scheme.eq_ignore_ascii_case("token").then(|| token.trim());
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|cookie| cookie.trim().strip_prefix("x-auth-token="))
}

/// A connected host.
struct Session {
    host: HostId,
    /// Of the token that it came with.
    token_hash: [u8; 32],
    socket: WebSocketStream,
    /// What it was told and has not done yet.
    told: HashMap<ProductId, ProductStatus>,
}

impl Session {
    async fn run(mut self, app: &Arc<App>) -> Result<(), Error> {
        // Listening begins before the first look, so that nothing is missed in between.
        let mut bell = app.shop.host_bell.subscribe();
        let mut look = interval(POLL_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = app.shop.db.version().map_err(Error::from)?;
        let mut ping = interval(PING_EVERY);
        let mut last_heard = Instant::now();
        let hello = json!({ "type": "hello", "host": self.host.to_string() });
        if !self.send(Message::text(hello.to_string())).await || !self.tell_news(app).await? {
            return Ok(());
        }
        loop {
            let goes_on = tokio::select! {
                rung = bell.recv() => match rung {
                    Ok(host) if host != self.host => true,
                    Ok(_) | Err(RecvError::Lagged(_)) => self.tell_news(app).await?,
                    Err(RecvError::Closed) => false,
                },
                _ = look.tick() => {
                    let version = app.shop.db.version().map_err(Error::from)?;
                    let is_news = std::mem::replace(&mut seen, version) != version;
                    !is_news || self.tell_news(app).await?
                }
                heard = self.socket.next() => {
                    last_heard = Instant::now();
                    !matches!(heard, None | Some(Err(_) | Ok(Message::Close(_))))
                }
                _ = ping.tick() => last_heard.elapsed() < SILENCE_LIMIT && self.send(Message::ping("")).await,
            };
            if !goes_on {
                let _ = timeout(SEND_LIMIT, self.socket.close()).await;
                return Ok(());
            }
        }
    }

    /// Tells what needs to be done and was not told yet. False when the connection is broken, or when
    /// its token no longer holds: a connection outlives the token otherwise.
    async fn tell_news(&mut self, app: &Arc<App>) -> Result<bool, Error> {
        if !app.auth.is_token_of(&self.token_hash, self.host)? {
            self.send(Message::close_with(CloseCode::Policy, texts::Message::InvalidToken.to_string())).await;
            return Ok(false);
        }
        let mut waiting = HashMap::new();
        for kind in [ProductKind::TorBridge, ProductKind::NostrAlias] {
            for status in [ProductStatus::NeedsActivate, ProductStatus::NeedsSuspend] {
                let found =
                    products::view::list(&app.shop, &Principal::Host(self.host), kind, None, Some(status)).await?;
                for view in found {
                    let id = view.product.id;
                    waiting.insert(id, status);
                    if self.told.get(&id) == Some(&status) {
                        continue;
                    }
                    let news = json!({
                        "type": "product",
                        "product": kind.name(),
                        "id": id.to_string(),
                        "status": status.letter(),
                    });
                    if !self.send(Message::text(news.to_string())).await {
                        return Ok(false);
                    }
                }
            }
        }
        self.told = waiting;
        Ok(true)
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_LIMIT, self.socket.send(message)).await, Ok(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stands_in_either_spelling_or_in_a_cookie() {
        for (name, value) in
            [("authorization", "Token abc"), ("authorization", "token: abc"), ("cookie", "a=b; x-auth-token=abc")]
        {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            assert_eq!(token(&headers), Some("abc"), "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Basic abc".parse().expect("a header value"));
        assert_eq!(token(&headers), None);
    }
}

//! The stream that tells the script of an order's page when there is something new to ask for (server-sent events). What
//! is told is the version of what is shown: as the stream begins, whenever it changes, and now and then although it is the
//! same, so that the script, the proxies and Tor know that the stream lives.

use std::io::Error as IoError;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Response};

use super::standing::Standing;
use super::visit::Visit;
use crate::domain::id::OrderId;
use crate::domain::texts::Language;
use crate::domain::time::Timestamp;
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::watch_limit::Seat;
use crate::services::Error;
use crate::services::orders::follow;

/// How often it is asked whether anything was committed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so many looks that found nothing new the same is said again: connections without a word are ended.
const SILENCE: u32 = 25;
/// A stream ends after so many looks; the script opens it again, if it is still looked at.
const LOOKS: u32 = 600;
/// So long a browser waits before it opens a stream again that has ended. Milliseconds.
const RETRY_MILLIS: u32 = 3000;

/// A stream of what becomes of an order; no content where nothing changes by itself or all places are taken. The script
/// asks by itself then, and with this status no browser tries again or complains.
pub fn listen(visit: &Visit) -> Result<Response, Problem> {
    let order = visit.id(OrderId::parse)?;
    // Before the order is read: a change in between is told twice rather than never.
    let version = visit.app.shop.db.version().map_err(Error::from)?;
    let standing = standing(&visit.app, order, visit.language)?;
    let seat = if standing.changes_by_itself() { visit.app.watchers.take(order, &visit.origin.client) } else { None };
    let Some(seat) = seat else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let listener = Listener {
        app: Arc::clone(&visit.app),
        order,
        language: visit.language,
        version,
        standing,
        rhythm: Rhythm::default(),
        _seat: seat,
    };
    let body = Body::from_bytes_stream(stream::unfold(listener, Listener::next));
    let mut response = Response::builder().header(header::CONTENT_TYPE, "text/event-stream").body(body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    // nginx would keep what is said until there is more of it.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

fn standing(app: &App, order: OrderId, language: Language) -> Result<Standing, Error> {
    Ok(Standing::of(&follow::follow(&app.shop, order)?, language, app.shop.now()))
}

/// One who follows an order.
struct Listener {
    app: Arc<App>,
    order: OrderId,
    language: Language,
    /// Of the database, at the latest look.
    version: i64,
    standing: Standing,
    rhythm: Rhythm,
    _seat: Seat,
}

impl Listener {
    /// The next piece of the stream, once there is one.
    async fn next(mut self) -> Option<(Result<Bytes, IoError>, Self)> {
        if self.rhythm.begins() {
            let text = format!("retry: {RETRY_MILLIS}\n{}", self.says());
            return Some((Ok(text.into()), self));
        }
        while self.standing.changes_by_itself() {
            tokio::time::sleep(LOOK_EVERY).await;
            let is_stopping = self.app.backstage.as_ref().is_some_and(|backstage| backstage.is_stopping());
            // The script asks by itself where the order can't be read.
            let is_news = self.looks_again(self.app.shop.now()).ok()?;
            match self.rhythm.beat(is_news) {
                _ if is_stopping => return None,
                Beat::Quiet => {}
                Beat::Said => return Some((Ok(self.says().into()), self)),
                Beat::Last => return None,
            }
        }
        None
    }

    /// One more look: whether the page would show something else.
    fn looks_again(&mut self, now: Timestamp) -> Result<bool, Error> {
        let version = self.app.shop.db.version()?;
        if std::mem::replace(&mut self.version, version) == version && !self.standing.is_over(now) {
            return Ok(false);
        }
        let standing = standing(&self.app, self.order, self.language)?;
        let before = std::mem::replace(&mut self.standing, standing);
        Ok(before.version != self.standing.version)
    }

    fn says(&self) -> String {
        format!("data: {}\n\n", self.standing.version)
    }
}

/// When something is said.
#[derive(Default)]
struct Rhythm {
    looks: u32,
    /// Looks since something was said.
    quiet: u32,
}

/// What follows a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beat {
    /// Nothing is said.
    Quiet,
    /// The version is said.
    Said,
    /// The stream ends.
    Last,
}

impl Rhythm {
    /// Whether nothing was said yet; once.
    fn begins(&mut self) -> bool {
        self.looks += 1;
        self.looks == 1
    }

    fn beat(&mut self, is_news: bool) -> Beat {
        self.looks += 1;
        self.quiet += 1;
        if self.looks > LOOKS {
            return Beat::Last;
        }
        if !is_news && self.quiet < SILENCE {
            return Beat::Quiet;
        }
        self.quiet = 0;
        Beat::Said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_said_at_once_and_the_same_again_now_and_then_until_the_stream_is_old() {
        let mut rhythm = Rhythm::default();
        assert!(rhythm.begins() && !rhythm.begins());
        assert_eq!((rhythm.beat(true), rhythm.beat(false)), (Beat::Said, Beat::Quiet));
        let beats: Vec<Beat> = (0..SILENCE).map(|_| rhythm.beat(false)).collect();
        assert_eq!(beats.iter().filter(|beat| **beat == Beat::Said).count(), 1, "{beats:?}");
        let rest = (0..10 * LOOKS).take_while(|_| rhythm.beat(false) != Beat::Last).count();
        assert!(rest < LOOKS as usize && rest > 500, "{rest}");
    }
}

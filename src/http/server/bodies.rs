//! The bytes of request bodies: a small body always finds room, large ones share theirs.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use poem::Body;
use tokio::sync::Semaphore;

use crate::domain::texts::Message;
use crate::http::problem::Problem;

/// The largest body, in bytes, unless the operator says otherwise.
pub const BODY_BYTES: usize = 64 << 10;
/// A body up to this size, in bytes, is small: orders and reports are a few hundred bytes long.
pub const SMALL_BODY: usize = 4 << 10;
/// Larger bodies that are read at a time.
const LARGE_AT_ONCE: usize = 8;
/// What strangers can make the large bodies hold, in bytes, with the limit for one of them as it is by default. What
/// is made of them is no more than that by much: the number of their values is limited where they are read.
pub const MOST_BYTES: usize = LARGE_AT_ONCE * BODY_BYTES;

/// The room for bodies.
pub struct Bodies {
    limit: usize,
    large: Arc<Semaphore>,
}

impl Bodies {
    /// For bodies of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, large: Arc::new(Semaphore::new(LARGE_AT_ONCE)) }
    }

    /// Reads a body.
    pub async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
        let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|length| length > self.limit as u64) {
            return Err(self.too_large());
        }
        // One that does not say how long it is has none, or comes in chunks.
        let has_chunks = headers.contains_key(header::TRANSFER_ENCODING);
        let is_small = declared.map_or(!has_chunks, |length| length <= SMALL_BODY as u64);
        let _room = match is_small {
            true => None,
            false => Some(Arc::clone(&self.large).try_acquire_owned().map_err(|_| busy())?),
        };
        self.collect(body).await
    }

    /// Holds what has come, and nothing in advance: neither as much as is announced, nor hyper's own buffers.
    async fn collect(&self, body: Body) -> Result<Bytes, Problem> {
        let (mut pieces, mut bytes) = (body.into_bytes_stream(), Vec::new());
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Problem::detail(StatusCode::BAD_REQUEST, Message::BodyUnreadable))?;
            if bytes.len() + piece.len() > self.limit {
                return Err(self.too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.into())
    }

    fn too_large(&self) -> Problem {
        Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, Message::BodyTooLarge { limit: self.limit })
    }
}

fn busy() -> Problem {
    Problem { retry_after_secs: Some(5), ..Problem::detail(StatusCode::SERVICE_UNAVAILABLE, Message::BodiesBusy) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[tokio::test]
    async fn while_large_bodies_take_all_the_room_a_small_one_is_still_read() {
        let bodies = Bodies::new(BODY_BYTES);
        let taken: Vec<_> =
            (0..LARGE_AT_ONCE).map(|_| Arc::clone(&bodies.large).try_acquire_owned().unwrap()).collect();
        let small = bodies.read(&headers(header::CONTENT_LENGTH, "5"), Body::from("a=b&c")).await;
        assert_eq!(small.unwrap(), "a=b&c");
        for large in [headers(header::CONTENT_LENGTH, "5000"), headers(header::TRANSFER_ENCODING, "chunked")] {
            let refused = bodies.read(&large, Body::from(vec![b'a'; 5000])).await.unwrap_err();
            assert_eq!((refused.status, refused.retry_after_secs), (StatusCode::SERVICE_UNAVAILABLE, Some(5)));
        }
        drop(taken);
        let large = bodies.read(&headers(header::CONTENT_LENGTH, "5000"), Body::from(vec![b'a'; 5000])).await;
        assert_eq!(large.unwrap().len(), 5000);
        assert_eq!(bodies.large.available_permits(), LARGE_AT_ONCE);
    }
}

//! Whether a request waits for its body: who does not send it is answered otherwise than who waits for us.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use poem::Request;

use super::connection_state::ConnectionState;
use crate::domain::texts::Message;
use crate::http::problem::Problem;

/// Whether the body of a request is being waited for; in its extensions. Its connection's state hears of it.
#[derive(Clone, Default)]
pub struct BodyWait {
    is_waited_for: Arc<AtomicBool>,
    state: Option<Arc<ConnectionState>>,
}

impl BodyWait {
    /// Of a request on this connection.
    pub fn at(state: Option<Arc<ConnectionState>>) -> Self {
        Self { state, ..Self::default() }
    }

    /// Waits for a body.
    pub async fn on<T>(request: &Request, body: impl Future<Output = T>) -> T {
        let wait = request.extensions().get::<Self>().cloned().unwrap_or_default();
        wait.set(true);
        let body = body.await;
        wait.set(false);
        body
    }

    fn set(&self, is_waited_for: bool) {
        self.is_waited_for.store(is_waited_for, Ordering::Relaxed);
        if let Some(state) = &self.state {
            state.waits_for_body(is_waited_for);
        }
    }

    /// What a request is answered that took too long.
    pub fn problem(&self) -> Problem {
        if self.is_waited_for.load(Ordering::Relaxed) {
            Problem::detail(StatusCode::REQUEST_TIMEOUT, Message::BodyLate)
        } else {
            Problem::detail(StatusCode::SERVICE_UNAVAILABLE, Message::TookTooLong)
        }
    }
}

//! The last warnings of the log, kept in memory for those who run the shop.

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::domain::time::{Clock, SystemClock};
use crate::services::log_ring;

/// Keeps the last warnings in memory, for those who run the shop.
pub struct Kept;

impl<S: Subscriber> Layer<S> for Kept {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = *event.metadata().level();
        if level > Level::WARN {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        log_ring::ring().push(SystemClock.now(), level == Level::ERROR, event.metadata().target(), &line.0);
    }
}

/// What an event says: its message, then its fields.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = match field.name() {
            "message" => format!("{value:?}"),
            name => format!("{name}={value:?}"),
        };
        match field.name() {
            "message" if !self.0.is_empty() => self.0.insert_str(0, &(text + " ")),
            _ if self.0.is_empty() => self.0 = text,
            _ => self.0.extend([" ", &text]),
        }
    }
}

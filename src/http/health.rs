//! Health, for watchdogs and load balancers: whether the process answers, and whether the shop can
//! sell.

use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use poem::Response;
use serde_json::{Value, json};

use super::response::json_response;
use crate::services::{Error, Shop};
use crate::store::node_state;

/// Says how a part of the shop is; never anything secret.
type Part = Box<dyn Fn() -> Value + Send + Sync>;

/// More parts that `readyz` shows; they don't decide whether the shop is ready. Cheap to clone.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<Vec<(&'static str, Part)>>>);

impl Readiness {
    /// Shows what `part` says under `name`.
    pub fn show(&self, name: &'static str, part: impl Fn() -> Value + Send + Sync + 'static) {
        self.0.lock().push((name, Box::new(part)));
    }

    /// What is shown under `name`.
    pub(super) fn part(&self, name: &str) -> Option<Value> {
        self.0.lock().iter().find(|(shown, _)| *shown == name).map(|(_, part)| part())
    }
}

/// The process answers.
pub fn healthz() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Whether orders can be taken: the database can be read and written, and a Lightning node is alive.
/// 503 when not; the body says which part is missing. Nothing is written to find out: strangers may ask.
pub async fn readyz(shop: &Shop, readiness: &Readiness) -> Response {
    let body = readiness_of(shop, readiness).await;
    let status = if body["ready"] == true { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &body)
}

/// What `readyz` says, for whoever else wants to know.
pub async fn readiness_of(shop: &Shop, readiness: &Readiness) -> Value {
    let nodes = shop.db.scan::<_, Error, _>(|db| Ok(node_state::counts(db)?)).await;
    let writable = shop.db.can_write();
    let (readable, (enabled, alive)) = (nodes.is_ok(), nodes.unwrap_or_default());
    let mut body = json!({
        "ready": readable && writable && alive > 0,
        "database": { "readable": readable, "writable": writable },
        "lightning": { "nodes": enabled, "alive": alive },
    });
    for (name, part) in readiness.0.lock().iter() {
        body[*name] = part();
    }
    body
}

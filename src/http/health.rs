//! Health, for watchdogs and load balancers: whether the process answers, and whether the shop can
//! sell.

use std::sync::Arc;

use http::StatusCode;
use poem::Response;
use serde_json::json;

use super::App;
use super::answer::json_response;
use crate::services::Error;
use crate::store::{StoreError, meta, node_state};

/// The process answers.
pub fn healthz() -> Response {
    json_response(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Whether orders can be taken: the database can be read and written, and a Lightning node is alive.
/// 503 when not; the body says which part is missing.
pub async fn readyz(app: &Arc<App>) -> Response {
    let now = app.shop.now();
    let nodes = app.shop.db.scan::<_, Error, _>(|db| Ok(node_state::counts(db)?)).await;
    let written = app.shop.db.write::<_, StoreError, _>(move |db| meta::note_time(db, now)).await.is_ok();
    let (readable, (enabled, alive)) = (nodes.is_ok(), nodes.unwrap_or_default());
    let ready = readable && written && alive > 0;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "database": { "readable": readable, "writable": written },
        "lightning": { "nodes": enabled, "alive": alive },
    });
    json_response(status, &body)
}

//! Liveness, readiness and metrics.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;

/// What `/readyz` tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    ready: bool,
    event_store: Part,
    relay: Part,
    read_models: BTreeMap<&'static str, Part>,
}

/// One part of the system.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    ready: bool,
    /// Position it has come to.
    position: u64,
    /// Positions between it and the log's head.
    lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// Lag, in positions, up to which a follower counts as ready.
const READY_LAG: u64 = 10_000;

/// Alive: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: every part works and follows the log closely.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let (event_store, head) = match app.store.head().await {
        Ok(head) => (Part { ready: true, position: head.0, ..Part::default() }, head.0),
        Err(error) => (Part { last_error: Some(error.to_string()), ..Part::default() }, 0),
    };
    let part = |position: u64, stopped: bool, last_error: Option<String>| {
        let lag = head.saturating_sub(position);
        Part { ready: !stopped && lag <= READY_LAG, position, lag, last_error }
    };
    let relay = part(app.relay.last_published().0, false, app.relay.last_error());
    let read_models: BTreeMap<_, _> = app
        .read_models
        .statuses()
        .into_iter()
        .map(|(name, status)| {
            let stopped = status.halted.is_some();
            (name, part(status.position.0, stopped, status.halted.or(status.last_error)))
        })
        .collect();
    let ready = event_store.ready && read_models.values().all(|part| part.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready, event_store, relay, read_models })).into_response()
}

/// Metrics in Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}

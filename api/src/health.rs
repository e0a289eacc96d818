//! Liveness, readiness and metrics.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use dossier_eventlog::RelayStatus;
use dossier_processes::work_store::Member;
use serde::Serialize;

use crate::app::App;
use crate::config::Role;
use crate::fleet::RELEASE;

/// What `/readyz` tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    /// Whether this process can do its work.
    ready: bool,
    /// Whether something is wrong all the same, such as an event store that is away while reads go on.
    degraded: bool,
    node: String,
    release: &'static str,
    #[serde(flatten)]
    parts: Parts,
    /// Every process of the system that was seen lately.
    fleet: Vec<Member>,
}

/// The parts of one process.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parts {
    roles: Vec<&'static str>,
    event_store: Part,
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    analytics_relay: Option<Part>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    read_models: BTreeMap<&'static str, Part>,
}

impl Parts {
    fn all(&self) -> impl Iterator<Item = &Part> {
        self.relay.iter().chain(&self.analytics_relay).chain(self.read_models.values())
    }
}

/// One part of the system.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// Position it has come to.
    position: u64,
    /// Positions between it and the log's head.
    lag: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

/// Lag, in positions, up to which a follower counts as ready.
const READY_LAG: u64 = 10_000;
/// How long the event store may take to tell its head.
const HEAD_PATIENCE: Duration = Duration::from_secs(1);

/// Alive: the process answers.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: this process's parts work and follow the log closely. An event store that is away is told, and does not take the
/// process out of service: reads go on, and commands are refused one by one.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let (parts, fleet) = tokio::join!(own_parts(&app), app.fleet.members());
    let ready = parts.all().all(|part| part.ready);
    let degraded = !ready || !parts.event_store.ready || parts.all().any(|part| part.last_error.is_some());
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let node = app.fleet.node.clone();
    (status, Json(Readiness { ready, degraded, node, release: RELEASE, parts, fleet })).into_response()
}

/// This process's parts, as the others are told.
pub(crate) async fn parts(app: &App) -> serde_json::Value {
    serde_json::to_value(own_parts(app).await).expect("parts are serializable")
}

async fn own_parts(app: &App) -> Parts {
    let asked = tokio::time::timeout(HEAD_PATIENCE, app.store.head()).await;
    let (event_store, head) = match asked {
        Ok(Ok(head)) => (Part { ready: true, position: head.0, ..Part::default() }, Some(head.0)),
        Ok(Err(error)) => (Part { last_error: Some(error.to_string()), ..Part::default() }, None),
        Err(_) => (Part { last_error: Some("does not answer".to_owned()), ..Part::default() }, None),
    };
    let part = |state: &'static str, position: u64, stopped: bool, last_error: Option<String>| {
        let lag = head.map_or(0, |head| head.saturating_sub(position));
        Part { ready: !stopped && lag <= READY_LAG, state: Some(state), position, lag, last_error }
    };
    // A relay that lags delays nobody: whoever follows it reads the log instead.
    let relay = |status: &Arc<RelayStatus>| {
        let relay = part(status.state().name(), status.last_published().0, false, status.last_error());
        Part { ready: true, ..relay }
    };
    let follows_models = app.roles.has(Role::Api) || app.roles.has(Role::Projectors);
    let statuses = if follows_models { app.read_models.statuses() } else { Vec::new() };
    let read_models = statuses.into_iter().map(|(name, status)| {
        let stopped = status.halted.is_some();
        let told =
            part(status.state.as_str(), status.position.0, stopped, status.halted.or(status.last_error));
        (name, told)
    });
    Parts {
        roles: app.roles.names(),
        event_store,
        relay: app.relay.as_ref().map(relay),
        analytics_relay: app.analytics_relay.as_ref().map(relay),
        read_models: read_models.collect(),
    }
}

/// Metrics in Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}

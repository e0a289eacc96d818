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
use dossier_processes::reactor::{ReactorState, ReactorStatus};
use dossier_processes::work_store::Member;
use serde::Serialize;
use tokio::sync::watch;

use crate::app::App;
use crate::config::Role;
use crate::fleet::RELEASE;
use crate::notifying::Notifying;

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
    /// Reactors and timers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    processes: BTreeMap<&'static str, Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notifications: Option<Notifications>,
}

/// What this process does about notifications.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Notifications {
    /// What finds out who is told what.
    fan_out: Part,
    /// What sends mails: `sending`, or `no mail server`: then they are written down and not sent.
    mailer: Part,
    /// What finds out which machines are told what.
    event_delivery: Part,
    /// What sends to webhooks and subjects.
    courier: Part,
    /// How many messages wait, failed for good or stayed unknown, by channel and state; those that were sent are not counted.
    /// Absent while the work store does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<BTreeMap<&'static str, BTreeMap<&'static str, u64>>>,
}

impl Parts {
    fn all(&self) -> impl Iterator<Item = &Part> {
        let notifications = self
            .notifications
            .iter()
            .flat_map(|told| [&told.fan_out, &told.mailer, &told.event_delivery, &told.courier]);
        let followers = self.read_models.values().chain(self.processes.values());
        self.relay.iter().chain(&self.analytics_relay).chain(followers).chain(notifications)
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
    // What acts by itself takes no process out of service: nobody asks it, and the alerts tell of it. One that stands by knows
    // of no place.
    let processes = app.by_itself.get().into_iter().flatten().map(|(name, status)| {
        let status = status.borrow().clone();
        let (state, error) = (status.state.as_str(), status.halted.or(status.last_error));
        let told = match status.state {
            ReactorState::Active | ReactorState::Halted => part(state, status.position.0, false, error),
            ReactorState::Starting | ReactorState::StandingBy => {
                Part { state: Some(state), last_error: error, ..Part::default() }
            }
        };
        (*name, Part { ready: true, ..told })
    });
    let follows_models = app.roles.has(Role::Api) || app.roles.has(Role::Projectors);
    let statuses = if follows_models { app.read_models.statuses() } else { Vec::new() };
    let read_models = statuses.into_iter().map(|(name, status)| {
        let stopped = status.halted.is_some();
        let told =
            part(status.state.as_str(), status.position.0, stopped, status.halted.or(status.last_error));
        (name, told)
    });
    let notifications = match app.notifying.get() {
        None => None,
        Some((notifying, delivering)) => {
            // One that lags or has halted tells people late, and takes no process out of service: the alerts tell of it.
            let follower = |status: &watch::Receiver<ReactorStatus>| {
                let status = status.borrow().clone();
                let trouble = status.halted.or(status.last_error);
                Part { ready: true, ..part(status.state.as_str(), status.position.0, false, trouble) }
            };
            let (fan_out, event_delivery) = (follower(&notifying.fan_out), follower(&delivering.follower));
            let last_error = delivering.courier.borrow().clone();
            let courier = Part { ready: true, state: Some("sending"), last_error, ..Part::default() };
            let (mailer, messages) = (mailer(notifying), messages(app).await);
            Some(Notifications { fan_out, mailer, event_delivery, courier, messages })
        }
    };
    Parts {
        notifications,
        roles: app.roles.names(),
        event_store,
        relay: app.relay.as_ref().map(relay),
        analytics_relay: app.analytics_relay.as_ref().map(relay),
        read_models: read_models.collect(),
        processes: processes.collect(),
    }
}

/// A mail server that is away delays mails and takes no process out of service.
fn mailer(notifying: &Notifying) -> Part {
    let part = Part { ready: true, ..Part::default() };
    match &notifying.mailer {
        None => Part { state: Some("no mail server"), ..part },
        Some(status) => {
            Part { state: Some("sending"), last_error: status.borrow().last_error.clone(), ..part }
        }
    }
}

async fn messages(app: &App) -> Option<BTreeMap<&'static str, BTreeMap<&'static str, u64>>> {
    let counted = tokio::time::timeout(HEAD_PATIENCE, app.fleet.work.message_counts()).await;
    let mut messages = BTreeMap::<_, BTreeMap<_, _>>::new();
    for found in counted.ok()?.ok()? {
        messages.entry(found.channel.as_str()).or_default().insert(found.state.as_str(), found.count);
    }
    Some(messages)
}

/// Metrics in Prometheus' text format.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response()
}

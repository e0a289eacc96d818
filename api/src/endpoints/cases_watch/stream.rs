//! The cases of an organization as server-sent events. Whoever watches is authorized again before anything is sent, and when
//! their access or account changes; a case is sent as it is now, if they see it.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dossier_domain::CaseId;
use dossier_eventlog::Position;
use futures::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::catch_up::{Missed, case_of, missed};
use crate::call::{Call, Parent};
use crate::pipeline::authorize_again;
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::{ApiError, Code};
use crate::watch::{Change, Changed, Listener};

/// Proxies close connections on which nothing moves for about half a minute. Who has signed out is noticed as often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One who watches. The next message is made only when the one before is sent: a slow reader costs the memory of its place.
pub(super) struct CaseStream {
    call: Call,
    listener: Listener,
    /// Where it goes on; `None`: from now on.
    resumes: Option<Position>,
    alive: Interval,
    begun: bool,
    ended: bool,
}

impl CaseStream {
    /// A stream of a call's organization.
    pub(super) fn new(call: Call, listener: Listener, resumes: Option<Position>) -> Self {
        let mut alive = interval(KEEP_ALIVE);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { call, listener, resumes, alive, begun: false, ended: false }
    }

    /// The messages, until the reader goes away, may not watch any more, or the server stops.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        futures::stream::unfold(self, async |mut stream| {
            stream.next().await.map(|messages| (Ok(messages.into()), stream))
        })
    }

    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.begun, true) {
            self.alive.reset();
            let ready = format!(": connected\n\nevent: ready\nid: {}\ndata: {{}}\n\n", self.listener.since);
            return match self.resumes.take() {
                None => Some(ready),
                Some(after) => Some(self.told_since(after, self.listener.since).await + &ready),
            };
        }
        while !self.ended && self.call.app.commands.now() < self.call.token_expires_at {
            let heard = tokio::select! {
                biased;
                () = self.call.draining.cancelled() => return None,
                _ = self.alive.tick() => None,
                heard = self.listener.changes.recv() => Some(heard),
            };
            let messages = match heard {
                None => match authorize_again(&self.call).await {
                    Ok(_) => ": keep-alive\n\n".to_owned(),
                    Err(error) => self.end(&error),
                },
                Some(Ok(changes)) => self.told(&changes).await,
                // It was too slow to hear it all: what it missed is still in the log.
                Some(Err(RecvError::Lagged(_))) => self.caught_up().await?,
                Some(Err(RecvError::Closed)) => return None,
            };
            if !messages.is_empty() {
                return Some(messages);
            }
        }
        None
    }

    /// What is to be told of changes.
    async fn told(&mut self, changes: &Arc<[Change]>) -> String {
        let Ok(parent) = self.call.parent() else { return String::new() };
        let concerned = changes.iter().any(|change| self.concerns(change, parent));
        if let Some(last) = changes.last() {
            self.listener.since = last.position;
        }
        if !concerned {
            return String::new();
        }
        match self.messages_of(changes).await {
            Ok(messages) => messages,
            Err(error) => self.end(&error),
        }
    }

    /// Whether a change is a reason to look: a case of the organization, or who may see it.
    fn concerns(&self, change: &Change, parent: &Parent) -> bool {
        match &change.changed {
            Changed::Case { .. } => case_of(change, parent).is_some(),
            Changed::Access { organization } => {
                let acts_for = self.call.acts_for.as_ref().map(|acts_for| acts_for.organization.as_str());
                organization == parent.organization.as_str() || Some(organization.as_str()) == acts_for
            }
            Changed::Account { account } => *account == self.call.actor.account,
        }
    }

    async fn messages_of(&self, changes: &[Change]) -> Result<String, ApiError> {
        let parent = authorize_again(&self.call).await?;
        // Of several changes of one case the last one counts: it is shown as it is now.
        let mut cases: Vec<(CaseId, Position)> = Vec::new();
        for change in changes {
            if let Some(case) = case_of(change, &parent) {
                cases.retain(|(earlier, _)| *earlier != case);
                cases.push((case, change.position));
            }
        }
        self.messages(&parent, cases).await
    }

    async fn messages(&self, parent: &Parent, cases: Vec<(CaseId, Position)>) -> Result<String, ApiError> {
        let mut messages = String::new();
        for (case, position) in cases {
            for (_, resource) in shown(&self.call, parent, [case]).await? {
                let json = serde_json::to_string(&resource);
                let json = json.map_err(|error| ApiError::internal(error.to_string()))?;
                let _ = write!(messages, "event: case\nid: {position}\ndata: {json}\n\n");
            }
        }
        Ok(messages)
    }

    /// What was missed between two positions, or that it is too much.
    async fn told_since(&mut self, after: Position, until: Position) -> String {
        match self.missed_messages(after, until).await {
            Ok(messages) => messages,
            Err(error) => self.end(&error),
        }
    }

    async fn missed_messages(&self, after: Position, until: Position) -> Result<String, ApiError> {
        let parent = authorize_again(&self.call).await?;
        let shown = self.call.app.read_models.wait_for_cases(until, KEEP_ALIVE).await;
        shown.map_err(|error| refusals::wait(&error))?;
        let Missed { cases, reset } = missed(&self.call, &parent, after, until).await?;
        if reset {
            return Ok(format!("event: reset\nid: {until}\ndata: {{}}\n\n"));
        }
        self.messages(&parent, cases).await
    }

    /// Joins anew, and tells what was missed meanwhile.
    async fn caught_up(&mut self) -> Option<String> {
        let after = self.listener.since;
        let listener = self.call.app.watch.join(super::JOIN_PATIENCE).await?;
        self.listener = listener;
        Some(self.told_since(after, self.listener.since).await)
    }

    /// The last message: why nothing more is told. What may be over soon is no message: the reader comes again by itself.
    fn end(&mut self, error: &ApiError) -> String {
        self.ended = true;
        if error.code() == Code::Unavailable {
            return String::new();
        }
        format!("event: end\ndata: {}\n\n", error.body())
    }
}

/// Cases as they are now, those that the caller sees.
pub(super) async fn shown(
    call: &Call,
    parent: &Parent,
    cases: impl IntoIterator<Item = CaseId>,
) -> Result<Vec<(CaseId, CaseResource)>, ApiError> {
    let (scope, side) = (parent.authority.visibility(), parent.authority.side());
    let mut shown = Vec::new();
    for case in cases {
        let row = call.app.current_cases.get(&scope, &parent.organization, case).await;
        let row = row.map_err(|error| refusals::query(&error))?;
        shown.extend(row.map(|row| (case, CaseResource::new(&row, side, call.enums()))));
    }
    Ok(shown)
}

//! Follows the log for one reactor: acts, and only then moves the checkpoint. What happens between the two may happen again,
//! under the same command id, which is applied once.

use std::sync::Arc;
use std::time::Duration;

use dossier_commands::{Clock, Request};
use dossier_eventlog::{EventStore, Position, ReadError, RecordedEvent, Subscription};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::start::belongs;
use super::{Issue, IssueError, ReactError, Reactor, ReactorState, ReactorStatus, Trigger, command_id};
use crate::work_store::{WorkCheckpoint, WorkStore, WorkStoreError};

/// Most events read at once.
const BATCH_EVENTS: usize = 256;

/// The times by which a reactor works.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How long a process that is gone keeps the others waiting.
    pub(super) lease: SignedDuration,
    /// How often whoever acts renews its lease, and the others look.
    pub(super) renewal: Duration,
    /// First pause before trouble is tried again; it doubles with each further one.
    pub(super) shortest_pause: Duration,
    /// Longest pause before trouble is tried again.
    pub(super) longest_pause: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: SignedDuration::from_secs(15),
            renewal: Duration::from_secs(5),
            shortest_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(5),
        }
    }
}

/// One reactor at work.
pub(super) struct Runner {
    pub(super) reactor: Arc<dyn Reactor>,
    pub(super) store: Arc<dyn EventStore>,
    pub(super) work: Arc<dyn WorkStore>,
    pub(super) issuer: Arc<dyn Issue>,
    pub(super) clock: Clock,
    pub(super) node: String,
    pub(super) pace: Pace,
    pub(super) status: watch::Sender<ReactorStatus>,
}

/// Why a reactor does not go on as it was.
enum Setback {
    /// Trouble that passes.
    Passing(String),
    /// Another process acts, or has moved the checkpoint.
    Overtaken,
    /// The operator acts.
    Halted(String),
}

impl From<WorkStoreError> for Setback {
    fn from(error: WorkStoreError) -> Self {
        match error {
            WorkStoreError::Unavailable(_) => Self::Passing(error.to_string()),
            WorkStoreError::Fenced(_) => Self::Overtaken,
        }
    }
}

impl From<ReadError> for Setback {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::Passing(error.to_string()),
            ReadError::Damaged(_) => Self::Halted(error.to_string()),
        }
    }
}

impl From<ReactError> for Setback {
    fn from(error: ReactError) -> Self {
        match error {
            ReactError::Unavailable(why) => Self::Passing(why),
            ReactError::Unreadable(why) => Self::Halted(why),
        }
    }
}

impl Runner {
    /// Runs until cancelled.
    pub(super) async fn run(self, cancel: CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.follow() => {}
        }
        self.release().await;
        cancel.cancelled().await;
    }

    /// Returns when nothing but the operator helps.
    async fn follow(&self) {
        let name = self.reactor.name();
        metrics::gauge!("dossier_reactor_halted", "reactor" => name).set(0.0);
        let mut pause = self.pace.shortest_pause;
        loop {
            let before = self.status.borrow().position;
            let setback = match self.act().await {
                Ok(never) => match never {},
                Err(setback) => setback,
            };
            match setback {
                Setback::Overtaken => {
                    self.status.send_modify(|status| {
                        status.state = ReactorState::StandingBy;
                        status.last_error = None;
                    });
                    tokio::time::sleep(self.pace.renewal).await;
                }
                Setback::Passing(error) => {
                    tracing::warn!(reactor = name, error, "reactor tries again");
                    self.status.send_modify(|status| status.last_error = Some(error));
                    if self.status.borrow().position > before {
                        pause = self.pace.shortest_pause;
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(self.pace.longest_pause);
                }
                Setback::Halted(why) => {
                    tracing::error!(reactor = name, why, "reactor halted: what it does stays undone");
                    metrics::gauge!("dossier_reactor_halted", "reactor" => name).set(1.0);
                    self.status.send_modify(|status| {
                        status.state = ReactorState::Halted;
                        status.halted = Some(why);
                    });
                    return;
                }
            }
        }
    }

    /// Acts for as long as it holds the lease.
    async fn act(&self) -> Result<std::convert::Infallible, Setback> {
        let mut renew_at = self.renew().await?;
        let mut checkpoint = self.resume().await?;
        self.status.send_modify(|status| {
            status.state = ReactorState::Active;
            status.last_error = None;
        });
        let mut subscription = Subscription::new(self.store.clone(), checkpoint.position);
        loop {
            let events = tokio::select! {
                biased;
                () = tokio::time::sleep_until(renew_at) => Vec::new(),
                events = subscription.next_batch(BATCH_EVENTS) => events?,
            };
            let Some(last) = events.len().checked_sub(1) else {
                renew_at = self.renew().await?;
                continue;
            };
            for (index, event) in events.iter().enumerate() {
                if renew_at <= Instant::now() {
                    renew_at = self.renew().await?;
                }
                // An event that called for nothing is looked at again after a crash: that costs no write.
                if self.take(event).await? || index == last {
                    self.advance(&mut checkpoint, event).await?;
                }
            }
        }
    }

    /// Takes or keeps the lease; answers when to do it again.
    async fn renew(&self) -> Result<Instant, Setback> {
        let renew_at = Instant::now() + self.pace.renewal;
        let lease = self.lease();
        if self.work.take_lease(&lease, &self.node, (self.clock)(), self.pace.lease).await? {
            return Ok(renew_at);
        }
        if let Some(checkpoint) = self.work.checkpoint(self.reactor.name()).await? {
            self.report(checkpoint.position);
        }
        Err(Setback::Overtaken)
    }

    async fn release(&self) {
        if let Err(error) = self.work.release_lease(&self.lease(), &self.node).await {
            tracing::warn!(reactor = self.reactor.name(), %error, "the others wait for the end of the lease");
        }
    }

    fn lease(&self) -> String {
        format!("reactor/{}", self.reactor.name())
    }

    /// Reads the checkpoint, which another process may have moved, and makes sure that it speaks of this log (promise 2).
    async fn resume(&self) -> Result<WorkCheckpoint, Setback> {
        let name = self.reactor.name();
        let Some(checkpoint) = self.work.checkpoint(name).await? else {
            return Err(Setback::Halted(format!(
                "the work store has lost the checkpoint of {name}: restore it from its backup and start again, or start \
                 again and choose where it begins"
            )));
        };
        if !belongs(&*self.store, &checkpoint).await? {
            return Err(Setback::Halted(format!(
                "the checkpoint of {name}, position {}, is of another log, or the log was restored: restore the log and the \
                 work store of the same time, or start again and choose where {name} begins",
                checkpoint.position
            )));
        }
        self.report(checkpoint.position);
        Ok(checkpoint)
    }

    /// Executes what an event calls for; answers whether that was anything.
    async fn take(&self, event: &RecordedEvent) -> Result<bool, Setback> {
        let name = self.reactor.name();
        let trigger = Trigger { event };
        let orders = self.reactor.react(&trigger).await?;
        if orders.is_empty() {
            return Ok(false);
        }
        let correlation_id = trigger.metadata()?.correlation_id;
        for (index, order) in orders.iter().enumerate() {
            let command_id = command_id(name, event.event_id, index);
            let request = Request {
                command_id,
                // The id is derived from all that the order is made of: there is no other body under it.
                fingerprint: "reactor".to_owned(),
                actor: self.reactor.actor().clone(),
                acting_for: None,
                correlation_id: correlation_id.clone(),
                causation_id: Some(event.event_id.to_string()),
                if_match: None,
            };
            let outcome = match self.issuer.issue(&request, order).await {
                Ok(issued) => issued.as_str(),
                Err(IssueError::Refused(why)) => {
                    tracing::warn!(reactor = name, trigger = %event.event_id, command_id = %command_id.0, why, "refused, passed over");
                    let refusal = format!("event {} at position {}: {why}", event.event_id, event.position);
                    self.status.send_modify(|status| status.last_refusal = Some(refusal));
                    "refused"
                }
                Err(IssueError::Unavailable(why)) => return Err(Setback::Passing(why)),
                Err(IssueError::Damaged(why)) => return Err(Setback::Halted(why)),
            };
            metrics::counter!("dossier_reactor_commands_total", "reactor" => name, "outcome" => outcome)
                .increment(1);
        }
        Ok(true)
    }

    async fn advance(&self, checkpoint: &mut WorkCheckpoint, event: &RecordedEvent) -> Result<(), Setback> {
        let to = WorkCheckpoint {
            position: event.position,
            event_id: Some(event.event_id),
            log_id: checkpoint.log_id,
        };
        self.work.advance(self.reactor.name(), Some(checkpoint), &to).await?;
        *checkpoint = to;
        self.report(to.position);
        Ok(())
    }

    fn report(&self, position: Position) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("dossier_reactor_position", "reactor" => self.reactor.name()).set(position.0 as f64);
        self.status.send_modify(|status| status.position = position);
    }
}

#[cfg(test)]
mod tests;

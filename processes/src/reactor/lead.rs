//! Being the one process that acts, of those that could: the lease, the checkpoint, and how trouble is got over. Whoever
//! follows the log with a checkpoint in the work store stands on it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dossier_commands::Clock;
use dossier_eventlog::{EventStore, Position, ReadError, RecordedEvent, Subscription};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::start::belongs;
use super::{ReactError, ReactorState, ReactorStatus};
use crate::work_store::{WorkCheckpoint, WorkStore, WorkStoreError};

/// Most events read at once.
const BATCH_EVENTS: usize = 256;

/// The times by which a reactor works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long a process that is gone keeps the others waiting.
    pub(crate) lease: SignedDuration,
    /// How often whoever acts renews its lease, and the others look.
    pub(crate) renewal: Duration,
    /// First pause before trouble is tried again; it doubles with each further one.
    pub(crate) shortest_pause: Duration,
    /// Longest pause before trouble is tried again.
    pub(crate) longest_pause: Duration,
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

/// Something that one process does at a time.
pub(crate) trait Act: Send + Sync {
    /// What it stands on.
    fn lead(&self) -> &Lead;

    /// Acts for as long as it can.
    fn act(&self) -> impl Future<Output = Result<Infallible, Setback>> + Send;
}

/// What whoever acts stands on.
pub(crate) struct Lead {
    /// The name of the checkpoint, for ever.
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) work: Arc<dyn WorkStore>,
    pub(crate) clock: Clock,
    /// This process among those that share the work store.
    pub(crate) node: String,
    pub(crate) pace: Pace,
    pub(crate) status: watch::Sender<ReactorStatus>,
}

/// Why whoever acts does not go on as it was.
pub(crate) enum Setback {
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

/// Runs until cancelled.
pub(crate) async fn run(actor: impl Act, cancel: CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = persevere(&actor) => {}
    }
    actor.lead().release().await;
    cancel.cancelled().await;
}

/// Returns when nothing but the operator helps.
async fn persevere(actor: &impl Act) {
    let lead = actor.lead();
    let name = lead.name;
    metrics::gauge!("dossier_reactor_halted", "reactor" => name).set(0.0);
    let mut pause = lead.pace.shortest_pause;
    loop {
        let before = lead.status.borrow().position;
        let setback = match actor.act().await {
            Ok(never) => match never {},
            Err(setback) => setback,
        };
        match setback {
            Setback::Overtaken => {
                lead.status.send_modify(|status| {
                    status.state = ReactorState::StandingBy;
                    status.last_error = None;
                });
                tokio::time::sleep(lead.pace.renewal).await;
            }
            Setback::Passing(error) => {
                tracing::warn!(reactor = name, error, "reactor tries again");
                lead.status.send_modify(|status| status.last_error = Some(error));
                if lead.status.borrow().position > before {
                    pause = lead.pace.shortest_pause;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(lead.pace.longest_pause);
            }
            Setback::Halted(why) => {
                tracing::error!(reactor = name, why, "reactor halted: what it does stays undone");
                metrics::gauge!("dossier_reactor_halted", "reactor" => name).set(1.0);
                lead.status.send_modify(|status| {
                    status.state = ReactorState::Halted;
                    status.halted = Some(why);
                });
                return;
            }
        }
    }
}

impl Lead {
    /// Takes or keeps the lease; answers when to do it again.
    pub(crate) async fn renew(&self) -> Result<Instant, Setback> {
        let renew_at = Instant::now() + self.pace.renewal;
        let lease = self.lease();
        if self.work.take_lease(&lease, &self.node, (self.clock)(), self.pace.lease).await? {
            return Ok(renew_at);
        }
        if let Some(checkpoint) = self.work.checkpoint(self.name).await? {
            self.report(checkpoint.position);
        }
        Err(Setback::Overtaken)
    }

    async fn release(&self) {
        if let Err(error) = self.work.release_lease(&self.lease(), &self.node).await {
            tracing::warn!(reactor = self.name, %error, "the others wait for the end of the lease");
        }
    }

    fn lease(&self) -> String {
        format!("reactor/{}", self.name)
    }

    /// Reads the checkpoint, which another process may have moved, and makes sure that it speaks of this log (promise 2).
    pub(crate) async fn resume(&self) -> Result<WorkCheckpoint, Setback> {
        let name = self.name;
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

    /// Says that it acts.
    pub(crate) fn acts(&self) {
        self.status.send_modify(|status| {
            status.state = ReactorState::Active;
            status.last_error = None;
        });
    }

    /// Takes the lease and follows the log from the checkpoint on.
    pub(crate) async fn follow(&self) -> Result<Following<'_>, Setback> {
        let renew_at = self.renew().await?;
        let checkpoint = self.resume().await?;
        self.acts();
        let subscription = Subscription::new(self.store.clone(), checkpoint.position);
        Ok(Following { lead: self, subscription, renew_at, checkpoint })
    }

    /// Says how far it has come.
    pub(crate) fn report(&self, position: Position) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("dossier_reactor_position", "reactor" => self.name).set(position.0 as f64);
        self.status.send_modify(|status| status.position = position);
    }
}

/// The log, followed by whoever acts.
pub(crate) struct Following<'a> {
    lead: &'a Lead,
    subscription: Subscription,
    renew_at: Instant,
    checkpoint: WorkCheckpoint,
}

impl Following<'_> {
    /// The next events; none where the lease is due before there are any.
    pub(crate) async fn next(&mut self) -> Result<Vec<RecordedEvent>, Setback> {
        let events = tokio::select! {
            biased;
            () = tokio::time::sleep_until(self.renew_at) => Vec::new(),
            events = self.subscription.next_batch(BATCH_EVENTS) => events?,
        };
        self.keep_lease().await?;
        Ok(events)
    }

    /// Renews the lease where it is due: between steps that may take longer than it lasts.
    pub(crate) async fn keep_lease(&mut self) -> Result<(), Setback> {
        if self.renew_at <= Instant::now() {
            self.renew_at = self.lead.renew().await?;
        }
        Ok(())
    }

    /// The checkpoint as it is stored, and as it is to be after an event.
    pub(crate) fn checkpoints(&self, event: &RecordedEvent) -> (&WorkCheckpoint, WorkCheckpoint) {
        let WorkCheckpoint { log_id, .. } = self.checkpoint;
        let to = WorkCheckpoint { log_id, position: event.position, event_id: Some(event.event_id) };
        (&self.checkpoint, to)
    }

    /// Takes note of a checkpoint that was stored.
    pub(crate) fn stored(&mut self, checkpoint: WorkCheckpoint) {
        self.lead.report(checkpoint.position);
        self.checkpoint = checkpoint;
    }
}

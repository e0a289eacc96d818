//! Keeps one read model up with the log: from the bus while messages follow each other, from the log wherever they do not.

use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::{Bus, BusMessage, EventStore, Position, RecordedEvent, Sealer};
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::database::{ReadDatabase, begin};
use crate::error::ProjectionError;
use crate::event::read_events;
use crate::generations::{Live, move_checkpoint};
use crate::model::ReadModel;
use crate::status::ModelStatus;

/// Most events taken in with one transaction.
pub(crate) const BATCH_EVENTS: usize = 2_000;
/// How long after the log moved a missing bus message is no longer waited for.
const BUS_PATIENCE: Duration = Duration::from_millis(100);
/// The head is only a hint (another process may write): the log itself is read at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Pause before trouble is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What a projector follows.
#[derive(Clone)]
pub struct LogFollower {
    /// The truth.
    pub store: Arc<dyn EventStore>,
    /// What brings it quickly.
    pub bus: Arc<dyn Bus>,
    /// Opens personal values.
    pub sealer: Arc<Sealer>,
}

/// A model, its status, and the generation that its runner feeds. Whoever needs several takes them in this order:
/// `rebuilding`, `live`, the database's writer.
pub(crate) struct ModelHandle {
    pub(crate) model: Box<dyn ReadModel>,
    pub(crate) status: watch::Sender<ModelStatus>,
    /// One rebuild at a time.
    pub(crate) rebuilding: Mutex<()>,
    pub(crate) live: Mutex<Live>,
    /// Tells a halted runner that a rebuild has put another generation under it.
    pub(crate) switched: Notify,
}

/// Runs until cancelled.
pub(crate) async fn run(
    handle: Arc<ModelHandle>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    cancel: CancellationToken,
) {
    let runner = Runner { handle, database, follower };
    let name = runner.handle.model.name();
    loop {
        let error = tokio::select! {
            () = cancel.cancelled() => return,
            result = runner.follow() => match result {
                Ok(never) => match never {},
                Err(error) => error,
            },
        };
        match error {
            ProjectionError::Halted(why) => {
                tracing::error!(
                    model = name,
                    why,
                    "projector halted: its read model stays as it is until it is rebuilt"
                );
                metrics::gauge!("dossier_projector_halted", "model" => name).set(1.0);
                runner.handle.status.send_modify(|status| status.halted = Some(why));
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = runner.handle.switched.notified() => {}
                }
                metrics::gauge!("dossier_projector_halted", "model" => name).set(0.0);
            }
            error => {
                tracing::warn!(model = name, %error, "projector tries again");
                runner.handle.status.send_modify(|status| status.last_error = Some(error.to_string()));
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = tokio::time::sleep(RETRY_PAUSE) => {}
                }
            }
        }
    }
}

struct Runner {
    handle: Arc<ModelHandle>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
}

impl Runner {
    async fn follow(&self) -> Result<std::convert::Infallible, ProjectionError> {
        self.reload().await?;
        // Subscribed before catching up, so that nothing falls between the two.
        let mut subscription = self.follower.bus.subscribe(self.handle.model.name()).await?;
        self.catch_up().await?;
        self.handle.status.send_modify(|status| status.last_error = None);
        // Kept over the messages: those that say nothing new must not put it off.
        let mut missed = std::pin::pin!(self.missed());
        loop {
            let messages = tokio::select! {
                messages = subscription.next(BATCH_EVENTS) => messages?,
                () = &mut missed => {
                    missed.set(self.missed());
                    Vec::new()
                }
            };
            let position =
                if messages.is_empty() { self.catch_up().await? } else { self.take(&messages).await? };
            subscription.acknowledge(position).await?;
        }
    }

    /// Waits until the bus has not brought what the log has held for a while, or for as long as the hint may say nothing:
    /// a message that is lost at the end leaves no gap to be noticed.
    async fn missed(&self) {
        let mut head = self.follower.store.watch_head();
        loop {
            let known = *head.borrow_and_update();
            tokio::time::sleep(BUS_PATIENCE).await;
            if known > self.handle.status.borrow().position {
                return;
            }
            match tokio::time::timeout(LONGEST_WAIT, head.changed()).await {
                Ok(Ok(())) => {}
                // Nobody writes through this store any more.
                Ok(Err(_)) => return tokio::time::sleep(LONGEST_WAIT).await,
                Err(_) => return,
            }
        }
    }

    /// Reads the generation and its checkpoint again, which another process may have moved, and makes sure that they belong
    /// to this release and this log (promise 2).
    async fn reload(&self) -> Result<(), ProjectionError> {
        let name = self.handle.model.name();
        let mut live = self.handle.live.lock().await;
        match self.database.active(&*self.handle.model).await? {
            Some((version, found)) if version == self.handle.model.schema_version() => *live = found,
            _ => {
                return Err(ProjectionError::Halted(format!(
                    "another release has built the read model {name} anew; start this one again"
                )));
            }
        }
        let checkpoint = live.checkpoint;
        let known = match checkpoint.event_id {
            None => true,
            Some(event_id) => self.follower.store.event_id_at(checkpoint.position).await? == Some(event_id),
        };
        if checkpoint.log_id != self.follower.store.log_id() || !known {
            return Err(ProjectionError::Halted(format!(
                "the read model {name} comes from another log, or the log was restored; run: dossier rebuild {name}"
            )));
        }
        self.report(&live);
        Ok(())
    }

    /// Takes messages in: those that follow the checkpoint are applied, those seen before dropped, and where one is
    /// missing the log is read (promise 5).
    async fn take(&self, messages: &[BusMessage]) -> Result<Position, ProjectionError> {
        let mut live = self.handle.live.lock().await;
        let mut cursor = live.checkpoint.position;
        let mut following: Vec<&RecordedEvent> = Vec::with_capacity(messages.len());
        let mut gap = false;
        for message in messages {
            if message.event.position <= cursor {
                continue;
            }
            if message.previous_position != cursor {
                gap = true;
                break;
            }
            cursor = message.event.position;
            following.push(&message.event);
        }
        self.apply(&mut live, &following).await?;
        let position = live.checkpoint.position;
        drop(live);
        if gap {
            metrics::counter!("dossier_projector_gaps_total", "model" => self.handle.model.name())
                .increment(1);
            return self.catch_up().await;
        }
        Ok(position)
    }

    /// Reads the log until a batch is not full: under load its head moves on for ever. A rebuild that waits to switch gets
    /// in between two batches.
    async fn catch_up(&self) -> Result<Position, ProjectionError> {
        loop {
            let mut live = self.handle.live.lock().await;
            let batch = self.follower.store.read_all(live.checkpoint.position, BATCH_EVENTS).await?;
            if !batch.is_empty() {
                self.apply(&mut live, &batch.iter().collect::<Vec<_>>()).await?;
            }
            if batch.len() < BATCH_EVENTS {
                return Ok(live.checkpoint.position);
            }
        }
    }

    async fn apply(&self, live: &mut Live, recorded: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        let applied = apply(&self.database, &*self.handle.model, &self.follower.sealer, live, recorded).await;
        self.report(live);
        applied
    }

    fn report(&self, live: &Live) {
        let name = self.handle.model.name();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("dossier_projector_position", "model" => name).set(live.checkpoint.position.0 as f64);
        self.handle.status.send_modify(|status| {
            status.position = live.checkpoint.position;
            status.halted = None;
        });
    }
}

/// Takes events into a generation: rows and checkpoint in one transaction (promise 6). Where one is not readable, those
/// before it are taken in first.
pub(crate) async fn apply(
    database: &ReadDatabase,
    model: &dyn ReadModel,
    sealer: &Sealer,
    live: &mut Live,
    recorded: &[&RecordedEvent],
) -> Result<(), ProjectionError> {
    let (events, failure) = read_events(recorded, model.categories(), sealer).await;
    let readable = failure.as_ref().map_or(recorded.len(), |(index, _)| *index);
    if let Some(last) = recorded[..readable].last() {
        let mut writer = database.writer().await;
        let mut transaction = begin(&mut writer).await?;
        // First, so that a twin that was overtaken touches no row.
        move_checkpoint(&mut transaction, model, live, (last.position, last.event_id)).await?;
        if !events.is_empty() {
            model.project(&mut transaction, live.generation, &events).await?;
        }
        transaction.commit().await?;
        live.checkpoint.position = last.position;
        live.checkpoint.event_id = Some(last.event_id);
    }
    failure.map_or(Ok(()), |(_, error)| Err(error))
}

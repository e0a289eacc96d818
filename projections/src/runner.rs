//! Keeps one read model up with the log: from the bus while messages follow each other, from the log wherever they do not.

use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::{Bus, BusError, BusMessage, EventStore, Position, ReadError, RecordedEvent, Sealer};
use sqlx::Connection;
use tokio::sync::{Mutex, MutexGuard, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::database::{ReadDatabase, move_checkpoint};
use crate::error::ProjectionError;
use crate::event::read_events;
use crate::model::{Checkpoint, Generation, ReadModel};
use crate::status::ModelStatus;

/// Most events taken in with one transaction.
pub(crate) const BATCH_EVENTS: usize = 500;
/// How long after the log moved a missing bus message is no longer waited for.
const BUS_PATIENCE: Duration = Duration::from_millis(100);
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

/// A model, its status, and the generation that its runner feeds.
pub(crate) struct ModelHandle {
    pub(crate) model: Box<dyn ReadModel>,
    pub(crate) status: watch::Sender<ModelStatus>,
    pub(crate) live: Mutex<Live>,
    /// Tells a halted runner that a rebuild has put another generation under it.
    pub(crate) switched: Notify,
}

/// The generation that is kept up, and how far it has come.
pub(crate) struct Live {
    pub(crate) generation: Generation,
    pub(crate) checkpoint: Checkpoint,
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
        let mut subscription =
            self.follower.bus.subscribe(self.handle.model.name()).await.map_err(bus_error)?;
        let mut head = self.follower.store.watch_head();
        self.catch_up().await?;
        self.handle.status.send_modify(|status| status.last_error = None);
        loop {
            let messages = tokio::select! {
                messages = subscription.next(BATCH_EVENTS) => messages.map_err(bus_error)?,
                // A message that is lost at the end leaves no gap to be noticed: the log's head tells.
                () = log_moved_on(&mut head, &self.handle.status) => Vec::new(),
            };
            let position =
                if messages.is_empty() { self.catch_up().await? } else { self.take(&messages).await? };
            subscription.acknowledge(position).await.map_err(bus_error)?;
        }
    }

    /// Reads the checkpoint again and makes sure that it belongs to this log (promise 2).
    async fn reload(&self) -> Result<(), ProjectionError> {
        let mut live = self.handle.live.lock().await;
        live.checkpoint = self.database.checkpoint(&*self.handle.model, live.generation).await?;
        let checkpoint = live.checkpoint;
        let known = match checkpoint.event_id {
            None => true,
            Some(event_id) => {
                self.follower.store.event_id_at(checkpoint.position).await.map_err(read_error)?
                    == Some(event_id)
            }
        };
        if checkpoint.log_id != self.follower.store.log_id() || !known {
            let name = self.handle.model.name();
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
        if gap {
            metrics::counter!("dossier_projector_gaps_total", "model" => self.handle.model.name())
                .increment(1);
            self.catch_up_from(&mut live).await?;
        }
        Ok(live.checkpoint.position)
    }

    async fn catch_up(&self) -> Result<Position, ProjectionError> {
        let mut live = self.handle.live.lock().await;
        self.catch_up_from(&mut live).await?;
        Ok(live.checkpoint.position)
    }

    async fn catch_up_from(&self, live: &mut MutexGuard<'_, Live>) -> Result<(), ProjectionError> {
        loop {
            let batch = self
                .follower
                .store
                .read_all(live.checkpoint.position, BATCH_EVENTS)
                .await
                .map_err(read_error)?;
            if batch.is_empty() {
                return Ok(());
            }
            self.apply(live, &batch.iter().collect::<Vec<_>>()).await?;
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
        let mut transaction = writer.begin().await?;
        if !events.is_empty() {
            model.project(&mut transaction, live.generation, &events).await?;
        }
        let to = (last.position, last.event_id);
        move_checkpoint(&mut transaction, model, live.generation, live.checkpoint.position, to).await?;
        transaction.commit().await?;
        live.checkpoint.position = last.position;
        live.checkpoint.event_id = Some(last.event_id);
    }
    failure.map_or(Ok(()), |(_, error)| Err(error))
}

/// Waits until the log has been ahead of the model for longer than the bus needs.
async fn log_moved_on(head: &mut watch::Receiver<Position>, status: &watch::Sender<ModelStatus>) {
    loop {
        tokio::time::sleep(BUS_PATIENCE).await;
        let behind = *head.borrow_and_update() > status.borrow().position;
        if behind {
            return;
        }
        if head.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

pub(crate) fn read_error(error: ReadError) -> ProjectionError {
    match error {
        ReadError::Unavailable(_) => ProjectionError::Unavailable(error.to_string()),
        ReadError::Damaged(_) => ProjectionError::Halted(error.to_string()),
    }
}

fn bus_error(error: BusError) -> ProjectionError {
    ProjectionError::Unavailable(error.to_string())
}

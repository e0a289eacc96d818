//! Building a model anew beside the live one, and switching in one transaction (promise 8).

use dossier_eventlog::{Position, RecordedEvent};

use crate::batch::Readable;
use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::generations::{Live, hold_active, show};
use crate::model::Checkpoint;
use crate::runner::{LogFollower, ModelHandle};

/// Events taken in with one transaction: small enough to let the live projector in between.
const REBUILD_BATCH_EVENTS: usize = 2_000;

/// How far a rebuild has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Position of the last event taken in.
    pub position: Position,
    /// The log's head when the rebuild began.
    pub head: Position,
    /// Events read so far.
    pub events: u64,
}

pub(crate) async fn rebuild(
    handle: &ModelHandle,
    database: &ReadDatabase,
    follower: &LogFollower,
    progress: &(dyn Fn(RebuildProgress) + Send + Sync),
) -> Result<(), ProjectionError> {
    let _one_at_a_time_here = handle.rebuilding.lock().await;
    let model = &*handle.model;
    let _one_at_a_time_anywhere = database.lock_rebuild(model).await?;
    build(handle, database, follower, progress).await
}

/// Builds what an older release has built, if no other process has done so meanwhile. Queries of that release go on until
/// it is done.
pub(crate) async fn upgrade(
    handle: &ModelHandle,
    database: &ReadDatabase,
    follower: &LogFollower,
) -> Result<(), ProjectionError> {
    let model = &*handle.model;
    let _one_at_a_time_anywhere = database.lock_rebuild(model).await?;
    if let Some((version, live)) = database.active(model).await?
        && version >= model.schema_version()
    {
        *handle.live.lock().await = live;
        return Ok(());
    }
    tracing::info!(model = model.name(), "another release has built this read model; it is built anew");
    build(handle, database, follower, &|_| {}).await
}

async fn build(
    handle: &ModelHandle,
    database: &ReadDatabase,
    follower: &LogFollower,
    progress: &(dyn Fn(RebuildProgress) + Send + Sync),
) -> Result<(), ProjectionError> {
    let model = &*handle.model;
    let next = database.create_generation(model, follower.store.log_id()).await?;
    let result = Rebuild { handle, database, follower, next, events: 0 }.run(progress).await;
    if result.is_err()
        && let Err(error) = database.discard(model, next.generation).await
    {
        tracing::warn!(model = model.name(), %error, "what a failed rebuild left is dropped at the next start");
    }
    result
}

struct Rebuild<'a> {
    handle: &'a ModelHandle,
    database: &'a ReadDatabase,
    follower: &'a LogFollower,
    next: Live,
    events: u64,
}

/// Events in the order of the log, read and decoded.
struct Batch {
    readable: Readable,
    count: usize,
}

impl Rebuild<'_> {
    async fn run(
        mut self,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<(), ProjectionError> {
        let head = self.follower.store.head().await?;
        let told = |rebuild: &Self| {
            let position = rebuild.next.checkpoint.position;
            progress(RebuildProgress { position, head, events: rebuild.events });
        };
        self.fill(&told).await?;
        self.switch().await?;
        told(&self);
        Ok(())
    }

    /// Takes batches in until one is not full, which has met the head: under load that moves on for ever. While one is
    /// written the next is read.
    async fn fill(&mut self, told: &impl Fn(&Self)) -> Result<(), ProjectionError> {
        let mut batch = self.read(self.next.checkpoint.position).await?;
        loop {
            let is_full = batch.count == REBUILD_BATCH_EVENTS && batch.readable.failure.is_none();
            let ahead = async {
                match batch.readable.last() {
                    Some(last) if is_full => self.read(last).await.map(Some),
                    _ => Ok(None),
                }
            };
            let (checkpoint, ahead) = tokio::join!(self.write(&batch), ahead);
            self.next.checkpoint = checkpoint?;
            self.events += batch.count as u64;
            let Some(ahead) = ahead? else { return batch.readable.failure.map_or(Ok(()), Err) };
            batch = ahead;
            told(self);
            tokio::task::yield_now().await;
        }
    }

    async fn read(&self, after: Position) -> Result<Batch, ProjectionError> {
        let recorded = self.follower.store.read_all(after, REBUILD_BATCH_EVENTS).await?;
        let recorded: Vec<&RecordedEvent> = recorded.iter().collect();
        let readable = Readable::of(&recorded, &*self.handle.model, &self.follower.sealer).await;
        Ok(Batch { readable, count: recorded.len() })
    }

    async fn write(&self, batch: &Batch) -> Result<Checkpoint, ProjectionError> {
        if batch.readable.is_empty() {
            return Ok(self.next.checkpoint);
        }
        let mut writer = self.database.writer().await?;
        let mut transaction = writer.begin().await?;
        let checkpoint = batch.readable.write(&mut transaction, &*self.handle.model, &self.next).await?;
        transaction.commit().await?;
        Ok(checkpoint)
    }

    /// Takes in what the live generation is ahead, and becomes it, in one transaction: the live projector, wherever it
    /// runs, waits for it and then finds its checkpoint gone.
    async fn switch(&mut self) -> Result<(), ProjectionError> {
        let model = &*self.handle.model;
        // The projector of this process need not find out by failing.
        let mut live_here = self.handle.live.lock().await;
        let mut writer = self.database.writer().await?;
        let mut transaction = writer.begin().await?;
        let live = hold_active(&mut transaction, model).await?;
        let live_position = live.map_or(Position::START, |live| live.checkpoint.position);
        let mut next = self.next;
        while next.checkpoint.position < live_position {
            let batch = self.read(next.checkpoint.position).await?;
            if batch.count == 0 {
                // The live one comes from another log.
                break;
            }
            next.checkpoint = batch.readable.write(&mut transaction, model, &next).await?;
            if let Some(failure) = batch.readable.failure {
                return Err(failure);
            }
            self.events += batch.count as u64;
        }
        show(&mut transaction, model, next.generation).await?;
        transaction.commit().await?;
        self.next = next;
        *live_here = next;
        self.handle.status.send_modify(|status| {
            status.position = next.checkpoint.position;
            status.halted = None;
        });
        drop(live_here);
        self.handle.switched.notify_one();
        Ok(())
    }
}

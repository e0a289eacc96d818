//! Building a model anew beside the live one, and switching in one transaction (promise 8).

use dossier_eventlog::Position;

use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::runner::{Live, LogFollower, ModelHandle, apply, read_error};

/// Events taken in with one transaction: small enough to let the live projector in between.
const REBUILD_BATCH_EVENTS: usize = 500;

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
    let model = &*handle.model;
    let generation = database.create_generation(model, follower.store.log_id()).await?;
    let result = fill(handle, database, follower, generation, progress).await;
    if result.is_err() {
        database.discard(model, generation).await?;
    }
    result
}

async fn fill(
    handle: &ModelHandle,
    database: &ReadDatabase,
    follower: &LogFollower,
    generation: crate::model::Generation,
    progress: &(dyn Fn(RebuildProgress) + Send + Sync),
) -> Result<(), ProjectionError> {
    let model = &*handle.model;
    let head = follower.store.head().await.map_err(read_error)?;
    let mut next = Live { generation, checkpoint: database.checkpoint(model, generation).await? };
    let mut events = 0;
    while step(database, follower, handle, &mut next, &mut events).await? {
        progress(RebuildProgress { position: next.checkpoint.position, head, events });
        tokio::task::yield_now().await;
    }
    // With the live projector held, the rest is short; the switch is one transaction.
    let mut live = handle.live.lock().await;
    while next.checkpoint.position < live.checkpoint.position {
        if !step(database, follower, handle, &mut next, &mut events).await? {
            break;
        }
    }
    database.activate(model, generation).await?;
    *live = next;
    handle.status.send_modify(|status| {
        status.position = live.checkpoint.position;
        status.halted = None;
    });
    handle.switched.notify_one();
    progress(RebuildProgress { position: live.checkpoint.position, head, events });
    Ok(())
}

/// Takes the next events in; false at the log's head.
async fn step(
    database: &ReadDatabase,
    follower: &LogFollower,
    handle: &ModelHandle,
    next: &mut Live,
    events: &mut u64,
) -> Result<bool, ProjectionError> {
    let batch =
        follower.store.read_all(next.checkpoint.position, REBUILD_BATCH_EVENTS).await.map_err(read_error)?;
    if batch.is_empty() {
        return Ok(false);
    }
    apply(database, &*handle.model, &follower.sealer, next, &batch.iter().collect::<Vec<_>>()).await?;
    *events += batch.len() as u64;
    Ok(true)
}

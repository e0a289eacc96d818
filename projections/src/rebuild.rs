//! Building a model anew beside the live one, and switching in one transaction (promise 8).

use dossier_eventlog::Position;

use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::generations::Live;
use crate::runner::{LogFollower, ModelHandle, apply};

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
    let _one_at_a_time = handle.rebuilding.lock().await;
    let model = &*handle.model;
    let next = database.create_generation(model, follower.store.log_id()).await?;
    let result = fill(handle, database, follower, next, progress).await;
    if result.is_err()
        && let Err(error) = database.discard(model, next.generation).await
    {
        tracing::warn!(model = model.name(), %error, "what a failed rebuild left is dropped at the next start");
    }
    result
}

async fn fill(
    handle: &ModelHandle,
    database: &ReadDatabase,
    follower: &LogFollower,
    mut next: Live,
    progress: &(dyn Fn(RebuildProgress) + Send + Sync),
) -> Result<(), ProjectionError> {
    let head = follower.store.head().await?;
    let mut events = 0;
    // A batch that is not full has met the head, which under load moves on for ever.
    while step(database, follower, handle, &mut next, &mut events).await? == REBUILD_BATCH_EVENTS {
        progress(RebuildProgress { position: next.checkpoint.position, head, events });
        tokio::task::yield_now().await;
    }
    // With the live projector held, the rest is short; the switch is one transaction.
    let mut live = handle.live.lock().await;
    while next.checkpoint.position < live.checkpoint.position {
        if step(database, follower, handle, &mut next, &mut events).await? == 0 {
            // The live one comes from another log.
            break;
        }
    }
    database.activate(&*handle.model, next.generation).await?;
    *live = next;
    handle.status.send_modify(|status| {
        status.position = next.checkpoint.position;
        status.halted = None;
    });
    drop(live);
    handle.switched.notify_one();
    progress(RebuildProgress { position: next.checkpoint.position, head, events });
    Ok(())
}

/// Takes the next events in; answers how many.
async fn step(
    database: &ReadDatabase,
    follower: &LogFollower,
    handle: &ModelHandle,
    next: &mut Live,
    events: &mut u64,
) -> Result<usize, ProjectionError> {
    let batch = follower.store.read_all(next.checkpoint.position, REBUILD_BATCH_EVENTS).await?;
    if batch.is_empty() {
        return Ok(0);
    }
    apply(database, &*handle.model, &follower.sealer, next, &batch.iter().collect::<Vec<_>>()).await?;
    *events += batch.len() as u64;
    Ok(batch.len())
}

//! Events taken into a generation: rows and checkpoint in one transaction.

use dossier_eventlog::{EventId, Position, RecordedEvent, Sealer};

use crate::database::{ReadDatabase, WriteTransaction};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, read_events};
use crate::generations::{Live, move_checkpoint};
use crate::model::{Checkpoint, ReadModel};

/// Takes events into a generation: rows and checkpoint in one transaction (promise 6). Where one is not readable, those
/// before it are taken in first.
pub(crate) async fn apply(
    database: &ReadDatabase,
    model: &dyn ReadModel,
    sealer: &Sealer,
    live: &mut Live,
    recorded: &[&RecordedEvent],
) -> Result<(), ProjectionError> {
    let readable = Readable::of(recorded, model, sealer).await;
    if !readable.is_empty() {
        let mut writer = database.writer().await?;
        let mut transaction = writer.begin().await?;
        let checkpoint = readable.write(&mut transaction, model, live).await?;
        transaction.commit().await?;
        live.checkpoint = checkpoint;
    }
    readable.failure.map_or(Ok(()), Err)
}

/// Events that were read, up to the first that is not readable.
pub(crate) struct Readable {
    events: Vec<ProjectedEvent>,
    last: Option<(Position, EventId)>,
    /// Why the next one is not readable.
    pub(crate) failure: Option<ProjectionError>,
}

impl Readable {
    pub(crate) async fn of(recorded: &[&RecordedEvent], model: &dyn ReadModel, sealer: &Sealer) -> Self {
        let (events, failure) = read_events(recorded, model.categories(), sealer).await;
        let count = failure.as_ref().map_or(recorded.len(), |(index, _)| *index);
        let last = recorded[..count].last().map(|last| (last.position, last.event_id));
        Self { events, last, failure: failure.map(|(_, error)| error) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Position of the last one.
    pub(crate) fn last(&self) -> Option<Position> {
        self.last.map(|(position, _)| position)
    }

    /// Writes the rows and moves the checkpoint, which is answered: it holds when the transaction has committed.
    pub(crate) async fn write(
        &self,
        transaction: &mut WriteTransaction<'_>,
        model: &dyn ReadModel,
        live: &Live,
    ) -> Result<Checkpoint, ProjectionError> {
        let Some(last) = self.last else { return Ok(live.checkpoint) };
        // First, so that a twin that was overtaken touches no row.
        move_checkpoint(transaction, model, live, last).await?;
        if !self.events.is_empty() {
            model.project(transaction, live.generation, &self.events).await?;
        }
        Ok(Checkpoint { position: last.0, event_id: Some(last.1), ..live.checkpoint })
    }
}

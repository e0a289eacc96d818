//! A live subscription: reads the log, and waits for its head to move when there is nothing to read.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::envelope::{Position, RecordedEvent};
use crate::store::{EventStore, ReadError};

/// The head's hint may be missed (another process writes, a connection was lost): then the log is read at least this
/// often.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Delivers every event after a position, in order. It never skips: what it delivers is read from the log, and
/// the hint only says when to look.
pub struct Subscription {
    store: Arc<dyn EventStore>,
    head: watch::Receiver<Position>,
    after: Position,
}

impl Subscription {
    /// Follows the log after a position.
    pub fn new(store: Arc<dyn EventStore>, after: Position) -> Self {
        let head = store.watch_head();
        Self { store, head, after }
    }

    /// Position of the last event delivered.
    pub fn position(&self) -> Position {
        self.after
    }

    /// Waits until there is an event and answers those there are, at most `max`, never none. Cancel-safe.
    ///
    /// # Errors
    /// [`ReadError`]; asked again, the subscription goes on where it was.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        loop {
            // Seen before reading: what commits during the read wakes the wait below.
            self.head.borrow_and_update();
            let events = self.store.read_all(self.after, max.max(1)).await?;
            if let Some(last) = events.last() {
                self.after = last.position;
                return Ok(events);
            }
            let waited = tokio::time::timeout(LONGEST_WAIT, self.head.changed()).await;
            if matches!(waited, Ok(Err(_))) {
                // Nobody writes through this store any more: look again later.
                tokio::time::sleep(LONGEST_WAIT).await;
            }
        }
    }
}

//! The relay: the log is the outbox, and this is who empties it. It follows the log, publishes every event with the
//! position before it, and names the message that the bus must hold last, so that a second relay is noticed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, BusError, BusMessage, PublishError};
use crate::envelope::Position;
use crate::store::{EventStore, ReadError};
use crate::subscription::Subscription;

/// Where to begin on a bus that holds no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenEmpty {
    /// At the log's head at start: followers catch up from the log. For a bus that forgets.
    FromHead,
    /// At the log's beginning: the bus shall hold everything. For a bus that keeps.
    FromBeginning,
}

/// How a relay works.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// Where to begin on a bus that holds no message.
    pub when_empty: WhenEmpty,
    /// Most events read and published at once.
    pub batch_events: usize,
    /// First pause after a failure; it doubles with each further one.
    pub shortest_pause: Duration,
    /// Longest pause after a failure.
    pub longest_pause: Duration,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            when_empty: WhenEmpty::FromHead,
            batch_events: 256,
            shortest_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(5),
        }
    }
}

/// The relay has stopped for good; the operator acts.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RelayError {
    /// What the bus holds last is not in the log.
    #[error(
        "the bus holds an event at position {position} that this log does not have: one of them was restored or belongs \
         elsewhere; empty the bus and rebuild what follows it"
    )]
    BusOfAnotherLog {
        /// Position of the last message on the bus.
        position: Position,
    },
}

/// What health checks and metrics show of a relay.
#[derive(Debug, Default)]
pub struct RelayStatus {
    last_published: AtomicU64,
    published_events: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl RelayStatus {
    /// Position of the last event that the bus is known to hold; [`Position::START`] before the first.
    pub fn last_published(&self) -> Position {
        Position(self.last_published.load(Ordering::Acquire))
    }

    /// Events published by this relay.
    pub fn published_events(&self) -> u64 {
        self.published_events.load(Ordering::Acquire)
    }

    /// What is wrong, `None` as soon as the relay gets on.
    pub fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn stands_at(&self, position: Position) {
        self.last_published.store(position.0, Ordering::Release);
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Publishes the log to a bus.
pub struct Relay {
    store: Arc<dyn EventStore>,
    bus: Arc<dyn Bus>,
    options: RelayOptions,
    status: Arc<RelayStatus>,
    /// Where this relay stands: after the first look, whatever the bus forgets.
    after: Option<Position>,
}

/// Why the relay looks at the bus again.
enum Setback {
    Passing(String),
    Final(RelayError),
}

impl From<BusError> for Setback {
    fn from(error: BusError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<PublishError> for Setback {
    fn from(error: PublishError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<ReadError> for Setback {
    fn from(error: ReadError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl Relay {
    /// A relay from a log to a bus.
    pub fn new(store: Arc<dyn EventStore>, bus: Arc<dyn Bus>, options: RelayOptions) -> Self {
        Self { store, bus, options, status: Arc::default(), after: None }
    }

    /// Shows how the relay gets on, while and after it runs.
    pub fn status(&self) -> Arc<RelayStatus> {
        Arc::clone(&self.status)
    }

    /// Publishes until told to stop. Stopping between sending and answer is safe: the next relay asks the bus what it
    /// holds.
    ///
    /// # Errors
    /// [`RelayError`] when no waiting would help.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), RelayError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            error = self.follow() => Err(error),
        }
    }

    async fn follow(&mut self) -> RelayError {
        let mut pause = self.options.shortest_pause;
        loop {
            let before = self.status.published_events();
            let error = match self.publish_all().await {
                Setback::Passing(error) => error,
                Setback::Final(error) => {
                    tracing::error!(%error, "the relay stops");
                    self.status.failed(error.to_string());
                    return error;
                }
            };
            tracing::warn!(%error, "the relay looks at the bus again");
            self.status.failed(error);
            if self.status.published_events() > before {
                pause = self.options.shortest_pause;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.options.longest_pause);
        }
    }

    /// Publishes until something fails.
    async fn publish_all(&mut self) -> Setback {
        let (mut expected_last, mut after) = match self.resume().await {
            Ok(resumed) => resumed,
            Err(setback) => return setback,
        };
        let mut subscription = Subscription::new(Arc::clone(&self.store), after);
        loop {
            let events = match subscription.next_batch(self.options.batch_events).await {
                Ok(events) => events,
                Err(error) => return error.into(),
            };
            let count = events.len() as u64;
            let mut messages = Vec::with_capacity(events.len());
            for event in events {
                let previous_position = std::mem::replace(&mut after, event.position);
                messages.push(BusMessage { previous_position, event: Arc::new(event) });
            }
            if let Err(error) = self.bus.publish(expected_last, &messages).await {
                return error.into();
            }
            expected_last = Some(after);
            self.after = expected_last;
            self.status.published_events.fetch_add(count, Ordering::AcqRel);
            self.status.stands_at(after);
            metrics::counter!("dossier_relay_events_total").increment(count);
        }
    }

    /// Asks the bus what it holds last; answers that, and the position to go on after.
    async fn resume(&mut self) -> Result<(Option<Position>, Position), Setback> {
        let last = self.bus.last_published().await?;
        let after = match (last, self.after) {
            (Some((position, event_id)), _) => {
                if self.store.event_id_at(position).await? != Some(event_id) {
                    return Err(Setback::Final(RelayError::BusOfAnotherLog { position }));
                }
                position
            }
            (None, Some(after)) => after,
            (None, None) => match self.options.when_empty {
                WhenEmpty::FromHead => self.store.head().await?,
                WhenEmpty::FromBeginning => Position::START,
            },
        };
        self.after = Some(after);
        self.status.stands_at(after);
        Ok((last.map(|(position, _)| position), after))
    }
}

#[cfg(test)]
mod tests;

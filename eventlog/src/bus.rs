//! The bus port: carries the log to whoever follows it. Correctness never rests on it: each message names the
//! position before it, and a follower that finds a gap reads the log.

use std::sync::Arc;

use async_trait::async_trait;

use crate::envelope::{EventId, Position, RecordedEvent};

/// One event on the bus.
#[derive(Clone, Debug)]
pub struct BusMessage {
    /// Position of the event just before this one in the log; [`Position::START`] before the first.
    pub previous_position: Position,
    /// The event.
    pub event: Arc<RecordedEvent>,
}

/// Why the bus did not do what was asked.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BusError {
    /// The bus cannot be reached. The caller repeats later.
    #[error("bus unavailable: {0}")]
    Unavailable(String),
    /// The subscription has ended; subscribe again.
    #[error("subscription ended")]
    Ended,
    /// The bus is not as this system needs it, or belongs to somebody else. The operator acts; what waits asks again later.
    #[error("{0}")]
    Refused(String),
}

/// Why messages were not published.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PublishError {
    /// Another relay has published: the last message is not the expected one. Re-read the last message, then resume
    /// or stand by.
    #[error("another relay publishes: the bus stands at {actual:?}")]
    Fenced {
        /// Last position on the bus.
        actual: Option<Position>,
    },
    /// The bus cannot be reached, or has not answered for all: some of the messages may have been published. Re-read the
    /// last message.
    #[error("bus unavailable: {0}")]
    Unavailable(String),
    /// The bus is not as this system needs it, belongs to somebody else, or never takes such a message. The operator acts.
    #[error("{0}")]
    Refused(String),
}

impl From<BusError> for PublishError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Unavailable(why) => Self::Unavailable(why),
            BusError::Ended => Self::Unavailable(error.to_string()),
            BusError::Refused(why) => Self::Refused(why),
        }
    }
}

/// Carries events from the relay to the followers, at least once, mostly in order.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Position and id of the last message the bus holds, `None` when it holds none.
    ///
    /// # Errors
    /// [`BusError`].
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError>;

    /// Publishes messages in order, each with its event id as de-duplication id. `expected_last` is the position
    /// that the bus must hold last (`None`: no message yet), so that two relays cannot interleave.
    ///
    /// # Errors
    /// [`PublishError`]; after any error the relay re-reads [`Bus::last_published`].
    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[BusMessage],
    ) -> Result<(), PublishError>;

    /// Starts receiving messages published from now on, or, on a bus that keeps messages, from where
    /// this consumer left off.
    ///
    /// # Errors
    /// [`BusError`].
    async fn subscribe(&self, consumer: &str) -> Result<Box<dyn BusSubscription>, BusError>;
}

/// One consumer's view of the bus.
#[async_trait]
pub trait BusSubscription: Send {
    /// Waits for messages and returns those that are ready, at most `max`. Cancel-safe. Messages may be missing, come
    /// twice or out of order: the gap check decides.
    ///
    /// # Errors
    /// [`BusError`].
    async fn next(&mut self, max: usize) -> Result<Vec<BusMessage>, BusError>;

    /// Says that everything up to this position is applied.
    ///
    /// # Errors
    /// [`BusError::Unavailable`].
    async fn acknowledge(&mut self, up_to: Position) -> Result<(), BusError>;
}

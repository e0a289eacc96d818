//! Where a relay publishes to: the bus, which carries every event, or an outlet, which carries what is made of some.

use std::sync::Arc;

use async_trait::async_trait;

use crate::bus::{Bus, BusError, BusMessage, PublishError};
use crate::envelope::{EventId, Position, RecordedEvent};
use crate::outlet::{OutgoingMessage, Outlet, Render};

/// Why a batch was not published.
pub(super) enum NotPublished {
    /// The bus did not take it.
    Bus(PublishError),
    /// No message could be made of an event.
    Unreadable { position: Position, why: String },
}

impl From<PublishError> for NotPublished {
    fn from(error: PublishError) -> Self {
        Self::Bus(error)
    }
}

/// What was published of a batch.
pub(super) struct Published {
    /// Position of the last message, `None` where none of the events is carried.
    pub(super) last: Option<Position>,
    /// How many messages.
    pub(super) count: u64,
}

impl Published {
    fn of(last: Option<Position>, count: usize) -> Self {
        Self { last, count: count as u64 }
    }
}

#[async_trait]
pub(super) trait Destination: Send + Sync {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError>;

    /// Publishes what it carries of consecutive events, the first of which follows `previous` in the log.
    async fn publish(
        &self,
        expected_last: Option<Position>,
        previous: Position,
        events: Vec<RecordedEvent>,
    ) -> Result<Published, NotPublished>;

    /// Whether it carries any of these.
    fn carries_any(&self, events: &[RecordedEvent]) -> bool;
}

pub(super) struct ToBus(pub(super) Arc<dyn Bus>);

#[async_trait]
impl Destination for ToBus {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.0.last_published().await
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        mut previous: Position,
        events: Vec<RecordedEvent>,
    ) -> Result<Published, NotPublished> {
        let mut messages = Vec::with_capacity(events.len());
        for event in events {
            let previous_position = std::mem::replace(&mut previous, event.position);
            messages.push(BusMessage { previous_position, event: Arc::new(event) });
        }
        self.0.publish(expected_last, &messages).await?;
        Ok(Published::of(messages.last().map(|message| message.event.position), messages.len()))
    }

    fn carries_any(&self, events: &[RecordedEvent]) -> bool {
        !events.is_empty()
    }
}

pub(super) struct ToOutlet {
    pub(super) outlet: Arc<dyn Outlet>,
    pub(super) render: Render,
}

#[async_trait]
impl Destination for ToOutlet {
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError> {
        self.outlet.last_published().await
    }

    async fn publish(
        &self,
        expected_last: Option<Position>,
        _previous: Position,
        events: Vec<RecordedEvent>,
    ) -> Result<Published, NotPublished> {
        let mut messages: Vec<OutgoingMessage> = Vec::new();
        let mut unreadable = None;
        for event in &events {
            match (self.render)(event) {
                Ok(message) => messages.extend(message),
                Err(why) => {
                    unreadable = Some(NotPublished::Unreadable { position: event.position, why });
                    break;
                }
            }
        }
        if !messages.is_empty() {
            self.outlet.publish(expected_last, &messages).await?;
        }
        match unreadable {
            Some(unreadable) => Err(unreadable),
            None => Ok(Published::of(messages.last().map(|message| message.position), messages.len())),
        }
    }

    fn carries_any(&self, events: &[RecordedEvent]) -> bool {
        events.iter().any(|event| !matches!((self.render)(event), Ok(None)))
    }
}

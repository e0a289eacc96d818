//! An outlet: a stream for readers outside the system, such as analytics jobs. Unlike the bus it carries only what a pure
//! function makes of an event; the relay feeds both in the same way.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::bus::{BusError, PublishError};
use crate::envelope::{EventId, Position, RecordedEvent};

/// A message for readers outside, made of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutgoingMessage {
    /// Place of the event in the log.
    pub position: Position,
    /// Identity of the event: de-duplication id, and what tells whether the outlet belongs to this log.
    pub event_id: EventId,
    /// Parts of the subject after the outlet's own prefix, such as organization, category and type. The outlet makes each
    /// of them safe.
    pub subject: Vec<String>,
    /// Name and value, without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub body: Bytes,
}

/// Makes a message of an event, or `None` where the outlet does not carry it; what it cannot read stops the relay, and the text
/// says why. The same event gives the same answer at any time and on any node, else two relays would disagree about what
/// comes next.
pub type Render = Arc<dyn Fn(&RecordedEvent) -> Result<Option<OutgoingMessage>, String> + Send + Sync>;

/// Carries messages to readers outside, each once and in order as long as the outlet keeps what it has taken.
#[async_trait]
pub trait Outlet: Send + Sync + 'static {
    /// Position and event id of the last message the outlet holds, `None` when it holds none.
    ///
    /// # Errors
    /// [`BusError`].
    async fn last_published(&self) -> Result<Option<(Position, EventId)>, BusError>;

    /// Publishes messages in order. `expected_last` is the position that the outlet must hold last (`None`: no message yet),
    /// so that two relays cannot interleave.
    ///
    /// # Errors
    /// [`PublishError`]; after any error the relay re-reads [`Outlet::last_published`].
    async fn publish(
        &self,
        expected_last: Option<Position>,
        messages: &[OutgoingMessage],
    ) -> Result<(), PublishError>;
}

//! The event-store port: append with exact revisions and guards, read streams and the whole log in one order.

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::envelope::{EventId, NewEvent, Position, RecordedEvent, Revision, StreamName};

/// Largest payload plus metadata of one event, in bytes. Brokers and some stores stop at 1 MiB.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;
/// Largest sum of payloads and metadata of one append, in bytes.
pub const MAX_APPEND_BYTES: usize = 768 * 1024;

/// Where the stream must stand for an append to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The stream has no event yet.
    NoStream,
    /// The stream's last event has this revision.
    Exact(Revision),
}

/// Another stream that a decision relied on: the append is refused when it has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The stream relied on.
    pub stream: StreamName,
    /// Its last revision when it was read; `None` when it had no event.
    pub revision: Option<Revision>,
}

/// Events to append to one stream, all or none.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream to extend.
    pub stream: StreamName,
    /// Where it must stand.
    pub expected: Expected,
    /// At least one event.
    pub events: Vec<NewEvent>,
    /// Streams that must not have moved.
    pub guards: Vec<Guard>,
}

/// The place of an accepted append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Revision of the append's last event.
    pub last_revision: Revision,
    /// Position of the append's last event.
    pub last_position: Position,
}

/// Why an append was not accepted. Every variant but the last means: known not stored.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum AppendError {
    /// The stream stands elsewhere. The caller loads it again and decides again.
    #[error("stream stands at {actual:?}, not where the append expected it")]
    Conflict {
        /// Last revision of the stream, `None` when it has no event.
        actual: Option<Revision>,
    },
    /// A guard has moved. The caller loads the guarded stream again and decides again.
    #[error("guarded stream {stream} stands at {actual:?}")]
    GuardMoved {
        /// The stream that moved.
        stream: StreamName,
        /// Where it stands now.
        actual: Option<Revision>,
    },
    /// An event with this id is already in the log: the command was applied before. The caller loads the stream again.
    #[error("event {event_id} is in the log already")]
    Duplicate {
        /// The id met twice.
        event_id: EventId,
    },
    /// The append can never be accepted: nothing to append, or over a byte bound. The caller changes it.
    #[error("{0}")]
    Invalid(String),
    /// The store cannot write now; nothing was stored. The caller repeats later.
    #[error("event store unavailable: {0}")]
    Unavailable(String),
    /// The commit broke and the store cannot tell whether it held. The caller repeats with the same command id.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
}

/// Why a read failed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ReadError {
    /// The store cannot answer now. The caller repeats later.
    #[error("event store unavailable: {0}")]
    Unavailable(String),
    /// The stored bytes make no sense. The operator acts.
    #[error("event log damaged: {0}")]
    Damaged(String),
}

/// The log: the truth of the system. Implementations keep one total order and never show an event
/// before every event with a smaller position is visible.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Identity of this log; a checkpoint of another log must not be used with it.
    fn log_id(&self) -> Uuid;

    /// Appends events to one stream, durably, all or none.
    ///
    /// # Errors
    /// [`AppendError`] says who acts next; only `OutcomeUnknown` leaves open whether the events are stored.
    async fn append(&self, append: Append) -> Result<Appended, AppendError>;

    /// Events of one stream from a revision on, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError>;

    /// Last revision of a stream, `None` when it has no event. Never older than any append acknowledged
    /// before the call, on any node.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError>;

    /// Events of the whole log after a position, in order, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError>;

    /// Position of the last event, [`Position::START`] when there is none.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn head(&self) -> Result<Position, ReadError>;

    /// Id of the event at exactly this position, to tell whether a checkpoint belongs to this log.
    ///
    /// # Errors
    /// [`ReadError`].
    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError>;

    /// Wakes followers: holds the last known position and changes after each commit. A hint, never a truth:
    /// followers read the log.
    fn watch_head(&self) -> watch::Receiver<Position>;
}

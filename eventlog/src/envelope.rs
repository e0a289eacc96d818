//! What surrounds every event: its identity, its place, and its metadata.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of a stream, `category-id`: a lower-case category, a dash, and an id without personal data.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct StreamName(Arc<str>);

/// Why a text is not the name of a stream.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a stream name: wanted category-id, such as case-01J…, at most 200 bytes of letters, digits, '.', '_' and '-'"
)]
pub struct InvalidStreamName(pub String);

impl StreamName {
    /// Checks and takes over a name.
    ///
    /// # Errors
    /// [`InvalidStreamName`] when it is not `category-id` in the allowed letters.
    pub fn new(name: &str) -> Result<Self, InvalidStreamName> {
        let invalid = || InvalidStreamName(name.chars().take(200).collect());
        let (category, id) = name.split_once('-').ok_or_else(invalid)?;
        let category_ok =
            !category.is_empty() && category.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let id_ok = !id.is_empty()
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if category_ok && id_ok && name.len() <= 200 { Ok(Self(name.into())) } else { Err(invalid()) }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name's text, shared rather than copied.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The part before the first dash: `case` of `case-01J…`.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or("", |(category, _)| category)
    }

    /// The part after the first dash.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for StreamName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).map_err(serde::de::Error::custom)
    }
}

/// Number of an event within its stream, from 0, without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event in the whole log: ordered, not contiguous, meaningful only to the log that gave it.
/// [`Position::START`] is before every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first event of any log.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identity of an event, derived from its command's id and its index: the same command gives the same ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who may ever learn of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The customer side of the case, and support.
    Customer,
    /// Support only (R-COMMENT-3).
    Support,
    /// The system itself.
    Internal,
}

/// What is known of every event beside its payload; stored as exact bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that caused the event; with `fingerprint` it answers a repeat of the same command.
    pub command_id: Uuid,
    /// Keyed digest of the command's body (base64url): the same id with another fingerprint is refused.
    pub fingerprint: Cow<'static, str>,
    /// Account id of who acted, or `system-…` for what acts by itself. Never an email address.
    pub actor: String,
    /// The organization for which the actor acted, where that is not the event's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<String>,
    /// The organization whose fact this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Who may ever learn of it.
    pub audience: Audience,
    /// When it happened, where that is not when it was recorded (imports).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// Ties together everything that one request set in motion.
    pub correlation_id: String,
    /// The event or request that made the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<String>,
    /// Revision of the access stream that the decision relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_revision: Option<u64>,
}

impl Metadata {
    /// The bytes to store.
    pub fn encode(&self) -> Bytes {
        Bytes::from(serde_json::to_vec(self).expect("metadata has string keys and serializable values"))
    }

    /// Reads stored bytes.
    ///
    /// # Errors
    /// When the bytes are not metadata.
    pub fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// An event on its way into a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// Identity, unique in the log.
    pub event_id: EventId,
    /// Past-tense type name, such as `CaseFiled`.
    pub event_type: Cow<'static, str>,
    /// Version of the payload's schema, from 1.
    pub version: u16,
    /// When it was decided; never before the previous event of the stream.
    pub recorded_at: Timestamp,
    /// The payload, personal values sealed.
    pub payload: Bytes,
    /// Encoded [`Metadata`].
    pub metadata: Bytes,
}

/// An event as the log gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Place in the whole log.
    pub position: Position,
    /// The stream it belongs to.
    pub stream: StreamName,
    /// Its number in that stream.
    pub revision: Revision,
    /// Identity, unique in the log.
    pub event_id: EventId,
    /// Past-tense type name.
    pub event_type: Arc<str>,
    /// Version of the payload's schema as stored.
    pub version: u16,
    /// When it was recorded, UTC, microseconds.
    pub recorded_at: Timestamp,
    /// The payload's stored bytes.
    pub payload: Bytes,
    /// The metadata's stored bytes.
    pub metadata: Bytes,
}

impl RecordedEvent {
    /// Reads the stored metadata.
    ///
    /// # Errors
    /// When the stored bytes are not metadata.
    pub fn metadata(&self) -> Result<Metadata, serde_json::Error> {
        Metadata::decode(&self.metadata)
    }
}

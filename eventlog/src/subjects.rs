//! Subjects for readers outside: single messages, each acknowledged, in whatever order they come. What an organization's
//! machines are told travels so; for whole streams in the order of the log there are the [bus](crate::bus) and the
//! [outlet](crate::outlet).

use async_trait::async_trait;
use bytes::Bytes;

use crate::bus::BusError;

/// A message for one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectMessage {
    /// Its identity: one that comes again soon is kept once, and readers tell a later repeat by it.
    pub id: String,
    /// Parts of the subject after the port's own prefix. Each of them is made safe.
    pub subject: Vec<String>,
    /// Name and value, without line breaks.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub body: Bytes,
}

/// Publishes single messages.
#[async_trait]
pub trait Subjects: Send + Sync + 'static {
    /// Publishes a message; it is kept when this answers well.
    ///
    /// # Errors
    /// [`BusError::Unavailable`]: whether it is kept is not known, and the caller repeats it under the same id.
    /// [`BusError::Refused`]: it is not, and the operator acts.
    async fn publish(&self, message: &SubjectMessage) -> Result<(), BusError>;
}

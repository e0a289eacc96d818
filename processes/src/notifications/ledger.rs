//! The ledger: every message that was ever meant to leave, what became of it, and each attempt (R-NOTIFY-2).
//!
//! A message is *intended* when the fan-out found it, *sending* while a node holds it, then *sent*, *failed* for good,
//! *withheld* because its reader may no longer see what it is about, or *unknown*: its content left and no answer came back.
//! An unknown one is never sent again by itself; an operator may ([`NotificationLedger::retry`]).
//!
//! What makes it once: a node marks a message durably as handed over just before its content leaves
//! ([`NotificationLedger::hand_over`]), and may do so only while the message is still its own. So whatever crashes when, what
//! was not handed over may be tried again, and what was handed over is known to be unknown. Clocks decide only how long a
//! crashed node's messages wait.

use async_trait::async_trait;
use dossier_eventlog::Position;
use jiff::Timestamp;

pub use super::message::{
    AttemptOutcome, Channel, IntendedMessage, MessageId, MessageState, Recipient, SealedAddress,
};
use crate::work_store::{WorkCheckpoint, WorkStoreError};

/// A message that a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The message.
    pub message: IntendedMessage,
    /// The number of this attempt, from 1; it proves whose the message is.
    pub attempt: u32,
    /// How many attempts there have been with this one, interrupted ones apart, since it was intended or an operator asked for
    /// it again.
    pub tries: u32,
    /// Since when it has been tried: when it was intended or an operator asked for it again.
    pub trying_since: Timestamp,
}

/// What an attempt came to. The details are for operators: the other side's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Sent {
        /// The other side's words.
        detail: String,
    },
    /// Definitely not accepted; to be tried again.
    Retry {
        /// Why.
        detail: String,
        /// Not before.
        at: Timestamp,
    },
    /// Refused for good, or given up.
    Failed {
        /// Why.
        detail: String,
    },
    /// Handed over, and no answer came.
    Unknown {
        /// What happened instead.
        detail: String,
    },
    /// Not sent, on purpose.
    Withheld {
        /// Why.
        detail: String,
    },
}

/// An attempt to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: AttemptOutcome,
    /// The other side's words, or what happened.
    pub detail: String,
}

/// A message and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The message.
    pub message: IntendedMessage,
    /// What became of it.
    pub state: MessageState,
    /// When it is tried next, while it is intended.
    pub due: Option<Timestamp>,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
}

/// Which messages are asked for; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Those about a stream.
    pub stream: Option<String>,
    /// Those in a state.
    pub state: Option<MessageState>,
    /// Those of a channel.
    pub channel: Option<Channel>,
    /// Those to a webhook or subscription.
    pub endpoint: Option<String>,
}

/// Messages after one in the order of the log, at most `limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerPage {
    /// The last message of the page before: where it lies and which it is.
    pub after: Option<(Position, MessageId)>,
    /// Most that are answered.
    pub limit: u32,
}

/// How many messages a channel has in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageCount {
    /// The channel.
    pub channel: Channel,
    /// The state.
    pub state: MessageState,
    /// How many.
    pub count: u64,
}

/// What [`NotificationLedger::recover`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Messages that are tried again: nothing of them had left.
    pub again: u64,
    /// Messages that are unknown now.
    pub unknown: u64,
}

/// Keeps the ledger.
#[async_trait]
pub trait NotificationLedger: Send + Sync + 'static {
    /// Writes messages down, and moves the checkpoint of who found them, both or neither. One that is there already stays as
    /// it is.
    ///
    /// # Errors
    /// [`WorkStoreError::Fenced`] when the checkpoint does not stand where the caller read it.
    async fn intend(
        &self,
        process: &str,
        from: &WorkCheckpoint,
        to: &WorkCheckpoint,
        messages: &[IntendedMessage],
    ) -> Result<(), WorkStoreError>;

    /// Takes messages of a channel that are due, for a node and until an instant, the earliest first, at most `limit`. No
    /// other node gets them meanwhile. A message whose ordering key an earlier, unsettled one has stays, and so does one to an
    /// endpoint of `except`.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn claim(
        &self,
        channel: Channel,
        node: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
        except: &[String],
    ) -> Result<Vec<Claimed>, WorkStoreError>;

    /// Marks a message durably as one whose content is about to leave. Answers false when it is no longer the caller's: then
    /// nothing may leave.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`]; nothing may leave.
    async fn hand_over(&self, id: MessageId, attempt: u32) -> Result<bool, WorkStoreError>;

    /// Writes down what an attempt came to, also when its lease has ended by now. Answers false when another attempt has begun
    /// or the message is settled; the attempt's own outcome is kept all the same where it was unknown.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn finish(
        &self,
        id: MessageId,
        attempt: u32,
        now: Timestamp,
        outcome: &Outcome,
    ) -> Result<bool, WorkStoreError>;

    /// Looks after messages whose node's lease has ended: what was handed over is unknown, the rest is tried again.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn recover(&self, now: Timestamp) -> Result<Recovered, WorkStoreError>;

    /// For an operator: sends a failed or unknown message again. Answers false for one that is neither, or is not there.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn retry(&self, id: MessageId, now: Timestamp) -> Result<bool, WorkStoreError>;

    /// One message.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn message(&self, id: MessageId) -> Result<Option<LedgerEntry>, WorkStoreError>;

    /// All messages about a stream, in the order of the log.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn messages_of(&self, stream: &str) -> Result<Vec<LedgerEntry>, WorkStoreError> {
        let filter = LedgerFilter { stream: Some(stream.to_owned()), ..LedgerFilter::default() };
        self.messages_in(&filter, LedgerPage { after: None, limit: u32::MAX }).await
    }

    /// A page of messages, in the order of the log.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn messages_in(
        &self,
        filter: &LedgerFilter,
        page: LedgerPage,
    ) -> Result<Vec<LedgerEntry>, WorkStoreError>;

    /// How many messages are intended, sending, failed and unknown. Those that were sent or withheld are history and are not
    /// counted.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn message_counts(&self) -> Result<Vec<MessageCount>, WorkStoreError>;

    /// When the earliest message of a channel is due that is intended.
    ///
    /// # Errors
    /// [`WorkStoreError::Unavailable`].
    async fn next_message_due(&self, channel: Channel) -> Result<Option<Timestamp>, WorkStoreError>;
}

#[cfg(test)]
pub(crate) mod contract;
#[cfg(test)]
pub(crate) mod interleavings;

//! What the databases' rows of the ledger hold, and what they stand for.

use dossier_domain::CommandId;
use dossier_eventlog::{Position, Revision};
use jiff::Timestamp;
use uuid::Uuid;

use crate::notifications::ledger::{
    Attempt, AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, MessageCount, MessageId,
    MessageState, Outcome, Recipient, SealedAddress,
};

/// What is noted of a message whose node was gone before it handed the message over.
const INTERRUPTED: &str = "the node that held it was gone before anything had left";
/// What is noted of a message whose node was gone after it handed the message over.
const UNANSWERED: &str = "the node that held it was gone after the message had been handed over";

/// What both databases' rows of a message hold.
#[derive(sqlx::FromRow)]
pub(super) struct MessageRow {
    id: Vec<u8>,
    channel: String,
    stream: String,
    organization: Option<String>,
    command_id: Vec<u8>,
    first_revision: i64,
    last_revision: i64,
    position: i64,
    kind: String,
    reason: String,
    recipient_kind: String,
    recipient: String,
    recipient_sealed: Option<Vec<u8>>,
    language: String,
    ordering_key: Option<String>,
    intended_at_micros: i64,
    state: String,
    due_micros: i64,
    trying_since_micros: i64,
    attempt: i64,
    tries: i64,
}

impl MessageRow {
    /// In which order messages are claimed.
    pub(super) fn order(&self) -> (i64, i64, Vec<u8>) {
        (self.due_micros, self.position, self.id.clone())
    }

    pub(super) fn uuid(&self) -> &[u8] {
        &self.id
    }

    /// The message as a node holds it; `None` for one of a later release, which that release looks after.
    pub(super) fn claimed(self) -> Option<Claimed> {
        Some(Claimed {
            attempt: number(self.attempt),
            tries: number(self.tries),
            trying_since: instant(self.trying_since_micros),
            message: self.message()?,
        })
    }

    /// The message and what became of it; `None` as above.
    pub(super) fn entry(self, attempts: Vec<Attempt>) -> Option<LedgerEntry> {
        let state = MessageState::parse(&self.state)?;
        let due = (state == MessageState::Intended).then(|| instant(self.due_micros));
        Some(LedgerEntry { message: self.message()?, state, due, attempts })
    }

    fn message(self) -> Option<IntendedMessage> {
        let recipient = match (self.recipient_kind.as_str(), self.recipient_sealed) {
            ("account", _) => Recipient::Account(self.recipient.parse().ok()?),
            ("address", Some(sealed)) => {
                Recipient::Address(SealedAddress { subject: self.recipient, sealed })
            }
            ("endpoint", _) => Recipient::Endpoint(self.recipient),
            _ => return None,
        };
        Some(IntendedMessage {
            id: message_id(&self.id),
            channel: Channel::parse(&self.channel)?,
            stream: self.stream,
            organization: self.organization,
            command_id: CommandId(Uuid::from_slice(&self.command_id).ok()?),
            first_revision: Revision(self.first_revision.unsigned_abs()),
            last_revision: Revision(self.last_revision.unsigned_abs()),
            position: Position(self.position.unsigned_abs()),
            kind: self.kind,
            reason: self.reason,
            recipient,
            language: self.language,
            ordering_key: self.ordering_key,
            intended_at: instant(self.intended_at_micros),
        })
    }
}

/// What both databases' rows of an attempt hold.
#[derive(sqlx::FromRow)]
pub(super) struct AttemptRow {
    pub(super) message_id: Vec<u8>,
    attempt: i64,
    at_micros: i64,
    outcome: String,
    detail: String,
}

impl AttemptRow {
    /// The attempt; `None` for an outcome of a later release.
    pub(super) fn attempt(self) -> Option<Attempt> {
        Some(Attempt {
            number: number(self.attempt),
            at: instant(self.at_micros),
            outcome: AttemptOutcome::parse(&self.outcome)?,
            detail: self.detail,
        })
    }
}

/// A message whose node's lease has ended.
#[derive(sqlx::FromRow)]
pub(super) struct ExpiredRow {
    pub(super) id: Vec<u8>,
    pub(super) attempt: i64,
    pub(super) state: String,
}

impl ExpiredRow {
    /// How its attempt ended, in words.
    pub(super) fn ended(&self) -> (AttemptOutcome, &'static str) {
        if self.state == MessageState::Unknown.as_str() {
            (AttemptOutcome::Unknown, UNANSWERED)
        } else {
            (AttemptOutcome::Interrupted, INTERRUPTED)
        }
    }
}

/// How many messages there are of a channel in a state.
#[derive(sqlx::FromRow)]
pub(super) struct CountRow {
    channel: String,
    state: String,
    messages: i64,
}

impl CountRow {
    pub(super) fn count(self) -> Option<MessageCount> {
        Some(MessageCount {
            channel: Channel::parse(&self.channel)?,
            state: MessageState::parse(&self.state)?,
            count: self.messages.unsigned_abs(),
        })
    }
}

/// What a recipient is kept as: its kind, its name, what is sealed.
pub(super) fn recipient_columns(recipient: &Recipient) -> (&'static str, String, Option<&[u8]>) {
    match recipient {
        Recipient::Account(account) => ("account", account.to_string(), None),
        Recipient::Address(address) => ("address", address.subject.clone(), Some(&address.sealed)),
        Recipient::Endpoint(endpoint) => ("endpoint", endpoint.clone(), None),
    }
}

/// What an outcome makes of a message: its state, when it is due again, how the attempt is noted.
pub(super) fn settled(outcome: &Outcome) -> (MessageState, Option<Timestamp>, AttemptOutcome, &str) {
    match outcome {
        Outcome::Sent { detail } => (MessageState::Sent, None, AttemptOutcome::Sent, detail),
        Outcome::Retry { detail, at } => (MessageState::Intended, Some(*at), AttemptOutcome::Retry, detail),
        Outcome::Failed { detail } => (MessageState::Failed, None, AttemptOutcome::Failed, detail),
        Outcome::Unknown { detail } => (MessageState::Unknown, None, AttemptOutcome::Unknown, detail),
        Outcome::Withheld { detail } => (MessageState::Withheld, None, AttemptOutcome::Withheld, detail),
    }
}

pub(super) fn message_id(bytes: &[u8]) -> MessageId {
    MessageId(Uuid::from_slice(bytes).unwrap_or_default())
}

pub(super) fn instant(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::MAX)
}

fn number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(0)
}

//! A message: whose, about what, in which channel, and which words its states have.

use std::fmt;

use dossier_domain::{AccountId, CommandId};
use dossier_eventlog::{Opened, Position, Revision, SealError, Sealer};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Identity of a message: the same for the same command, stream, recipient and channel, however often it is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

impl MessageId {
    /// The id of what a command on a stream says to somebody on a channel. `recipient` names them without telling who they
    /// are: an account id, a keyed pseudonym of an address, a subscription.
    pub fn derived(command: CommandId, stream: &str, recipient: &str, channel: Channel) -> Self {
        let mut hash = Sha256::new().chain_update(command.0.as_bytes());
        // Lengths before texts, so that no two triples give the same bytes.
        for part in [stream, recipient, channel.as_str()] {
            hash = hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part);
        }
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        Self(Uuid::new_v8(first))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// An enum whose variants are kept as words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word it is kept and shown as.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one that a word stands for.
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// How a message leaves.
    Channel {
        /// By mail.
        Email = "email",
        /// By a request to an address of an organization's.
        Webhook = "webhook",
        /// By publishing on a subject of the bus.
        Subject = "subject",
    }
}

words! {
    /// What became of a message.
    MessageState {
        /// It waits to be sent, for the first time or again.
        Intended = "intended",
        /// A node holds it.
        Sending = "sending",
        /// It was accepted.
        Sent = "sent",
        /// It was refused for good, or for too long.
        Failed = "failed",
        /// Its content left, and nobody knows whether it was accepted.
        Unknown = "unknown",
        /// It was not sent, on purpose.
        Withheld = "withheld",
    }
}

words! {
    /// How an attempt ended.
    AttemptOutcome {
        /// Accepted.
        Sent = "sent",
        /// Not accepted, and it is tried again.
        Retry = "retry",
        /// Refused for good, or given up.
        Failed = "failed",
        /// Handed over without an answer.
        Unknown = "unknown",
        /// Not sent, on purpose.
        Withheld = "withheld",
        /// The node that held it was gone before it handed anything over.
        Interrupted = "interrupted",
    }
}

/// An address that only the holder of the key store can read, and nobody once its subject is erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAddress {
    /// Under whose key it is sealed.
    pub subject: String,
    /// The address, sealed.
    pub sealed: Vec<u8>,
}

impl SealedAddress {
    /// Seals an address for a subject that was prepared ([`Sealer::prepare_seal`], for all of a batch at once).
    ///
    /// # Errors
    /// As [`Sealer::seal`].
    pub fn seal(sealer: &Sealer, subject: &str, address: &str) -> Result<Self, SealError> {
        Ok(Self { subject: subject.to_owned(), sealed: sealer.seal(subject, address.as_bytes())? })
    }

    /// The address; `None` when its subject was erased.
    ///
    /// # Errors
    /// [`SealError::Unavailable`], [`SealError::MissingKey`] or [`SealError::Damaged`].
    pub async fn open(&self, sealer: &Sealer) -> Result<Option<String>, SealError> {
        sealer.prepare_open(std::slice::from_ref(&self.subject)).await?;
        match sealer.open(&self.subject, &self.sealed)? {
            Opened::Erased => Ok(None),
            Opened::Plain(bytes) => {
                String::from_utf8(bytes).map(Some).map_err(|_| SealError::Damaged(self.subject.clone()))
            }
        }
    }
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// Somebody with an account, at the address they sign in with when the message is sent.
    Account(AccountId),
    /// A subscriber's address.
    Address(SealedAddress),
    /// A webhook or subscription, by its id.
    Endpoint(String),
}

/// A message that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntendedMessage {
    /// Its identity.
    pub id: MessageId,
    /// How it leaves.
    pub channel: Channel,
    /// The stream of what it is about.
    pub stream: String,
    /// The organization whose it is, if it is one's.
    pub organization: Option<String>,
    /// The command that caused it.
    pub command_id: CommandId,
    /// The command's first event in the stream.
    pub first_revision: Revision,
    /// The command's last event in the stream.
    pub last_revision: Revision,
    /// Where the first event lies in the log; messages are sent in this order.
    pub position: Position,
    /// What kind of message it is; the key of its template.
    pub kind: String,
    /// Why this recipient is addressed: `filer`, `subscriber`, `owner`.
    pub reason: String,
    /// To whom it goes.
    pub recipient: Recipient,
    /// In which language.
    pub language: String,
    /// Messages of one key leave one after the other: a later one waits until the earlier one is settled.
    pub ordering_key: Option<String>,
    /// When it was found.
    pub intended_at: Timestamp,
}

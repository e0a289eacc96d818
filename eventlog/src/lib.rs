//! Bytes in envelopes: the event store, the bus, the relay and the sealing of personal values.
//!
//! # What never happens here
//!
//! - This crate never knows what a case is. It depends on nothing else of this workspace; payloads and metadata are bytes
//!   to it, kept exactly as they were given and never looked into.
//! - Nothing is acknowledged before it is durable, and no append is stored in part.
//! - No reader is shown an event before every event with a smaller position; none is ever skipped.
//! - No append is judged on less than the whole log before it: what the same batch has accepted counts.
//! - `Unavailable` never hides a stored event: what cannot be known is `OutcomeUnknown`.
//! - Correctness never rests on the bus: it may lose, repeat and reorder; each message names the position before it.
//! - A sealed value never opens for another subject, and an erased key never comes back.
//! - No clock and no source of randomness is read: instants come with the events, randomness is an [`Entropy`].
//!
//! # Where things are
//!
//! | | port | rule or engine | adapters |
//! |---|---|---|---|
//! | the log | [`store`] | `admission` (accept or refuse), [`Subscription`] | [`SqliteStore`], [`MemoryStore`], PostgreSQL (feature `postgres`), KurrentDB (feature `kurrentdb`) |
//! | the bus | [`bus`] | [`relay`] | [`InProcessBus`], NATS JetStream (feature `nats`) |
//! | streams for readers outside | [`outlet`] | [`relay`] | NATS JetStream (feature `nats`) |
//! | single messages for readers outside | [`subjects`] | | NATS JetStream (feature `nats`) |
//! | what is too large for an event | [`blobs`] | [`BlobStore`] | a folder, S3 (feature `s3`) |
//! | personal values | [`sealing`] | [`Sealer`] | [`SqliteKeyStore`], [`MemoryKeyStore`], PostgreSQL (feature `postgres`) |
//!
//! # To add an adapter
//!
//! 1. Implement the port's trait in a folder of its own. One that decides by itself what to accept tells `admission` the
//!    heads of the streams and asks it: the rule is written once. A heavy client library goes behind a cargo feature.
//! 2. Give it one `async fn fresh() -> Fresh<dyn EventStore>` (or `dyn Bus`, `dyn KeyStore`) that makes an empty one,
//!    and run the contract beside the trait with one line: `event_store_contract!(fresh)`, `bus_contract!(fresh)`,
//!    `key_store_contract!(fresh)`, `blob_store_contract!(fresh)`. From another crate: with the feature `contract`.
//! 3. Test beside it what only it can get wrong: its failures, its recovery, how it is opened.

mod admission;
pub mod blobs;
pub mod bus;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod envelope;
mod in_process;
#[cfg(feature = "kurrentdb")]
pub mod kurrentdb;
mod memory;
mod memory_keys;
#[cfg(feature = "nats")]
pub mod nats;
pub mod outlet;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod relay;
pub mod sealing;
pub mod sqlite;
pub mod store;
pub mod subjects;
mod subscription;

#[cfg(feature = "kurrentdb")]
pub use self::kurrentdb::{KurrentOpenError, KurrentOptions, KurrentStore};
pub use blobs::{BlobError, BlobOpenError, BlobStore, BlobStream, BlobWriter, Stored, Swept};
pub use bus::{Bus, BusError, BusMessage, BusSubscription, PublishError};
pub use envelope::{Audience, EventId, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamName};
pub use in_process::InProcessBus;
pub use memory::MemoryStore;
pub use memory_keys::MemoryKeyStore;
#[cfg(feature = "nats")]
pub use nats::{NatsBus, NatsOptions, NatsOutlet, NatsSubjects};
pub use outlet::{OutgoingMessage, Outlet, Render};
#[cfg(feature = "postgres")]
pub use postgres::{PostgresKeyStore, PostgresOpenError, PostgresOptions, PostgresStore};
pub use relay::{Relay, RelayError, RelayOptions, RelayState, RelayStatus, WhenEmpty};
pub use sealing::{
    AUTHENTICATION_BYTES, Entropy, Erasure, ErasureListener, KeyState, KeyStore, Opened, SealError, Sealer,
    Secret,
};
pub use sqlite::{OpenError, SqliteKeyStore, SqliteOptions, SqliteStore};
pub use store::{Append, AppendError, Appended, EventStore, Expected, Guard, ReadError};
pub use subjects::{SubjectMessage, Subjects};
pub use subscription::Subscription;

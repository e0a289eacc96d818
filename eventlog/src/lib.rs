//! Bytes in envelopes: the event store, the bus, the relay and the sealing of personal values.
//!
//! What this crate never knows: what a case is. It depends on nothing else of this workspace; payloads and
//! metadata are bytes to it, kept exactly as they were given.

mod admission;
pub mod bus;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod envelope;
mod in_process;
mod memory;
mod memory_keys;
pub mod relay;
pub mod sealing;
pub mod sqlite;
pub mod store;
mod subscription;

pub use bus::{Bus, BusError, BusMessage, BusSubscription, PublishError};
pub use envelope::{Audience, EventId, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamName};
pub use in_process::InProcessBus;
pub use memory::MemoryStore;
pub use memory_keys::MemoryKeyStore;
pub use relay::{Relay, RelayError, RelayOptions, RelayStatus, WhenEmpty};
pub use sealing::{Entropy, KeyState, KeyStore, Opened, SealError, Sealer, Secret};
pub use sqlite::{OpenError, SqliteKeyStore, SqliteOptions, SqliteStore};
pub use store::{Append, AppendError, Appended, EventStore, Expected, Guard, ReadError};
pub use subscription::Subscription;

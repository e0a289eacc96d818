//! Bytes in envelopes: the event store, the bus, the relay and the sealing of personal values.
//!
//! What this crate never knows: what a case is. It depends on nothing else of this workspace; payloads and
//! metadata are bytes to it, kept exactly as they were given.
//!
//! To add an adapter: implement [`EventStore`] (or [`Bus`], or [`KeyStore`]) in a file of its own and run the contract
//! suite beside the trait against it with one line (`contract`).

pub mod bus;
pub mod envelope;
pub mod sealing;
pub mod store;

pub use bus::{Bus, BusError, BusMessage, BusSubscription, PublishError};
pub use envelope::{Audience, EventId, Metadata, NewEvent, Position, RecordedEvent, Revision, StreamName};
pub use sealing::{Entropy, KeyStore, Opened, SealError, Sealer};
pub use store::{Append, AppendError, Appended, EventStore, Expected, Guard, ReadError};

//! The fleet's log in KurrentDB, through the vendor's client: many appends in flight on one stream to the leader, reads from
//! the leader, and one catch-up subscription per node that says when the log moved.
//!
//! # How the log lies there
//!
//! The stream `case-01J…` is KurrentDB's stream `{namespace}.case-01J…`, so the log is what `$all` shows of streams that begin
//! with `{namespace}.`; several logs share a server under different namespaces. The log's identity is the first event of the
//! stream `{namespace}:log`. A position is the commit position in `$all`. An event's version and time stand in a line of text
//! before its metadata.
//!
//! # What this store promises less than SQLite and PostgreSQL
//!
//! - **Guards** are read from the leader just before the append, and held still within this node. An append of another node
//!   between that read and the write goes unseen: a window of one round trip, at most
//!   [`KurrentOptions::append_timeout`].
//! - **Event ids** are compared with those this node wrote, read or heard of lately ([`KurrentOptions::known_ids`]). The server
//!   itself knows an id again only where the append names the revision that it first named; it then answers as it did the first
//!   time, and so does this store. Exact revisions keep the promise that nothing is stored twice: a caller that loads the stream
//!   sees the command there.
//!
//! Never here: an append without an exact revision, a subscription that is asked again after its end (the client would spin),
//! `Unavailable` after an append left this node and its fate is open.

mod append;
mod codec;
mod follow;
mod guard;
mod known;
mod link;
mod locks;
mod options;
mod read;
mod store;

pub use options::{KurrentOpenError, KurrentOptions};
pub use store::KurrentStore;

//! What crosses crates: end to end, official clients, authorization, faults, architecture.
//!
//! This library is the harness; the tests are one binary under `tests/it`, a module per subject.
//!
//! * [`Server`] is a whole system inside the test, on a port of its own and with a clock that the test moves; on the engines
//!   of the test binary's [`profile`].
//! * [`Process`] is the real binary as a child, for what only a process can show: signals, locks, its output.
//! * [`fleet`] is several of them on engines that they share.
//! * [`Client`] speaks HTTP as somebody; [`Answer`] checks the shape of what comes back.
//! * [`oidc`] is a private OpenID Connect provider, a server that trusts it, and a browser to sign in with.
//! * [`smtp`] is a private real mail server that does wrong what a test tells it to.
//! * [`world`] adds people and organizations to those of the sample data, and holds projectors back.
//! * [`receiver`] takes webhooks.
//! * [`raw`] puts bytes on the wire that no client library would send.
//!
//! Nothing here waits for a length of time where it can wait for a condition, and nothing repeats a step that failed.

pub mod client;
mod deeds;
pub mod fleet;
pub mod log;
pub mod oidc;
pub mod people;
pub mod process;
pub mod profile;
pub mod raw;
pub mod receiver;
pub mod server;
pub mod smtp;
pub mod workspace;
pub mod world;

pub use client::{Answer, Call, Client, encoded};
pub use process::{Finished, Process};
pub use server::{Server, TestClock};

//! A server in memory that speaks KurrentDB's protocol, for tests of the adapter: KurrentDB itself cannot be started wherever
//! the tests run. Beside it, as the program `eventlog-contract`, the contract of the event store, to be run against a real
//! server too.
//!
//! # What is like the server
//!
//! The calls that the vendor's client makes: `ServerFeatures.GetSupportedMethods`, `Gossip.Read`, `Streams.Append`,
//! `Streams.BatchAppend`, and `Streams.Read` with its directions, filters and subscriptions. What it accepts, takes for a
//! repetition, or refuses is decided as the server's `IndexWriter` does; its tests hold the table. Positions rise with gaps, the log begins with
//! events of the system, and whoever reads from where nothing begins is told so.
//!
//! # What is not
//!
//! It keeps nothing, knows no users and no TLS, and is its own leader.

// Every call answers with the protocol's own status.
#![allow(clippy::result_large_err)]

mod double;
mod faults;
mod log;
mod protocol;
mod reading;
mod service;

pub use double::Double;
pub use faults::{Faults, Lost};

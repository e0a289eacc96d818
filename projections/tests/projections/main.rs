//! The read side on a log in memory: given events, when projectors follow them however they come, then queries answer.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[macro_use]
mod engines;
mod buses;
mod checkpoints;
mod delivery;
#[cfg(feature = "postgres")]
mod fleet;
mod queries;
mod rebuild;
mod rows;
mod samples;
mod store;
mod tally;
mod unreadable;
mod world;

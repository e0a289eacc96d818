//! The read side on a log in memory: given events, when projectors follow them however they come, then queries answer.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the message")]

#[macro_use]
mod engines;
mod access;
mod accounts;
mod buses;
mod checkpoints;
mod counts;
mod delivery;
mod event_delivery;
#[cfg(feature = "postgres")]
mod fleet;
mod help;
mod history;
mod issues;
mod organizations;
mod queries;
mod rebuild;
mod resellers;
mod rows;
mod samples;
mod satisfaction;
mod saved_views;
mod store;
mod tally;
mod texts;
mod unreadable;
mod world;

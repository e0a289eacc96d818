//! The write side: load a stream, fold it, decide, append with the exact revision and guards, retry on a conflict, and answer
//! a repeated command from its receipt.
//!
//! What never happens here: a command is never applied twice (its id is looked up in the fold before deciding, and every
//! append names an exact revision); it is never decided on access state older than its guard; nothing is refused for what
//! a stale cache believes (a refusal is evaluated again on the log's head). What this crate never knows: projections, HTTP.
//!
//! To add a command to an aggregate nothing changes here. To add an aggregate: a [`repository`] for it in [`Commands`] and a
//! method beside [`Commands::case`].

mod account_recovery;
mod accounts;
mod append;
mod commands;
mod domains;
mod error;
mod event_delivery;
mod feedback;
mod fold;
mod help_sessions;
pub mod identity;
mod import;
mod known_issues;
mod merging;
mod moments;
mod questions;
mod repository;
mod request;
mod saved_views;
pub mod signed_link;
mod standpoint;
mod streams;

pub use account_recovery::AccountRecoveryOutcome;
pub use accounts::{AccountOutcome, PreferencesOutcome};
pub use commands::{AccessOutcome, AccessView, CaseOutcome, CaseView, Commands, ExportOutcome, Outcome};
pub use domains::DomainClaimOutcome;
pub use error::{CommandError, LoadError};
pub use event_delivery::{EventSubscriptionOutcome, WebhookOutcome};
pub use feedback::FeedbackOutcome;
pub use fold::{Folded, occurred_at};
pub use help_sessions::{HelpSessionOutcome, command_of_session};
pub use import::ImportCheck;
pub use known_issues::{KnownIssueOutcome, LinkedCaseAct, PhoneCallOutcome};
pub use moments::{CaseMoment, KnownIssueMoment, Moment};
pub use questions::History;
pub use request::{ActsFor, Request};
pub use saved_views::SavedViewOutcome;
pub use standpoint::{AccountView, Standpoint};

use std::sync::Arc;

use jiff::Timestamp;

/// Where the time comes from: the system's clock at the edge, whatever a test says elsewhere.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

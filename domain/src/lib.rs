//! The business: aggregates with their events, commands and rules; authority and visibility; the catalogue's types.
//!
//! Everything here is a pure function of its arguments. What this crate never knows: IO, async, clocks, randomness, HTTP,
//! SQL. A decision gets its instant, its actor and its ids handed in; the same inputs give the same events.
//!
//! An aggregate is a folder: `events` is its contract with the log (and holds the upcasters), `state` its fold (each a file,
//! or a folder where it has grown), `rejection.rs` why it refuses, and each command is **one file** with the command, its rules and their tests.
//!
//! To add a command: write its file beside [`case::escalate`], add its events to `events` (with who may learn of them) and to the fold, list the
//! command in the aggregate's `Command` enum, and give it its row in [`authority`].

pub mod access;
pub mod account;
pub mod account_recovery;
pub mod address;
pub mod analytics;
pub mod authority;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod category;
pub mod context;
pub mod domain_claim;
pub mod event;
pub mod event_subscription;
pub mod export;
pub mod feedback;
pub mod help_article;
pub mod help_session;
pub mod ids;
pub mod known_issue;
pub mod notification;
pub mod objective;
pub mod personal;
pub mod phone_call;
pub mod routing;
pub mod saved_view;
pub mod support_profile;
#[cfg(test)]
mod testing;
pub mod volume_watch;
pub mod webhook;

pub use account::AccountStatus;
pub use authority::{
    AccessRefusal, ActingFor, Action, Actor, Authority, CaseFacts, CentreAccess, Principal, Role, Side,
    StaffRole, VisibilityScope,
};
pub use catalogue::Catalogue;
pub use category::{CATEGORIES, Category};
pub use context::Context;
pub use event::{Aggregate, DecodeError, DomainEvent, EventAudience, EventSchema};
pub use ids::{
    AccountId, AccountRecoveryId, AttachmentId, CalendarId, CaseId, CommandId, CommentId, DocumentId,
    EmailKey, EventSubscriptionId, ExportId, FeedbackId, HelpSessionId, KnownIssueId, NoteId, OrganizationId,
    PhoneCallId, PlanId, ProductId, ProviderId, SavedViewId, WebhookId,
};
pub use personal::{Contact, Personal, PersonalFields, PersonalSlot, Subject};

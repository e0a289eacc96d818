//! Known issues (R-KI-1..7): `known_issue-{ULID}`. Support suspects, confirms or dismisses one, publishes it where its impact is
//! high, posts updates and resolves it; users say that it affects them, that it does not, and whether they want mails.
//!
//! # Two streams
//!
//! That somebody is affected is decided and written **here first**, with all that filing their case takes from that moment,
//! the case's id included. A reactor then files, links and unlinks the **case** ([`crate::case::FileForKnownIssue`] and its
//! neighbours), in the order of this stream, each under an id of its own: what was half done is completed when the reactor
//! meets the event again, and never done twice. So this stream alone says who is affected, and its counts are exact whatever
//! the reactor has not done yet.
//!
//! All that support writes about an issue has one subject of its own; what a user writes has that user's.

mod affected;
mod confirm;
#[cfg(test)]
mod counts_tests;
mod dismiss;
mod events;
mod leave;
mod me_too;
mod post_update;
mod publish;
mod rejection;
mod resolve;
mod state;
mod suspect;
#[cfg(test)]
pub(crate) mod testing;

pub use affected::{AffectedUser, AffectedUsers, Subscriber};
pub use confirm::ConfirmKnownIssue;
pub use dismiss::DismissKnownIssue;
pub use events::*;
pub use leave::{SayNotAffected, Unsubscribe};
pub use me_too::MeToo;
pub use post_update::PostUpdate;
pub use publish::{MAX_SUMMARY_CHARS, PublishKnownIssue};
pub use rejection::KnownIssueRejection;
pub use resolve::ResolveKnownIssue;
pub use state::{
    IssueUpdate, KnownIssue, KnownIssueState, KnownIssueStatus, Publication, Resolution, StatedImpact,
};
pub use suspect::SuspectKnownIssue;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::access::Access;
use crate::authority::Action;
use crate::catalogue::Catalogue;
use crate::context::Context;
use crate::ids::ProductId;

/// Longest text, in characters.
pub const MAX_TEXT_CHARS: usize = 20_000;

/// The products whose known issues an organization sees at an instant (R-KI-3, R-PLAN-1): those that it has an eligible plan
/// for.
pub fn products_followed(access: &Access, catalogue: &Catalogue, now: Timestamp) -> BTreeSet<ProductId> {
    let held = access.entitlements.iter().map(|entitlement| &entitlement.product);
    held.filter(|product| access.eligible_entitlement(product, catalogue, now).is_ok()).cloned().collect()
}

/// What can be asked of a known issue.
#[derive(Clone, Debug)]
pub enum KnownIssueCommand {
    /// Suspect one.
    Suspect(SuspectKnownIssue),
    /// Confirm it.
    Confirm(ConfirmKnownIssue),
    /// Dismiss it.
    Dismiss(DismissKnownIssue),
    /// Publish it.
    Publish(PublishKnownIssue),
    /// Post an update.
    PostUpdate(PostUpdate),
    /// Resolve it.
    Resolve(ResolveKnownIssue),
    /// Say that it affects one.
    MeToo(Box<MeToo>),
    /// Say that it does not.
    SayNotAffected(SayNotAffected),
    /// Want no more mails.
    Unsubscribe(Unsubscribe),
}

impl KnownIssueCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            Self::Suspect(_) => Action::RaiseKnownIssue,
            Self::Confirm(_)
            | Self::Dismiss(_)
            | Self::Publish(_)
            | Self::PostUpdate(_)
            | Self::Resolve(_) => Action::WorkOnKnownIssue,
            Self::MeToo(_) => Action::JoinKnownIssue,
            Self::SayNotAffected(_) | Self::Unsubscribe(_) => Action::LeaveKnownIssue,
        }
    }
}

/// Decides a command on a known issue. The context has an organization where a user speaks for one, and none for support.
///
/// # Errors
/// [`KnownIssueRejection`] says why nothing happens. One that was not published is not found by users, whatever they ask.
pub fn decide(
    state: &KnownIssueState,
    command: &KnownIssueCommand,
    context: &Context<'_>,
) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
    context.authority.open_to(command.action())?;
    if let KnownIssueCommand::Suspect(command) = command {
        return command.decide(state, context);
    }
    let issue = state.suspected().ok_or(KnownIssueRejection::NotFound)?;
    match command {
        KnownIssueCommand::Suspect(_) => Ok(Vec::new()),
        KnownIssueCommand::Confirm(command) => command.decide(issue),
        KnownIssueCommand::Dismiss(command) => command.decide(issue),
        KnownIssueCommand::Publish(command) => command.decide(issue),
        KnownIssueCommand::PostUpdate(command) => command.decide(issue),
        KnownIssueCommand::Resolve(command) => command.decide(issue, context),
        KnownIssueCommand::MeToo(command) => command.decide(issue, context),
        KnownIssueCommand::SayNotAffected(command) => command.decide(issue, context),
        KnownIssueCommand::Unsubscribe(command) => command.decide(issue, context),
    }
}

//! A subscription of an organization to what happens to its cases: `event_subscription-{ULID}`, the
//! `supportEventSubscriptions` of the Cloud Support API. It names a topic; [`deliver`] says which of the organization's
//! webhooks, and whether a subject of the bus, get a message for it.
//!
//! That notifications do not arrive, and that they do again, are events of its own, issued by the system.

mod change_topic;
mod create;
mod delete;
pub mod deliver;
mod events;
mod expunge;
pub mod notice;
mod rejection;
mod report;
mod state;
#[cfg(test)]
mod testing;
mod topic;
mod undelete;

pub use change_topic::ChangeTopic;
pub use create::CreateEventSubscription;
pub use delete::{DeleteEventSubscription, PURGE_AFTER_DAYS};
pub use events::{
    EventSubscriptionCreated, EventSubscriptionDeleted, EventSubscriptionEvent, EventSubscriptionExpunged,
    EventSubscriptionFailed, EventSubscriptionRecovered, EventSubscriptionTopicChanged,
    EventSubscriptionUndeleted, FailureReason,
};
pub use expunge::ExpungeEventSubscription;
pub use rejection::EventSubscriptionRejection;
pub use report::ReportDelivery;
pub use state::{Deletion, EventSubscription, Failing, Subscribed, SubscriptionState};
pub use topic::{InvalidTopic, MAX_TOPIC_PART_CHARS, Topic};
pub use undelete::UndeleteEventSubscription;

use crate::authority::Action;
use crate::context::Context;

/// What can be asked of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventSubscriptionCommand {
    /// Make it.
    Create(CreateEventSubscription),
    /// Send notifications elsewhere.
    ChangeTopic(ChangeTopic),
    /// Delete it for a while.
    Delete(DeleteEventSubscription),
    /// Bring it back.
    Undelete(UndeleteEventSubscription),
    /// Remove it for good.
    Expunge(ExpungeEventSubscription),
    /// Say how a delivery went.
    Report(ReportDelivery),
}

impl EventSubscriptionCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            // It is told what whoever did this last may see.
            Self::Create(_) | Self::ChangeTopic(_) | Self::Undelete(_) => Action::DirectEventDelivery,
            Self::Delete(_) | Self::Expunge(_) => Action::ManageEventDelivery,
            Self::Report(_) => Action::ActAsSystem,
        }
    }
}

/// Decides a command on a subscription of the context's organization.
///
/// # Errors
/// [`EventSubscriptionRejection`] says why nothing happens.
pub fn decide(
    state: &EventSubscription,
    command: &EventSubscriptionCommand,
    context: &Context<'_>,
) -> Result<Vec<EventSubscriptionEvent>, EventSubscriptionRejection> {
    context.authority.open_to(command.action())?;
    let organization = context.organization.ok_or(EventSubscriptionRejection::NotFound)?;
    if let EventSubscriptionCommand::Create(command) = command {
        return command.decide(state, organization, context);
    }
    // It is addressed under its organization: elsewhere there is none.
    let known = state.at(context.now).filter(|known| known.organization == *organization);
    let known = known.ok_or(EventSubscriptionRejection::NotFound)?;
    match command {
        EventSubscriptionCommand::Create(_) => Ok(Vec::new()),
        EventSubscriptionCommand::ChangeTopic(command) => command.decide(known),
        EventSubscriptionCommand::Delete(command) => Ok(command.decide(known, context)),
        EventSubscriptionCommand::Undelete(command) => command.decide(known),
        EventSubscriptionCommand::Expunge(command) => Ok(command.decide()),
        EventSubscriptionCommand::Report(command) => Ok(command.decide(known)),
    }
}

//! The messages that an event calls for, as the ledger keeps them: the seam between whoever follows the log and whoever sends.

use std::collections::BTreeSet;

use dossier_commands::LoadError;
use dossier_domain::case::CaseEvent;
use dossier_domain::event_subscription::deliver::{
    Deliveries, Delivery, LiveSubscription, LiveWebhook, Receiver, deliveries,
};
use dossier_domain::{AccountId, CommandId, DomainEvent, EventSubscriptionId, OrganizationId};
use dossier_eventlog::{Metadata, RecordedEvent};
use jiff::Timestamp;

use crate::notifications::ledger::{Channel, IntendedMessage, MessageId, Recipient};

/// What an event calls for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Called {
    /// The organization whose case it is.
    pub organization: Option<OrganizationId>,
    /// The messages, to be written down.
    pub messages: Vec<IntendedMessage>,
    /// Subscriptions whose topic nobody serves: the system reports each as failing, because its topic is not found.
    pub without_receiver: Vec<EventSubscriptionId>,
}

/// The organization whose subscriptions and webhooks [`called_for`] wants for an event; `None`: it calls for nothing.
///
/// # Errors
/// [`LoadError::Damaged`] where its metadata are not readable.
pub fn organization_of(event: &RecordedEvent) -> Result<Option<OrganizationId>, LoadError> {
    if event.stream.category() != "case" {
        return Ok(None);
    }
    let organization = event.metadata()?.organization.unwrap_or_default();
    Ok(OrganizationId::new(&organization).ok())
}

/// The messages that an event calls for, of what its organization had then: a pure function of its arguments. `has_subjects`:
/// whether the bus has subjects for readers outside. What was subscribed or made after the event gets nothing of it, so the
/// read model may be ahead; it must not be behind. `may_see`: who of the people of all that may see the case.
///
/// # Errors
/// [`LoadError::Damaged`] for an event that this release cannot read; whoever follows the log stops there.
pub fn called_for(
    event: &RecordedEvent,
    subscriptions: &[LiveSubscription],
    webhooks: &[LiveWebhook],
    has_subjects: bool,
    may_see: &BTreeSet<AccountId>,
    now: Timestamp,
) -> Result<Called, LoadError> {
    let Some(organization) = organization_of(event)? else { return Ok(Called::default()) };
    let read = CaseEvent::decode(&event.event_type, event.version, &event.payload)?;
    let Deliveries { messages, without_receiver } =
        deliveries(&read, event.position.0, subscriptions, webhooks, has_subjects, may_see);
    let metadata = event.metadata()?;
    // What occurred elsewhere is history, not news.
    if metadata.occurred_at.is_some() {
        return Ok(Called { organization: Some(organization), ..Called::default() });
    }
    let messages = messages.iter().map(|delivery| intended(event, &metadata, delivery, now)).collect();
    Ok(Called { organization: Some(organization), messages, without_receiver })
}

fn intended(
    event: &RecordedEvent,
    metadata: &Metadata,
    delivery: &Delivery,
    now: Timestamp,
) -> IntendedMessage {
    let (channel, receiver) = match delivery.receiver {
        Receiver::Webhook(webhook) => (Channel::Webhook, webhook.to_string()),
        Receiver::Subject(subscription) => (Channel::Subject, subscription.to_string()),
    };
    let command_id = CommandId(metadata.command_id);
    // One message an event, of which a command may have several in a stream.
    let recipient = format!("{receiver}/{}", event.revision.0);
    IntendedMessage {
        id: MessageId::derived(command_id, event.stream.as_str(), &recipient, channel),
        channel,
        stream: event.stream.to_string(),
        organization: metadata.organization.clone(),
        command_id,
        first_revision: event.revision,
        last_revision: event.revision,
        position: event.position,
        kind: event.event_type.to_string(),
        reason: delivery.topic.to_string(),
        recipient: Recipient::Endpoint(receiver.clone()),
        language: String::new(),
        ordering_key: Some(format!("{receiver}/{}", event.stream)),
        intended_at: now,
    }
}

//! Commands on what an organization's machines are told: its subscriptions to events, and its webhooks.

use std::sync::Arc;

use dossier_domain::event_subscription::{
    self, EventSubscription, EventSubscriptionCommand, EventSubscriptionRejection,
};
use dossier_domain::webhook::{self, Webhook, WebhookCommand, WebhookRejection};
use dossier_domain::{EventSubscriptionId, OrganizationId, WebhookId};

use crate::commands::{AccessSource, Commands, Outcome, stream_name};
use crate::error::{CommandError, LoadError};
use crate::request::Request;

/// What a command on a subscription to events did.
pub type EventSubscriptionOutcome = Outcome<EventSubscription>;
/// What a command on a webhook did.
pub type WebhookOutcome = Outcome<Webhook>;

impl Commands {
    /// Executes a command on a subscription of an organization; `subscription` is `None` for making one, which derives it.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn event_subscription(
        &self,
        request: &Request,
        organization: &OrganizationId,
        subscription: Option<EventSubscriptionId>,
        command: &EventSubscriptionCommand,
    ) -> Result<EventSubscriptionOutcome, CommandError<EventSubscriptionRejection>> {
        let id = subscription.unwrap_or_else(|| EventSubscriptionId::derived(request.command_id));
        let stream = stream_name(&format!("event_subscription-{id}"))?;
        let (repository, source) = (&self.event_subscriptions, AccessSource::Guarded(organization));
        self.execute(repository, &stream, request, Some(organization), source, &[], |state, context| {
            event_subscription::decide(state, command, context)
        })
        .await
    }

    /// Executes a command on a webhook of an organization; `webhook` is `None` for making one, which derives it.
    ///
    /// # Errors
    /// [`CommandError`] says who acts next.
    pub async fn webhook(
        &self,
        request: &Request,
        organization: &OrganizationId,
        webhook: Option<WebhookId>,
        command: &WebhookCommand,
    ) -> Result<WebhookOutcome, CommandError<WebhookRejection>> {
        let id = webhook.unwrap_or_else(|| WebhookId::derived(request.command_id));
        let stream = stream_name(&format!("webhook-{id}"))?;
        let (repository, source) = (&self.webhooks, AccessSource::Guarded(organization));
        self.execute(repository, &stream, request, Some(organization), source, &[], |state, context| {
            webhook::decide(state, command, context)
        })
        .await
    }

    /// A webhook with its address and secrets open, at least as new as anything acknowledged before the call: for sending.
    /// Whose it is must be asked of the state.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn webhook_view(&self, webhook: WebhookId) -> Result<Arc<Webhook>, LoadError> {
        let stream = stream_name(&format!("webhook-{webhook}"))?;
        Ok(self.webhooks.view(&stream, true).await?.state)
    }

    /// A subscription, at least as new as anything acknowledged before the call. Whose it is must be asked of the state.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn event_subscription_view(
        &self,
        subscription: EventSubscriptionId,
    ) -> Result<Arc<EventSubscription>, LoadError> {
        let stream = stream_name(&format!("event_subscription-{subscription}"))?;
        Ok(self.event_subscriptions.view(&stream, true).await?.state)
    }
}

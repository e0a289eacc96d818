//! What the system says of deliveries: that a subscription fails or works again, and that a webhook is gone.

use std::sync::Arc;

use dossier_commands::{CommandError, Commands, Request};
use dossier_domain::event_subscription::{EventSubscriptionCommand, ReportDelivery};
use dossier_domain::webhook::{DisableGoneWebhook, WebhookCommand};
use dossier_domain::{Actor, CommandId, EventSubscriptionId, OrganizationId, WebhookId};
use uuid::Uuid;

use crate::reactor::lead::Setback;

/// The id of a report's command: the same for the same occasion, so that a repeat after a crash is one.
pub(super) fn purpose(occasion: Uuid, what: &str) -> CommandId {
    CommandId(occasion).step(&format!("event delivery/{what}"))
}

/// Executes reports in the name of the system.
pub(super) struct Reports {
    pub(super) commands: Arc<Commands>,
    pub(super) actor: Actor,
}

impl Reports {
    /// Says how deliveries for a subscription go.
    pub(super) async fn subscription(
        &self,
        command_id: CommandId,
        organization: &OrganizationId,
        subscription: EventSubscriptionId,
        report: &ReportDelivery,
    ) -> Result<(), Setback> {
        let request = self.request(command_id);
        let command = EventSubscriptionCommand::Report(report.clone());
        settled(self.commands.event_subscription(&request, organization, Some(subscription), &command).await)
    }

    /// Says that a webhook is gone.
    pub(super) async fn gone(
        &self,
        command_id: CommandId,
        organization: &OrganizationId,
        webhook: WebhookId,
    ) -> Result<(), Setback> {
        let request = self.request(command_id);
        let command = WebhookCommand::DisableGone(DisableGoneWebhook {});
        settled(self.commands.webhook(&request, organization, Some(webhook), &command).await)
    }

    fn request(&self, command_id: CommandId) -> Request {
        Request {
            command_id,
            // The id is derived from the occasion: what is said of it may differ, and the first word stands.
            fingerprint: "event delivery".to_owned(),
            actor: self.actor.clone(),
            acting_for: None,
            correlation_id: command_id.0.to_string(),
            causation_id: None,
            if_match: None,
        }
    }
}

/// What is refused was overtaken by what people did: the subscription or webhook is not there any more.
fn settled<T, R: std::error::Error>(result: Result<T, CommandError<R>>) -> Result<(), Setback> {
    match result {
        Ok(_) => Ok(()),
        Err(CommandError::Rejected(why)) => {
            tracing::debug!(%why, "what is reported is not there any more");
            Ok(())
        }
        Err(CommandError::Damaged(why)) => Err(Setback::Halted(why)),
        Err(error) => Err(Setback::Passing(error.to_string())),
    }
}

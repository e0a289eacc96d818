//! A webhook of an organization: `webhook-{ULID}`. It lies at an address of the web and serves one topic: what is published
//! to that by the organization's [subscriptions](crate::event_subscription) is sent there, signed as Standard Webhooks has it.
//!
//! All that could be a secret, its address and what messages are signed with, is sealed under a subject of its own.

pub mod address;
mod change;
mod create;
mod delete;
mod disable;
mod events;
mod rejection;
mod rotate_secret;
mod secret;
mod state;
mod test;
#[cfg(test)]
mod testing;
mod url;

pub use change::ChangeWebhook;
pub use create::CreateWebhook;
pub use delete::DeleteWebhook;
pub use disable::DisableGoneWebhook;
pub use events::{
    DisableCause, WebhookCreated, WebhookDeleted, WebhookDisabled, WebhookEnabled, WebhookEvent,
    WebhookSecretRotated, WebhookTested, WebhookTopicChanged, WebhookUrlChanged,
};
pub use rejection::WebhookRejection;
pub use rotate_secret::{DEFAULT_OVERLAP_SECONDS, MAX_OVERLAP_SECONDS, RotateSecret};
pub use secret::{NewSecret, SECRET_BYTES, SECRET_PREFIX, WebhookSecret};
pub use state::{Hook, PreviousSecret, Webhook};
pub use test::TestWebhook;
pub use url::{MAX_URL_BYTES, TargetPolicy, WebhookUrl};

use crate::authority::Action;
use crate::context::Context;

/// What can be asked of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookCommand {
    /// Make it.
    Create(CreateWebhook),
    /// Change where it lies, what it serves, or whether it gets messages.
    Change(ChangeWebhook),
    /// Give it another secret.
    RotateSecret(RotateSecret),
    /// Try it out.
    Test(TestWebhook),
    /// Remove it.
    Delete(DeleteWebhook),
    /// Send it nothing more, because it answered that it is gone.
    DisableGone(DisableGoneWebhook),
}

impl WebhookCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            Self::Change(change) if change.only_switches_off() => Action::ManageEventDelivery,
            // It is told what whoever did this last may see.
            Self::Create(_) | Self::Change(_) | Self::RotateSecret(_) => Action::DirectEventDelivery,
            Self::Test(_) | Self::Delete(_) => Action::ManageEventDelivery,
            Self::DisableGone(_) => Action::ActAsSystem,
        }
    }
}

/// Decides a command on a webhook of the context's organization.
///
/// # Errors
/// [`WebhookRejection`] says why nothing happens.
pub fn decide(
    state: &Webhook,
    command: &WebhookCommand,
    context: &Context<'_>,
) -> Result<Vec<WebhookEvent>, WebhookRejection> {
    context.authority.open_to(command.action())?;
    let organization = context.organization.ok_or(WebhookRejection::NotFound)?;
    if let WebhookCommand::Create(command) = command {
        return command.decide(state, organization, context);
    }
    // It is addressed under its organization: elsewhere there is none.
    let hook = state.hook().filter(|hook| hook.organization == *organization);
    let hook = hook.ok_or(WebhookRejection::NotFound)?;
    match command {
        WebhookCommand::Create(_) => Ok(Vec::new()),
        WebhookCommand::Change(command) => Ok(command.decide(hook)),
        WebhookCommand::RotateSecret(command) => command.decide(hook, context),
        WebhookCommand::Test(command) => Ok(command.decide()),
        WebhookCommand::Delete(command) => Ok(command.decide()),
        WebhookCommand::DisableGone(command) => Ok(command.decide(hook)),
    }
}

//! Making a webhook.

use super::secret::NewSecret;
use super::{Webhook, WebhookCreated, WebhookEvent, WebhookRejection, WebhookUrl};
use crate::context::Context;
use crate::event_subscription::Topic;
use crate::ids::{OrganizationId, WebhookId};
use crate::personal::{Personal, Subject};

/// Makes a webhook that serves a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateWebhook {
    /// Where it lies.
    pub url: WebhookUrl,
    /// The topic that it serves.
    pub topic: Topic,
    /// What becomes its secret.
    pub secret: NewSecret,
}

impl CreateWebhook {
    /// What was made already stays as it is.
    pub(super) fn decide(
        &self,
        state: &Webhook,
        organization: &OrganizationId,
        context: &Context<'_>,
    ) -> Result<Vec<WebhookEvent>, WebhookRejection> {
        if context.access.registration.is_none() {
            return Err(WebhookRejection::NotRegistered);
        }
        if state.is_known() {
            return Ok(Vec::new());
        }
        let webhook = WebhookId::derived(context.command_id);
        Ok(vec![
            WebhookCreated {
                webhook,
                organization: organization.clone(),
                url: Personal::new(Subject::webhook(webhook), self.url.as_str().to_owned()),
                topic: self.topic.clone(),
                secret: self.secret.of(webhook),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{create, created, decide_as, reason};
    use super::*;
    use crate::testing::at;

    /// R-NOTIFY-3: it is told what its maker may see, and the operator sees no case.
    #[test]
    fn r_notify_3_owners_make_webhooks_and_nobody_else_does_the_operator_neither() {
        assert_eq!(reason("alice", &Webhook::default(), &create(), 0), None);
        for (who, why) in [
            ("bob", "ROLE_TOO_LOW"),
            ("carol", "ROLE_TOO_LOW"),
            ("dave", "NO_SUPPORT_PRIVILEGE"),
            ("peter", "NOT_A_MEMBER"),
            ("agent-north", "NOT_FOR_YOU"),
            ("operator", "NOT_FOR_YOU"),
            ("system", "NOT_FOR_YOU"),
        ] {
            assert_eq!(reason(who, &Webhook::default(), &create(), 0), Some(why), "{who}");
        }
    }

    #[test]
    fn a_new_webhook_is_enabled_and_signs_with_its_secret() {
        let state = created();
        let hook = state.hook().unwrap();
        assert_eq!(hook.url.open().map(String::as_str), Some("https://hooks.acme.example/dossier"));
        assert_eq!((hook.disabled, hook.signing_keys(at(0))), (None, vec![vec![1; 32]]));
        let subject = format!("webhook-{}", hook.webhook);
        assert_eq!(hook.url.subject().as_str(), subject);
        assert_eq!(decide_as("alice", &state, &create(), 1), Ok(Vec::new()), "it is made once");
    }

    #[test]
    fn debug_output_shows_neither_where_it_lies_nor_its_secret() {
        let shown = format!("{:?} {:?}", create(), created());
        assert!(!shown.contains("hooks.acme") && !shown.contains("whsec"), "{shown}");
    }
}

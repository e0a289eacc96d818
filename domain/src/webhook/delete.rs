//! Removing a webhook.

use super::{WebhookDeleted, WebhookEvent};

/// Removes a webhook: it gets no more messages, and there is none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteWebhook {}

impl DeleteWebhook {
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(&self) -> Vec<WebhookEvent> {
        vec![WebhookDeleted {}.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::WebhookCommand;
    use super::super::testing::{after, create, created, decide_as, reason};
    use super::*;

    #[test]
    fn a_deleted_webhook_is_none_and_is_not_made_again() {
        let delete = WebhookCommand::Delete(DeleteWebhook {});
        let state = after("alice", &created(), &delete, 1);
        assert_eq!(state.hook(), None);
        assert_eq!(reason("alice", &state, &delete, 2), Some("WEBHOOK_NOT_FOUND"));
        assert_eq!(decide_as("alice", &state, &create(), 2), Ok(Vec::new()));
    }
}

//! Trying a webhook out.

use super::{WebhookEvent, WebhookTested};

/// Has a webhook tried out: recorded first, then a ping is sent, so that one command sends at most one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestWebhook {}

impl TestWebhook {
    /// One that is disabled may be tried out too: that is how its people find out whether it works again.
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(&self) -> Vec<WebhookEvent> {
        vec![WebhookTested {}.into()]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{created, decide_as, reason};
    use super::super::{Webhook, WebhookCommand};
    use super::*;

    #[test]
    fn owners_try_a_webhook_out_as_often_as_they_like() {
        let test = WebhookCommand::Test(TestWebhook {});
        assert_eq!(decide_as("alice", &created(), &test, 1), Ok(vec![WebhookTested {}.into()]));
        assert_eq!(reason("bob", &created(), &test, 1), Some("ROLE_TOO_LOW"));
        assert_eq!(reason("alice", &Webhook::default(), &test, 1), Some("WEBHOOK_NOT_FOUND"));
    }
}

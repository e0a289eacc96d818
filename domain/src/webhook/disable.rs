//! A webhook that answered 410 Gone gets no more messages.

use super::{DisableCause, Hook, WebhookDisabled, WebhookEvent};

/// Sends a webhook nothing more, because it answered that it is gone. Its people can enable it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisableGoneWebhook {}

impl DisableGoneWebhook {
    /// One that is disabled already stays so, for the cause that it has.
    #[expect(clippy::unused_self, reason = "a command like the others")]
    pub(super) fn decide(&self, hook: &Hook) -> Vec<WebhookEvent> {
        match hook.disabled {
            Some(_) => Vec::new(),
            None => vec![WebhookDisabled { cause: DisableCause::Gone }.into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::WebhookCommand;
    use super::super::testing::{after, created, decide_as, reason};
    use super::*;

    #[test]
    fn the_system_disables_what_is_gone_once_and_nobody_else_does_it_so() {
        let gone = WebhookCommand::DisableGone(DisableGoneWebhook {});
        let state = after("system", &created(), &gone, 1);
        assert_eq!(state.hook().and_then(|hook| hook.disabled), Some(DisableCause::Gone));
        assert_eq!(decide_as("system", &state, &gone, 2), Ok(Vec::new()));
        for who in ["alice", "operator", "agent-north"] {
            assert!(reason(who, &created(), &gone, 1).is_some(), "{who}");
        }
    }
}

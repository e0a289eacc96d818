//! Changing where a webhook lies, what it serves, and whether it gets messages.

use super::{
    DisableCause, Hook, WebhookDisabled, WebhookEnabled, WebhookEvent, WebhookTopicChanged, WebhookUrl,
    WebhookUrlChanged,
};
use crate::event_subscription::Topic;
use crate::personal::{Personal, Subject};

/// Changes a webhook; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeWebhook {
    /// Where it lies.
    pub url: Option<WebhookUrl>,
    /// The topic that it serves.
    pub topic: Option<Topic>,
    /// Whether it gets messages.
    pub enabled: Option<bool>,
}

impl ChangeWebhook {
    /// Whether nobody is told anything more by it.
    pub(super) fn only_switches_off(&self) -> bool {
        *self == Self { enabled: Some(false), ..Self::default() }
    }

    /// One event for each thing that is another one now.
    pub(super) fn decide(&self, hook: &Hook) -> Vec<WebhookEvent> {
        let mut events = Vec::new();
        if let Some(url) =
            self.url.as_ref().filter(|url| hook.url.open().map(String::as_str) != Some(url.as_str()))
        {
            let url = Personal::new(Subject::webhook(hook.webhook), url.as_str().to_owned());
            events.push(WebhookUrlChanged { url }.into());
        }
        if let Some(topic) = self.topic.as_ref().filter(|topic| **topic != hook.topic) {
            events.push(WebhookTopicChanged { topic: topic.clone() }.into());
        }
        match (self.enabled, hook.disabled) {
            (Some(true), Some(_)) => events.push(WebhookEnabled {}.into()),
            (Some(false), None) => events.push(WebhookDisabled { cause: DisableCause::Owner }.into()),
            _ => {}
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{after, created, decide_as, reason, url};
    use super::super::{DisableGoneWebhook, Webhook, WebhookCommand};
    use super::*;

    fn change(change: ChangeWebhook) -> WebhookCommand {
        WebhookCommand::Change(change)
    }

    #[test]
    fn what_is_another_one_is_changed_and_what_is_the_same_is_not_written() {
        let all = change(ChangeWebhook {
            url: Some(url("https://hooks.acme.example/new")),
            topic: Some("projects/acme/topics/other".parse().unwrap()),
            enabled: Some(false),
        });
        let state = after("alice", &created(), &all, 1);
        let hook = state.hook().unwrap();
        assert_eq!(hook.url.open().map(String::as_str), Some("https://hooks.acme.example/new"));
        assert_eq!((hook.topic.parts().1, hook.disabled), ("other", Some(DisableCause::Owner)));
        assert_eq!(decide_as("alice", &state, &all, 2), Ok(Vec::new()));
        assert_eq!(decide_as("alice", &state, &change(ChangeWebhook::default()), 2), Ok(Vec::new()));
    }

    /// R-NOTIFY-3: it is told what whoever changed it last may see, and the operator sees no case.
    #[test]
    fn r_notify_3_the_operator_switches_a_webhook_off_and_changes_nothing_else() {
        let off = ChangeWebhook { enabled: Some(false), ..ChangeWebhook::default() };
        let disabled = after("operator", &created(), &change(off.clone()), 1);
        assert_eq!(disabled.hook().and_then(|hook| hook.disabled), Some(DisableCause::Owner));
        let elsewhere = Some(url("https://hooks.acme.example/new"));
        let topic = Some("projects/acme/topics/other".parse().unwrap());
        for other in [
            ChangeWebhook { enabled: Some(true), ..ChangeWebhook::default() },
            ChangeWebhook { url: elsewhere, ..off.clone() },
            ChangeWebhook { topic, ..off },
            ChangeWebhook::default(),
        ] {
            assert_eq!(reason("operator", &disabled, &change(other.clone()), 2), Some("NOT_FOR_YOU"));
            assert_eq!(reason("alice", &disabled, &change(other), 2), None);
        }
    }

    #[test]
    fn one_that_answered_that_it_is_gone_is_enabled_again_by_its_people() {
        let gone = after("system", &created(), &WebhookCommand::DisableGone(DisableGoneWebhook {}), 1);
        let enable = change(ChangeWebhook { enabled: Some(true), ..ChangeWebhook::default() });
        let state = after("alice", &gone, &enable, 2);
        assert_eq!(state.hook().and_then(|hook| hook.disabled), None);
        assert_eq!(reason("bob", &gone, &enable, 2), Some("ROLE_TOO_LOW"));
        assert_eq!(reason("alice", &Webhook::default(), &enable, 2), Some("WEBHOOK_NOT_FOUND"));
    }
}

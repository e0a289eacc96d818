//! Webhooks that the tests speak of.

use super::{
    CreateWebhook, NewSecret, TargetPolicy, Webhook, WebhookCommand, WebhookEvent, WebhookRejection,
    WebhookUrl, decide,
};
use crate::event::Aggregate;
use crate::testing::{Circumstances, acme, at, people};

pub(super) fn url(text: &str) -> WebhookUrl {
    WebhookUrl::parse(text, TargetPolicy::Public).unwrap()
}

pub(super) fn decide_as(
    who: &str,
    state: &Webhook,
    command: &WebhookCommand,
    second: i64,
) -> Result<Vec<WebhookEvent>, WebhookRejection> {
    let access = acme().build();
    Circumstances::new(&access, &people(who), at(second)).decide(|context| decide(state, command, context))
}

pub(super) fn after(who: &str, state: &Webhook, command: &WebhookCommand, second: i64) -> Webhook {
    let mut state = state.clone();
    for event in decide_as(who, &state, command, second).unwrap() {
        state.evolve(&event, at(second));
    }
    state
}

pub(super) fn create() -> WebhookCommand {
    WebhookCommand::Create(CreateWebhook {
        url: url("https://hooks.acme.example/dossier"),
        topic: "projects/acme/topics/cases".parse().unwrap(),
        secret: NewSecret([1; 32]),
    })
}

/// A webhook of acme's for the topic `cases`, made at second 0.
pub(super) fn created() -> Webhook {
    after("alice", &Webhook::default(), &create(), 0)
}

pub(super) fn reason(
    who: &str,
    state: &Webhook,
    command: &WebhookCommand,
    second: i64,
) -> Option<&'static str> {
    decide_as(who, state, command, second).err().map(|rejection| rejection.reason())
}

//! Subscriptions that the tests speak of.

use super::{
    CreateEventSubscription, EventSubscription, EventSubscriptionCommand, EventSubscriptionEvent,
    EventSubscriptionRejection, Topic, decide,
};
use crate::event::Aggregate;
use crate::testing::{Circumstances, acme, at, people};

pub(super) fn topic(name: &str) -> Topic {
    format!("projects/acme/topics/{name}").parse().unwrap()
}

/// What somebody decides on a subscription of acme at a second.
pub(super) fn decide_as(
    who: &str,
    state: &EventSubscription,
    command: &EventSubscriptionCommand,
    second: i64,
) -> Result<Vec<EventSubscriptionEvent>, EventSubscriptionRejection> {
    let access = acme().build();
    Circumstances::new(&access, &people(who), at(second)).decide(|context| decide(state, command, context))
}

/// The same, taken in.
pub(super) fn after(
    who: &str,
    state: &EventSubscription,
    command: &EventSubscriptionCommand,
    second: i64,
) -> EventSubscription {
    let mut state = state.clone();
    for event in decide_as(who, &state, command, second).unwrap() {
        state.evolve(&event, at(second));
    }
    state
}

pub(super) fn create(name: &str) -> EventSubscriptionCommand {
    EventSubscriptionCommand::Create(CreateEventSubscription { topic: topic(name) })
}

/// A subscription of acme's to the topic `cases`, made at second 0.
pub(super) fn created() -> EventSubscription {
    after("alice", &EventSubscription::default(), &create("cases"), 0)
}

pub(super) fn reason(
    who: &str,
    state: &EventSubscription,
    command: &EventSubscriptionCommand,
    second: i64,
) -> Option<&'static str> {
    decide_as(who, state, command, second).err().map(|rejection| rejection.reason())
}

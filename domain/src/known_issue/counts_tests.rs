//! The counts of organizations and users affected, against a naive reference over any sequence of what users say.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::testing::{Given, me_too_with, not_affected, unsubscribe};
use super::{AffectedUser, KnownIssueEvent};
use crate::OrganizationId;
use crate::case::CaseState;
use crate::event::{Aggregate, DomainEvent};
use crate::testing::{at, close, people};

#[derive(Clone, Copy, Debug)]
enum Said {
    MeToo { on_closed: bool },
    NotAffected,
    Unsubscribe,
}

fn said() -> impl Strategy<Value = (usize, usize, Said)> {
    let what = prop_oneof![
        proptest::bool::weighted(0.3).prop_map(|on_closed| Said::MeToo { on_closed }),
        Just(Said::NotAffected),
        Just(Said::Unsubscribe),
    ];
    (0_usize..2, 0_usize..2, what)
}

/// What somebody last said, by the rule in its own words: (affected, subscribed).
fn after(before: Option<(bool, bool)>, said: Said) -> Option<(bool, bool)> {
    match (before, said) {
        (None, Said::MeToo { .. }) | (Some(_), Said::MeToo { on_closed: false }) => Some((true, true)),
        (None, _) => None,
        (Some((affected, _)), Said::MeToo { on_closed: true }) => Some((affected, true)),
        (Some(_), Said::NotAffected) => Some((false, false)),
        (Some((affected, _)), Said::Unsubscribe) => Some((affected, false)),
    }
}

proptest! {
    /// R-KI-4, R-KI-5.
    #[test]
    fn r_ki_4_the_counts_equal_a_naive_reference_whatever_users_say(
        sequence in proptest::collection::vec(said(), 0..40),
    ) {
        let closed: CaseState = crate::testing::Given::filed().and("alice", 1, &close()).state();
        let mut given = Given::published();
        let mut reference: BTreeMap<(&str, &str), (bool, bool)> = BTreeMap::new();
        for (second, (organization, who, said)) in (10..).zip(sequence) {
            let (organization, who) = (["acme", "globex"][organization], ["alice", "bob"][who]);
            given = given.for_organization(OrganizationId::new(organization).unwrap());
            let command = match said {
                Said::MeToo { on_closed: true } => me_too_with(|it| it.case = closed.clone()),
                Said::MeToo { on_closed: false } => me_too_with(|_| ()),
                Said::NotAffected => not_affected(),
                Said::Unsubscribe => unsubscribe(),
            };
            let before = reference.get(&(organization, who)).copied();
            if let Some(now) = after(before, said) {
                given = given.and(who, second, &command);
                reference.insert((organization, who), now);
            } else {
                prop_assert_eq!(given.clone().when(who, second, &command).reason(), "NOT_JOINED");
            }
            let affected = &given.issue().affected;
            let counted: Vec<_> =
                reference.iter().filter(|(_, (affected, _))| *affected).map(|(key, _)| *key).collect();
            let organizations: BTreeSet<_> = counted.iter().map(|(organization, _)| organization).collect();
            let users: BTreeSet<_> = counted.iter().map(|(_, who)| who).collect();
            prop_assert_eq!(affected.organizations_count(), organizations.len());
            prop_assert_eq!(affected.users_count(), users.len());
            let subscribed = reference.values().filter(|(_, subscribed)| *subscribed).count();
            prop_assert_eq!(affected.subscribers().count(), subscribed);
            prop_assert!(affected.iter().count() == reference.len(), "one case for each, for ever");
        }
    }

    #[test]
    fn every_event_of_a_known_issue_survives_storage_and_reading(
        sequence in proptest::collection::vec(said(), 0..10),
    ) {
        let mut given = Given::published();
        for (second, (_, who, said)) in (10..).zip(sequence) {
            let command = match said {
                Said::MeToo { .. } => me_too_with(|it| it.description = Some("so it is".to_owned())),
                Said::NotAffected => not_affected(),
                Said::Unsubscribe => unsubscribe(),
            };
            let who = ["alice", "bob"][who];
            let known = given.issue().affected.get(&crate::testing::acme_id(), people(who).account);
            if known.is_none() && !matches!(said, Said::MeToo { .. }) {
                continue;
            }
            let mut folded = given.clone().state();
            for event in given.clone().when(who, second, &command).events() {
                let read = KnownIssueEvent::decode(event.event_type(), event.version(), &event.encode()).unwrap();
                prop_assert_eq!(&read, &event);
                folded.evolve(&read, at(second));
            }
            given = given.and(who, second, &command);
            prop_assert_eq!(folded, given.clone().state());
        }
    }
}

#[test]
fn a_user_is_as_they_last_said() {
    let given = Given::published().and("alice", 5, &me_too_with(|_| ()));
    let user = given.issue().affected.get(&crate::testing::acme_id(), people("alice").account);
    assert!(matches!(user, Some(AffectedUser { affected: true, subscribed: true, .. })));
}

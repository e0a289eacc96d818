//! Following a closed case up with a new one (R-REOPEN-2, R-REOPEN-4).

use super::check_actor;
use super::file::FileCase;
use super::rejection::CaseRejection;
use super::state::{Case, CaseState, Status, check_not_merged};
use crate::authority::Action;
use crate::context::Context;
use crate::ids::CaseId;
use crate::personal::{Personal, Subject};

/// A closed case that a new one may follow up: only [`follow_up`] says so, once it was asked by whoever files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowUpOf(CaseId);

impl FollowUpOf {
    /// The closed case.
    pub fn case(self) -> CaseId {
        self.0
    }
}

/// The new case that follows a closed one up, prefilled from it: everything but the description, which is to be written, and
/// the channel. Each value may be replaced before it is filed; filing checks them all again, and `follow_up_of` stays.
/// `subject` is whose key will seal the description.
///
/// # Errors
/// The actor does not see the closed case or may not file, it is open, or it goes on in another one.
pub fn follow_up(
    closed: &CaseState,
    subject: &Subject,
    context: &Context<'_>,
) -> Result<FileCase, CaseRejection> {
    context.authority.open_to(Action::FileCase)?;
    let case = closed.filed().ok_or(CaseRejection::NotFound)?;
    check_actor(case, Action::FileCase, context)?;
    check(case, context)?;
    Ok(FileCase {
        classification: case.classification.id.clone(),
        title: case.title.clone(),
        description: Personal::new(subject.clone(), String::new()),
        priority: Some(case.priority),
        language: case.language.clone(),
        time_zone: case.time_zone.clone(),
        contact_email: case.contact_email.clone(),
        subscribers: case.subscribers.clone(),
        test_case: case.test_case,
        problem: case.problem.clone(),
        channel: None,
        follow_up_of: Some(FollowUpOf(case.id)),
        help: None,
    })
}

/// Whether a case can be followed up: it is closed, and its organization may file for its product.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_not_merged(case)?;
    if case.status != Status::Closed {
        return Err(CaseRejection::CaseOpen);
    }
    context.access.entitlement_to_file(&case.product, context.catalogue, context.now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, CaseEvent};
    use crate::testing::{Given, acme, at, close, people, personal};

    fn follow(given: &Given, who: &str, second: i64) -> Result<FileCase, CaseRejection> {
        let actor = people(who);
        given
            .circumstances(&actor, at(second))
            .decide(|context| follow_up(&given.clone().state(), actor.contact.subject(), context))
    }

    /// R-REOPEN-2, R-REOPEN-4: within the window, too, and long after it.
    #[test]
    fn r_reopen_2_a_closed_case_is_followed_up_by_a_new_one_that_is_prefilled_and_names_it() {
        let closed = Given::filed().and("alice", 1, &close());
        for second in [2, 9_000_000] {
            let mut command = follow(&closed, "bob", second).unwrap();
            let old = closed.clone().state();
            let old = old.filed().unwrap();
            assert_eq!((&command.classification, &command.title), (&old.classification.id, &old.title));
            assert_eq!((command.priority, &command.language), (Some(old.priority), &old.language));
            let empty = CaseCommand::File(Box::new(command.clone()));
            let refused = Given::nothing().when("bob", second, &empty).rejection();
            assert_eq!(refused.field(), Some("description"), "that is to be written");
            command.description = personal("it is back");
            let events = Given::nothing().when("bob", second, &CaseCommand::File(Box::new(command))).events();
            assert!(
                matches!(&events[..], [CaseEvent::CaseFiled(filed)] if filed.follow_up_of == Some(old.id))
            );
        }
    }

    /// R-REOPEN-2.
    #[test]
    fn r_reopen_2_only_who_sees_the_closed_case_and_may_file_follows_it_up() {
        let reason = |given: &Given, who| follow(given, who, 2).unwrap_err().reason();
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(reason(&Given::filed(), "alice"), "CASE_OPEN");
        assert_eq!(reason(&Given::nothing(), "alice"), "CASE_NOT_FOUND");
        assert_eq!(reason(&closed, "carol"), "ROLE_TOO_LOW");
        assert_eq!(reason(&closed, "peter"), "NOT_A_MEMBER");
        assert_eq!(reason(&closed, "agent-north"), "NOT_FOR_YOU");
        let stranger = closed.clone().in_access(acme().letting_in("nimbus").build());
        assert_eq!(reason(&stranger, "nina"), "CASE_NOT_FOUND", "R-RES-3");
        let without = closed.in_access(acme().without_entitlements().build());
        assert_eq!(reason(&without, "alice"), "NO_ELIGIBLE_PLAN");
    }
}

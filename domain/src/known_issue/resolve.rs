//! Resolving a known issue (R-KI-6): its solution goes to every linked open case, by a reactor.

use super::events::{KnownIssueEvent, KnownIssueResolved};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssue, KnownIssueStatus, MAX_TEXT_CHARS};
use crate::context::Context;

/// Resolves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolveKnownIssue {
    /// The solution, in English (R-KI-7).
    pub text: String,
}

impl ResolveKnownIssue {
    /// What was never published is resolved, too, and no customer learns of it; resolving it again changes nothing.
    pub(super) fn decide(
        &self,
        issue: &KnownIssue,
        context: &Context<'_>,
    ) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let text = text(issue.id, "text", &self.text, MAX_TEXT_CHARS)?;
        let status = issue.status;
        match status {
            KnownIssueStatus::Published | KnownIssueStatus::Confirmed => {}
            KnownIssueStatus::Resolved => return Ok(Vec::new()),
            KnownIssueStatus::Suspected => return Err(KnownIssueRejection::NotConfirmed { status }),
            KnownIssueStatus::Dismissed => return Err(KnownIssueRejection::Dismissed),
        }
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(vec![
            KnownIssueResolved {
                text,
                author: context.actor.contact.clone(),
                organizations_affected: number(issue.affected.organizations_count()),
                users_affected: number(issue.affected.users_count()),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, confirm, dismiss, me_too, resolve};
    use super::*;
    use crate::known_issue::CustomerImpact;

    /// R-KI-6.
    #[test]
    fn r_ki_6_resolving_says_how_and_for_how_many_and_happens_once() {
        let given = Given::published().and("alice", 5, &me_too()).and("bob", 6, &me_too());
        let events = given.clone().when("engineer", 7, &resolve()).events();
        let [KnownIssueEvent::KnownIssueResolved(resolved)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((resolved.organizations_affected, resolved.users_affected), (1, 2));
        assert_eq!(resolved.author.open().unwrap().display_name, "engineer");
        let given = given.and("engineer", 7, &resolve());
        assert_eq!(given.issue().status, KnownIssueStatus::Resolved);
        assert_eq!(given.when("engineer", 8, &resolve()).events(), vec![]);
    }

    #[test]
    fn a_confirmed_issue_is_resolved_without_anybody_learning_of_it_and_a_suspicion_is_not() {
        let confirmed = Given::suspected().and("engineer", 1, &confirm(CustomerImpact::Low));
        let resolved = confirmed.and("engineer", 2, &resolve());
        assert!(resolved.state().published().is_none());
        let refused = |given: Given| given.when("engineer", 9, &resolve()).reason();
        assert_eq!(refused(Given::suspected()), "KNOWN_ISSUE_NOT_CONFIRMED");
        assert_eq!(refused(Given::suspected().and("engineer", 1, &dismiss())), "KNOWN_ISSUE_DISMISSED");
        assert_eq!(Given::published().when("agent-north", 5, &resolve()).reason(), "NOT_FOR_YOU");
    }
}

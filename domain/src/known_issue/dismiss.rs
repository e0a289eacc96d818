//! Dismissing a known issue that is none (R-KI-1).

use super::events::{KnownIssueDismissed, KnownIssueEvent};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssue, KnownIssueStatus, MAX_TEXT_CHARS};

/// Dismisses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DismissKnownIssue {
    /// Why.
    pub reason: String,
}

impl DismissKnownIssue {
    /// What was confirmed by mistake is dismissed, too; what customers have seen is resolved instead.
    pub(super) fn decide(&self, issue: &KnownIssue) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let reason = text(issue.id, "reason", &self.reason, MAX_TEXT_CHARS)?;
        match issue.status {
            KnownIssueStatus::Suspected | KnownIssueStatus::Confirmed => {
                Ok(vec![KnownIssueDismissed { reason }.into()])
            }
            KnownIssueStatus::Dismissed => Ok(Vec::new()),
            KnownIssueStatus::Published => Err(KnownIssueRejection::AlreadyPublished),
            KnownIssueStatus::Resolved => Err(KnownIssueRejection::Resolved),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, confirm, dismiss, resolve};
    use super::*;
    use crate::known_issue::{CustomerImpact, KnownIssueCommand};

    /// R-KI-1.
    #[test]
    fn r_ki_1_an_engineer_dismisses_what_is_none_with_a_reason_until_customers_have_seen_it() {
        let given = Given::suspected().and("engineer", 1, &dismiss());
        assert_eq!(given.issue().status, KnownIssueStatus::Dismissed);
        assert_eq!(given.when("engineer", 2, &dismiss()).events(), vec![]);
        let mistaken = Given::suspected().and("engineer", 1, &confirm(CustomerImpact::Low));
        assert_eq!(mistaken.when("engineer", 2, &dismiss()).events().len(), 1);
        let refused = |given: Given| given.when("engineer", 9, &dismiss()).reason();
        assert_eq!(refused(Given::published()), "KNOWN_ISSUE_PUBLISHED");
        assert_eq!(refused(Given::published().and("engineer", 8, &resolve())), "KNOWN_ISSUE_RESOLVED");
        let mute = KnownIssueCommand::Dismiss(DismissKnownIssue { reason: String::new() });
        assert_eq!(Given::suspected().when("engineer", 1, &mute).field(), Some("reason"));
        assert_eq!(Given::suspected().when("agent-north", 1, &dismiss()).reason(), "NOT_FOR_YOU");
    }
}

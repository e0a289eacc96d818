//! Confirming a known issue, with its impact on customers (R-KI-1).

use super::events::{CustomerImpact, KnownIssueConfirmed, KnownIssueEvent};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssue, KnownIssueStatus, MAX_TEXT_CHARS};

/// Confirms it, or states its impact anew while it is not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmKnownIssue {
    /// What it means to customers.
    pub impact: CustomerImpact,
    /// The same in words.
    pub statement: String,
}

impl ConfirmKnownIssue {
    /// Stating the same again changes nothing.
    pub(super) fn decide(&self, issue: &KnownIssue) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let statement = text(issue.id, "statement", &self.statement, MAX_TEXT_CHARS)?;
        match issue.status {
            KnownIssueStatus::Suspected | KnownIssueStatus::Confirmed => {}
            KnownIssueStatus::Dismissed => return Err(KnownIssueRejection::Dismissed),
            KnownIssueStatus::Published => return Err(KnownIssueRejection::AlreadyPublished),
            KnownIssueStatus::Resolved => return Err(KnownIssueRejection::Resolved),
        }
        let said = issue.impact.as_ref();
        if said.is_some_and(|said| said.impact == self.impact && said.statement == statement) {
            return Ok(Vec::new());
        }
        Ok(vec![KnownIssueConfirmed { impact: self.impact, statement }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, confirm, dismiss, resolve};
    use super::*;
    use crate::known_issue::KnownIssueCommand;

    /// R-KI-1.
    #[test]
    fn r_ki_1_an_engineer_confirms_a_suspicion_with_its_impact_and_states_it_anew_until_it_is_published() {
        let low = confirm(CustomerImpact::Low);
        let given = Given::suspected().and("engineer", 1, &low);
        assert_eq!(given.issue().status, KnownIssueStatus::Confirmed);
        assert_eq!(given.clone().when("engineer", 2, &low).events(), vec![]);
        let given = given.and("engineer", 2, &confirm(CustomerImpact::High));
        assert_eq!(given.issue().impact.as_ref().unwrap().impact, CustomerImpact::High);
        let refused = |given: Given| given.when("engineer", 9, &low).reason();
        assert_eq!(refused(Given::published()), "KNOWN_ISSUE_PUBLISHED");
        assert_eq!(refused(Given::published().and("engineer", 8, &resolve())), "KNOWN_ISSUE_RESOLVED");
        assert_eq!(refused(Given::suspected().and("engineer", 8, &dismiss())), "KNOWN_ISSUE_DISMISSED");
        assert_eq!(refused(Given::nothing()), "KNOWN_ISSUE_NOT_FOUND");
    }

    /// R-KI-1.
    #[test]
    fn r_ki_1_only_engineers_confirm_and_they_say_what_it_means() {
        for who in ["alice", "agent-north", "operator", "system"] {
            let refused = Given::suspected().when(who, 1, &confirm(CustomerImpact::High));
            assert_eq!(refused.reason(), "NOT_FOR_YOU", "{who}");
        }
        let mute = ConfirmKnownIssue { impact: CustomerImpact::High, statement: "\t".to_owned() };
        let refused = Given::suspected().when("engineer", 1, &KnownIssueCommand::Confirm(mute));
        assert_eq!(refused.field(), Some("statement"));
    }
}

//! Posting an update of a published issue (R-KI-6, R-KI-7).

use super::events::{KnownIssueEvent, KnownIssueUpdatePosted};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssue, KnownIssueStatus, MAX_TEXT_CHARS};

/// Posts an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostUpdate {
    /// The text, in English (R-KI-7).
    pub text: String,
}

impl PostUpdate {
    pub(super) fn decide(&self, issue: &KnownIssue) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let text = text(issue.id, "text", &self.text, MAX_TEXT_CHARS)?;
        match issue.status {
            KnownIssueStatus::Published => {}
            KnownIssueStatus::Resolved => return Err(KnownIssueRejection::Resolved),
            status => return Err(KnownIssueRejection::NotPublished { status }),
        }
        let update = issue.updates.last().map_or(0, |last| last.number).saturating_add(1);
        Ok(vec![KnownIssueUpdatePosted { update, text }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, post, resolve};

    /// R-KI-6.
    #[test]
    fn r_ki_6_updates_are_posted_in_order_while_the_issue_is_published() {
        let given =
            Given::published().and("engineer", 5, &post("we look")).and("engineer", 6, &post("found it"));
        let updates: Vec<_> = given.issue().updates.iter().map(|update| update.number).collect();
        assert_eq!(updates, [1, 2]);
        let resolved = given.and("engineer", 7, &resolve());
        assert_eq!(resolved.when("engineer", 8, &post("late")).reason(), "KNOWN_ISSUE_RESOLVED");
        let early = Given::suspected().when("engineer", 1, &post("early"));
        assert_eq!(early.reason(), "KNOWN_ISSUE_NOT_PUBLISHED");
        assert_eq!(Given::published().when("engineer", 5, &post(" ")).field(), Some("text"));
        assert_eq!(Given::published().when("alice", 5, &post("mine")).reason(), "NOT_FOR_YOU");
    }
}

//! Publishing a known issue (R-KI-1, R-KI-3).

use super::events::{CustomerImpact, KnownIssueEvent, KnownIssuePublished};
use super::rejection::{KnownIssueRejection, text};
use super::{KnownIssue, KnownIssueStatus};
use crate::case::is_link;

/// Longest summary, in characters.
pub const MAX_SUMMARY_CHARS: usize = 500;

/// Publishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishKnownIssue {
    /// What it is about, short and in English (R-KI-7).
    pub summary: String,
    /// The outage on the status dashboard, where there is one.
    pub outage_url: Option<String>,
}

impl PublishKnownIssue {
    /// Publishing the same again changes nothing.
    pub(super) fn decide(&self, issue: &KnownIssue) -> Result<Vec<KnownIssueEvent>, KnownIssueRejection> {
        let summary = text(issue.id, "summary", &self.summary, MAX_SUMMARY_CHARS)?;
        if self.outage_url.as_deref().is_some_and(|url| !is_link(url)) {
            let why = "wanted a link, such as https://status.example/incidents/1";
            return Err(KnownIssueRejection::invalid("outageUrl", why));
        }
        let status = issue.status;
        match status {
            KnownIssueStatus::Confirmed => {}
            KnownIssueStatus::Suspected => return Err(KnownIssueRejection::NotConfirmed { status }),
            KnownIssueStatus::Dismissed => return Err(KnownIssueRejection::Dismissed),
            KnownIssueStatus::Resolved => return Err(KnownIssueRejection::Resolved),
            KnownIssueStatus::Published => {
                let same = issue.publication.as_ref().is_some_and(|published| {
                    published.summary == summary && published.outage_url == self.outage_url
                });
                return if same { Ok(Vec::new()) } else { Err(KnownIssueRejection::AlreadyPublished) };
            }
        }
        if issue.impact.as_ref().is_none_or(|stated| stated.impact != CustomerImpact::High) {
            return Err(KnownIssueRejection::ImpactNotHigh);
        }
        Ok(vec![KnownIssuePublished { summary, outage_url: self.outage_url.clone() }.into()])
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Given, confirm, dismiss, publish, resolve};
    use super::*;
    use crate::event::EventAudience;
    use crate::known_issue::KnownIssueCommand;

    fn confirmed(impact: CustomerImpact) -> Given {
        Given::suspected().and("engineer", 1, &confirm(impact))
    }

    /// R-KI-1.
    #[test]
    fn r_ki_1_only_a_confirmed_issue_of_high_impact_is_published() {
        let events = confirmed(CustomerImpact::High).when("engineer", 2, &publish()).events();
        assert_eq!(events[0].audience(), EventAudience::Customer);
        for impact in [CustomerImpact::Low, CustomerImpact::Medium] {
            assert_eq!(confirmed(impact).when("engineer", 2, &publish()).reason(), "IMPACT_NOT_HIGH");
        }
        let refused = |given: Given| given.when("engineer", 9, &publish()).reason();
        assert_eq!(refused(Given::suspected()), "KNOWN_ISSUE_NOT_CONFIRMED");
        assert_eq!(refused(Given::suspected().and("engineer", 1, &dismiss())), "KNOWN_ISSUE_DISMISSED");
        assert_eq!(refused(Given::published().and("engineer", 8, &resolve())), "KNOWN_ISSUE_RESOLVED");
        let by_agent = confirmed(CustomerImpact::High).when("agent-north", 2, &publish());
        assert_eq!(by_agent.reason(), "NOT_FOR_YOU");
    }

    /// R-KI-3.
    #[test]
    fn r_ki_3_a_published_issue_needs_no_outage_and_may_link_to_one() {
        let with = |outage_url: Option<&str>| {
            KnownIssueCommand::Publish(PublishKnownIssue {
                summary: "Machines do not start".to_owned(),
                outage_url: outage_url.map(str::to_owned),
            })
        };
        let high = confirmed(CustomerImpact::High);
        for outage in [None, Some("https://status.example/incidents/7")] {
            let given = high.clone().and("engineer", 2, &with(outage));
            let published = given.issue().publication.clone().unwrap();
            assert_eq!(published.outage_url.as_deref(), outage);
            assert_eq!(given.clone().when("engineer", 3, &with(outage)).events(), vec![]);
            let other = with(Some("https://status.example/incidents/8"));
            assert_eq!(given.when("engineer", 3, &other).reason(), "KNOWN_ISSUE_PUBLISHED");
        }
        let odd = with(Some("javascript:alert(1)"));
        assert_eq!(high.clone().when("engineer", 2, &odd).field(), Some("outageUrl"));
        let summary = "x".repeat(MAX_SUMMARY_CHARS + 1);
        let long = KnownIssueCommand::Publish(PublishKnownIssue { summary, outage_url: None });
        assert_eq!(high.when("engineer", 2, &long).field(), Some("summary"));
    }
}

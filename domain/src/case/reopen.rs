//! Reopening by a comment of the customer side, within 30 days of the latest closing (R-REOPEN-1..4).

use jiff::{SignedDuration, Timestamp};

use super::events::ReopenedWithin30Days;
use super::rejection::CaseRejection;
use super::state::Case;
use crate::context::Context;
use crate::ids::CommentId;

/// How long after a closing a comment reopens the case, in seconds, inclusive (R-REOPEN-1).
pub const REOPEN_WINDOW_SECONDS: i64 = 2_592_000;

/// The last instant at which a comment reopens a case that was closed at an instant.
pub fn reopen_window_ends_at(closed_at: Timestamp) -> Timestamp {
    closed_at.saturating_add(SignedDuration::from_secs(REOPEN_WINDOW_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// What a follow-up of a case would start with (R-REOPEN-2). Offered within the window too: an urgent problem belongs
/// in a new case (R-REOPEN-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUpOffer {
    /// The case to follow up, `organizations/…/cases/…`.
    pub case_name: String,
    /// Classification to start with.
    pub classification: String,
    /// Language to start with.
    pub language: String,
    /// Priority to start with.
    pub priority: &'static str,
}

impl FollowUpOffer {
    /// The offer for a case.
    pub fn of(case: &Case) -> Self {
        Self {
            case_name: format!("organizations/{}/cases/{}", case.organization, case.id),
            classification: case.classification.id.clone(),
            language: case.language.clone(),
            priority: case.priority.as_str(),
        }
    }

    /// The offer by name, for refusals.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        vec![
            ("followUpOf", self.case_name.clone()),
            ("followUpClassification", self.classification.clone()),
            ("followUpLanguage", self.language.clone()),
            ("followUpPriority", self.priority.to_owned()),
        ]
    }
}

/// The event that reopens a closed case, once [`check`] has passed.
pub(super) fn reopen(case: &Case, comment: CommentId) -> ReopenedWithin30Days {
    ReopenedWithin30Days { closing: case.closings, comment }
}

/// Whether a comment may reopen a closed case.
///
/// # Errors
/// The window has ended (R-REOPEN-2), or the product has no eligible plan any more or has moved (R-PLAN-4).
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    let ends_at = case.reopen_window_ends_at.unwrap_or(Timestamp::MIN);
    if context.now > ends_at {
        return Err(CaseRejection::ReopenWindowEnded {
            ended_at: ends_at,
            follow_up: Box::new(FollowUpOffer::of(case)),
        });
    }
    context.access.entitlement_to_file(&case.product, context.catalogue, context.now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseEvent, EscalationStatus, Status};
    use crate::testing::{Given, acme, close, comment, escalate};

    const CLOSED_AT: i64 = 1_000;
    const LAST_SECOND: i64 = CLOSED_AT + 2_592_000;

    /// R-REOPEN-1.
    #[test]
    fn r_reopen_1_a_comment_exactly_30_days_after_closing_reopens_in_one_append() {
        let outcome =
            Given::filed().and("alice", CLOSED_AT, &close()).when("bob", LAST_SECOND, &comment("again"));
        let events = outcome.events();
        let [CaseEvent::CommentAdded(comment), CaseEvent::ReopenedWithin30Days(reopened)] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!((reopened.closing, reopened.comment), (1, comment.comment));
        assert_eq!(outcome.state().filed().unwrap().status, Status::InProgress);
    }

    /// R-REOPEN-2.
    #[test]
    fn r_reopen_2_one_second_later_the_comment_is_refused_with_the_end_and_a_follow_up() {
        let rejection = Given::filed()
            .and("alice", CLOSED_AT, &close())
            .when("alice", LAST_SECOND + 1, &comment("again"))
            .rejection();
        assert_eq!(rejection.reason(), "REOPEN_WINDOW_ENDED");
        let metadata = rejection.metadata();
        assert_eq!(metadata[0], ("windowEndedAt", crate::testing::at(LAST_SECOND).to_string()));
        assert!(metadata[1].1.starts_with("organizations/acme/cases/"), "{metadata:?}");
        assert!(metadata.contains(&("followUpClassification", "compute-vm".to_owned())));
    }

    /// R-REOPEN-3.
    #[test]
    fn r_reopen_3_the_window_counts_from_the_latest_closing_however_often_it_was_closed() {
        let given = Given::filed()
            .and("alice", CLOSED_AT, &close())
            .and("alice", LAST_SECOND, &comment("first"))
            .and("alice", LAST_SECOND + 5, &close());
        let outcome = given.when("alice", LAST_SECOND + 5 + 2_592_000, &comment("second"));
        assert!(matches!(
            outcome.events()[1],
            CaseEvent::ReopenedWithin30Days(ReopenedWithin30Days { closing: 2, .. })
        ));
    }

    /// R-REOPEN-3.
    #[test]
    fn r_reopen_3_after_reopening_the_escalation_is_none_and_can_be_asked_again() {
        let given = Given::filed().and("alice", 1, &escalate()).and("alice", 2, &close()).and(
            "alice",
            3,
            &comment("again"),
        );
        assert_eq!(given.clone().state().filed().unwrap().escalation, EscalationStatus::None);
        assert_eq!(given.when("alice", 4, &escalate()).events().len(), 1);
    }

    /// R-REOPEN-4.
    #[test]
    fn r_reopen_4_the_follow_up_is_offered_within_the_window_too() {
        let state = Given::filed().and("alice", 1, &close()).state();
        let offer = FollowUpOffer::of(state.filed().unwrap());
        assert_eq!(
            (offer.classification.as_str(), offer.language.as_str(), offer.priority),
            ("compute-vm", "en", "P3")
        );
    }

    /// R-PLAN-4.
    #[test]
    fn r_plan_4_without_a_plan_a_comment_does_not_reopen() {
        let rejection = Given::filed()
            .and("alice", 1, &close())
            .in_access(acme().without_entitlements().build())
            .when("alice", 2, &comment("again"))
            .rejection();
        assert_eq!(rejection.reason(), "NO_ELIGIBLE_PLAN");
    }

    /// R-PLAN-4, R-PLAN-2.
    #[test]
    fn r_plan_4_once_the_product_has_moved_open_cases_are_finished_and_none_is_reopened() {
        let mut command = crate::testing::file_case();
        command.classification = "search-index".to_owned();
        let entitled = acme().without_entitlements().entitled("search", "gold");
        let owned = entitled.granted("alice", &[("search", crate::Role::Owner)]);
        let given = Given::nothing().in_access(owned.build());
        let given = given.and("alice", 5_500, &crate::case::CaseCommand::File(Box::new(command)));
        let finished = given.and("alice", 6_500, &comment("more")).and("alice", 6_600, &escalate());
        let rejection =
            finished.and("alice", 6_700, &close()).when("alice", 6_800, &comment("again")).rejection();
        assert_eq!(rejection.reason(), "PRODUCT_MOVED");
        assert!(rejection.metadata().contains(&("url", "https://search.example/support".to_owned())));
    }
}

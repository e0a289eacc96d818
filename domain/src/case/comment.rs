//! Commenting (R-COMMENT-1): the customer side's comments and support's answers stand in one history. What a comment
//! does to a closed case is in [`super::reopen`].

use super::events::{CaseEvent, CaseStateChanged, CommentAdded, ObjectiveCause, StateChangeCause};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::{Case, Status, check_not_merged};
use super::{reopen, response, route};
use crate::authority::Side;
use crate::context::Context;
use crate::ids::CommentId;
use crate::personal::Personal;

/// Longest comment, in Unicode scalar values.
pub const MAX_COMMENT_CHARS: usize = 12_800;

/// Adds a comment.
#[derive(Clone, Debug)]
pub struct AddComment {
    /// The text.
    pub body: Personal<String>,
}

impl AddComment {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("body", &self.body, 1, MAX_COMMENT_CHARS)?;
        check(case, context)?;
        let side = context.authority.side();
        let comment = CommentAdded {
            comment: CommentId::derived(context.command_id),
            body: self.body.clone(),
            author: context.actor.contact.clone(),
            side,
        };
        let consequence = consequence(case, &comment);
        let reopens = case.status == Status::Closed && side.is_customer_side();
        let rerouted = if reopens { route::rerouted(case, context) } else { None };
        let provider = rerouted.as_ref().map(|routed| &routed.provider);
        let clock = match side {
            Side::Support => response::answers(case, context),
            Side::Customer | Side::Reseller if reopens => {
                response::awaits_with(case, provider, ObjectiveCause::Comment, context)
            }
            Side::Customer | Side::Reseller => response::awaits(case, ObjectiveCause::Comment, context),
        };
        let routed = rerouted.map(CaseEvent::from);
        Ok([comment.into()].into_iter().chain(consequence).chain(routed).chain(clock).collect())
    }
}

/// What a comment does to the case's state.
pub(super) fn consequence(case: &Case, comment: &CommentAdded) -> Option<CaseEvent> {
    match (case.status, comment.side) {
        (Status::Closed, Side::Customer | Side::Reseller) => {
            Some(reopen::reopen(case, comment.comment).into())
        }
        (Status::ActionRequired | Status::SolutionProvided, Side::Customer | Side::Reseller) => {
            Some(change(case.status, StateChangeCause::CustomerComment))
        }
        (Status::New | Status::ActionRequired | Status::SolutionProvided, Side::Support) => {
            Some(change(case.status, StateChangeCause::SupportAnswer))
        }
        // R-REOPEN-3: support's comment on a closed case leaves it closed.
        (Status::Closed, Side::Support)
        | (Status::InProgress, _)
        | (Status::New, Side::Customer | Side::Reseller) => None,
    }
}

/// Whether a comment would be taken: the customer side's on a closed case reopens it, or is refused; where the case goes on
/// in another one, with the pointer. Support may always add something for the record.
pub(super) fn check(case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
    if context.authority.side() == Side::Support {
        return Ok(());
    }
    check_not_merged(case)?;
    if case.status == Status::Closed { reopen::check(case, context) } else { Ok(()) }
}

fn change(from: Status, cause: StateChangeCause) -> CaseEvent {
    CaseStateChanged { from, to: Status::InProgress, cause }.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, CaseState};
    use crate::testing::{Given, ask, close, comment, personal, propose};

    fn status(state: &CaseState) -> Status {
        state.filed().expect("filed").status
    }

    /// R-COMMENT-1.
    #[test]
    fn r_comment_1_a_customer_comment_puts_a_waiting_case_back_in_progress_and_answers_all_requests() {
        for waiting in [vec![ask(), ask()], vec![propose()]] {
            let mut given = Given::filed();
            for command in &waiting {
                given = given.and("agent-north", 1, command);
            }
            let outcome = given.when("alice", 2, &comment("here it is"));
            let events = outcome.events();
            assert!(matches!(&events[..], [CaseEvent::CommentAdded(_), CaseEvent::CaseStateChanged(change)]
                if change.to == Status::InProgress && change.cause == StateChangeCause::CustomerComment));
            let state = outcome.state();
            assert_eq!(status(&state), Status::InProgress);
            assert_eq!(state.filed().unwrap().outstanding_requests, 0);
        }
    }

    /// R-COMMENT-1.
    #[test]
    fn r_comment_1_both_sides_stand_in_one_history_with_their_side() {
        let side = |who| {
            let events = Given::filed().when(who, 1, &comment("hello")).events();
            let CaseEvent::CommentAdded(comment) = &events[0] else { panic!("{events:?}") };
            comment.side
        };
        assert_eq!((side("alice"), side("agent-north")), (Side::Customer, Side::Support));
    }

    /// R-CASE-3.
    #[test]
    fn r_case_3_an_answer_of_support_takes_a_new_case_up_and_a_customer_comment_does_not() {
        assert_eq!(
            status(&Given::filed().when("agent-north", 1, &comment("hello")).state()),
            Status::InProgress
        );
        assert_eq!(status(&Given::filed().when("alice", 1, &comment("more")).state()), Status::New);
    }

    #[test]
    fn a_comment_has_1_to_12800_characters_counted_as_unicode_scalar_values() {
        assert_eq!(
            Given::filed().when("alice", 1, &comment(&"𝄞".repeat(MAX_COMMENT_CHARS))).events().len(),
            1
        );
        for body in [String::new(), " \n".to_owned(), "x".repeat(MAX_COMMENT_CHARS + 1)] {
            let rejection = Given::filed().when("alice", 1, &comment(&body)).rejection();
            assert_eq!(rejection.field(), Some("body"));
        }
    }

    /// R-CASE-4.
    #[test]
    fn r_case_4_viewers_and_outsiders_do_not_comment() {
        assert_eq!(Given::filed().when("carol", 1, &comment("hi")).rejection().reason(), "ROLE_TOO_LOW");
        assert_eq!(Given::filed().when("peter", 1, &comment("hi")).rejection().reason(), "NOT_A_MEMBER");
        let command = CaseCommand::Comment(AddComment { body: personal("hi") });
        assert_eq!(Given::nothing().when("alice", 1, &command).rejection().reason(), "CASE_NOT_FOUND");
    }

    /// R-COMMENT-2.
    #[test]
    fn r_comment_2_a_comment_leaves_only_the_comment_and_the_cases_own_events() {
        let events =
            Given::filed().and("agent-north", 1, &propose()).when("alice", 2, &comment("thanks")).events();
        let types: Vec<_> = events.iter().map(crate::DomainEvent::event_type).collect();
        assert_eq!(types, ["CommentAdded", "CaseStateChanged"]);
    }

    /// R-REOPEN-3.
    #[test]
    fn r_reopen_3_supports_comment_on_a_closed_case_leaves_it_closed() {
        let outcome =
            Given::filed().and("alice", 1, &close()).when("agent-north", 2, &comment("for the record"));
        assert_eq!(outcome.events().len(), 1);
        assert_eq!(status(&outcome.state()), Status::Closed);
    }
}

//! Proposing a solution (R-RESOLVE-1): the case becomes SOLUTION_PROVIDED.

use super::comment::MAX_COMMENT_CHARS;
use super::events::{CaseEvent, SolutionKind, SolutionProposed};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::state::{Case, check_open};
use crate::context::Context;
use crate::personal::Personal;

/// Proposes a solution.
#[derive(Clone, Debug)]
pub struct ProposeSolution {
    /// Of which kind.
    pub solution: SolutionKind,
    /// In support's words.
    pub text: Personal<String>,
}

impl ProposeSolution {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("text", &self.text, 1, MAX_COMMENT_CHARS)?;
        check_open(case)?;
        Ok(vec![
            SolutionProposed {
                solution: self.solution,
                text: self.text.clone(),
                author: context.actor.contact.clone(),
            }
            .into(),
        ])
    }
}

#[cfg(test)]
mod tests {
    use crate::case::Status;
    use crate::testing::{Given, close, propose};

    /// R-CASE-3.
    #[test]
    fn r_case_3_proposing_makes_the_case_solution_provided() {
        let state = Given::filed().when("agent-north", 1, &propose()).state();
        assert_eq!(state.filed().unwrap().status, Status::SolutionProvided);
    }

    #[test]
    fn only_support_proposes_and_only_on_an_open_case() {
        assert_eq!(Given::filed().when("alice", 1, &propose()).rejection().reason(), "NOT_FOR_YOU");
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &propose()).rejection().reason(), "CASE_CLOSED");
    }
}

//! Asking the customer for something (R-INFOREQ-1): the case becomes ACTION_REQUIRED.

use super::comment::MAX_COMMENT_CHARS;
use super::events::{CaseEvent, InformationKind, InformationRequested};
use super::file::check_text;
use super::rejection::CaseRejection;
use super::response;
use super::state::{Case, check_open};
use crate::context::Context;
use crate::personal::Personal;

/// Asks the customer.
#[derive(Clone, Debug)]
pub struct RequestInformation {
    /// What for.
    pub information: InformationKind,
    /// In support's words.
    pub text: Personal<String>,
}

impl RequestInformation {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        check_text("text", &self.text, 1, MAX_COMMENT_CHARS)?;
        check_open(case)?;
        let requested = InformationRequested {
            information: self.information,
            text: self.text.clone(),
            author: context.actor.contact.clone(),
        };
        Ok([requested.into()].into_iter().chain(response::answers(case, context)).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::case::Status;
    use crate::testing::{Given, ask, close};

    /// R-INFOREQ-1.
    #[test]
    fn r_inforeq_1_asking_makes_the_case_action_required() {
        let state = Given::filed().when("agent-north", 1, &ask()).state();
        assert_eq!(state.filed().unwrap().status, Status::ActionRequired);
        assert_eq!(state.filed().unwrap().outstanding_requests, 1);
    }

    /// R-INFOREQ-1.
    #[test]
    fn r_inforeq_1_only_support_asks_and_only_on_an_open_case() {
        assert_eq!(Given::filed().when("alice", 1, &ask()).rejection().reason(), "NOT_FOR_YOU");
        let closed = Given::filed().and("alice", 1, &close());
        assert_eq!(closed.when("agent-north", 2, &ask()).rejection().reason(), "CASE_CLOSED");
    }
}

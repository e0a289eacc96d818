//! Describing a problem, at first and for the case (R-HELP-1, R-HELP-2).

use std::fmt;

use super::{HelpSessionEvent, HelpSessionRejection, HelpStep, ProblemDescribed, Session, Suggestion};
use crate::context::Context;
use crate::personal::Personal;

/// Longest description, in characters: as a case's.
pub const MAX_PROBLEM_CHARS: usize = 60_000;

/// Says what the problem is.
#[derive(Clone, PartialEq, Eq)]
pub struct DescribeProblem {
    /// In their words.
    pub text: String,
    /// What was found to match, the best first.
    pub suggested: Vec<Suggestion>,
}

impl fmt::Debug for DescribeProblem {
    /// Never shows what is personal: debug output reaches logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DescribeProblem").field("suggested", &self.suggested).finish_non_exhaustive()
    }
}

impl DescribeProblem {
    pub(super) fn decide(
        &self,
        session: &Session,
        context: &Context<'_>,
    ) -> Result<HelpSessionEvent, HelpSessionRejection> {
        if self.text.trim().is_empty() {
            return Err(HelpSessionRejection::invalid("text", "must not be empty"));
        }
        // Bytes bound characters from above.
        if self.text.len() > MAX_PROBLEM_CHARS && self.text.chars().count() > MAX_PROBLEM_CHARS {
            let why = format!("must have at most {MAX_PROBLEM_CHARS} characters");
            return Err(HelpSessionRejection::invalid("text", why));
        }
        Ok(ProblemDescribed {
            text: Personal::new(context.actor.contact.subject().clone(), self.text.clone()),
            suggested: self.suggested.clone(),
            again: session.step == HelpStep::Description,
        }
        .into())
    }
}

//! Closing by itself (R-CLOSE-1): only where the catalogue said so when the solution was proposed, only while that solution is
//! the one that nobody answered, and only once it was announced, for as long beforehand as the catalogue said. The case's own
//! state decides, so a timer that comes late does nothing.

use jiff::Timestamp;

use super::close::closed;
use super::events::{CaseEvent, ClosingAnnounced};
use super::state::{Case, ProposedSolution, Status};
use crate::authority::Side;
use crate::context::Context;

/// Announces that the case will close.
#[derive(Clone, Debug)]
pub struct AnnounceClosing {
    /// The solution that nobody answered, from 1.
    pub solution: u32,
}

impl AnnounceClosing {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let Some((from, closes_at)) = announcement(case) else { return Vec::new() };
        if case.solutions != self.solution || context.now < from {
            return Vec::new();
        }
        // Announced late, it closes late: the customer side always has the whole notice.
        let notice = closes_at.duration_since(from);
        let after_notice = context.now.checked_add(notice).unwrap_or(Timestamp::MAX);
        let closes_at = closes_at.max(after_notice);
        vec![ClosingAnnounced { solution: self.solution, closes_at }.into()]
    }
}

/// Closes the case.
#[derive(Clone, Debug)]
pub struct CloseUnanswered {
    /// The solution that nobody answered, from 1.
    pub solution: u32,
}

impl CloseUnanswered {
    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
        let due = closing(case).is_some_and(|closes_at| closes_at <= context.now);
        if due && case.solutions == self.solution {
            closed(case, Side::Support, true, context.now)
        } else {
            Vec::new()
        }
    }
}

fn unanswered(case: &Case) -> Option<&ProposedSolution> {
    case.solution.as_ref().filter(|_| case.status == Status::SolutionProvided)
}

/// From when the closing is to be announced, and when it closes then; `None` where nothing is to be announced.
pub(super) fn announcement(case: &Case) -> Option<(Timestamp, Timestamp)> {
    let solution = unanswered(case).filter(|solution| !solution.announced)?;
    Some((solution.announced_from?, solution.closes_at?))
}

/// When the case closes, once that was announced.
pub(super) fn closing(case: &Case) -> Option<Timestamp> {
    unanswered(case).filter(|solution| solution.announced)?.closes_at
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::invariants::supported_case;
    use crate::case::{CaseCommand, timers_of};
    use crate::testing::{Given, ask, at, close, comment, propose};

    const DAY: i64 = 86_400;

    fn announce(solution: u32) -> CaseCommand {
        CaseCommand::AnnounceClosing(AnnounceClosing { solution })
    }

    fn by_itself(solution: u32) -> CaseCommand {
        CaseCommand::CloseUnanswered(CloseUnanswered { solution })
    }

    /// A solution at second 0; the catalogue closes after 14 days, announced 3 before.
    fn proposed() -> Given {
        supported_case().and("agent-north", 0, &propose())
    }

    fn done(given: &Given, second: i64, command: &CaseCommand) -> usize {
        given.clone().when("system", second, command).events().len()
    }

    /// R-CLOSE-1.
    #[test]
    fn r_close_1_an_unanswered_solution_closes_the_case_after_it_was_announced() {
        assert_eq!(done(&proposed(), 11 * DAY - 1, &announce(1)), 0);
        let announced = proposed().and("system", 11 * DAY, &announce(1));
        assert_eq!(done(&announced, 11 * DAY + 1, &announce(1)), 0, "once");
        assert_eq!(done(&announced, 14 * DAY - 1, &by_itself(1)), 0);
        let events = announced.clone().when("system", 14 * DAY, &by_itself(1)).events();
        assert!(matches!(&events[..], [CaseEvent::CaseClosed(closed)]
            if closed.automatic && closed.side == Side::Support && closed.closing == 1));
        let closed = announced.and("system", 14 * DAY, &by_itself(1));
        assert_eq!(done(&closed, 15 * DAY, &by_itself(1)), 0);
        assert_eq!(closed.when("alice", 15 * DAY, &comment("again")).events().len(), 4, "and it reopens");
    }

    /// R-CLOSE-1.
    #[test]
    fn r_close_1_what_was_never_announced_does_not_close_and_a_late_announcement_puts_it_off() {
        assert_eq!(done(&proposed(), 99 * DAY, &by_itself(1)), 0);
        let late = proposed().and("system", 20 * DAY, &announce(1));
        let solution = late.clone().state().filed().unwrap().solution.clone().unwrap();
        assert_eq!(solution.closes_at, Some(at(23 * DAY)));
        assert_eq!((done(&late, 23 * DAY - 1, &by_itself(1)), done(&late, 23 * DAY, &by_itself(1))), (0, 1));
    }

    /// R-CLOSE-1: a timer that comes late finds that something else happened.
    #[test]
    fn r_close_1_an_answer_another_solution_or_a_closing_keeps_a_late_timer_from_doing_anything() {
        let announced = proposed().and("system", 11 * DAY, &announce(1));
        let answered = announced.clone().and("alice", 12 * DAY, &comment("not yet"));
        let asked = announced.clone().and("agent-north", 12 * DAY, &ask());
        let again = answered.clone().and("agent-north", 13 * DAY, &propose());
        let closed = announced.and("alice", 12 * DAY, &close());
        for given in [answered, asked, again.clone(), closed] {
            assert_eq!(done(&given, 14 * DAY, &by_itself(1)), 0);
        }
        let announced_again = again.clone().and("system", 24 * DAY, &announce(2));
        assert_eq!(done(&announced_again, 27 * DAY, &by_itself(1)), 0, "that is the first solution's timer");
        assert_eq!(done(&announced_again, 27 * DAY, &by_itself(2)), 1);
        let due: Vec<_> = timers_of(again.state().filed().unwrap()).iter().map(|timer| timer.due).collect();
        assert_eq!(due, [at((13 + 11) * DAY)], "the second solution has its own time");
    }

    /// R-CLOSE-1.
    #[test]
    fn r_close_1_nothing_closes_by_itself_unless_the_catalogue_says_so_when_the_solution_is_proposed() {
        let given = Given::supported().and("agent-north", 0, &propose());
        assert_eq!(timers_of(given.clone().state().filed().unwrap()), []);
        assert_eq!(done(&given, 99 * DAY, &announce(1)) + done(&given, 99 * DAY, &by_itself(1)), 0);
        let rejected = given.when("agent-north", 99 * DAY, &by_itself(1)).rejection();
        assert_eq!(rejected.reason(), "NOT_FOR_YOU");
    }
}

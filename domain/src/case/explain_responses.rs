//! Why support had to answer by an instant, and what was counted (R-RESPONSE-1): told from the case's own events, so that no
//! later change of calendar or plan tells it otherwise.

use jiff::Timestamp;

use super::events::{CaseEvent, ObjectiveCause, ResponseKind, ResponseObjectiveSet};
use super::state::{CaseState, Status};
use crate::calendar::OpenInterval;
use crate::catalogue::{Priority, ResponseObjective};
use crate::event::Aggregate;
use crate::ids::{CalendarId, PlanId};

/// How a promise ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectiveEnd {
    /// It is open.
    Open,
    /// Support answered.
    Answered {
        /// Whether in time.
        on_time: bool,
    },
    /// An earlier one took its place.
    Replaced,
    /// The case was closed, or merged, before support answered.
    CaseEnded,
}

/// A promise, what was counted of it, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedObjective {
    /// To what.
    pub kind: ResponseKind,
    /// What it was made for.
    pub cause: ObjectiveCause,
    /// The priority of that moment.
    pub priority: Priority,
    /// The plan that promised.
    pub plan: PlanId,
    /// What the plan promised.
    pub objective: ResponseObjective,
    /// By which calendar; `None` for whoever may not know.
    pub calendar: Option<CalendarId>,
    /// From when it was counted.
    pub from: Timestamp,
    /// The last instant at which the answer was on time.
    pub due_at: Timestamp,
    /// What is counted until then, in order; empty for whoever may not know.
    pub counted: Vec<OpenInterval>,
    /// What of that had passed when it ended, or at the last instant asked about.
    pub passed: Vec<OpenInterval>,
    /// When support was warned.
    pub warned_at: Option<Timestamp>,
    /// When the miss was recorded.
    pub missed_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub end: ObjectiveEnd,
}

/// A stretch in which no clock ran, because it was the customer side's turn or the case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// From when.
    pub from: Timestamp,
    /// Until when; `None`: still.
    pub until: Option<Timestamp>,
    /// Where the case stood.
    pub because: Status,
}

/// All promises of a case, and the pauses between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseExplanation {
    /// The promises, in order.
    pub objectives: Vec<ExplainedObjective>,
    /// The pauses, in order.
    pub pauses: Vec<Pause>,
}

/// Explains the promises of a case from its events, each with its instant, in order, as they stood at an instant. Without the
/// events that only support may read it tells the same, less the calendar and what was counted.
pub fn explain_responses<'a>(
    history: impl IntoIterator<Item = (Timestamp, &'a CaseEvent)>,
    until: Timestamp,
) -> ResponseExplanation {
    let mut told = ResponseExplanation::default();
    let mut state = CaseState::default();
    for (at, event) in history.into_iter().take_while(|(at, _)| *at <= until) {
        let open_before = state.filed().is_some_and(|case| case.objective.is_some());
        state.evolve(event, at);
        let still_open = state.filed().is_some_and(|case| case.objective.is_some());
        told.objective(event, at, open_before, still_open);
        if let Some(case) = state.filed() {
            told.pause(case.status, at);
        }
    }
    for objective in &mut told.objectives {
        objective.passed = clipped(&objective.counted, objective.ended_at.unwrap_or(until));
    }
    told
}

impl ResponseExplanation {
    fn objective(&mut self, event: &CaseEvent, at: Timestamp, open_before: bool, still_open: bool) {
        if let CaseEvent::ResponseObjectiveSet(set) = event {
            if open_before {
                self.end(at, ObjectiveEnd::Replaced);
            }
            self.objectives.push(ExplainedObjective::of(set));
            return;
        }
        let Some(last) = self.objectives.last_mut() else { return };
        match event {
            CaseEvent::ResponseClockSet(clock) => {
                last.calendar = Some(clock.calendar.clone());
                last.counted.clone_from(&clock.counted);
            }
            CaseEvent::ResponseWarned(_) => last.warned_at = Some(at),
            CaseEvent::ResponseMissed(_) => last.missed_at = Some(at),
            CaseEvent::ResponseGiven(given) => {
                self.end(at, ObjectiveEnd::Answered { on_time: given.on_time });
            }
            _ if open_before && !still_open => self.end(at, ObjectiveEnd::CaseEnded),
            _ => {}
        }
    }

    fn end(&mut self, at: Timestamp, end: ObjectiveEnd) {
        if let Some(last) = self.objectives.last_mut() {
            last.ended_at = Some(at);
            last.end = end;
        }
    }

    fn pause(&mut self, status: Status, at: Timestamp) {
        let running = self.pauses.last_mut().filter(|pause| pause.until.is_none());
        if running.as_ref().is_some_and(|pause| pause.because == status) {
            return;
        }
        if let Some(pause) = running {
            pause.until = Some(at);
        }
        if matches!(status, Status::ActionRequired | Status::SolutionProvided | Status::Closed) {
            self.pauses.push(Pause { from: at, until: None, because: status });
        }
    }
}

impl ExplainedObjective {
    fn of(set: &ResponseObjectiveSet) -> Self {
        Self {
            kind: set.kind,
            cause: set.cause,
            priority: set.priority,
            plan: set.plan.clone(),
            objective: set.objective,
            calendar: None,
            from: set.from,
            due_at: set.due_at,
            counted: Vec::new(),
            passed: Vec::new(),
            warned_at: None,
            missed_at: None,
            ended_at: None,
            end: ObjectiveEnd::Open,
        }
    }
}

fn clipped(counted: &[OpenInterval], until: Timestamp) -> Vec<OpenInterval> {
    let before = counted.iter().filter(|open| open.from < until);
    before.map(|open| OpenInterval { from: open.from, until: open.until.min(until) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseCommand, ResponseKind};
    use crate::event::EventAudience;
    use crate::testing::{
        Given, ask, at, change_priority, close, comment, file_case, propose, supported_catalogue,
    };

    const WEDNESDAY_9: i64 = 35_200;
    const HOUR: i64 = 3_600;

    /// The events of a story, each with its instant.
    fn history(story: &[(&str, i64, CaseCommand)]) -> Vec<(Timestamp, CaseEvent)> {
        let mut given = Given::nothing().in_catalogue(supported_catalogue());
        let mut events = Vec::new();
        let file = ("alice", 0, CaseCommand::File(Box::new(file_case())));
        for (who, second, command) in [file].iter().chain(story) {
            let outcome = given.clone().when(who, *second, command);
            events.extend(outcome.events().into_iter().map(|event| (at(*second), event)));
            given = given.and(who, *second, command);
        }
        events
    }

    fn explained(story: &[(&str, i64, CaseCommand)], until: i64) -> ResponseExplanation {
        let history = history(story);
        explain_responses(history.iter().map(|(at, event)| (*at, event)), at(until))
    }

    fn open(from: i64, until: i64) -> OpenInterval {
        OpenInterval { from: at(from), until: at(until) }
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_each_promise_tells_what_was_counted_what_had_passed_and_how_it_ended() {
        let answer = WEDNESDAY_9 + 2 * HOUR;
        let told = explained(&[("agent-north", answer, comment("hello"))], answer + 9);
        let [first] = &told.objectives[..] else { panic!("{told:?}") };
        assert_eq!(first.calendar.as_ref().map(CalendarId::as_str), Some("paris"));
        assert_eq!(first.counted, [open(WEDNESDAY_9, WEDNESDAY_9 + 9 * HOUR)]);
        assert_eq!(first.passed, [open(WEDNESDAY_9, answer)]);
        assert_eq!((first.end, first.ended_at), (ObjectiveEnd::Answered { on_time: true }, Some(at(answer))));
        let before = explained(&[("agent-north", answer, comment("hello"))], answer - 1);
        assert_eq!((before.objectives[0].end, before.objectives[0].ended_at), (ObjectiveEnd::Open, None));
    }

    /// R-RESPONSE-1: a pause that spans a weekend is no part of any promise.
    #[test]
    fn r_response_1_the_pauses_between_promises_are_told_and_nothing_is_counted_in_them() {
        let (asked, back) = (WEDNESDAY_9 + 2 * 86_400, WEDNESDAY_9 + 6 * 86_400);
        let story = [
            ("agent-north", asked, ask()),
            ("alice", back, comment("here")),
            ("agent-north", back + HOUR, propose()),
            ("alice", back + 2 * HOUR, close()),
        ];
        let told = explained(&story, back + 3 * HOUR);
        let [first, next] = &told.objectives[..] else { panic!("{told:?}") };
        assert_eq!(first.end, ObjectiveEnd::Answered { on_time: false });
        assert_eq!(first.missed_at, Some(at(asked)));
        assert_eq!(
            (next.kind, next.from, next.passed.clone()),
            (ResponseKind::Next, at(back), vec![open(back, back + HOUR)])
        );
        let pauses: Vec<_> =
            told.pauses.iter().map(|pause| (pause.because, pause.from, pause.until)).collect();
        assert_eq!(
            pauses,
            [
                (Status::ActionRequired, at(asked), Some(at(back))),
                (Status::SolutionProvided, at(back + HOUR), Some(at(back + 2 * HOUR))),
                (Status::Closed, at(back + 2 * HOUR), None),
            ]
        );
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_promise_that_was_brought_forward_or_ended_with_the_case_says_so() {
        let raised = change_priority(crate::catalogue::Priority::P1);
        let told = explained(&[("agent-north", 60, raised), ("alice", 120, close())], 999);
        let ends: Vec<_> = told.objectives.iter().map(|objective| objective.end).collect();
        assert_eq!(ends, [ObjectiveEnd::Replaced, ObjectiveEnd::CaseEnded]);
        assert_eq!(told.objectives[1].passed, [open(60, 120)], "around the clock");
    }

    /// R-COMMENT-3.
    #[test]
    fn r_comment_3_without_what_only_support_reads_it_tells_the_same_less_the_calendar() {
        let story = [("agent-north", 60, comment("hello"))];
        let mut visible = history(&story);
        visible.retain(|(_, event)| event.audience() == EventAudience::Customer);
        let told = explain_responses(visible.iter().map(|(at, event)| (*at, event)), at(99));
        let mut full = explained(&story, 99);
        assert_ne!(told, full);
        for objective in &mut full.objectives {
            (objective.calendar, objective.counted, objective.passed) = (None, Vec::new(), Vec::new());
        }
        assert_eq!(told, full);
    }
}

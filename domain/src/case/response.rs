//! What support promises as to when it answers, and what becomes of it (R-RESPONSE-1).
//!
//! A promise is open while the customer side waits: from the filing to support's first public comment, request or solution,
//! and from each later comment to the next. A second comment while support owes an answer leaves the promise as it is.
//! **A request or a solution answers**, and after it the clock stands still, because the customer side is to act; when it
//! does, the next promise is made in full, from that instant, by the priority, plan and calendar of that moment. So no
//! remainder is ever carried over a pause, and no later change of catalogue can rewrite one.
//! A hand-over to a provider with other hours moves no promise.
//! A closing or a merge ends an open promise unjudged; one that had passed by then is a miss. Test cases, and cases without a
//! provider, are promised nothing.

use jiff::{SignedDuration, Timestamp};

use super::events::{
    CaseEvent, ObjectiveCause, ResponseClockSet, ResponseGiven, ResponseKind, ResponseMissed,
    ResponseObjectiveSet,
};
use super::state::Case;
use crate::calendar::{Calendar, OpenInterval};
use crate::catalogue::{Catalogue, Priority};
use crate::context::Context;
use crate::ids::{ProductId, ProviderId};
use crate::objective::{Awaited, ResponsePromise};

/// Most intervals that are written of what was counted: a year of days with a break each.
pub const MAX_COUNTED_INTERVALS: usize = 800;

/// What is to be answered.
pub(super) struct ToAnswer<'a> {
    pub(super) kind: ResponseKind,
    pub(super) cause: ObjectiveCause,
    pub(super) product: &'a ProductId,
    pub(super) priority: Priority,
    pub(super) provider: Option<&'a ProviderId>,
    pub(super) test_case: bool,
}

impl<'a> ToAnswer<'a> {
    fn of(case: &'a Case, cause: ObjectiveCause) -> Self {
        let first = !case.answered && case.first_response.is_none();
        Self {
            kind: if first { ResponseKind::First } else { ResponseKind::Next },
            cause,
            product: &case.product,
            priority: case.priority,
            provider: case.provider.as_ref(),
            test_case: case.test_case,
        }
    }

    /// The promise of this moment, and how it was counted; nothing where nobody promises.
    pub(super) fn promise(&self, context: &Context<'_>) -> Vec<CaseEvent> {
        match self.promised(context) {
            Some((set, clock)) => vec![set.into(), clock.into()],
            None => Vec::new(),
        }
    }

    fn promised(&self, context: &Context<'_>) -> Option<(ResponseObjectiveSet, ResponseClockSet)> {
        if self.test_case {
            return None;
        }
        let calendar = calendar_of(self.provider, context.catalogue)?;
        let plans = context.access.plans_in_force(self.product, context.catalogue, context.now);
        let awaited = match self.kind {
            ResponseKind::First => Awaited::FirstResponse,
            ResponseKind::Next => Awaited::NextResponse,
        };
        let promise = ResponsePromise::soonest(awaited, plans, self.priority, context.now, calendar)?;
        let mut counted = promise.counted(context.now, calendar);
        let warn_at = warn_at(&counted).unwrap_or(promise.due_at);
        counted.truncate(MAX_COUNTED_INTERVALS);
        let set = ResponseObjectiveSet {
            kind: self.kind,
            due_at: promise.due_at,
            from: context.now,
            priority: self.priority,
            plan: promise.plan,
            objective: promise.objective,
            cause: self.cause,
        };
        let clock = ResponseClockSet {
            kind: self.kind,
            due_at: promise.due_at,
            warn_at,
            calendar: calendar.id().clone(),
            counted,
        };
        Some((set, clock))
    }
}

/// The calendar of a provider; of the default queue where there is none, or it is gone.
fn calendar_of<'a>(provider: Option<&ProviderId>, catalogue: &'a Catalogue) -> Option<&'a Calendar> {
    let known = provider.and_then(|provider| catalogue.provider(provider));
    catalogue.calendar(&known.or_else(|| catalogue.default_queue())?.calendar)
}

/// The instant at which a quarter of what is counted is left: so a warning comes while somebody is there.
fn warn_at(counted: &[OpenInterval]) -> Option<Timestamp> {
    let total = counted.iter().fold(SignedDuration::ZERO, |sum, open| sum.saturating_add(open.duration()));
    let mut left = SignedDuration::from_secs(total.as_secs() / 4);
    for open in counted.iter().rev() {
        if left <= open.duration() {
            return open.until.checked_sub(left).ok();
        }
        left -= open.duration();
    }
    None
}

/// What an act of the customer side that awaits an answer brings: a promise, unless one is open.
pub(super) fn awaits(case: &Case, cause: ObjectiveCause, context: &Context<'_>) -> Vec<CaseEvent> {
    if case.objective.is_some() { Vec::new() } else { ToAnswer::of(case, cause).promise(context) }
}

/// The same on a case that goes to a provider in the same breath.
pub(super) fn awaits_with(
    case: &Case,
    provider: Option<&ProviderId>,
    cause: ObjectiveCause,
    context: &Context<'_>,
) -> Vec<CaseEvent> {
    ToAnswer { provider: provider.or(case.provider.as_ref()), ..ToAnswer::of(case, cause) }.promise(context)
}

/// What an answer of support brings: the verdict on the promise that is open.
pub(super) fn answers(case: &Case, context: &Context<'_>) -> Vec<CaseEvent> {
    let given = case.objective.as_ref().map(|open| {
        let on_time = context.now <= open.due_at;
        ResponseGiven { kind: open.kind, due_at: open.due_at, at: context.now, on_time }.into()
    });
    missed(case, context.now).into_iter().chain(given).collect()
}

/// That the open promise has passed, where nobody recorded it yet: so a miss is an event, whether or not a timer came first.
pub(super) fn missed(case: &Case, now: Timestamp) -> Option<CaseEvent> {
    let open = case.objective.as_ref().filter(|open| !open.missed && open.due_at < now)?;
    Some(ResponseMissed { kind: open.kind, due_at: open.due_at }.into())
}

/// What a change of priority does to the promise: min(old, computed from the change), never later.
pub(super) fn reprioritized(case: &Case, priority: Priority, context: &Context<'_>) -> Vec<CaseEvent> {
    let Some(open) = &case.objective else { return Vec::new() };
    if let Some(missed) = missed(case, context.now) {
        return vec![missed];
    }
    let again = ToAnswer { kind: open.kind, priority, ..ToAnswer::of(case, ObjectiveCause::PriorityChange) };
    match again.promised(context) {
        Some((set, clock)) if set.due_at < open.due_at => vec![set.into(), clock.into()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CaseCommand;
    use crate::case::events::CaseRouted;
    use crate::event::EventAudience::{Customer, Support};
    use crate::testing::{
        Given, acme, ask, assign, at, attach, change_priority, close, comment, escalate, file_case,
        hand_over, note, propose, supported_catalogue,
    };

    // Second 0 is a Tuesday, 23:13:20 in Paris: counted from Wednesday 09:00, due Thursday 09:00.
    const WEDNESDAY_9: i64 = 35_200;
    const DUE: i64 = WEDNESDAY_9 + 86_400;
    /// A quarter of nine hours before closing on Wednesday.
    const WARN: i64 = WEDNESDAY_9 + 9 * 3_600 * 3 / 4;

    fn due(given: &Given) -> Option<(ResponseKind, Timestamp)> {
        let state = given.clone().state();
        state.filed().unwrap().objective.as_ref().map(|open| (open.kind, open.due_at))
    }

    fn given_events(given: &Given, who: &str, second: i64, command: &CaseCommand) -> Vec<CaseEvent> {
        given.clone().when(who, second, command).events()
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_the_first_response_is_promised_in_the_filing_and_its_clock_is_for_support_alone() {
        let events = Given::nothing()
            .in_catalogue(supported_catalogue())
            .when("alice", 0, &CaseCommand::File(Box::new(file_case())))
            .events();
        let [_, _, CaseEvent::ResponseObjectiveSet(set), CaseEvent::ResponseClockSet(clock)] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!((set.kind, set.due_at, set.from), (ResponseKind::First, at(DUE), at(0)));
        assert_eq!((set.plan.as_str(), set.priority), ("platinum", Priority::P3));
        assert_eq!((clock.calendar.as_str(), clock.warn_at), ("paris", at(WARN)));
        let nine_to_six = OpenInterval { from: at(WEDNESDAY_9), until: at(WEDNESDAY_9 + 9 * 3_600) };
        assert_eq!(clock.counted, [nine_to_six]);
        let audiences: Vec<_> = events.iter().map(CaseEvent::audience).collect();
        assert_eq!(audiences, [Customer, Support, Customer, Support]);
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_supports_first_public_comment_request_or_solution_counts_and_nothing_else_does() {
        for answer in [comment("hello"), ask(), propose()] {
            for (second, on_time) in [(DUE, true), (DUE + 1, false)] {
                let events = given_events(&Given::supported(), "agent-north", second, &answer);
                let given = events.iter().find_map(|event| match event {
                    CaseEvent::ResponseGiven(given) => Some(given),
                    _ => None,
                });
                let given = given.expect("a verdict");
                assert_eq!((given.due_at, given.at, given.on_time), (at(DUE), at(second), on_time));
                let missed = events.iter().any(|event| matches!(event, CaseEvent::ResponseMissed(_)));
                assert_eq!(missed, !on_time, "a miss is an event, also before any timer");
            }
        }
        for other in [assign(), note("psst"), hand_over("south"), attach()] {
            let after = Given::supported().and("agent-north", 1, &other);
            assert_eq!(due(&after), Some((ResponseKind::First, at(DUE))));
        }
        let own = Given::supported().and("alice", 1, &comment("more"));
        assert_eq!(due(&own), Some((ResponseKind::First, at(DUE))), "a comment of their own moves nothing");
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_each_later_comment_awaits_the_next_response_and_a_second_one_puts_nothing_off() {
        let answered = Given::supported().and("agent-north", 10, &comment("hello"));
        assert_eq!(due(&answered), None);
        let waiting = answered.and("alice", DUE, &comment("and now?"));
        let next = Some((ResponseKind::Next, at(DUE + 86_400)));
        assert_eq!(due(&waiting), next);
        assert_eq!(due(&waiting.clone().and("bob", DUE + 60, &comment("hello?"))), next);
        assert_eq!(due(&waiting.clone().and("agent-north", DUE + 60, &ask())), None, "the clock stands");
        let back = waiting.and("agent-north", DUE + 60, &ask()).and("alice", DUE + 200_000, &comment("here"));
        let open = back.state().filed().unwrap().objective.clone().unwrap();
        assert_eq!(open.from, at(DUE + 200_000), "in full, from the answer on");
    }

    /// R-RESPONSE-1, R-ESC-1.
    #[test]
    fn r_response_1_escalating_a_solution_starts_the_clock_again_and_escalating_a_request_does_not() {
        let solved = Given::supported().and("agent-north", 10, &propose()).and("alice", DUE, &escalate());
        assert_eq!(due(&solved), Some((ResponseKind::Next, at(DUE + 86_400))));
        let asked = Given::supported().and("agent-north", 10, &ask()).and("alice", DUE, &escalate());
        assert_eq!(due(&asked), None, "it is still the customer's turn");
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_change_of_priority_sets_the_earlier_of_both_and_never_a_later_one() {
        let given = Given::supported();
        let raised = given.clone().and("agent-north", 60, &change_priority(Priority::P1));
        assert_eq!(due(&raised), Some((ResponseKind::First, at(60 + 86_400))));
        let lowered = raised.clone().and("agent-north", 120, &change_priority(Priority::P4));
        assert_eq!(due(&lowered), due(&raised));
        let late = given_events(&given, "agent-north", DUE - 10, &change_priority(Priority::P1));
        assert_eq!(late.len(), 1, "what it would promise comes too late to matter");
        let missed = given_events(&given, "agent-north", DUE + 10, &change_priority(Priority::P1));
        assert!(matches!(&missed[..], [_, CaseEvent::ResponseMissed(_)]));
        let mut edit = crate::case::EditCase { priority: Some(Priority::P1), ..Default::default() };
        edit.title = Some(crate::testing::personal("worse"));
        let redefined = given_events(&given, "alice", 60, &CaseCommand::Edit(edit));
        assert_eq!(redefined.len(), 4, "the customer's own redefinition, too");
    }

    /// R-RESPONSE-1, R-REOPEN-3.
    #[test]
    fn r_response_1_a_verdict_stays_whatever_comes_later() {
        let late = Given::supported().and("agent-north", DUE + 1, &comment("sorry"));
        let verdict = |given: &Given| given.clone().state().filed().unwrap().first_response;
        let said = verdict(&late).unwrap();
        assert_eq!((said.due_at, said.given_at, said.on_time), (at(DUE), Some(at(DUE + 1)), false));
        let mut generous = supported_catalogue();
        generous.plans.clear();
        let reopened = late
            .and("alice", DUE + 2, &close())
            .and("alice", DUE + 3, &comment("again"))
            .in_catalogue(generous)
            .in_access(acme().without_entitlements().build())
            .and("agent-north", DUE + 999_999, &comment("sorry again"));
        assert_eq!(verdict(&reopened), Some(said));
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_plan_edited_or_a_hand_over_made_while_a_promise_runs_changes_neither_it_nor_its_verdict()
     {
        let mut hurried = supported_catalogue();
        let first = crate::catalogue::ResponseObjective::BusinessMinutes(1);
        for plan in &mut hurried.plans {
            plan.responses.insert(Priority::P3, crate::catalogue::ResponseObjectives { first, next: None });
        }
        let edited = Given::supported().in_catalogue(hurried);
        let handed = edited.clone().and("agent-north", 1, &hand_over("south"));
        for (given, who) in [(edited, "agent-north"), (handed, "agent-south")] {
            assert_eq!(due(&given), Some((ResponseKind::First, at(DUE))));
            let answered = given.and(who, DUE, &comment("hello"));
            assert!(answered.clone().state().filed().unwrap().first_response.unwrap().on_time);
            let next = answered.and("alice", DUE, &comment("and?"));
            assert_eq!(
                due(&next),
                Some((ResponseKind::Next, at(DUE + 60))),
                "the next promise is as it is now"
            );
        }
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_closing_ends_a_promise_unjudged_unless_it_had_passed() {
        let in_time = given_events(&Given::supported(), "alice", DUE, &close());
        assert_eq!(in_time.len(), 1);
        let too_late = Given::supported().and("alice", DUE + 1, &close());
        assert_eq!(due(&too_late), None);
        assert!(too_late.state().filed().unwrap().first_response.is_some_and(|verdict| !verdict.on_time));
        let again = Given::supported().and("alice", 1, &close()).and("alice", 2, &comment("no, wait"));
        assert_eq!(due(&again).map(|(kind, _)| kind), Some(ResponseKind::First), "nobody ever answered");
    }

    #[test]
    fn test_cases_are_promised_nothing_and_nor_is_anybody_without_providers_or_plans() {
        let mut command = file_case();
        command.test_case = true;
        let file = CaseCommand::File(Box::new(command));
        let events = Given::nothing().in_catalogue(supported_catalogue()).when("alice", 0, &file).events();
        assert!(matches!(&events[..], [CaseEvent::CaseFiled(_), CaseEvent::CaseRouted(CaseRouted { .. })]));
        assert_eq!(due(&Given::filed()), None);
        let answered = Given::supported().and("agent-north", 1, &comment("hello"));
        let without = answered.in_access(acme().without_entitlements().build());
        assert_eq!(due(&without.and("alice", 2, &comment("and?"))), None, "R-PLAN-4: finished, not promised");
    }

    #[test]
    fn a_warning_comes_while_somebody_is_there_with_a_quarter_of_the_time_left() {
        let hours = |from: i64, until: i64| OpenInterval { from: at(from * 3_600), until: at(until * 3_600) };
        assert_eq!(warn_at(&[hours(0, 4)]), Some(at(3 * 3_600)));
        assert_eq!(warn_at(&[hours(0, 7), hours(63, 64)]), Some(at(6 * 3_600)), "before the weekend");
        assert_eq!(warn_at(&[]), None);
    }
}

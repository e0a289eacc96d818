//! What support promises as to when it answers, and what becomes of it (R-RESPONSE-1).
//!
//! A promise is open while the customer side waits: from the filing to support's first public comment, request or solution,
//! and from each later comment to the next. A second comment while support owes an answer leaves the promise as it is.
//! **A request or a solution answers**, and after it the clock stands still, because the customer side is to act; when it
//! does, the next promise is made in full, from that instant, by the priority, plan and calendar of that moment. So no
//! remainder is ever carried over a pause, and no later change of catalogue can rewrite one.
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

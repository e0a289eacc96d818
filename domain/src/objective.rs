//! The instant by which support promises to answer (R-RESPONSE-1). It is promised once and goes into the event; a later
//! change of plan or calendar changes no promise.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, OpenInterval};
use crate::catalogue::{Plan, Priority, ResponseObjective};
use crate::ids::PlanId;

/// A promise to answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResponsePromise {
    /// The plan that promises.
    pub plan: PlanId,
    /// What it promises.
    pub objective: ResponseObjective,
    /// The instant by which support has answered, inclusive.
    pub due_at: Timestamp,
}

/// To what support answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The filing.
    FirstResponse,
    /// What the customer side said later.
    NextResponse,
}

impl ResponsePromise {
    /// The soonest promise of the plans in force for a case that is, or comes to be, of a priority at an instant, by the
    /// calendar of its provider. Plans that do not offer the priority promise nothing; `None` where none promises.
    pub fn soonest<'a>(
        awaited: Awaited,
        plans: impl IntoIterator<Item = &'a Plan>,
        priority: Priority,
        arrival: Timestamp,
        calendar: &Calendar,
    ) -> Option<Self> {
        let promise = |plan: &Plan| {
            let objectives = plan.response(priority);
            let objective = match awaited {
                Awaited::FirstResponse => objectives.first,
                Awaited::NextResponse => objectives.next_or_first(),
            };
            let due_at = objective.due(arrival, calendar)?;
            Some(Self { plan: plan.id.clone(), objective, due_at })
        };
        let offering = plans.into_iter().filter(|plan| plan.priorities.contains(&priority));
        offering.filter_map(promise).min_by_key(|promise| promise.due_at)
    }

    /// The promise after a change of priority: the one computed from the change where it is earlier, never a later one.
    #[must_use]
    pub fn or_earlier(self, from_the_change: Option<Self>) -> Self {
        from_the_change.filter(|other| other.due_at < self.due_at).unwrap_or(self)
    }

    /// What is counted from the arrival until the promise, to explain it.
    pub fn counted(&self, arrival: Timestamp, calendar: &Calendar) -> Vec<OpenInterval> {
        if self.objective.is_around_the_clock() {
            vec![OpenInterval { from: arrival, until: self.due_at }]
        } else {
            calendar.open_intervals(arrival, self.due_at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Catalogue, ResponseObjectives};
    use crate::ids::CalendarId;
    use crate::testing::supported_catalogue;

    fn promise(
        catalogue: &Catalogue,
        plans: &[&str],
        awaited: Awaited,
        priority: Priority,
        arrival: &str,
    ) -> Option<ResponsePromise> {
        let calendar = catalogue.calendar(&CalendarId::new("paris").unwrap()).unwrap();
        let plans = catalogue.plans.iter().filter(|plan| plans.contains(&plan.id.as_str()));
        ResponsePromise::soonest(awaited, plans, priority, arrival.parse().unwrap(), calendar)
    }

    fn first(plans: &[&str], priority: Priority, arrival: &str) -> Option<Timestamp> {
        let promise = promise(&supported_catalogue(), plans, Awaited::FirstResponse, priority, arrival);
        promise.map(|promise| promise.due_at)
    }

    fn instant(text: &str) -> Option<Timestamp> {
        text.parse().ok()
    }

    const FRIDAY: &str = "2026-11-20T17:30:00+01";

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_one_business_day_by_default_and_a_day_around_the_clock_for_p0_and_p1() {
        assert_eq!(first(&["gold"], Priority::P2, FRIDAY), instant("2026-11-23T17:30:00+01"));
        assert_eq!(
            first(&["gold"], Priority::P4, "2026-11-21T12:00:00+01"),
            instant("2026-11-24T09:00:00+01")
        );
        assert_eq!(first(&["gold"], Priority::P1, FRIDAY), instant("2026-11-21T17:30:00+01"));
        assert_eq!(first(&["premier"], Priority::P0, FRIDAY), instant("2026-11-21T17:30:00+01"));
        assert_eq!(first(&["gold"], Priority::P0, FRIDAY), None, "gold does not offer it");
        assert_eq!(first(&[], Priority::P2, FRIDAY), None);
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_of_several_plans_the_soonest_promise_counts() {
        let mut catalogue = supported_catalogue();
        let objectives = ResponseObjectives {
            first: ResponseObjective::BusinessMinutes(60),
            next: Some(ResponseObjective::BusinessMinutes(120)),
        };
        let premier = catalogue.plans.iter_mut().find(|plan| plan.id.as_str() == "premier").unwrap();
        premier.responses.insert(Priority::P2, objectives);
        let due =
            |plans: &[&str], awaited| promise(&catalogue, plans, awaited, Priority::P2, FRIDAY).unwrap();
        let soonest = due(&["gold", "premier"], Awaited::FirstResponse);
        assert_eq!(
            (soonest.plan.as_str(), Some(soonest.due_at)),
            ("premier", instant("2026-11-23T09:30:00+01"))
        );
        let next = due(&["gold", "premier"], Awaited::NextResponse);
        assert_eq!(Some(next.due_at), instant("2026-11-23T10:30:00+01"));
        assert_eq!(due(&["gold"], Awaited::NextResponse).objective, ResponseObjective::BusinessDays(1));
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_change_of_priority_brings_the_deadline_forward_and_never_puts_it_off() {
        let catalogue = supported_catalogue();
        let gold = |priority, arrival| {
            promise(&catalogue, &["gold"], Awaited::FirstResponse, priority, arrival).unwrap()
        };
        let promised = gold(Priority::P3, FRIDAY);
        let raised = gold(Priority::P1, "2026-11-20T19:00:00+01");
        assert_eq!(promised.clone().or_earlier(Some(raised.clone())), raised);
        assert_eq!(raised.clone().or_earlier(Some(gold(Priority::P4, "2026-11-20T20:00:00+01"))), raised);
        assert_eq!(promised.clone().or_earlier(None), promised);
        let late = gold(Priority::P1, "2026-11-23T10:00:00+01");
        assert_eq!(promised.clone().or_earlier(Some(late)), promised, "the change comes too late to matter");
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_a_promise_explains_what_was_counted() {
        let catalogue = supported_catalogue();
        let calendar = catalogue.calendar(&CalendarId::new("paris").unwrap()).unwrap();
        let counted = |priority| {
            let promise = promise(&catalogue, &["gold"], Awaited::FirstResponse, priority, FRIDAY).unwrap();
            let counted = promise.counted(FRIDAY.parse().unwrap(), calendar);
            counted.iter().map(|open| (open.from.to_string(), open.until.to_string())).collect::<Vec<_>>()
        };
        let pair = |from: &str, until: &str| (from.to_owned(), until.to_owned());
        let expected = [
            pair("2026-11-20T16:30:00Z", "2026-11-20T17:00:00Z"),
            pair("2026-11-23T08:00:00Z", "2026-11-23T16:30:00Z"),
        ];
        assert_eq!(counted(Priority::P3), expected);
        assert_eq!(counted(Priority::P1), [pair("2026-11-20T16:30:00Z", "2026-11-21T16:30:00Z")]);
    }
}

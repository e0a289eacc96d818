//! How soon support answers (R-RESPONSE-1).

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Plan, Priority};
use crate::calendar::Calendar;

/// Longest objective, in minutes of either kind, and the same in days.
const MAX_MINUTES: u32 = 366 * 24 * 60;
const MAX_DAYS: u16 = 366;

/// How soon support answers: `{ business_days = 1 }`, `{ business_minutes = 240 }` or
/// `{ around_the_clock_minutes = 60 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseObjective {
    /// Business days of the support calendar ([`Calendar::one_business_day_after`]).
    BusinessDays(u16),
    /// Minutes of the support calendar's opening hours.
    BusinessMinutes(u32),
    /// Minutes, whether anybody is there or not.
    AroundTheClockMinutes(u32),
}

impl ResponseObjective {
    /// What holds where the plan says nothing: one business day; for P0 and P1 a day around the clock.
    pub fn default_for(priority: Priority) -> Self {
        match priority {
            Priority::P0 | Priority::P1 => Self::AroundTheClockMinutes(24 * 60),
            Priority::P2 | Priority::P3 | Priority::P4 => Self::BusinessDays(1),
        }
    }

    /// Whether the calendar does not matter to it.
    pub fn is_around_the_clock(self) -> bool {
        matches!(self, Self::AroundTheClockMinutes(_))
    }

    /// The instant by which support answers what came at an instant; `None` where the calendar is not open for so
    /// long ([`crate::calendar::SEARCH_DAYS`]).
    pub fn due(self, arrival: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
        match self {
            Self::BusinessDays(days) => calendar.business_days_after(arrival, days),
            Self::BusinessMinutes(minutes) => calendar.add_open_time(arrival, of_minutes(minutes)),
            Self::AroundTheClockMinutes(minutes) => arrival.checked_add(of_minutes(minutes)).ok(),
        }
    }

    /// In words to show: `within 4 hours of opening time`.
    pub fn in_words(self) -> String {
        match self {
            Self::BusinessDays(days) => format!("within {}", counted(days.into(), "business day")),
            Self::BusinessMinutes(minutes) => format!("within {} of opening time", in_hours(minutes)),
            Self::AroundTheClockMinutes(minutes) => format!("within {}, around the clock", in_hours(minutes)),
        }
    }

    /// Whether it promises something, and not beyond a year.
    fn is_within_bounds(self) -> bool {
        match self {
            Self::BusinessDays(days) => (1..=MAX_DAYS).contains(&days),
            Self::BusinessMinutes(minutes) | Self::AroundTheClockMinutes(minutes) => {
                (1..=MAX_MINUTES).contains(&minutes)
            }
        }
    }
}

fn of_minutes(minutes: u32) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}

fn counted(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn in_hours(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => counted(minutes, "minute"),
        (hours, 0) => counted(hours, "hour"),
        (hours, minutes) => format!("{} {}", counted(hours, "hour"), counted(minutes, "minute")),
    }
}

/// How soon support answers a case of one priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseObjectives {
    /// To the filing.
    pub first: ResponseObjective,
    /// To what the customer side says later; as the first where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<ResponseObjective>,
}

impl ResponseObjectives {
    /// How soon support answers what the customer side says later.
    pub fn next_or_first(self) -> ResponseObjective {
        self.next.unwrap_or(self.first)
    }
}

impl Plan {
    /// How soon support answers cases of a priority under this plan (R-RESPONSE-1).
    pub fn response(&self, priority: Priority) -> ResponseObjectives {
        let default = ResponseObjectives { first: ResponseObjective::default_for(priority), next: None };
        self.responses.get(&priority).copied().unwrap_or(default)
    }

    /// What is wrong with its objectives, to be said after the plan's name.
    pub(super) fn complaint_about_responses(&self) -> Option<String> {
        self.responses.iter().find_map(|(priority, objectives)| {
            let name = priority.as_str();
            let both = [objectives.first, objectives.next_or_first()];
            if !self.priorities.contains(priority) {
                Some(format!("has response objectives for {name}, which it does not offer; remove them"))
            } else if !both.into_iter().all(ResponseObjective::is_within_bounds) {
                Some(format!("has a response objective for {name} of nothing or of more than a year"))
            } else if *priority <= Priority::P1
                && !both.into_iter().all(ResponseObjective::is_around_the_clock)
            {
                Some(format!("answers {name} by business time; give it around_the_clock_minutes"))
            } else {
                None
            }
        })
    }
}

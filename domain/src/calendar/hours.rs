//! Weekly opening hours as they are written in the catalogue.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};

/// Minutes of a civil day.
pub(super) const MINUTES_OF_DAY: u16 = 24 * 60;

/// The days, Monday first, as the catalogue names them.
pub(super) const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "monday"),
    (Weekday::Tuesday, "tuesday"),
    (Weekday::Wednesday, "wednesday"),
    (Weekday::Thursday, "thursday"),
    (Weekday::Friday, "friday"),
    (Weekday::Saturday, "saturday"),
    (Weekday::Sunday, "sunday"),
];

/// One stretch of opening hours, `09:00-17:30`; `22:00-06:00` ends on the next day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OpeningHours {
    /// Minutes after midnight at which it opens, below 1440.
    start: u16,
    /// Minutes after midnight at which it closes, at most 1440; not above `start`: on the next day.
    end: u16,
}

/// Why a text is no opening hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "opening hours {0:?} are not readable; write them as \"09:00-17:30\" (\"00:00-24:00\" for a whole day, \"22:00-06:00\" past midnight)"
)]
pub struct InvalidHours(String);

impl OpeningHours {
    /// The parts within one civil day: days after the one it is written under, and minutes [from, until).
    pub(super) fn parts(self) -> impl Iterator<Item = (i64, u16, u16)> {
        let same_day = self.start < self.end;
        let first = (0, self.start, if same_day { self.end } else { MINUTES_OF_DAY });
        let rest = (!same_day && self.end > 0).then_some((1, 0, self.end));
        std::iter::once(first).chain(rest)
    }
}

impl FromStr for OpeningHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let minutes = |part: &str| {
            let (hours, minutes) = part.split_once(':')?;
            let digits = |text: &str| {
                (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
                    .then(|| text.parse::<u16>().ok())
                    .flatten()
            };
            let (hours, minutes) = (digits(hours)?, digits(minutes)?);
            let of_day = hours * 60 + minutes;
            (minutes < 60 && of_day <= MINUTES_OF_DAY).then_some(of_day)
        };
        text.split_once('-')
            .and_then(|(start, end)| Some((minutes(start)?, minutes(end)?)))
            .filter(|(start, end)| *start < MINUTES_OF_DAY && start != end)
            .map(|(start, end)| Self { start, end })
            .ok_or_else(|| InvalidHours(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for OpeningHours {
    type Error = InvalidHours;

    fn try_from(text: String) -> Result<Self, InvalidHours> {
        text.parse()
    }
}

impl From<OpeningHours> for String {
    fn from(hours: OpeningHours) -> Self {
        hours.to_string()
    }
}

impl fmt::Display for OpeningHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (self.start, self.end);
        write!(f, "{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
    }
}

/// The opening hours of a week; a day that is not named is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeeklyHours {
    /// Hours that begin on a Monday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monday: Vec<OpeningHours>,
    /// Hours that begin on a Tuesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tuesday: Vec<OpeningHours>,
    /// Hours that begin on a Wednesday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wednesday: Vec<OpeningHours>,
    /// Hours that begin on a Thursday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thursday: Vec<OpeningHours>,
    /// Hours that begin on a Friday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub friday: Vec<OpeningHours>,
    /// Hours that begin on a Saturday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saturday: Vec<OpeningHours>,
    /// Hours that begin on a Sunday.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sunday: Vec<OpeningHours>,
}

impl WeeklyHours {
    /// The hours that begin on a day.
    pub fn on(&self, day: Weekday) -> &[OpeningHours] {
        match day {
            Weekday::Monday => &self.monday,
            Weekday::Tuesday => &self.tuesday,
            Weekday::Wednesday => &self.wednesday,
            Weekday::Thursday => &self.thursday,
            Weekday::Friday => &self.friday,
            Weekday::Saturday => &self.saturday,
            Weekday::Sunday => &self.sunday,
        }
    }

    /// The open minutes of each civil day, Monday first, in order, split at midnight; the name of the day on which
    /// two of them overlap otherwise.
    pub(super) fn by_day(&self) -> Result<[Vec<(u16, u16)>; 7], &'static str> {
        let mut week: [Vec<(u16, u16)>; 7] = Default::default();
        for (day, _) in WEEKDAYS {
            for (days_later, from, until) in self.on(day).iter().flat_map(|hours| hours.parts()) {
                week[index(day.wrapping_add(days_later))].push((from, until));
            }
        }
        for (day, name) in WEEKDAYS {
            let minutes = &mut week[index(day)];
            minutes.sort_unstable();
            if minutes.windows(2).any(|pair| pair[1].0 < pair[0].1) {
                return Err(name);
            }
        }
        Ok(week)
    }
}

/// The place of a day in a week that begins on Monday.
pub(super) fn index(day: Weekday) -> usize {
    usize::from(day.to_monday_zero_offset().unsigned_abs())
}

//! Business calendars: when support is open, in the wall-clock time of a place, and the arithmetic of open time.
//!
//! What the hours mean where clocks are put forward or back: an opening or closing time is **the first instant at which
//! the local clock shows that time or a later one**. So
//! - hours that begin inside a skipped hour begin when the clock jumps, and hours that lie inside it do not happen;
//! - hours inside a repeated hour happen once, at its first pass; hours that span it last an hour longer.
//!
//! Open time is elapsed time: a calendar that never closes counts 23, 24 or 25 hours a day. A holiday closes its
//! calendar date from midnight to midnight. All intervals are half-open: at the instant of closing it is closed.
//!
//! The zones are those of the IANA data built into the program ([`time_zone`]), so that every node and every replay
//! counts alike. Nothing here is stored: the instant that was promised goes into its event.

mod hours;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use hours::{InvalidHours, OpeningHours, WeeklyHours};

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::CalendarId;
use hours::{MINUTES_OF_DAY, index};

/// How far a search for an opening, a closing or a deadline looks ahead, in days: ten years. What lies beyond is
/// answered with `None`, so that a calendar that is never open costs a bounded search.
pub const SEARCH_DAYS: usize = 3_660;

/// The zone of an IANA name, such as `Europe/Paris`, from the data built into the program.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
    BUNDLED.get(name).ok()
}

/// A calendar as it is written in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalendarEntry {
    /// Stable key.
    pub id: CalendarId,
    /// IANA time zone.
    pub time_zone: String,
    /// Opening hours by weekday.
    pub hours: WeeklyHours,
    /// Dates on which it is closed from midnight to midnight.
    #[serde(default)]
    pub holidays: BTreeSet<Date>,
}

/// Why an entry is no calendar, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCalendar {
    /// The zone is not known.
    #[error("calendar {id}: {time_zone:?} is no IANA time zone; wanted a name such as \"Europe/Paris\"")]
    TimeZone {
        /// The calendar.
        id: CalendarId,
        /// What was given.
        time_zone: String,
    },
    /// It is never open.
    #[error("calendar {id} has no opening hours; give a weekday some, such as monday = [\"09:00-17:30\"]")]
    NoHours {
        /// The calendar.
        id: CalendarId,
    },
    /// Two stretches overlap.
    #[error("calendar {id} has opening hours that overlap on {day}; join them or part them")]
    Overlap {
        /// The calendar.
        id: CalendarId,
        /// The weekday.
        day: &'static str,
    },
}

/// A business calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CalendarEntry", into = "CalendarEntry")]
pub struct Calendar {
    entry: CalendarEntry,
    zone: TimeZone,
    /// Open minutes of each civil day, Monday first, in order.
    week: [Vec<(u16, u16)>; 7],
}

impl TryFrom<CalendarEntry> for Calendar {
    type Error = InvalidCalendar;

    fn try_from(entry: CalendarEntry) -> Result<Self, InvalidCalendar> {
        let id = || entry.id.clone();
        let zone = time_zone(&entry.time_zone)
            .ok_or_else(|| InvalidCalendar::TimeZone { id: id(), time_zone: entry.time_zone.clone() })?;
        let week = entry.hours.by_day().map_err(|day| InvalidCalendar::Overlap { id: id(), day })?;
        if week.iter().all(Vec::is_empty) {
            return Err(InvalidCalendar::NoHours { id: id() });
        }
        Ok(Self { entry, zone, week })
    }
}

impl From<Calendar> for CalendarEntry {
    fn from(calendar: Calendar) -> Self {
        calendar.entry
    }
}

/// A stretch of open time, [from, until).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenInterval {
    /// The first instant at which it is open.
    pub from: Timestamp,
    /// The first instant at which it is not.
    pub until: Timestamp,
}

impl OpenInterval {
    /// How long it is.
    pub fn duration(&self) -> SignedDuration {
        self.until.duration_since(self.from)
    }
}

impl Calendar {
    /// Stable key.
    pub fn id(&self) -> &CalendarId {
        &self.entry.id
    }

    /// IANA name of the zone, as the catalogue has it.
    pub fn time_zone_name(&self) -> &str {
        &self.entry.time_zone
    }

    /// The zone, to show instants in.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Opening hours by weekday.
    pub fn hours(&self) -> &WeeklyHours {
        &self.entry.hours
    }

    /// Dates on which it is closed.
    pub fn holidays(&self) -> &BTreeSet<Date> {
        &self.entry.holidays
    }

    /// Whether it is open at an instant.
    pub fn is_open_at(&self, instant: Timestamp) -> bool {
        // Of the date shown, or of the next one where the clock was put back over midnight.
        self.parts_from(instant, 2).next().is_some_and(|open| open.from <= instant)
    }

    /// The first open instant, `instant` itself where it is open; `None` within [`SEARCH_DAYS`].
    pub fn next_opening(&self, instant: Timestamp) -> Option<Timestamp> {
        Some(self.parts_from(instant, SEARCH_DAYS).next()?.from.max(instant))
    }

    /// The instant at which it closes next, where it is open; `None` where it is closed, or does not close within
    /// [`SEARCH_DAYS`].
    pub fn closes_at(&self, instant: Timestamp) -> Option<Timestamp> {
        let mut parts = self.parts_from(instant, SEARCH_DAYS);
        let mut until = parts.next().filter(|open| open.from <= instant)?.until;
        for next in parts {
            if until < next.from {
                return Some(until);
            }
            until = next.until;
        }
        None
    }

    /// The first instant at which an amount of open time has passed since `from`: a deadline at closing time is not
    /// put off to the next opening. `None` where that is more than [`SEARCH_DAYS`] away. An amount of nothing, or
    /// less, has passed at once.
    pub fn add_open_time(&self, from: Timestamp, amount: SignedDuration) -> Option<Timestamp> {
        if amount <= SignedDuration::ZERO {
            return Some(from);
        }
        let mut left = amount;
        for open in self.parts_from(from, SEARCH_DAYS) {
            let start = open.from.max(from);
            let length = open.until.duration_since(start);
            if left <= length {
                return start.checked_add(left).ok();
            }
            left -= length;
        }
        None
    }

    /// How much open time lies in [from, until); nothing where `until` is not after `from`. Costs a step for each day
    /// between them.
    pub fn open_time_between(&self, from: Timestamp, until: Timestamp) -> SignedDuration {
        self.parts_between(from, until)
            .fold(SignedDuration::ZERO, |sum, open| sum.saturating_add(open.duration()))
    }

    /// The open stretches in [from, until), in order, to explain what was counted; those that touch are one.
    pub fn open_intervals(&self, from: Timestamp, until: Timestamp) -> Vec<OpenInterval> {
        let mut intervals: Vec<OpenInterval> = Vec::new();
        for open in self.parts_between(from, until) {
            match intervals.last_mut() {
                Some(last) if last.until == open.from => last.until = open.until,
                _ => intervals.push(open),
            }
        }
        intervals
    }

    /// One business day after an instant (R-RESPONSE-1): the same local time on the next business day, which is the
    /// next calendar date with any open time. Who comes while it is closed counts from the next opening.
    ///
    /// Where that day is not open at that time, the first open instant after it on that day counts; where there is
    /// none, that day's last closing. So it always lies on the next business day, whatever the days' hours, and whoever
    /// comes later never has the earlier deadline. `None` where no such day lies within [`SEARCH_DAYS`].
    pub fn one_business_day_after(&self, from: Timestamp) -> Option<Timestamp> {
        let start = self.next_opening(from)?;
        let local = self.latest_shown_at(start);
        let mut date = local.date();
        for _ in 0..SEARCH_DAYS {
            date = date.tomorrow().ok()?;
            let open: Vec<_> = self.parts_of(date).collect();
            let Some(last) = open.last() else { continue };
            let same_time = self.instant_of(DateTime::from_parts(date, local.time()));
            let first_after = open.iter().find(|part| same_time < part.until);
            return Some(first_after.map_or(last.until, |part| part.from.max(same_time)));
        }
        None
    }

    /// [`Self::one_business_day_after`] several times over; none is `from` itself.
    pub fn business_days_after(&self, from: Timestamp, days: u16) -> Option<Timestamp> {
        (0..days).try_fold(from, |instant, _| self.one_business_day_after(instant))
    }

    /// The open parts of [from, until), in order, split at midnight.
    fn parts_between(&self, from: Timestamp, until: Timestamp) -> impl Iterator<Item = OpenInterval> {
        self.parts_from(from, usize::MAX)
            .take_while(move |open| open.from < until)
            .map(move |open| OpenInterval { from: open.from.max(from), until: open.until.min(until) })
            .filter(|open| open.from < open.until)
    }

    /// The open parts that end after an instant, in order, split at midnight, of so many days.
    fn parts_from(&self, instant: Timestamp, days: usize) -> impl Iterator<Item = OpenInterval> {
        let first = self.zone.to_datetime(instant).date();
        let dates = std::iter::successors(Some(first), |date| date.tomorrow().ok());
        dates.take(days).flat_map(|date| self.parts_of(date)).skip_while(move |open| open.until <= instant)
    }

    /// The open parts of one date, in order.
    fn parts_of(&self, date: Date) -> impl Iterator<Item = OpenInterval> {
        let holiday = self.entry.holidays.contains(&date);
        let minutes = if holiday { &[][..] } else { &self.week[index(date.weekday())] };
        minutes
            .iter()
            .map(move |&(from, until)| OpenInterval {
                from: self.minute_of(date, from),
                until: self.minute_of(date, until),
            })
            .filter(|open| open.from < open.until)
    }

    /// The instant of a minute of a date, which may be the last one's end.
    fn minute_of(&self, date: Date, minute: u16) -> Timestamp {
        let (date, minute) = match date.tomorrow() {
            Ok(tomorrow) if minute == MINUTES_OF_DAY => (tomorrow, 0),
            // The last day that there is ends a minute early.
            Err(_) if minute == MINUTES_OF_DAY => (date, MINUTES_OF_DAY - 1),
            _ => (date, minute),
        };
        let (hour, minute) = ((minute / 60).to_le_bytes()[0], (minute % 60).to_le_bytes()[0]);
        self.instant_of(date.at(hour.cast_signed(), minute.cast_signed(), 0, 0))
    }

    /// The first instant at which the local clock shows a time or a later one; the ends of time for what lies beyond.
    fn instant_of(&self, local: DateTime) -> Timestamp {
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let offset = ambiguous.offset();
        // In a skipped hour the earlier reading lies before the jump, in a repeated one it is the first pass.
        let Ok(earlier) = ambiguous.earlier() else {
            return if local.year() < 0 { Timestamp::MIN } else { Timestamp::MAX };
        };
        match offset {
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => earlier,
            AmbiguousOffset::Gap { after, .. } => self.change_after(earlier, after),
        }
    }

    /// The latest local time that the clock has shown by an instant: in the second pass of a repeated hour its end,
    /// less a nanosecond.
    fn latest_shown_at(&self, instant: Timestamp) -> DateTime {
        let local = self.zone.to_datetime(instant);
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        match (ambiguous.offset(), ambiguous.earlier()) {
            (AmbiguousOffset::Fold { before, after }, Ok(first)) if first < instant => {
                let change = self.change_after(first, after);
                before.to_datetime(change.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(change))
            }
            _ => local,
        }
    }

    /// The first instant after this one from which an offset is in force; the instant itself where there is none.
    fn change_after(&self, instant: Timestamp, offset: Offset) -> Timestamp {
        let change = self.zone.following(instant).find(|change| change.offset() == offset);
        change.map_or(instant, |change| change.timestamp())
    }
}

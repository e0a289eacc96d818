//! Random calendars, zones and instants against a clock that is watched minute by minute.

use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

/// Zones whose clocks do every odd thing: half an hour and two hours of daylight saving, changes at midnight, a day
/// left out, offsets of three quarters.
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Antarctica/Troll",
];

/// How long the clock is watched, in minutes, and how long before that it starts to be.
const WATCHED_MINUTES: i64 = 4 * 24 * 60;
const LEAD_MINUTES: i64 = 12 * 60;

/// Whether each minute from an instant on is open, by watching the clock: while an hour is repeated, the time that it
/// has shown already counts.
fn watched(calendar: &Calendar, start: Timestamp) -> Vec<bool> {
    let mut latest = DateTime::MIN;
    (-LEAD_MINUTES..WATCHED_MINUTES)
        .map(|minute| {
            let shown = calendar.time_zone().to_datetime(start + SignedDuration::from_mins(minute));
            latest = latest.max(shown);
            is_within(calendar, latest)
        })
        .skip(usize::try_from(LEAD_MINUTES).unwrap())
        .collect()
}

/// Whether a local time is within the hours as they are written.
fn is_within(calendar: &Calendar, local: DateTime) -> bool {
    let time = format!("{:02}:{:02}", local.hour(), local.minute());
    let ends = |hours: &OpeningHours| {
        let text = hours.to_string();
        (text[..5].to_owned(), text[6..].to_owned())
    };
    let today = calendar.hours().on(local.weekday()).iter().map(ends);
    let before = calendar.hours().on(local.weekday().previous()).iter().map(ends);
    let begun_today = today.into_iter().any(|(from, until)| from <= time && (time < until || until < from));
    let begun_before = before.into_iter().any(|(from, until)| until < from && time < until);
    !calendar.holidays().contains(&local.date()) && (begun_today || begun_before)
}

/// Up to two stretches on a day, and perhaps one past midnight.
fn day() -> impl Strategy<Value = Vec<String>> {
    let minute = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let cuts = proptest::collection::btree_set(prop_oneof![0..=1440_u16, 0..=240_u16], 0..=4);
    (cuts, proptest::option::weighted(0.3, (1200..1440_u16, 0..=240_u16))).prop_map(move |(cuts, night)| {
        let cuts: Vec<_> = cuts.into_iter().collect();
        let by_day = cuts.chunks_exact(2).map(|pair| format!("{}-{}", minute(pair[0]), minute(pair[1])));
        by_day.chain(night.map(|(from, until)| format!("{}-{}", minute(from), minute(until)))).collect()
    })
}

/// A calendar and an instant, whole minutes, most often near a change of the clock.
fn scene() -> impl Strategy<Value = (Calendar, Timestamp)> {
    let zone = proptest::sample::select(&ZONES[..]).prop_map(|name| time_zone(name).unwrap());
    let week = prop_oneof![
        1 => Just(vec![vec!["00:00-24:00".to_owned()]; 7]),
        5 => proptest::collection::vec(day(), 7),
    ];
    let holidays = proptest::collection::btree_set(-1..5_i64, 0..=2);
    (zone, week, holidays, 1_262_304_000..1_900_000_000_i64, any::<bool>(), -5_000..500_i64).prop_filter_map(
        "opening hours that do not overlap",
        |(zone, week, holidays, second, near_change, minutes)| {
            let start = Timestamp::from_second(second / 60 * 60).unwrap();
            let change = zone.following(start).next().filter(|_| near_change);
            let start =
                change.map_or(start, |change| change.timestamp() + SignedDuration::from_mins(minutes));
            let first = zone.to_datetime(start).date();
            let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
            let hours: serde_json::Map<_, _> =
                names.into_iter().zip(week).map(|(day, hours)| (day.to_owned(), hours.into())).collect();
            let entry = CalendarEntry {
                id: CalendarId::new("random").unwrap(),
                time_zone: zone.iana_name()?.to_owned(),
                hours: serde_json::from_value(hours.into()).ok()?,
                holidays: holidays
                    .iter()
                    .filter_map(|days| first.checked_add(days_span(*days)).ok())
                    .collect(),
            };
            Some((Calendar::try_from(entry).ok()?, start))
        },
    )
}

fn days_span(days: i64) -> jiff::Span {
    jiff::Span::new().days(days)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_answer_agrees_with_a_clock_that_is_watched_minute_by_minute(
        (calendar, start) in scene(),
        (from_minute, length, second) in (0..3_000_i64, 0..2_700_i64, 0..60_i64),
        wanted in 1..1_000_i64,
    ) {
        let open = watched(&calendar, start);
        let minute = |minute: usize| start + SignedDuration::from_mins(i64::try_from(minute).unwrap());
        for (index, expected) in open.iter().enumerate().step_by(7) {
            prop_assert_eq!(calendar.is_open_at(minute(index)), *expected, "at {}", minute(index));
        }

        let first = usize::try_from(from_minute).unwrap();
        let from = minute(first) + SignedDuration::from_secs(second);
        let next = (first..open.len()).find(|index| open[*index]);
        let next = next.map(|index| minute(index).max(from));
        if let Some(next) = next {
            prop_assert_eq!(calendar.next_opening(from), Some(next));
        } else {
            prop_assert!(calendar.next_opening(from).is_none_or(|at| at >= minute(open.len())));
        }
        let closing = (first..open.len()).find(|index| !open[*index]).filter(|_| open[first]).map(minute);
        let closes = calendar.closes_at(from);
        if open[first] && closing.is_none() {
            prop_assert!(closes.is_none_or(|at| at >= minute(open.len())));
        } else {
            prop_assert_eq!(closes, closing);
        }

        let until = from + SignedDuration::from_mins(length) + SignedDuration::from_secs(59 - second);
        let seconds_open = |from: Timestamp, until: Timestamp| -> i64 {
            open.iter().enumerate().filter(|(_, open)| **open).map(|(index, _)| {
                let (begin, end) = (minute(index).max(from), minute(index + 1).min(until));
                end.duration_since(begin).as_secs().max(0)
            }).sum()
        };
        let counted = calendar.open_time_between(from, until);
        prop_assert_eq!(counted, SignedDuration::from_secs(seconds_open(from, until)));

        let intervals = calendar.open_intervals(from, until);
        prop_assert!(intervals.windows(2).all(|pair| pair[0].until < pair[1].from), "{:?}", intervals);
        let sum: i64 = intervals.iter().map(|open| open.duration().as_secs()).sum();
        prop_assert_eq!(counted, SignedDuration::from_secs(sum));
        prop_assert!(intervals.iter().all(|open| from <= open.from && open.from < open.until && open.until <= until));

        let amount = SignedDuration::from_secs(wanted * 37);
        let due = calendar.add_open_time(from, amount);
        let watched_until = minute(open.len());
        if seconds_open(from, watched_until) >= wanted * 37 {
            let due = due.expect("enough open time was watched");
            prop_assert_eq!(seconds_open(from, due), wanted * 37);
            let just_before = due - SignedDuration::from_secs(1);
            prop_assert_eq!(seconds_open(from, just_before), wanted * 37 - 1, "the first such instant");
        } else {
            prop_assert!(due.is_none_or(|due| due > watched_until));
        }
    }

    /// R-RESPONSE-1.
    #[test]
    fn r_response_1_one_business_day_ends_on_the_next_date_with_open_time_and_later_comers_are_not_earlier(
        (calendar, start) in scene(),
        (minutes, later) in (0..3_000_i64, 0..3_000_i64),
    ) {
        let from = start + SignedDuration::from_mins(minutes);
        let (Some(opening), Some(due)) = (calendar.next_opening(from), calendar.one_business_day_after(from)) else {
            return Ok(());
        };
        prop_assert!(due > opening, "{due} is not after {opening}");
        let just_before = due - SignedDuration::from_nanos(1);
        prop_assert!(calendar.is_open_at(due) || calendar.is_open_at(just_before), "{due} is outside all hours");
        // Midnight may belong to either date: it is the last closing of one.
        let zone = calendar.time_zone();
        let (first, last) = (zone.to_datetime(opening).date(), zone.to_datetime(due).date());
        let between = std::iter::successors(first.tomorrow().ok(), |date| date.tomorrow().ok());
        for date in between.take_while(|date| *date < last) {
            let closed = |hour| !calendar.is_open_at(zone.to_timestamp(date.at(hour, 30, 0, 0)).unwrap());
            let by_closing = calendar.parts_of(date).last().is_some_and(|open| open.until == due);
            prop_assert!(by_closing || (0..24).all(closed), "{date} has open time");
        }
        let after = from + SignedDuration::from_mins(later);
        prop_assert!(calendar.one_business_day_after(after).is_none_or(|other| other >= due));
    }
}

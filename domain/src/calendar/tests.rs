//! What calendars elsewhere are known to get wrong.

use super::*;

/// A calendar of Berlin, or of another place, with the same hours on the days named.
fn calendar(zone: &str, days: &[&str], hours: &[&str]) -> Calendar {
    entry(zone, days, hours).try_into().unwrap()
}

fn entry(zone: &str, days: &[&str], hours: &[&str]) -> CalendarEntry {
    let week: serde_json::Map<_, _> = days.iter().map(|day| ((*day).to_owned(), hours.into())).collect();
    CalendarEntry {
        id: CalendarId::new("desk").unwrap(),
        time_zone: zone.to_owned(),
        hours: serde_json::from_value(week.into()).unwrap(),
        holidays: BTreeSet::new(),
    }
}

const WORKDAYS: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];
const ALL_DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const BERLIN: &str = "Europe/Berlin";

fn office() -> Calendar {
    calendar(BERLIN, &WORKDAYS, &["09:00-18:00"])
}

fn on_holiday(date: &str) -> Calendar {
    let mut entry = entry(BERLIN, &WORKDAYS, &["09:00-18:00"]);
    entry.holidays.insert(date.parse().unwrap());
    entry.try_into().unwrap()
}

/// An instant by local time in Berlin, and its offset.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn a_calendar_open_around_the_clock_does_not_close_for_a_minute_at_midnight() {
    let always = calendar(BERLIN, &ALL_DAYS, &["00:00-24:00"]);
    let midnight = at("2026-11-21T00:00:00+01");
    for nanos in [-60_000_000_000, -1_000_000_000, -1, 0, 1, 60_000_000_000] {
        assert!(always.is_open_at(midnight + SignedDuration::from_nanos(nanos)), "{nanos}");
    }
    assert_eq!(always.closes_at(midnight), None);
    assert_eq!(always.next_opening(midnight), Some(midnight));
    let month = at("2026-12-20T12:34:56+01");
    assert_eq!(always.open_time_between(midnight, month), month.duration_since(midnight));
    assert_eq!(always.open_intervals(midnight, month), [OpenInterval { from: midnight, until: month }]);
    assert_eq!(always.add_open_time(midnight, hours(24 * 30)), Some(midnight + hours(24 * 30)));
}

#[test]
fn a_pause_that_spans_a_weekend_counts_no_weekend() {
    let (friday, monday) = (at("2026-11-20T17:00:00+01"), at("2026-11-23T10:00:00+01"));
    assert_eq!(office().open_time_between(friday, monday), hours(2));
    assert_eq!(office().open_time_between(monday, friday), SignedDuration::ZERO);
    let counted = office().open_intervals(friday, monday);
    let expected = [
        OpenInterval { from: friday, until: at("2026-11-20T18:00:00+01") },
        OpenInterval { from: at("2026-11-23T09:00:00+01"), until: monday },
    ];
    assert_eq!(counted, expected);
    assert_eq!(office().add_open_time(friday, hours(2)), Some(monday));
}

#[test]
fn a_deadline_at_closing_time_is_not_put_off_to_the_next_opening() {
    let morning = at("2026-11-20T09:00:00+01");
    assert_eq!(office().add_open_time(morning, hours(9)), Some(at("2026-11-20T18:00:00+01")));
    assert_eq!(office().add_open_time(morning, SignedDuration::ZERO), Some(morning));
    assert_eq!(office().add_open_time(morning, hours(-1)), Some(morning));
}

/// R-RESPONSE-1.
#[test]
fn r_response_1_friday_half_past_five_becomes_monday_half_past_five_and_saturday_counts_from_the_opening() {
    let due = |text| office().one_business_day_after(at(text)).unwrap();
    assert_eq!(due("2026-11-20T17:30:00+01"), at("2026-11-23T17:30:00+01"));
    assert_eq!(due("2026-11-21T11:00:00+01"), at("2026-11-24T09:00:00+01"));
    assert_eq!(due("2026-11-18T03:00:00+01"), at("2026-11-19T09:00:00+01"));
    assert_eq!(due("2026-11-18T18:00:00+01"), at("2026-11-20T09:00:00+01"), "at closing it is closed");
    let three = office().business_days_after(at("2026-11-20T17:30:00+01"), 3);
    assert_eq!(three, Some(at("2026-11-25T17:30:00+01")));
}

/// R-RESPONSE-1.
#[test]
fn r_response_1_a_deadline_outside_the_hours_of_its_day_moves_within_that_day() {
    let lunch = calendar(BERLIN, &WORKDAYS, &["09:00-12:00", "13:30-18:00"]);
    let mut entry = entry(BERLIN, &WORKDAYS, &["09:00-18:00"]);
    entry.hours.friday = vec!["10:00-15:00".parse().unwrap()];
    let short_friday: Calendar = entry.clone().try_into().unwrap();
    let thursday = at("2026-11-19T17:30:00+01");
    assert_eq!(short_friday.one_business_day_after(thursday), Some(at("2026-11-20T15:00:00+01")));
    let early = at("2026-11-19T09:10:00+01");
    assert_eq!(short_friday.one_business_day_after(early), Some(at("2026-11-20T10:00:00+01")));
    entry.hours.friday = lunch.hours().friday.clone();
    let long_lunch: Calendar = entry.try_into().unwrap();
    for noon in ["2026-11-19T12:00:00+01", "2026-11-19T12:30:00+01"] {
        let due = long_lunch.one_business_day_after(at(noon));
        assert_eq!(due, Some(at("2026-11-20T13:30:00+01")), "{noon}");
    }
}

/// R-RESPONSE-1.
#[test]
fn r_response_1_a_business_day_over_a_change_of_the_clock_keeps_the_local_time() {
    let always = calendar(BERLIN, &ALL_DAYS, &["00:00-24:00"]);
    let due = |text| always.one_business_day_after(at(text)).unwrap();
    assert_eq!(due("2026-03-28T12:00:00+01"), at("2026-03-29T12:00:00+02"), "23 hours");
    assert_eq!(due("2026-10-24T12:00:00+02"), at("2026-10-25T12:00:00+01"), "25 hours");
    assert_eq!(due("2026-03-28T02:30:00+01"), at("2026-03-29T03:00:00+02"), "that time is skipped");
    assert_eq!(due("2026-10-24T02:30:00+02"), at("2026-10-25T02:30:00+02"), "the first of both");
}

/// R-RESPONSE-1.
#[test]
fn r_response_1_who_comes_in_the_second_pass_of_an_hour_is_not_due_before_who_came_in_the_first() {
    let always = calendar(BERLIN, &ALL_DAYS, &["00:00-24:00"]);
    let due = |text| always.one_business_day_after(at(text)).unwrap();
    assert_eq!(due("2026-10-25T02:50:00+02"), at("2026-10-26T02:50:00+01"));
    assert_eq!(due("2026-10-25T02:10:00+01"), at("2026-10-26T02:59:59.999999999+01"));
}

#[test]
fn a_clock_that_is_put_back_over_midnight_does_not_close_the_day_that_has_begun() {
    // At 00:01 on Sunday the clock of Saint John's was put back to 23:01 on Saturday.
    let sundays = calendar("America/St_Johns", &["sunday"], &["00:00-24:00"]);
    let (midnight, again) = (at("2010-11-07T00:00:00-02:30"), at("2010-11-06T23:30:00-03:30"));
    assert_eq!(sundays.next_opening(at("2010-11-06T12:00:00-02:30")), Some(midnight));
    assert!(sundays.is_open_at(again) && again > midnight);
    assert_eq!(sundays.closes_at(midnight), Some(at("2010-11-08T00:00:00-03:30")));
}

#[test]
fn a_holiday_on_the_deadline_puts_it_off_by_a_business_day() {
    let friday = at("2026-11-20T17:30:00+01");
    let calendar = on_holiday("2026-11-23");
    assert_eq!(calendar.one_business_day_after(friday), Some(at("2026-11-24T17:30:00+01")));
    assert_eq!(calendar.add_open_time(friday, hours(1)), Some(at("2026-11-24T09:30:00+01")));
    assert!(!calendar.is_open_at(at("2026-11-23T10:00:00+01")));
    assert_eq!(calendar.next_opening(at("2026-11-21T10:00:00+01")), Some(at("2026-11-24T09:00:00+01")));
}

#[test]
fn a_holiday_closes_its_date_and_neither_the_night_before_nor_the_one_after() {
    let mut entry = entry(BERLIN, &ALL_DAYS, &["22:00-06:00"]);
    entry.holidays.insert("2026-11-24".parse().unwrap());
    let night: Calendar = entry.try_into().unwrap();
    let (from, until) = (at("2026-11-23T12:00:00+01"), at("2026-11-25T12:00:00+01"));
    let expected = [
        OpenInterval { from: at("2026-11-23T22:00:00+01"), until: at("2026-11-24T00:00:00+01") },
        OpenInterval { from: at("2026-11-25T00:00:00+01"), until: at("2026-11-25T06:00:00+01") },
    ];
    assert_eq!(night.open_intervals(from, until), expected);
}

#[test]
fn a_calendar_without_monday_goes_from_sunday_to_tuesday() {
    let calendar = calendar(BERLIN, &ALL_DAYS[1..], &["09:00-18:00"]);
    let sunday = at("2026-11-22T17:30:00+01");
    assert_eq!(calendar.next_opening(at("2026-11-22T18:00:00+01")), Some(at("2026-11-24T09:00:00+01")));
    assert_eq!(calendar.one_business_day_after(sunday), Some(at("2026-11-24T17:30:00+01")));
    assert_eq!(calendar.add_open_time(sunday, hours(1)), Some(at("2026-11-24T09:30:00+01")));
}

#[test]
fn where_the_clock_jumps_at_the_opening_hour_it_opens_with_the_jump() {
    let jump = at("2026-03-29T03:00:00+02");
    for opening in ["02:00-05:00", "02:30-05:00", "03:00-05:00"] {
        let calendar = calendar(BERLIN, &ALL_DAYS, &[opening]);
        assert_eq!(calendar.next_opening(at("2026-03-28T12:00:00+01")), Some(jump), "{opening}");
        assert_eq!(calendar.closes_at(jump), Some(at("2026-03-29T05:00:00+02")), "{opening}");
    }
}

#[test]
fn hours_inside_the_skipped_hour_do_not_happen_that_day() {
    let calendar = calendar(BERLIN, &ALL_DAYS, &["02:00-02:45"]);
    let saturday = at("2026-03-28T12:00:00+01");
    assert_eq!(calendar.next_opening(saturday), Some(at("2026-03-30T02:00:00+02")));
    assert_eq!(
        calendar.open_time_between(saturday, at("2026-03-31T00:00:00+02")),
        SignedDuration::from_mins(45)
    );
    assert_eq!(
        calendar.one_business_day_after(at("2026-03-28T02:10:00+01")),
        Some(at("2026-03-30T02:10:00+02"))
    );
}

#[test]
fn hours_inside_the_repeated_hour_happen_once() {
    let (from, until) = (at("2026-10-25T00:00:00+02"), at("2026-10-25T12:00:00+01"));
    let inside = calendar(BERLIN, &ALL_DAYS, &["02:15-02:45"]);
    let first = OpenInterval { from: at("2026-10-25T02:15:00+02"), until: at("2026-10-25T02:45:00+02") };
    assert_eq!(inside.open_intervals(from, until), [first]);
    let into = calendar(BERLIN, &ALL_DAYS, &["01:30-02:30"]);
    assert_eq!(into.open_time_between(from, until), hours(1));
    assert!(!into.is_open_at(at("2026-10-25T02:10:00+01")), "the second pass");
    let across = calendar(BERLIN, &ALL_DAYS, &["01:00-04:00"]);
    assert_eq!(across.open_time_between(from, until), hours(4), "it is open for so long");
}

#[test]
fn a_calendar_that_stays_closed_for_longer_than_the_search_has_no_opening() {
    let mut entry = entry(BERLIN, &["monday"], &["09:00-09:01"]);
    let first: Date = "2026-01-01".parse().unwrap();
    entry.holidays =
        std::iter::successors(Some(first), |date| date.tomorrow().ok()).take(SEARCH_DAYS + 10).collect();
    let closed: Calendar = entry.clone().try_into().unwrap();
    let now = at("2026-01-02T00:00:00Z");
    assert_eq!(closed.next_opening(now), None);
    assert_eq!(closed.one_business_day_after(now), None);
    assert_eq!(closed.add_open_time(now, hours(1)), None);
    assert_eq!(closed.closes_at(now), None);
    entry.holidays.clear();
    let minute_a_week: Calendar = entry.try_into().unwrap();
    assert_eq!(minute_a_week.add_open_time(now, hours(1_000)), None, "in more than a thousand years");
}

#[test]
fn at_the_ends_of_time_nothing_panics() {
    for zone in [BERLIN, "Pacific/Kiritimati", "Pacific/Niue", "UTC"] {
        for calendar in
            [calendar(zone, &ALL_DAYS, &["00:00-24:00"]), calendar(zone, &WORKDAYS, &["22:00-06:00"])]
        {
            for instant in [Timestamp::MIN, Timestamp::MAX] {
                let _ = calendar.is_open_at(instant);
                let _ = calendar.next_opening(instant);
                let _ = calendar.closes_at(instant);
                let _ = calendar.one_business_day_after(instant);
                let _ = calendar.add_open_time(instant, SignedDuration::MAX);
            }
            let first_year = Timestamp::MIN + hours(24 * 365);
            assert!(calendar.open_time_between(Timestamp::MIN, first_year) > SignedDuration::ZERO);
        }
    }
}

#[test]
fn a_calendar_that_cannot_be_meant_is_refused_in_one_sentence() {
    let refused = |entry: CalendarEntry| Calendar::try_from(entry).unwrap_err().to_string();
    assert!(refused(entry("Europe/Berln", &WORKDAYS, &["09:00-18:00"])).contains("no IANA time zone"));
    assert!(refused(entry(BERLIN, &[], &[])).contains("no opening hours"));
    assert!(refused(entry(BERLIN, &WORKDAYS, &["09:00-12:01", "12:00-18:00"])).contains("overlap on monday"));
    let mut past_midnight = entry(BERLIN, &["tuesday"], &["05:00-09:00"]);
    past_midnight.hours.monday = vec!["22:00-06:00".parse().unwrap()];
    assert!(refused(past_midnight).contains("overlap on tuesday"));
    assert!(Calendar::try_from(entry(BERLIN, &WORKDAYS, &["09:00-12:00", "12:00-18:00"])).is_ok());
}

#[test]
fn opening_hours_are_read_in_one_form_only_and_written_alike() {
    for good in ["09:00-17:30", "00:00-24:00", "22:00-06:00", "22:00-00:00", "22:00-24:00"] {
        assert_eq!(good.parse::<OpeningHours>().unwrap().to_string(), good);
    }
    for bad in
        ["", "9-17", "09:00", "09:00-09:00", "24:00-06:00", "09:60-10:00", "09:00-24:01", "+9:00-10:00"]
    {
        assert!(bad.parse::<OpeningHours>().is_err(), "{bad}");
    }
}

#[test]
fn a_calendar_comes_back_from_what_it_is_written_as() {
    let calendar = on_holiday("2026-12-25");
    let json = serde_json::to_string(&calendar).unwrap();
    assert!(json.contains(r#""monday":["09:00-18:00"]"#) && json.contains(r#""2026-12-25""#), "{json}");
    assert_eq!(serde_json::from_str::<Calendar>(&json).unwrap(), calendar);
}

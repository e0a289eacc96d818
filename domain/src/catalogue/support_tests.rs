//! What a catalogue says of support, and each mistake in its own words.

use serde_json::{Value, json};

use super::*;
use crate::testing::{catalogue, supported_catalogue, supported_catalogue_json};

/// What is said of the catalogue with something put in one place of it.
fn complaint(pointer: &str, value: Value) -> String {
    let mut json = supported_catalogue_json();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    let valid = |catalogue: Catalogue| catalogue.validate().map_err(|error| error.to_string());
    serde_json::from_value(json).map_err(|error| error.to_string()).and_then(valid).unwrap_err()
}

#[test]
fn each_mistake_about_support_is_told_in_one_sentence_of_its_own() {
    let hours = json!({"hours": {"monday": ["09:00-10:00"]}, "id": "x", "time_zone": "Europe/Berln"});
    let same = supported_catalogue_json()["providers"][0].clone();
    let mistakes = [
        ("/regions/FR", json!(["FR"]), "region FR is named like a country"),
        ("/regions/EMEA", json!(["France"]), "region EMEA holds \"France\""),
        ("/calendars/0", hours, "calendar x: \"Europe/Berln\" is no IANA time zone"),
        ("/calendars/0/hours", json!({}), "calendar paris has no opening hours"),
        ("/calendars/0/hours/monday", json!(["9-18"]), "opening hours \"9-18\" are not readable"),
        ("/calendars/0/hours/monday", json!(["09:00-12:00", "11:00-13:00"]), "overlap on monday"),
        ("/calendars/0/hours/munday", json!(["09:00-12:00"]), "unknown field `munday`"),
        ("/calendars/0/id", json!("always"), "calendar always stands twice"),
        ("/providers/1", same, "provider north stands twice"),
        ("/providers/1/languages", json!([]), "provider south has no languages"),
        ("/providers/1/regions", json!([]), "provider south has no regions"),
        ("/providers/1/channels", json!([]), "provider south has no channels"),
        ("/providers/1/products", json!([]), "provider south has no products"),
        ("/providers/1/languages", json!(["tlh"]), "provider south speaks \"tlh\""),
        ("/providers/1/regions", json!(["MARS"]), "provider south names region \"MARS\""),
        ("/providers/1/calendar", json!("mars"), "provider south names calendar mars"),
        ("/providers/1/products", json!(["toaster"]), "provider south names product toaster"),
        ("/providers/1/channels", json!(["pigeon"]), "unknown variant `pigeon`"),
        ("/providers/1/phones", json!([]), "provider south needs phones for its channel phone"),
        ("/providers/1/channels", json!(["web"]), "and none without it"),
        ("/providers/1/phones/0/number", json!("0800 1"), "has the phone number \"0800 1\""),
        ("/providers/1/phones/0/language", json!("fr"), "has a phone in \"fr\""),
        ("/providers/1/phones/0/region", json!("MARS"), "has a phone for \"MARS\""),
        ("/providers/0/default_queue", json!(false), "no provider has default_queue = true"),
        ("/providers/1/default_queue", json!(true), "providers north and south both have default_queue"),
        ("/providers/0/vetted", json!(false), "provider north is the default queue, but not vetted"),
        ("/providers/0/products", json!(["compute"]), "but not competent for storage"),
        ("/plans/0/channels", json!(["phone"]), "plan silver lists the channel phone without the capability"),
        ("/documents/1/id", json!("compute-runbook"), "document compute-runbook stands twice"),
        ("/documents/1/product", json!("toaster"), "document compute-tool names product toaster"),
        ("/documents/1/url", json!("docs.example/x"), "document compute-tool has the url \"docs.example/x\""),
        ("/contacts/0/email", json!("nobody"), "contact \"Privacy\" has the email \"nobody\""),
        ("/contacts/0/email", json!(null), "contact \"Privacy\" has neither email nor url"),
        ("/contacts/0/url", json!("https:// x"), "contact \"Privacy\" has the url"),
        ("/links/community", json!("javascript:1"), "links.community has the url"),
        ("/links/forum", json!("https://forum.example"), "unknown field `forum`"),
    ];
    for (pointer, value, expected) in mistakes {
        let complaint = complaint(pointer, value);
        assert!(complaint.contains(expected), "{pointer}: {complaint}");
        assert!(!complaint.contains('\n'));
    }
}

#[test]
fn each_mistake_about_response_objectives_is_told_in_one_sentence_of_its_own() {
    let mistakes = [
        (json!({"P0": {"first": {"around_the_clock_minutes": 5}}}), "P0, which it does not offer"),
        (json!({"P1": {"first": {"business_days": 1}}}), "plan silver answers P1 by business time"),
        (
            json!({"P1": {"first": {"around_the_clock_minutes": 5}, "next": {"business_days": 1}}}),
            "answers P1 by business time",
        ),
        (json!({"P2": {"first": {"business_minutes": 0}}}), "P2 of nothing or of more than a year"),
        (json!({"P2": {"first": {"business_days": 367}}}), "of more than a year"),
        (json!({"P2": {"first": {"fortnights": 1}}}), "unknown variant `fortnights`"),
        (json!({"P2": {"next": {"business_days": 1}}}), "missing field `first`"),
    ];
    for (responses, expected) in mistakes {
        let complaint = complaint("/plans/0/responses", responses);
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn a_catalogue_that_says_nothing_of_support_stays_valid_and_means_the_defaults() {
    let catalogue = catalogue();
    let mut json = serde_json::to_value(&catalogue).unwrap();
    for key in ["regions", "calendars", "providers", "documents", "contacts", "links"] {
        json.as_object_mut().unwrap().remove(key).unwrap();
    }
    assert_eq!(serde_json::from_value::<Catalogue>(json).unwrap(), catalogue);
    assert_eq!(catalogue.default_queue(), None);
    let silver = &catalogue.plans[0];
    let objectives = |priority| silver.response(priority);
    let day = ResponseObjective::BusinessDays(1);
    let around_the_clock = ResponseObjective::AroundTheClockMinutes(1_440);
    for (priority, expected) in
        Priority::ALL.into_iter().zip([around_the_clock, around_the_clock, day, day, day])
    {
        assert_eq!((objectives(priority).first, objectives(priority).next_or_first()), (expected, expected));
    }
}

/// R-PLAN-3.
#[test]
fn r_plan_3_phone_comes_with_the_capability_and_web_and_mail_with_every_plan_that_lists_nothing_else() {
    let offered = |index: usize| catalogue().plans[index].offered_channels().into_iter().collect::<Vec<_>>();
    assert_eq!(offered(0), [Channel::Web, Channel::Email]);
    assert_eq!(offered(1), [Channel::Web, Channel::Email, Channel::Phone]);
    let mut chat_only = catalogue().plans[0].clone();
    chat_only.channels = BTreeSet::from([Channel::Chat]);
    assert_eq!(chat_only.offered_channels(), BTreeSet::from([Channel::Chat]));
}

#[test]
fn a_country_is_covered_by_itself_and_by_the_regions_that_list_it() {
    let catalogue = supported_catalogue();
    assert!(catalogue.covers("EMEA", "FR") && catalogue.covers("FR", "FR"));
    assert!(
        !catalogue.covers("AMER", "FR") && !catalogue.covers("FR", "DE") && !catalogue.covers("MARS", "FR")
    );
}

#[test]
fn objectives_read_like_a_promise() {
    for (objective, words) in [
        (ResponseObjective::BusinessDays(1), "within 1 business day"),
        (ResponseObjective::BusinessDays(2), "within 2 business days"),
        (ResponseObjective::BusinessMinutes(240), "within 4 hours of opening time"),
        (ResponseObjective::BusinessMinutes(90), "within 1 hour 30 minutes of opening time"),
        (ResponseObjective::AroundTheClockMinutes(15), "within 15 minutes, around the clock"),
    ] {
        assert_eq!(objective.in_words(), words);
    }
}

//! What the tolerant reader takes, and what it refuses by name.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const PRIORITY: &EnumTable = &[("PRIORITY_UNSPECIFIED", 0), ("P0", 1), ("P1", 2), ("P2", 3)];

fn message(value: &Value) -> Message {
    Message::parse(value.to_string().as_bytes()).unwrap()
}

fn refusal(body: &[u8]) -> ApiError {
    let error = Message::parse(body).expect_err(&String::from_utf8_lossy(body));
    assert_eq!(error.code().http_status(), 400);
    error
}

fn read_everything(message: &Message) {
    let _ = message.string("a");
    let _ = message.bool("a");
    let _ = message.int32("a");
    let _ = message.int64("a");
    let _ = message.double("a");
    let _ = message.timestamp("a");
    let _ = message.string_list("a");
    let _ = message.message_list("a");
    let _ = message.enumeration("a", PRIORITY);
    if let Ok(Some(inner)) = message.message("a") {
        read_everything(&inner);
    }
}

#[test]
fn an_empty_body_is_an_empty_message() {
    for body in [&b""[..], b" \r\n", b"{}"] {
        assert_eq!(Message::parse(body).unwrap(), Message::default());
    }
}

#[test]
fn a_body_that_cannot_be_read_is_refused_with_line_and_column() {
    for (body, said) in [
        (&b"{\n  \"a\": }"[..], "line 2 column 8"),
        (b"[]", "a list (line 1, column 1)"),
        (b"null", "is null"),
        (b"\"x\"", "a string"),
        (b"{\"a\":1} x", "line 1 column 9"),
        (b"{\n\"a\":\"\xff\"}", "line 2, column 6"),
        (br#"{"a":"\ud800"}"#, "line 1 column"),
        (br#"{"a":"\udc00x"}"#, "line 1 column"),
        (br#"{"a":1e999}"#, "line 1 column"),
    ] {
        let error = refusal(body);
        assert_eq!(error.reason(), "INVALID_BODY");
        assert!(error.message().contains(said), "{error}");
    }
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(refusal(deep.as_bytes()).message().contains("recursion limit"));
    let fine = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(Message::parse(fine.as_bytes()).is_ok());
}

#[test]
fn of_a_field_given_twice_the_last_counts() {
    let twice = Message::parse(br#"{"a":"1","a":"2"}"#).unwrap();
    assert_eq!(twice.string("a").unwrap().as_deref(), Some("2"));
}

#[test]
fn both_spellings_are_read_and_null_means_unset() {
    assert_eq!(message(&json!({"display_name": "x"})).string("displayName").unwrap().as_deref(), Some("x"));
    assert_eq!(message(&json!({"displayName": "x"})).string("displayName").unwrap().as_deref(), Some("x"));
    assert_eq!(message(&json!({"displayName": null})).string("displayName").unwrap(), None);
    let half = message(&json!({"displayName": null, "display_name": "x"}));
    assert_eq!(half.string("displayName").unwrap().as_deref(), Some("x"));
    assert!(!message(&json!({"a": null})).has("a"));
}

#[test]
fn a_wrong_type_is_refused_by_the_whole_path() {
    let outer = message(&json!({"escalation": {"reason": {}, "list": ["x", 1], "items": [{"n": "x"}]}}));
    let inner = outer.message("escalation").unwrap().unwrap();
    assert_eq!(inner.string("reason").unwrap_err().violations()[0].field, "escalation.reason");
    assert_eq!(inner.string_list("list").unwrap_err().violations()[0].field, "escalation.list[1]");
    let items = inner.message_list("items").unwrap().unwrap();
    assert_eq!(items[0].int32("n").unwrap_err().violations()[0].field, "escalation.items[0].n");
    assert!(message(&json!({"a": "true"})).bool("a").is_err());
    assert!(message(&json!({"a": 1})).string("a").is_err());
    assert!(message(&json!({"a": "x"})).string_list("a").is_err());
    assert!(message(&json!({"a": [null]})).string_list("a").is_err());
    assert!(message(&json!({"a": []})).message("a").is_err());
}

#[test]
fn integers_come_as_number_or_text_and_stay_exact() {
    for (value, wanted) in [
        (json!(5), Some(5)),
        (json!("5"), Some(5)),
        (json!(5.0), Some(5)),
        (json!("-9223372036854775808"), Some(i64::MIN)),
        (json!(i64::MAX), Some(i64::MAX)),
        (json!(u64::MAX), None),
        (json!(5.5), None),
        (json!("5.5"), None),
        (json!(""), None),
        (json!(true), None),
    ] {
        assert_eq!(message(&json!({"a": value})).int64("a").ok().flatten(), wanted, "{value}");
    }
    assert_eq!(message(&json!({"a": 2_147_483_647})).int32("a").unwrap(), Some(i32::MAX));
    assert!(message(&json!({"a": 2_147_483_648_i64})).int32("a").is_err());
}

#[test]
fn numbers_must_be_finite() {
    assert_eq!(message(&json!({"a": 12.5})).double("a").unwrap(), Some(12.5));
    assert_eq!(message(&json!({"a": "12.5"})).double("a").unwrap(), Some(12.5));
    for bad in ["NaN", "Infinity", "-Infinity", "1e999", "x"] {
        assert!(message(&json!({"a": bad})).double("a").is_err(), "{bad}");
    }
}

#[test]
fn timestamps_need_a_zone_and_go_out_in_utc_with_microseconds() {
    let read = |text: &str| message(&json!({"a": text})).timestamp("a").ok().flatten().map(format_timestamp);
    assert_eq!(read("2020-01-01T00:00:00-05:00").as_deref(), Some("2020-01-01T05:00:00.000000Z"));
    assert_eq!(read("2020-01-01T00:00:00.123456789Z").as_deref(), Some("2020-01-01T00:00:00.123456Z"));
    assert_eq!(read("2020-01-01t00:00:00z").as_deref(), Some("2020-01-01T00:00:00.000000Z"));
    for bad in [
        "2020-01-01T00:00:00",
        "2020-01-01 00:00:00Z",
        "2020-01-01",
        "20200101T000000Z",
        "2020-01-01T00:00:00.Z",
        "2020-01-01T00:00:00.1234567890Z",
        "2020-01-01T00:00:00+24:00",
        "2020-01-01T00:00:00+0500",
        "2020-13-01T00:00:00Z",
        "2020-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z[UTC]",
        "",
        "é",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
    assert!(message(&json!({"a": 1_577_836_800})).timestamp("a").is_err());
}

#[test]
fn an_enum_is_read_by_name_or_number_and_the_refusal_lists_the_names() {
    let read = |value: Value| message(&json!({"priority": value})).enumeration("priority", PRIORITY);
    assert_eq!(read(json!("P2")).unwrap(), Some(3));
    assert_eq!(read(json!(3)).unwrap(), Some(3));
    assert_eq!(read(json!(null)).unwrap(), None);
    for bad in [json!("p2"), json!(9), json!("3"), json!(true), json!(2.5), json!({})] {
        let error = read(bad).unwrap_err();
        assert!(error.message().contains("PRIORITY_UNSPECIFIED, P0, P1, P2"), "{error}");
        assert_eq!(error.violations()[0].field, "priority");
    }
    assert_eq!(parse_enum_text("q", "3", PRIORITY).unwrap(), 3);
    assert_eq!(parse_enum_text("q", "P2", PRIORITY).unwrap(), 3);
    assert!(parse_enum_text("q", "9", PRIORITY).is_err());
}

#[test]
fn enums_go_out_by_name_unless_numbers_were_asked_for() {
    assert_eq!(EnumEncoding::from_alt(None), EnumEncoding::Name);
    assert_eq!(EnumEncoding::from_alt(Some("json")), EnumEncoding::Name);
    assert_eq!(EnumEncoding::from_alt(Some("json;enum-encoding=int")), EnumEncoding::Integer);
    assert_eq!(EnumEncoding::Name.encode(3, PRIORITY), json!("P2"));
    assert_eq!(EnumEncoding::Integer.encode(3, PRIORITY), json!(3));
    assert_eq!(EnumEncoding::Name.encode(9, PRIORITY), json!(9));
}

#[test]
fn a_nul_character_is_refused_wherever_it_stands() {
    for body in [&br#"{"a":"x\u0000"}"#[..], br#"{"o":{"l":["\u0000"]}}"#, br#"{"x\u0000":1}"#] {
        assert_eq!(refusal(body).reason(), "INVALID_TEXT");
    }
    assert_eq!(refusal(br#"{"o":{"l":["\u0000"]}}"#).violations()[0].field, "o.l");
}

#[test]
fn line_breaks_and_any_unicode_come_through_unchanged() {
    let text = "a\r\nb\u{1}\u{10ffff}\u{feff}é😀";
    assert_eq!(message(&json!({"a": text})).string("a").unwrap().as_deref(), Some(text));
}

#[test]
fn an_instant_before_year_1_in_utc_is_refused_wherever_its_clock_stands() {
    assert_eq!(parse_timestamp("0001-01-01T00:00:00+23:59"), None);
    assert_eq!(
        parse_timestamp("0001-01-01T00:00:00Z").map(format_timestamp).as_deref(),
        Some("0001-01-01T00:00:00.000000Z")
    );
    assert!(parse_timestamp("0001-01-01T00:00:00-23:59").is_some());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(read) = Message::parse(&body) {
            read_everything(&read);
        }
    }

    #[test]
    fn no_text_value_makes_a_getter_panic(text in "\\PC{0,40}", shape in 0..4) {
        let value = match shape {
            0 => json!(text),
            1 => json!([text]),
            2 => json!({"a": text}),
            _ => json!([{"a": text}]),
        };
        read_everything(&message(&json!({"a": value})));
    }

    #[test]
    fn a_timestamp_that_goes_out_can_come_in(second in -62_135_596_800_i64..253_402_207_200, nano in 0..999_999_999_i32) {
        let instant = Timestamp::new(second, nano).unwrap();
        let out = format_timestamp(instant);
        prop_assert_eq!(parse_timestamp(&out).map(format_timestamp), Some(out));
    }

    #[test]
    fn no_text_makes_the_timestamp_reader_panic(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}.[0-9]{2}:[0-9]{2}:[0-9]{2}\\PC{0,12}") {
        let _ = parse_timestamp(&text);
    }
}

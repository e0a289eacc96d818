//! Any bytes are a message or are refused with 400, and so is every field of it, whatever it is read as.
#![no_main]

use dossier_api::proto_json::{
    EnumEncoding, EnumTable, Message, format_timestamp, parse_enum_text, parse_timestamp, snake_case,
};
use dossier_api::status::{ApiError, Code};
use libfuzzer_sys::fuzz_target;

const TABLE: &EnumTable = &[("NONE", 0), ("ONE", 1), ("BELOW", -1), ("MOST", i32::MAX)];
const NAMES: [&str; 4] = ["a", "displayName", "priority", "attachment"];

fuzz_target!(|body: &[u8]| {
    if let Some(message) = refused_as_argument(Message::parse(body)) {
        read(&message, 0);
    }
    if let Ok(text) = std::str::from_utf8(body) {
        EnumEncoding::from_alt(Some(text));
        refused_as_argument(parse_enum_text("field", text, TABLE));
        snake_case(text);
        if let Some(instant) = parse_timestamp(text) {
            let again = parse_timestamp(&format_timestamp(instant)).expect("what is sent out is understood");
            assert_eq!(again.as_microsecond(), instant.as_microsecond());
        }
    }
});

fn read(message: &Message, depth: usize) {
    for name in NAMES {
        let text = refused_as_argument(message.string(name)).flatten();
        assert!(!text.is_some_and(|text| text.contains('\0')), "U+0000 is refused");
        refused_as_argument(message.bool(name));
        refused_as_argument(message.int32(name));
        refused_as_argument(message.int64(name));
        let number = refused_as_argument(message.double(name)).flatten();
        assert!(number.is_none_or(f64::is_finite));
        if let Some(instant) = refused_as_argument(message.timestamp(name)).flatten() {
            assert!(parse_timestamp(&format_timestamp(instant)).is_some(), "{instant} is understood");
        }
        refused_as_argument(message.string_list(name));
        refused_as_argument(message.enumeration(name, TABLE));
        if depth < 8 {
            let inner = refused_as_argument(message.message(name)).flatten();
            let list = refused_as_argument(message.message_list(name)).flatten();
            for message in inner.iter().chain(list.iter().flatten()) {
                read(message, depth + 1);
            }
        }
    }
}

fn refused_as_argument<T>(outcome: Result<T, ApiError>) -> Option<T> {
    outcome.inspect_err(|error| assert_eq!(error.code(), Code::InvalidArgument)).ok()
}

//! Stored bytes are an event or are refused, and an event says the same after another trip through the log: the first
//! line of the input is `Type version`, the rest the payload.
#![no_main]

use std::fmt::Debug;

use dossier_domain::DomainEvent;
use dossier_domain::access::AccessEvent;
use dossier_domain::account::AccountEvent;
use dossier_domain::account_recovery::AccountRecoveryEvent;
use dossier_domain::case::CaseEvent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(line) = std::str::from_utf8(&input[..end]) else { return };
    let (event_type, version) = line.split_once(' ').unwrap_or((line, ""));
    let version = version.parse().unwrap_or(1);
    round_trip::<CaseEvent>(event_type, version, &input[end + 1..]);
    round_trip::<AccessEvent>(event_type, version, &input[end + 1..]);
    round_trip::<AccountEvent>(event_type, version, &input[end + 1..]);
    round_trip::<AccountRecoveryEvent>(event_type, version, &input[end + 1..]);
});

fn round_trip<E: DomainEvent + PartialEq + Debug>(event_type: &str, version: u16, payload: &[u8]) {
    let mut event = match E::decode(event_type, version, payload) {
        Ok(event) => event,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert_eq!(event.event_type(), event_type);
    let encoded = event.encode();
    let again = E::decode(event_type, event.version(), &encoded).expect("what was written is readable");
    assert_eq!(again, event);
    assert_eq!(again.encode(), encoded, "the same event is the same bytes");
    event.for_each_personal(&mut |slot| slot.set_erased());
    let erased = E::decode(event_type, event.version(), &event.encode()).expect("so is an erased one");
    assert_eq!(erased, event);
}

//! The server's idempotency table, after its own tests (`appending_to_implicitly_created_stream.cs`, `when_writing_a_second_event…`).

use super::*;

const STREAM: &str = "stream";

fn event(id: u64) -> Proposed {
    Proposed { id: Uuid::from_u64_pair(0, id), ..system_event(0) }
}

fn events(ids: &[u64]) -> Vec<Proposed> {
    ids.iter().map(|id| event(*id)).collect()
}

/// What an append is taken for.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    New,
    Known,
    Wrong,
    Corrupted,
}

fn append(log: &Log, expected: Expected, ids: &[u64]) -> Taken {
    match log.append(STREAM, expected, &events(ids)) {
        Decision::Written { .. } => Taken::New,
        Decision::Idempotent { .. } => Taken::Known,
        Decision::WrongExpectedVersion { .. } => Taken::Wrong,
        Decision::CorruptedIdempotency => Taken::Corrupted,
    }
}

/// Appends that build the stream, the append in question, and what the server takes it for.
type Row = (&'static str, &'static [(Expected, &'static [u64])], (Expected, &'static [u64]), Taken);

const NONE: Expected = Expected::NoStream;
const ANY: Expected = Expected::Any;

const fn at(revision: u64) -> Expected {
    Expected::Revision(revision)
}

const SIX: &[(Expected, &[u64])] =
    &[(NONE, &[0]), (at(0), &[1]), (at(1), &[2]), (at(2), &[3]), (at(3), &[4]), (at(4), &[5])];
const PAIR: &[(Expected, &[u64])] = &[(NONE, &[0, 1])];

const TABLE: &[Row] = &[
    ("0em1_1e0_2e1_3e2_4e3_5e4_0em1", SIX, (NONE, &[0]), Taken::Known),
    ("0em1_1e0_2e1_3e2_4e3_4e4_0any", SIX, (ANY, &[0]), Taken::Known),
    ("0em1_1e0_2e1_3e2_4e3_5e4_0e5", SIX, (at(5), &[0]), Taken::New),
    ("0em1_1e0_2e1_3e2_4e3_5e4_0e6", SIX, (at(6), &[0]), Taken::Wrong),
    ("0em1_1e0_2e1_3e2_4e3_5e4_0e4", SIX, (at(4), &[0]), Taken::Wrong),
    ("0em1_0e0", &[(NONE, &[0])], (at(0), &[0]), Taken::New),
    ("0em1_0any", &[(NONE, &[0])], (ANY, &[0]), Taken::Known),
    ("0em1_0em1", &[(NONE, &[0])], (NONE, &[0]), Taken::Known),
    ("0em1_1e0_2e1_1any", SIX.split_at(3).0, (ANY, &[1]), Taken::Known),
    ("S_0em1_1em1_E_S_0em1_E", PAIR, (NONE, &[0]), Taken::Known),
    ("S_0em1_1em1_E_S_0any_E", PAIR, (ANY, &[0]), Taken::Known),
    ("S_0em1_1em1_E_S_1e0_E", PAIR, (at(0), &[1]), Taken::Known),
    ("S_0em1_1em1_E_S_1any_E", PAIR, (ANY, &[1]), Taken::Known),
    ("S_0em1_1em1_E_S_0em1_1em1_2em1_E", PAIR, (NONE, &[0, 1, 2]), Taken::Corrupted),
    ("S_0em1_1em1_E_S_0any_1any_2any_E", PAIR, (ANY, &[0, 1, 2]), Taken::Corrupted),
    ("S_0em1_1em1_E_S_2em1_E", PAIR, (NONE, &[2]), Taken::Wrong),
    ("2_of_no_stream_at_0", &[], (at(0), &[2]), Taken::Wrong),
    ("2_of_no_stream_that_must_exist", &[], (Expected::StreamExists, &[2]), Taken::Wrong),
    ("1_of_a_stream_that_exists", PAIR, (Expected::StreamExists, &[1]), Taken::Known),
];

#[test]
fn an_event_written_before_is_recognised_as_the_server_does() {
    for (name, before, (expected, ids), taken) in TABLE {
        let log = Log::default();
        for (expected, ids) in *before {
            assert_eq!(append(&log, *expected, ids), Taken::New, "{name}");
        }
        let length = log.stream(STREAM).len();
        assert_eq!(append(&log, *expected, ids), *taken, "{name}");
        let written = if *taken == Taken::New { ids.len() } else { 0 };
        assert_eq!(log.stream(STREAM).len(), length + written, "{name}");
    }
}

#[test]
fn without_a_revision_an_event_is_written_again_after_many_others() {
    let log = Log::default();
    assert_eq!(append(&log, NONE, &[0]), Taken::New);
    for id in 0..RECENT_EVENTS as u64 {
        log.append("other", Expected::Any, &[event(1000 + id)]);
    }
    assert_eq!(append(&log, NONE, &[0]), Taken::Known, "the original revision says where to look");
    assert_eq!(append(&log, ANY, &[0]), Taken::New);
}

#[test]
fn a_repetition_is_answered_with_the_place_of_the_first_time() {
    let log = Log::default();
    let Decision::Written { last_revision, position } = log.append(STREAM, NONE, &events(&[0, 1])) else {
        panic!("a new stream")
    };
    log.append("other", NONE, &events(&[7]));
    let again = log.append(STREAM, NONE, &events(&[0, 1]));
    assert_eq!(again, Decision::Idempotent { last_revision, position });
}

#[test]
fn the_same_id_in_another_stream_is_another_event() {
    let log = Log::default();
    assert_eq!(append(&log, NONE, &[0]), Taken::New);
    assert!(matches!(log.append("other", ANY, &events(&[0])), Decision::Written { .. }));
}

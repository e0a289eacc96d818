//! The feed on a log in memory: pages that miss nothing, and a stream that goes on.

use dossier_eventlog::{
    Append, Audience, EventId, Expected, MemoryStore, Metadata, NewEvent, Revision, StreamName,
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::query::Query;

/// A log with a case of acme, to be written to.
pub(super) struct Log {
    pub(super) store: std::sync::Arc<MemoryStore>,
    revision: Option<Revision>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { store: std::sync::Arc::new(MemoryStore::new(Uuid::from_u128(1))), revision: None }
    }

    /// Appends an event and answers its position.
    pub(super) async fn append(&mut self, event_type: &'static str, audience: Audience) -> Position {
        let next = self.revision.map_or(Revision(0), Revision::next);
        let metadata = Metadata {
            command_id: Uuid::from_u128(1),
            fingerprint: "f".into(),
            actor: "somebody".to_owned(),
            acting_for: None,
            organization: Some("acme".to_owned()),
            audience,
            occurred_at: None,
            correlation_id: "c".to_owned(),
            causation_id: None,
            access_revision: None,
        };
        let event = NewEvent {
            event_id: EventId(Uuid::from_u128(u128::from(next.0))),
            event_type: event_type.into(),
            version: 1,
            recorded_at: Timestamp::UNIX_EPOCH,
            payload: "{}".into(),
            metadata: metadata.encode(),
        };
        let append = Append {
            stream: StreamName::new("case-1").unwrap(),
            expected: self.revision.map_or(Expected::NoStream, Expected::Exact),
            events: vec![event],
            guards: Vec::new(),
        };
        self.revision = Some(next);
        self.store.append(append).await.unwrap().last_position
    }

    /// So many events that leave.
    pub(super) async fn events(&mut self, count: usize) {
        for _ in 0..count {
            self.append("EscalationResolved", Audience::Customer).await;
        }
    }
}

pub(super) fn filter(query: &str) -> EventFilter {
    EventFilter::of(&Query::parse(Some(query)).unwrap()).unwrap()
}

async fn read(log: &Log, query: &str, after: u64, limit: usize) -> AnalyticsEventList {
    page(&*log.store, &filter(query), Position(after), limit).await.unwrap()
}

fn positions(list: &AnalyticsEventList) -> Vec<String> {
    list.events.iter().map(|event| event["position"].as_str().unwrap().to_owned()).collect()
}

/// R-ANALYTICS-1: pages of any size tell every event once, in order.
#[tokio::test]
async fn r_analytics_1_pages_of_any_size_tell_every_event_once_whatever_lies_between() {
    let mut log = Log::new();
    for number in 0..2 * BATCH_EVENTS + 7 {
        let audience = if number % 3 == 0 { Audience::Support } else { Audience::Customer };
        log.append("EscalationResolved", audience).await;
    }
    let whole = read(&log, "", 0, 1_000).await;
    assert!(whole.up_to_date && whole.events.len() > BATCH_EVENTS);
    for limit in [1, 2, 7, BATCH_EVENTS, 90] {
        let (mut told, mut after) = (Vec::new(), 0);
        loop {
            let list = read(&log, "", after, limit).await;
            assert!(list.events.len() <= limit);
            told.extend(positions(&list));
            after = list.next_position.parse().unwrap();
            if list.up_to_date {
                break;
            }
        }
        assert_eq!(told, positions(&whole), "pages of {limit}");
    }
}

#[tokio::test]
async fn a_page_that_finds_nothing_says_how_far_it_has_looked() {
    let mut log = Log::new();
    log.events(3).await;
    let last = log.append("EscalationResolved", Audience::Internal).await;
    for query in ["organization=globex", "category=access", "type=CaseClosed"] {
        let list = read(&log, query, 0, 10).await;
        let told = (list.events.len(), list.next_position, list.up_to_date);
        assert_eq!(told, (0, last.to_string(), true), "{query}");
    }
    assert_eq!(
        read(&log, "organization=acme&category=case&type=EscalationResolved", 0, 10).await.events.len(),
        3
    );
}

#[tokio::test]
async fn one_page_looks_at_so_many_events_and_no_more() {
    let mut log = Log::new();
    log.events(MOST_SCANNED + BATCH_EVENTS).await;
    let list = read(&log, "organization=globex", 0, 10).await;
    assert!(!list.up_to_date);
    let next: usize = list.next_position.parse().unwrap();
    assert!((MOST_SCANNED..MOST_SCANNED + BATCH_EVENTS).contains(&next), "{next}");
}

#[tokio::test]
async fn an_event_that_is_not_readable_is_told_and_never_skipped() {
    let mut log = Log::new();
    log.events(2).await;
    let unknown = log.append("CaseMelted", Audience::Customer).await;
    log.events(1).await;
    let list = read(&log, "", 0, 10).await;
    assert_eq!((list.events.len(), list.up_to_date), (2, false));
    let after = Position(list.next_position.parse().unwrap());
    let refused = page(&*log.store, &filter(""), after, 10).await.unwrap_err();
    assert_eq!(refused.reason(), "LOG_NOT_READABLE");
    assert_eq!(refused.body()["error"]["details"][0]["metadata"], json!({"position": unknown.to_string()}));
}

#[test]
fn a_filter_that_could_never_pass_anything_is_refused_by_name() {
    for (query, field) in [
        ("organization=Acme%20Corp", "organization"),
        ("category=export", "category"),
        ("category=cases", "category"),
        ("type=casefiled", "type"),
        ("type=HistoryExported", "type"),
    ] {
        let refused = EventFilter::of(&Query::parse(Some(query)).unwrap()).unwrap_err();
        assert_eq!((refused.reason(), refused.violations()[0].field.as_str()), ("INVALID_QUERY", field));
    }
}

#[test]
fn a_stream_is_asked_for_by_its_media_type() {
    let asked = |text: &'static str| {
        accepts_event_stream(&HeaderMap::from_iter([(ACCEPT, axum::http::HeaderValue::from_static(text))]))
    };
    assert!(asked("text/event-stream") && asked("application/json, Text/Event-Stream;q=0.9"));
    assert!(!asked("application/json") && !asked("*/*") && !asked("text/event-streams"));
}

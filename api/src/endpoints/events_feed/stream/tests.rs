//! What a reader of the stream gets, message by message.

use std::sync::Mutex;

use dossier_eventlog::Audience;
use futures::StreamExt;

use super::super::tests::{Log, filter};
use super::*;

const KEPT_ALIVE: &str = ": keep-alive\n\n";

type Messages = futures::stream::BoxStream<'static, Result<Bytes, Infallible>>;

struct Reader {
    messages: Messages,
    draining: CancellationToken,
    now: Arc<Mutex<Timestamp>>,
}

impl Reader {
    /// Connects, and reads the greeting.
    async fn connect(log: &Log, after: u64) -> Self {
        let now = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let (draining, clock) = (CancellationToken::new(), now.clone());
        let limits = Limits {
            draining: draining.clone(),
            expires_at: Timestamp::MAX,
            clock: Arc::new(move || *clock.lock().unwrap()),
            recording: None,
        };
        let keep_alive = Duration::from_millis(20);
        let feed = Feed::on(log.store.clone(), filter(""), Position(after), keep_alive, limits);
        let mut reader = Self { messages: Box::pin(feed.into_stream()), draining, now };
        assert_eq!(reader.next().await.as_deref(), Some(": connected\n\n"));
        reader
    }

    /// The next message that is more than a sign of life.
    async fn next_told(&mut self) -> Option<String> {
        loop {
            let next = self.next().await;
            if next.as_deref() != Some(KEPT_ALIVE) {
                return next;
            }
        }
    }

    async fn next(&mut self) -> Option<String> {
        let Ok(chunk) = self.messages.next().await?;
        Some(String::from_utf8(chunk.to_vec()).unwrap())
    }
}

/// The ids of the messages in a chunk.
fn ids(chunk: Option<String>) -> Vec<u64> {
    let chunk = chunk.expect("a message");
    chunk.lines().filter_map(|line| line.strip_prefix("id: ")).map(|id| id.parse().unwrap()).collect()
}

/// R-ANALYTICS-1.
#[tokio::test]
async fn r_analytics_1_what_happens_later_comes_by_itself_and_a_quiet_stream_stays_open() {
    let mut log = Log::new();
    log.events(2).await;
    let mut reader = Reader::connect(&log, 1).await;
    assert_eq!(ids(reader.next_told().await), [2]);
    for _ in 0..3 {
        assert_eq!(reader.next().await.as_deref(), Some(KEPT_ALIVE));
    }
    log.append("EscalationResolved", Audience::Support).await;
    log.events(1).await;
    let message = reader.next_told().await;
    assert!(message.as_deref().is_some_and(|text| text.ends_with("\n\n") && text.contains("\ndata: {")));
    assert_eq!(ids(message), [4]);
}

#[tokio::test]
async fn a_reader_of_nothing_but_events_of_others_is_kept_alive_too() {
    let mut log = Log::new();
    let mut reader = Reader::connect(&log, 0).await;
    for _ in 0..3 {
        for _ in 0..20 {
            log.append("EscalationResolved", Audience::Support).await;
        }
        assert_eq!(reader.next().await.as_deref(), Some(KEPT_ALIVE));
    }
}

#[tokio::test]
async fn a_slow_reader_costs_one_batch_and_misses_nothing() {
    let mut log = Log::new();
    log.events(3 * BATCH_EVENTS).await;
    let mut reader = Reader::connect(&log, 0).await;
    let mut told = Vec::new();
    while told.len() < 3 * BATCH_EVENTS {
        let chunk = ids(reader.next_told().await);
        assert!(chunk.len() <= BATCH_EVENTS);
        told.extend(chunk);
    }
    assert!(told.iter().copied().eq(1..=3 * BATCH_EVENTS as u64));
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops_and_when_the_token_does() {
    let mut log = Log::new();
    log.events(1).await;
    let mut reader = Reader::connect(&log, 1).await;
    reader.draining.cancel();
    assert_eq!(reader.next_told().await, None);
    let mut reader = Reader::connect(&log, 0).await;
    *reader.now.lock().unwrap() = Timestamp::MAX;
    assert_eq!(
        reader.next_told().await,
        None,
        "what came since is not told to whoever is no longer signed in"
    );
}

#[tokio::test]
async fn an_event_that_is_not_readable_ends_the_stream_with_a_word_and_after_what_stands_before_it() {
    let mut log = Log::new();
    log.events(2).await;
    log.append("CaseMelted", Audience::Customer).await;
    log.events(1).await;
    let mut reader = Reader::connect(&log, 0).await;
    let chunk = reader.next_told().await.unwrap();
    assert!(chunk.contains("event: error\ndata: {") && chunk.contains("LOG_NOT_READABLE"), "{chunk}");
    assert_eq!(ids(Some(chunk)), [1, 2]);
    assert_eq!(reader.next_told().await, None);
}

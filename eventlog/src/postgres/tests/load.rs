//! A steady load on several nodes, and what its log must look like afterwards.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::contract::sample::{after_events, append, event, stream};
use crate::envelope::{EventId, RecordedEvent, Revision, StreamName};
use crate::postgres::PostgresStore;
use crate::store::{AppendError, EventStore};

/// Appenders, each with a stream of its own, that go on until told to stop.
pub(super) struct Load {
    stop: CancellationToken,
    acknowledged: Arc<AtomicU64>,
    appenders: Vec<JoinHandle<Vec<EventId>>>,
}

impl Load {
    /// Starts appenders, spread over the nodes; each ends after so many events, if it is said.
    pub(super) fn start(nodes: &[Arc<PostgresStore>], appenders: u64, each: Option<u64>) -> Self {
        let stop = CancellationToken::new();
        let acknowledged = Arc::<AtomicU64>::default();
        let appenders = (0..appenders)
            .map(|appender| {
                let node = usize::try_from(appender).unwrap() % nodes.len();
                let (node, stop) = (Arc::clone(&nodes[node]), stop.clone());
                tokio::spawn(extend(node, appender, each, stop, Arc::clone(&acknowledged)))
            })
            .collect();
        Self { stop, acknowledged, appenders }
    }

    /// Waits until so many more events are acknowledged.
    pub(super) async fn goes_on_for(&self, events: u64) {
        let wanted = self.acknowledged.load(Ordering::SeqCst) + events;
        while self.acknowledged.load(Ordering::SeqCst) < wanted {
            assert!(!self.appenders.iter().any(JoinHandle::is_finished), "an appender ended");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Stops, and answers the ids of all events that were acknowledged.
    pub(super) async fn stop(self) -> Vec<EventId> {
        self.stop.cancel();
        self.finish().await
    }

    /// Waits for the end, and answers the ids of all events that were acknowledged.
    pub(super) async fn finish(self) -> Vec<EventId> {
        let mut acknowledged = vec![];
        for appender in self.appenders {
            acknowledged.extend(appender.await.expect("an appender does not panic"));
        }
        acknowledged
    }
}

/// Appends to one stream, each event until it is acknowledged. After 'not stored' the same append must be
/// acceptable; after 'unknown' it may be there.
async fn extend(
    node: Arc<PostgresStore>,
    appender: u64,
    each: Option<u64>,
    stop: CancellationToken,
    count: Arc<AtomicU64>,
) -> Vec<EventId> {
    let own = stream("case", appender);
    let mut acknowledged = vec![];
    let mut may_be_there = false;
    while !stop.is_cancelled() && each.is_none_or(|each| (acknowledged.len() as u64) < each) {
        let n = acknowledged.len() as u64;
        let command = 1 + appender * 1_000_000 + n;
        match node.append(append(&own, after_events(n), command, 1)).await {
            Ok(appended) => assert_eq!(appended.last_revision, Revision(n)),
            // Nothing is away where events are counted.
            Err(AppendError::Unavailable(_)) if each.is_none() => continue,
            Err(AppendError::OutcomeUnknown(_)) => {
                may_be_there = true;
                continue;
            }
            Err(AppendError::Conflict { actual }) if may_be_there => {
                assert_eq!(actual, Some(Revision(n)));
            }
            Err(AppendError::Duplicate { event_id }) if may_be_there => {
                assert_eq!(event_id, event(command, 0).event_id);
            }
            Err(error) => panic!("stored although it was said not to be: {error:?}"),
        }
        may_be_there = false;
        acknowledged.push(event(command, 0).event_id);
        count.fetch_add(1, Ordering::SeqCst);
    }
    if may_be_there {
        // It was never acknowledged, and may be there once: whoever asks must be told so.
        let head = loop {
            if let Ok(head) = node.stream_head(&own).await {
                break head;
            }
        };
        if head == Some(Revision(acknowledged.len() as u64)) {
            let command = 1 + appender * 1_000_000 + acknowledged.len() as u64;
            acknowledged.push(event(command, 0).event_id);
        }
    }
    acknowledged
}

/// Every acknowledged event once and nothing else, positions that rise by one, revisions without a gap.
pub(super) fn assert_log_is_whole(log: &[RecordedEvent], acknowledged: &[EventId]) {
    let ids = log.iter().map(|event| event.event_id).collect::<HashSet<_>>();
    assert_eq!(ids.len(), log.len(), "an event is there twice");
    assert_eq!(ids, acknowledged.iter().copied().collect::<HashSet<_>>());
    assert_eq!(log.len(), acknowledged.len());
    let mut next = HashMap::<&StreamName, u64>::new();
    for (position, event) in (1..).zip(log) {
        assert_eq!(event.position.0, position);
        let expected = next.entry(&event.stream).or_default();
        assert_eq!(event.revision, Revision(*expected), "{}", event.stream);
        *expected += 1;
    }
}

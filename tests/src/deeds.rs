//! What somebody did, apart from what the system does by itself.

use dossier_eventlog::{EventStore, Position, Sealer};
use dossier_processes::notifications::webhooks::follower;
use dossier_processes::reactor::system_actor;
use dossier_processes::{known_issue_cases, known_issue_solutions, merge_completion, timers, volume_watch};
use tokio::sync::Mutex;

/// Who acts by themselves: when their time comes, or on what somebody did long before.
const BY_THEMSELVES: [&str; 6] = [
    follower::NAME,
    known_issue_cases::NAME,
    known_issue_solutions::NAME,
    merge_completion::NAME,
    timers::NAME,
    volume_watch::NAME,
];
const BATCH_EVENTS: usize = 1_000;

/// Counts the events that somebody caused.
pub(crate) struct Deeds {
    /// So many up to this position.
    counted: Mutex<(Position, usize)>,
}

impl Deeds {
    /// Of a whole log.
    pub(crate) fn new() -> Self {
        Self { counted: Mutex::new((Position::START, 0)) }
    }

    /// How many there are by now.
    pub(crate) async fn count(&self, store: &dyn EventStore, sealer: &Sealer) -> usize {
        let by_themselves = BY_THEMSELVES.map(|name| system_actor(sealer, name, []).account.to_string());
        let mut counted = self.counted.lock().await;
        loop {
            let (position, deeds) = *counted;
            let events = store.read_all(position, BATCH_EVENTS).await.expect("a log that can be read");
            let Some(last) = events.last() else { return deeds };
            let somebodys = events.iter().filter(|event| {
                let metadata = event.metadata().expect("metadata that can be read");
                !by_themselves.contains(&metadata.actor)
            });
            *counted = (last.position, deeds + somebodys.count());
        }
    }
}

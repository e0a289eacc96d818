//! The one reader of the log for all streams, and how a stream joins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dossier_eventlog::{EventStore, Position, Subscription};
use dossier_projections::ReadModels;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::change::Change;

/// Events read from the log at once.
const BATCH_EVENTS: usize = 256;
/// Batches that a slow stream may be behind; then it looks for itself what it has missed.
const BATCHES_KEPT: usize = 256;
/// How long the read model is waited for before one looks whether to stop.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long after a log that does not answer one asks again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Tells the streams of this process what changes.
pub struct Hub {
    store: Arc<dyn EventStore>,
    read_models: Arc<ReadModels>,
    listening: Mutex<Listening>,
    joined: Notify,
    changes: broadcast::Sender<Arc<[Change]>>,
    /// Whether the log is followed.
    following: watch::Sender<bool>,
}

struct Listening {
    streams: usize,
    /// Everything up to here was told, or was there before anybody listened.
    told: Position,
}

/// A stream's place at the hub; it leaves when this is dropped.
pub struct Listener {
    hub: Arc<Hub>,
    /// Everything after [`Listener::since`], in the order of the log.
    pub changes: broadcast::Receiver<Arc<[Change]>>,
    /// From here on changes are told.
    pub since: Position,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.hub.listening().streams -= 1;
    }
}

impl Hub {
    /// A hub on a log and its read models; nothing is told before [`Hub::run`].
    pub fn new(store: Arc<dyn EventStore>, read_models: Arc<ReadModels>) -> Arc<Self> {
        let (changes, _) = broadcast::channel(BATCHES_KEPT);
        Arc::new(Self {
            store,
            read_models,
            listening: Mutex::new(Listening { streams: 0, told: Position::START }),
            joined: Notify::new(),
            changes,
            following: watch::Sender::new(false),
        })
    }

    /// How many streams listen.
    pub fn streams(&self) -> usize {
        self.listening().streams
    }

    /// Joins: what is told from now on is heard. `None` where the log cannot be followed within a time.
    pub async fn join(self: &Arc<Self>, patience: Duration) -> Option<Listener> {
        let mut following = self.following.subscribe();
        // Counted before it waits: whoever follows does not stop meanwhile.
        let changes = {
            let mut listening = self.listening();
            listening.streams += 1;
            self.changes.subscribe()
        };
        let mut listener = Listener { hub: self.clone(), changes, since: Position::START };
        self.joined.notify_one();
        let begun = following.wait_for(|following| *following);
        tokio::time::timeout(patience, begun).await.ok()?.ok()?;
        // Told and heard move together: none is told between the two.
        let listening = self.listening();
        listener.since = listening.told;
        listener.changes = self.changes.subscribe();
        drop(listening);
        Some(listener)
    }

    /// Follows the log while somebody listens, until stopped.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(self.somebody()).await.is_some() {
            match self.store.head().await {
                Ok(head) => {
                    self.listening().told = head;
                    self.following.send_replace(true);
                    if stop.run_until_cancelled(self.follow(head)).await.is_none() {
                        return;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "streams are not told what changes");
                    let _ = stop.run_until_cancelled(tokio::time::sleep(RETRY_AFTER)).await;
                }
            }
        }
    }

    /// Waits until somebody listens.
    async fn somebody(&self) {
        while self.streams() == 0 {
            self.joined.notified().await;
        }
    }

    /// Tells what happens after a position until nobody listens.
    async fn follow(&self, head: Position) {
        let mut subscription = Subscription::new(self.store.clone(), head);
        loop {
            let batch = tokio::time::timeout(LONGEST_WAIT, subscription.next_batch(BATCH_EVENTS)).await;
            match batch {
                Ok(Ok(batch)) => {
                    let changes: Vec<Change> = batch.iter().filter_map(Change::of).collect();
                    let last = subscription.position();
                    if !changes.is_empty() {
                        self.until_shown(last).await;
                    }
                    self.tell(changes, last);
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "streams are told later what changes");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                // Nothing happened.
                Err(_) => {}
            }
            let listening = self.listening();
            if listening.streams == 0 {
                self.following.send_replace(false);
                return;
            }
        }
    }

    /// Waits until the read model shows a position. A model that has halted shows nothing new: then nothing is told.
    async fn until_shown(&self, position: Position) {
        while self.read_models.wait_for_cases(position, LONGEST_WAIT).await.is_err() {
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    fn tell(&self, changes: Vec<Change>, last: Position) {
        let mut listening = self.listening();
        listening.told = last;
        if !changes.is_empty() {
            // That nobody hears it is no fault: they have just left.
            let _ = self.changes.send(changes.into());
        }
    }

    fn listening(&self) -> MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

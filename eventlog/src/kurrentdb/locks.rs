//! Within a node appends to one stream go one after the other, and the streams they rely on stand still meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

use crate::envelope::StreamName;
use crate::store::Append;

type Locks = HashMap<StreamName, Arc<RwLock<()>>>;

/// One lock per stream that somebody uses.
#[derive(Default)]
pub(super) struct StreamLocks(Arc<Mutex<Locks>>);

/// What an append holds until it is dropped.
pub(super) struct Held {
    locks: Arc<Mutex<Locks>>,
    held: Vec<(StreamName, Option<Lock>)>,
}

/// Kept to be dropped.
enum Lock {
    Relied { _on: OwnedRwLockReadGuard<()> },
    Extended { _by: OwnedRwLockWriteGuard<()> },
}

impl StreamLocks {
    /// Waits until nobody else extends the append's streams. In the order of names, so that no two wait for each other.
    pub(super) async fn acquire(&self, append: &Append) -> Held {
        let mut wanted: BTreeMap<&StreamName, bool> =
            append.guards.iter().map(|guard| (&guard.stream, false)).collect();
        wanted.insert(&append.stream, true);
        let mut held = Held { locks: Arc::clone(&self.0), held: Vec::with_capacity(wanted.len()) };
        for (stream, extended) in wanted {
            let lock = Arc::clone(lock_map(&self.0).entry(stream.clone()).or_default());
            // Named before it is waited for: a caller that gives up waiting cleans up too.
            held.held.push((stream.clone(), None));
            let lock = if extended {
                Lock::Extended { _by: lock.write_owned().await }
            } else {
                Lock::Relied { _on: lock.read_owned().await }
            };
            if let Some(last) = held.held.last_mut() {
                last.1 = Some(lock);
            }
        }
        held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for (stream, lock) in self.held.drain(..) {
            drop(lock);
            let mut locks = lock_map(&self.locks);
            if locks.get(&stream).is_some_and(|lock| Arc::strong_count(lock) == 1) {
                locks.remove(&stream);
            }
        }
    }
}

fn lock_map(locks: &Mutex<Locks>) -> MutexGuard<'_, Locks> {
    locks.lock().expect("no holder of the lock panics")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::contract::sample::{append, stream};
    use crate::store::{Expected, Guard};

    fn relying(on: u64, of: u64) -> Append {
        let mut append = append(&stream("case", of), Expected::NoStream, 1, 1);
        append.guards.push(Guard { stream: stream("case", on), revision: None });
        append
    }

    async fn is_free(locks: &StreamLocks, append: &Append) -> bool {
        tokio::time::timeout(Duration::from_millis(20), locks.acquire(append)).await.is_ok()
    }

    #[tokio::test]
    async fn a_stream_that_is_relied_on_stands_still_but_may_be_relied_on_again() {
        let locks = StreamLocks::default();
        let held = locks.acquire(&relying(1, 2)).await;
        assert!(is_free(&locks, &relying(1, 3)).await);
        assert!(!is_free(&locks, &relying(4, 1)).await, "1 is relied on");
        assert!(!is_free(&locks, &relying(2, 5)).await, "2 is being extended");
        drop(held);
        assert!(is_free(&locks, &relying(2, 1)).await);
        assert!(lock_map(&locks.0).is_empty(), "nothing is left behind");
    }
}

//! Heads of the streams that were appended to, guarded or asked for lately: they cost no query, and none is ever stale.
//!
//! What a batch changes, only the writer puts in. What somebody has read is kept when no batch was under way from before the
//! reading until it is put in: nothing can have moved meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::sync::Cache;

use crate::admission::StreamHead;
use crate::envelope::StreamName;

pub(super) struct Heads {
    known: Cache<StreamName, StreamHead>,
    batches: Mutex<Batches>,
}

/// What the writer is doing.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Batches {
    begun: u64,
    under_way: bool,
}

/// A moment at which no batch was under way.
#[derive(Clone, Copy)]
pub(super) struct Quiet(Batches);

impl Heads {
    pub(super) fn new(capacity: usize) -> Self {
        Self { known: Cache::new(capacity), batches: Mutex::new(Batches { begun: 0, under_way: false }) }
    }

    pub(super) fn get(&self, stream: &StreamName) -> Option<StreamHead> {
        self.known.get(stream)
    }

    /// For the writer, within a batch.
    pub(super) fn insert(&self, stream: StreamName, head: StreamHead) {
        self.known.insert(stream, head);
    }

    /// For the writer, within a batch.
    pub(super) fn remove(&self, stream: &StreamName) {
        self.known.remove(stream);
    }

    /// For the writer, before it writes anything.
    pub(super) fn begin_batch(&self) {
        let mut batches = self.batches();
        batches.begun += 1;
        batches.under_way = true;
    }

    /// For the writer, once everything that it wrote is known here. After a failure that leaves open what the log holds it is
    /// not called.
    pub(super) fn end_batch(&self) {
        self.batches().under_way = false;
    }

    /// Before something is read; `None`: it cannot be kept.
    pub(super) fn quiet(&self) -> Option<Quiet> {
        let batches = *self.batches();
        (!batches.under_way).then_some(Quiet(batches))
    }

    /// Keeps what was read since a moment, unless a batch has begun.
    pub(super) fn learn(&self, since: Quiet, stream: StreamName, head: StreamHead) {
        // Held while it is put in: a batch that begins waits.
        let batches = self.batches();
        if *batches == since.0 {
            self.known.insert(stream, head);
        }
        drop(batches);
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::stream;
    use crate::envelope::Revision;

    fn head(revision: u64) -> StreamHead {
        StreamHead { revision: Revision(revision), recorded_at_micros: 0 }
    }

    #[test]
    fn what_was_read_between_batches_is_known() {
        let heads = Heads::new(8);
        let quiet = heads.quiet().unwrap();
        heads.learn(quiet, stream("case", 1), head(4));
        assert_eq!(heads.get(&stream("case", 1)), Some(head(4)));
    }

    #[test]
    fn what_was_read_while_or_before_something_was_written_is_not_kept() {
        let heads = Heads::new(8);
        let before = heads.quiet().unwrap();
        heads.begin_batch();
        assert!(heads.quiet().is_none(), "what is read now may be old before it is put in");
        heads.learn(before, stream("case", 1), head(4));
        heads.insert(stream("case", 1), head(5));
        heads.end_batch();
        heads.learn(before, stream("case", 1), head(4));
        assert_eq!(heads.get(&stream("case", 1)), Some(head(5)));
        assert!(heads.quiet().is_some());
    }
}

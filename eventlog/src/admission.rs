//! The one rule by which every adapter that decides for itself accepts or refuses an append: byte bounds before
//! queueing, then expected revision, guards, times and event ids against the log plus what the same batch already
//! accepted.

use std::collections::{HashMap, HashSet};

use crate::envelope::{EventId, Revision, StreamName};
use crate::store::{Append, AppendError, Expected, MAX_APPEND_BYTES, MAX_EVENT_BYTES};

/// What is known of a stream's last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamHead {
    /// Its revision.
    pub(crate) revision: Revision,
    /// When it was recorded, in microseconds since 1970.
    pub(crate) recorded_at_micros: i64,
}

/// Refuses what no state of the log could make acceptable; answers the append's size in bytes.
pub(crate) fn check_bounds(append: &Append) -> Result<usize, AppendError> {
    if append.events.is_empty() {
        return Err(AppendError::Invalid(format!("an append to {} without an event", append.stream)));
    }
    let mut total = 0;
    for event in &append.events {
        let bytes = event.payload.len() + event.metadata.len();
        if bytes > MAX_EVENT_BYTES {
            return Err(AppendError::Invalid(format!(
                "event {} has {bytes} bytes, at most {MAX_EVENT_BYTES} are allowed; longer text becomes a blob",
                event.event_id
            )));
        }
        total += bytes;
    }
    if total > MAX_APPEND_BYTES {
        return Err(AppendError::Invalid(format!(
            "an append of {total} bytes, at most {MAX_APPEND_BYTES} are allowed"
        )));
    }
    Ok(total)
}

/// The heads that a batch of appends is judged by. It never asks the log: the adapter tells it every stream first.
#[derive(Default)]
pub(crate) struct Admission {
    heads: HashMap<StreamName, Option<StreamHead>>,
    ids: HashSet<EventId>,
}

impl Admission {
    /// Whether a stream's head was told.
    pub(crate) fn knows(&self, stream: &StreamName) -> bool {
        self.heads.contains_key(stream)
    }

    /// Tells where a stream stands in the log; `None` when it has no event.
    pub(crate) fn tell(&mut self, stream: StreamName, head: Option<StreamHead>) {
        self.heads.insert(stream, head);
    }

    /// Accepts an append on top of those accepted before, or says why not; a refusal changes nothing. Answers the
    /// revision of the append's first event.
    pub(crate) fn admit(&mut self, append: &Append) -> Result<Revision, AppendError> {
        let head = self.head(&append.stream);
        let actual = head.map(|head| head.revision);
        let first = match (append.expected, actual) {
            (Expected::NoStream, None) => Revision(0),
            (Expected::Exact(expected), Some(actual)) if expected == actual => actual.next(),
            _ => return Err(AppendError::Conflict { actual }),
        };
        for guard in &append.guards {
            let actual = self.head(&guard.stream).map(|head| head.revision);
            if actual != guard.revision {
                return Err(AppendError::GuardMoved { stream: guard.stream.clone(), actual });
            }
        }
        let mut latest = head.map_or(i64::MIN, |head| head.recorded_at_micros);
        for event in &append.events {
            let recorded_at = event.recorded_at.as_microsecond();
            if recorded_at < latest {
                return Err(AppendError::Invalid(format!(
                    "event {} of {} would be recorded before the event that precedes it",
                    event.event_id, append.stream
                )));
            }
            latest = recorded_at;
        }
        self.take_ids(append)?;
        let last = Revision(first.0 + append.events.len() as u64 - 1);
        self.tell(append.stream.clone(), Some(StreamHead { revision: last, recorded_at_micros: latest }));
        Ok(first)
    }

    /// Where a stream stands after everything accepted so far.
    pub(crate) fn head(&self, stream: &StreamName) -> Option<StreamHead> {
        debug_assert!(self.knows(stream), "the adapter tells every stream before it asks");
        self.heads.get(stream).copied().flatten()
    }

    fn take_ids(&mut self, append: &Append) -> Result<(), AppendError> {
        for (index, event) in append.events.iter().enumerate() {
            if !self.ids.insert(event.event_id) {
                // Only the ids that this append brought are taken back.
                for taken in &append.events[..index] {
                    self.ids.remove(&taken.event_id);
                }
                return Err(AppendError::Duplicate { event_id: event.event_id });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample;

    #[test]
    fn a_refused_append_leaves_nothing_behind() {
        let mut admission = Admission::default();
        let stream = sample::stream("case", 1);
        admission.tell(stream.clone(), None);
        let twice = sample::event(1, 7);
        let append = Append {
            stream: stream.clone(),
            expected: Expected::NoStream,
            events: vec![sample::event(1, 6), twice.clone(), twice.clone()],
            guards: vec![],
        };
        assert_eq!(admission.admit(&append), Err(AppendError::Duplicate { event_id: twice.event_id }));
        assert_eq!(admission.head(&stream), None);
        let good = Append { events: vec![sample::event(1, 6), twice], ..append };
        assert_eq!(admission.admit(&good), Ok(Revision(0)));
    }
}

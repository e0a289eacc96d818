//! The simulated log: one order, exact revisions and guards, positions with holes between them; and each part's way to it,
//! on which answers get lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use dossier_eventlog::{
    Append, AppendError, Appended, EventId, EventStore, Expected, NewEvent, Position, ReadError,
    RecordedEvent, Revision, StreamName,
};
use jiff::Timestamp;
use tokio::sync::watch;
use uuid::Uuid;

use crate::part::{Fate, Part};
use crate::world::World;

/// What tells an event twice in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// An index over all event ids, as on SQLite and PostgreSQL.
    Index,
    /// Only an append of the same bytes that names the original revision is recognised; one that names another is written
    /// again, as KurrentDB does. As there, guards are read just before the append: those on cases may have moved since.
    OriginalRevision,
}

struct Inner {
    events: Vec<RecordedEvent>,
    streams: BTreeMap<StreamName, Vec<usize>>,
    ids: BTreeMap<EventId, usize>,
    random: fastrand::Rng,
}

/// The log itself.
pub struct Log {
    id: Uuid,
    uniqueness: Uniqueness,
    inner: Mutex<Inner>,
    /// One for each follower: a channel that many wait on wakes them in an order of its own.
    hints: Mutex<Vec<(String, watch::Sender<Position>)>>,
    world: Arc<World>,
}

impl Log {
    /// An empty log.
    pub fn new(world: &Arc<World>, uniqueness: Uniqueness) -> Arc<Self> {
        let random = world.random_for("log");
        let inner = Inner { events: Vec::new(), streams: BTreeMap::new(), ids: BTreeMap::new(), random };
        Arc::new(Self {
            id: Uuid::from_u128(0x51),
            uniqueness,
            inner: Mutex::new(inner),
            hints: Mutex::default(),
            world: world.clone(),
        })
    }

    /// A part's way to it.
    pub fn seen_by(self: &Arc<Self>, part: &Arc<Part>) -> Arc<dyn EventStore> {
        Arc::new(View { log: self.clone(), part: part.clone() })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of the lock panics")
    }

    /// Whether a guard on a case holds at the append, and not only just before.
    pub fn guards_are_exact(&self) -> bool {
        self.uniqueness == Uniqueness::Index
    }

    /// Its identity.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Every event.
    pub fn events(&self) -> Vec<RecordedEvent> {
        self.inner().events.clone()
    }

    /// Position of the last event.
    pub fn head(&self) -> Position {
        self.inner().events.last().map_or(Position::START, |event| event.position)
    }

    fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        let mut inner = self.inner();
        let appended = inner.append(append, self.uniqueness)?;
        let mut hints = self.hints.lock().expect("no holder of the lock panics");
        hints.retain(|(_, hint)| !hint.is_closed());
        // The hint gets lost now and then: another process writes. What one follower misses depends on no other.
        for (follower, hint) in &*hints {
            let mut random = self.world.random_for(&format!("{follower} at {}", appended.last_position));
            if random.u32(0..100) < 60 {
                hint.send_replace(appended.last_position);
            }
        }
        drop(hints);
        Ok(appended)
    }
}

impl Inner {
    fn head_of(&self, stream: &StreamName) -> Option<&RecordedEvent> {
        self.streams.get(stream)?.last().map(|index| &self.events[*index])
    }

    fn guards_hold(&self, append: &Append) -> Result<(), AppendError> {
        let moved = append.guards.iter().find_map(|guard| {
            let actual = self.head_of(&guard.stream).map(|event| event.revision);
            (actual != guard.revision).then(|| (guard.stream.clone(), actual))
        });
        moved.map_or(Ok(()), |(stream, actual)| Err(AppendError::GuardMoved { stream, actual }))
    }

    fn append(&mut self, append: &Append, uniqueness: Uniqueness) -> Result<Appended, AppendError> {
        let first_id =
            append.events.first().ok_or_else(|| AppendError::Invalid("nothing".to_owned()))?.event_id;
        let known = self.ids.get(&first_id).map(|index| &self.events[*index]);
        let next = match append.expected {
            Expected::NoStream => Revision(0),
            Expected::Exact(revision) => revision.next(),
        };
        let last = self.head_of(&append.stream);
        let actual = last.map(|event| event.revision);
        if let (Uniqueness::OriginalRevision, Some(known)) = (uniqueness, known)
            && known.stream == append.stream
            && known.revision == next
        {
            let from = usize::try_from(next.0).unwrap_or(usize::MAX);
            let stored = self.streams[&append.stream].iter().skip(from).map(|index| &self.events[*index]);
            let same = |(stored, event): (&RecordedEvent, &NewEvent)| {
                (stored.event_id, &stored.payload, &stored.metadata, stored.recorded_at)
                    == (event.event_id, &event.payload, &event.metadata, event.recorded_at)
            };
            // All of it must be the same: else two decisions under one command id would both be told that they are stored.
            if let Some(last) = stored.clone().nth(append.events.len() - 1)
                && stored.zip(&append.events).all(same)
            {
                return Ok(Appended { last_revision: last.revision, last_position: last.position });
            }
        }
        if actual.map_or(Revision(0), Revision::next) != next {
            return Err(AppendError::Conflict { actual });
        }
        self.guards_hold(append)?;
        let mut latest = last.map_or(Timestamp::MIN, |event| event.recorded_at);
        for event in &append.events {
            if event.recorded_at < latest {
                return Err(AppendError::Invalid("recorded before the event that precedes it".to_owned()));
            }
            latest = event.recorded_at;
        }
        if let (Uniqueness::Index, Some(known)) = (uniqueness, known) {
            return Err(AppendError::Duplicate { event_id: known.event_id });
        }
        Ok(self.write(append, next))
    }

    fn write(&mut self, append: &Append, first: Revision) -> Appended {
        let mut appended = Appended { last_revision: first, last_position: Position::START };
        for (revision, event) in (first.0..).zip(&append.events) {
            let before = self.events.last().map_or(0, |event| event.position.0);
            let position = Position(before + self.random.u64(1..4));
            let index = self.events.len();
            self.streams.entry(append.stream.clone()).or_default().push(index);
            self.ids.insert(event.event_id, index);
            self.events.push(RecordedEvent {
                position,
                stream: append.stream.clone(),
                revision: Revision(revision),
                event_id: event.event_id,
                event_type: event.event_type.clone().into(),
                version: event.version,
                recorded_at: event.recorded_at,
                payload: event.payload.clone(),
                metadata: event.metadata.clone(),
            });
            appended = Appended { last_revision: Revision(revision), last_position: position };
        }
        appended
    }
}

struct View {
    log: Arc<Log>,
    part: Arc<Part>,
}

impl View {
    /// A read: held before and after, perhaps refused.
    async fn read<T>(&self, what: &str, read: impl FnOnce(&Inner) -> T) -> Result<T, ReadError> {
        self.part.point().await;
        if self.part.fate() != Fate::Fine {
            self.part.says(&format!("{what}: no answer"));
            self.part.errs();
            return Err(ReadError::Unavailable("simulated".to_owned()));
        }
        let answer = read(&self.log.inner());
        self.part.point().await;
        Ok(answer)
    }
}

#[async_trait]
impl EventStore for View {
    fn log_id(&self) -> Uuid {
        self.log.id
    }

    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.part.point().await;
        let fate = self.part.fate();
        let append = if self.log.uniqueness == Uniqueness::OriginalRevision {
            self.log.inner().guards_hold(&append)?;
            // What a decision rests on that is no case is held still: one node writes it.
            let guards =
                append.guards.into_iter().filter(|guard| guard.stream.category() != "case").collect();
            for _ in 0..self.part.random(|random| random.u32(1..8)) {
                self.part.point().await;
            }
            Append { guards, ..append }
        } else {
            append
        };
        let unknown = fate == Fate::AnswerLost || (fate == Fate::Refused && self.part.chance(20));
        let result = if fate == Fate::Refused { None } else { Some(self.log.append(&append)) };
        self.part.says(&format!("append to {}: {result:?}, {fate:?}", append.stream));
        self.part.point().await;
        match result {
            // A conflict is known, whatever becomes of the commit.
            Some(Err(error)) => Err(error),
            _ if unknown => Err(AppendError::OutcomeUnknown("simulated".to_owned())),
            Some(Ok(appended)) => Ok(appended),
            None => Err(AppendError::Unavailable("simulated".to_owned())),
        }
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.read("read a stream", |log| {
            let indexes = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
            let from = usize::try_from(from.0).unwrap_or(usize::MAX).min(indexes.len());
            indexes[from..].iter().take(limit).map(|index| log.events[*index].clone()).collect()
        })
        .await
    }

    async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.read("read a head", |log| log.head_of(stream).map(|event| event.revision)).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        // A page may be shorter than asked for, but never empty while there is more.
        let limit = if self.part.chance(30) { self.part.random(|random| random.usize(1..5)) } else { limit };
        let events: Vec<RecordedEvent> = self
            .read("read all", |log| {
                let from = log.events.partition_point(|event| event.position <= after);
                log.events[from..].iter().take(limit).cloned().collect()
            })
            .await?;
        if let Some(last) = events.last() {
            self.part.says(&format!("read {} events after {after}, up to {}", events.len(), last.position));
        }
        Ok(events)
    }

    async fn head(&self) -> Result<Position, ReadError> {
        self.read("read the head", |log| log.events.last().map_or(Position::START, |event| event.position))
            .await
    }

    async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        self.read("read an id", |log| {
            let index = log.events.binary_search_by_key(&position, |event| event.position).ok()?;
            Some(log.events[index].event_id)
        })
        .await
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        let (hint, follower) = watch::channel(self.log.head());
        self.log.hints.lock().expect("no holder of the lock panics").push((self.part.name.clone(), hint));
        follower
    }
}

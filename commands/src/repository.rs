//! A bounded cache of folded streams, and how they are brought up to the log's head.

use std::sync::Arc;

use dossier_domain::personal::{open_all, subjects_to_open};
use dossier_domain::{Aggregate, CommandId, PersonalFields};
use dossier_eventlog::{EventStore, Opened, Position, Revision, Sealer, StreamName};
use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::error::LoadError;
use crate::fold::{Folded, Loaded};
use crate::moments::Moment;

/// Events read at once when a stream is folded.
const READ_BATCH_EVENTS: usize = 1_000;
/// Events that most commands have in a stream, and one more.
const EVENTS_OF_A_COMMAND: usize = 4;
/// Streams of which the fold before the moment that was asked for last is kept.
const MOMENTS_STREAMS: usize = 1_000;

/// One stream's folded state; the lock makes commands on one stream wait for each other on this node instead of
/// running into each other's conflicts.
pub(crate) type Entry<A> = Arc<Mutex<Loaded<A>>>;

pub(crate) struct Repository<A> {
    store: Arc<dyn EventStore>,
    sealer: Arc<Sealer>,
    entries: Cache<StreamName, Entry<A>>,
    /// The folds, sealed, just before the moments that were asked for last: whoever follows the log goes on from there, or
    /// asks for the same again.
    before_moments: Cache<StreamName, Folded<A>>,
    /// Whether personal values of the state are needed: then they are opened once, after folding.
    opens_state: bool,
}

impl<A: Aggregate> Repository<A> {
    pub(crate) fn new(
        store: Arc<dyn EventStore>,
        sealer: Arc<Sealer>,
        capacity_streams: usize,
        opens_state: bool,
    ) -> Self {
        let before_moments = Cache::new(capacity_streams.min(MOMENTS_STREAMS));
        Self { store, sealer, entries: Cache::new(capacity_streams), before_moments, opens_state }
    }

    /// The stream's entry, empty when it is not cached.
    pub(crate) fn entry(&self, stream: &StreamName) -> Entry<A> {
        match self
            .entries
            .get_or_insert_with(stream, || Ok::<_, std::convert::Infallible>(Entry::<A>::default()))
        {
            Ok(entry) => entry,
            Err(never) => match never {},
        }
    }

    /// Folds what the log has beyond the entry.
    pub(crate) async fn refresh(&self, stream: &StreamName, loaded: &mut Loaded<A>) -> Result<(), LoadError> {
        let mut next = loaded.folded.revision.map_or(Revision(0), Revision::next);
        let mut changed = false;
        loop {
            let batch = self.store.read_stream(stream, next, READ_BATCH_EVENTS).await?;
            for recorded in &batch {
                loaded.apply_recorded(recorded)?;
                changed = true;
            }
            match batch.last() {
                Some(last) if batch.len() == READ_BATCH_EVENTS => next = last.revision.next(),
                _ => break,
            }
        }
        if changed && self.opens_state {
            self.open(Arc::make_mut(&mut loaded.folded.state)).await?;
        }
        loaded.seen = true;
        Ok(())
    }

    /// The stream's fold, as cached or brought up to the log's head, without waiting for whoever is changing it.
    pub(crate) async fn view(&self, stream: &StreamName, current: bool) -> Result<Folded<A>, LoadError> {
        // Asked before the entry is locked: while the log is away, whoever waits for it must not keep others from what was
        // seen last.
        let head = if current { Some(self.store.stream_head(stream).await?) } else { None };
        let entry = self.entry(stream);
        let Ok(mut loaded) = entry.try_lock() else {
            return Ok(self.replay(stream, Revision(0), Revision(u64::MAX)).await?.0);
        };
        if let Some(head) = head {
            self.bring_up(stream, &mut loaded, head).await?;
        }
        Ok(loaded.folded.clone())
    }

    /// Folds what an entry lacks of the stream up to its head.
    pub(crate) async fn bring_up(
        &self,
        stream: &StreamName,
        loaded: &mut Loaded<A>,
        head: Option<Revision>,
    ) -> Result<(), LoadError> {
        if loaded.folded.revision != head {
            self.refresh(stream, loaded).await?;
        }
        loaded.seen = true;
        Ok(())
    }

    /// The stream's fold as this process saw it last, for reading while the log is away; `None` when it never did.
    pub(crate) fn last_seen(&self, stream: &StreamName) -> Option<Folded<A>> {
        // An entry that is locked is being loaded by somebody who waits for the log as well.
        let entry = self.entry(stream);
        let loaded = entry.try_lock().ok()?;
        loaded.seen.then(|| loaded.folded.clone())
    }

    /// Folds a stream up to a revision, apart from the cache, and answers the events from `first` on, open.
    pub(crate) async fn replay(
        &self,
        stream: &StreamName,
        first: Revision,
        last: Revision,
    ) -> Result<(Folded<A>, Vec<A::Event>), LoadError> {
        let mut loaded = Loaded::default();
        let mut events = Vec::new();
        let mut next = Revision(0);
        'reading: loop {
            let batch = self.store.read_stream(stream, next, READ_BATCH_EVENTS).await?;
            let full = batch.len() == READ_BATCH_EVENTS;
            for recorded in &batch {
                if recorded.revision > last {
                    break 'reading;
                }
                let event = loaded.apply_recorded(recorded)?;
                if recorded.revision >= first {
                    events.push(event);
                }
                next = recorded.revision.next();
            }
            if !full {
                break;
            }
        }
        let mut folded = loaded.folded;
        if self.opens_state {
            self.open(Arc::make_mut(&mut folded.state)).await?;
        }
        for event in &mut events {
            self.open(event).await?;
        }
        Ok((folded, events))
    }

    /// The stream's fold by its events up to a position of the log: as cached where nothing came later, else folded anew.
    pub(crate) async fn until(
        &self,
        stream: &StreamName,
        position: Position,
    ) -> Result<Folded<A>, LoadError> {
        let current = self.view(stream, true).await?;
        if current.position <= position {
            return Ok(current);
        }
        let mut loaded = Loaded::<A>::default();
        let mut next = Revision(0);
        loop {
            let batch = self.store.read_stream(stream, next, READ_BATCH_EVENTS).await?;
            let until = batch.iter().take_while(|recorded| recorded.position <= position);
            for recorded in until {
                loaded.apply_recorded(recorded)?;
                next = recorded.revision.next();
            }
            let all = batch.last().is_some_and(|last| last.position <= position);
            if !all || batch.len() < READ_BATCH_EVENTS {
                break;
            }
        }
        let mut folded = loaded.folded;
        if self.opens_state {
            self.open(Arc::make_mut(&mut folded.state)).await?;
        }
        Ok(folded)
    }

    /// The command whose first event has a revision, with the state just before and after it.
    pub(crate) async fn moment(
        &self,
        stream: &StreamName,
        first: Revision,
    ) -> Result<Option<Moment<A>>, LoadError> {
        let known = self.before_moments.get(stream);
        let known = known.filter(|before| before.revision.is_some_and(|revision| revision < first));
        let mut loaded = Loaded { folded: known.unwrap_or_default(), ..Loaded::default() };
        let mut found: Option<Moment<A>> = None;
        let mut next = loaded.folded.revision.map_or(Revision(0), Revision::next);
        'reading: loop {
            let before = usize::try_from(first.0.saturating_sub(next.0)).unwrap_or(READ_BATCH_EVENTS);
            let limit = READ_BATCH_EVENTS.min(before.saturating_add(EVENTS_OF_A_COMMAND));
            let batch = self.store.read_stream(stream, next, limit).await?;
            for recorded in &batch {
                if recorded.revision >= first {
                    let metadata = recorded.metadata()?;
                    let command_id = CommandId(metadata.command_id);
                    if found.is_none() {
                        self.before_moments.insert(stream.clone(), loaded.folded.clone());
                    }
                    let moment = found.get_or_insert_with(|| Moment {
                        command_id,
                        actor: metadata.actor,
                        before: loaded.folded.state.clone(),
                        after: Arc::default(),
                        events: Vec::new(),
                        last_revision: recorded.revision,
                        at: recorded.recorded_at,
                    });
                    if moment.command_id != command_id {
                        break 'reading;
                    }
                    moment.events.push(loaded.apply_recorded(recorded)?);
                    moment.last_revision = recorded.revision;
                } else {
                    loaded.apply_recorded(recorded)?;
                }
                next = recorded.revision.next();
            }
            if batch.len() < limit {
                break;
            }
        }
        let Some(mut moment) = found else { return Ok(None) };
        moment.after = loaded.folded.state;
        if self.opens_state {
            self.open(Arc::make_mut(&mut moment.before)).await?;
            self.open(Arc::make_mut(&mut moment.after)).await?;
        }
        for event in &mut moment.events {
            self.open(event).await?;
        }
        Ok(Some(moment))
    }

    /// Opens every sealed value.
    pub(crate) async fn open<P: PersonalFields + Send>(&self, fields: &mut P) -> Result<(), LoadError> {
        let subjects = subjects_to_open(fields);
        if subjects.is_empty() {
            return Ok(());
        }
        self.sealer.prepare_open(&subjects).await?;
        open_all(fields, |subject, sealed| {
            Ok::<_, LoadError>(match self.sealer.open(subject, sealed)? {
                Opened::Plain(plain) => Some(plain),
                Opened::Erased => None,
            })
        })
    }
}

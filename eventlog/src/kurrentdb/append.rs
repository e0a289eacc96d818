//! Appending: judged by what this node knows and reads just before, sent to the leader, and followed until its fate is known.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use kurrentdb::StreamState;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::codec::encode;
use super::known::Known;
use super::link::{Links, SendFailure};
use super::locks::StreamLocks;
use super::options::KurrentOptions;
use super::read::Reader;
use crate::admission::{Admission, StreamHead, check_bounds};
use crate::envelope::{Position, RecordedEvent, Revision};
use crate::store::{Append, AppendError, Appended, Expected, ReadError};

/// Of the time of an append, kept for looking it up when no answer came.
const LOOK_UP: Duration = Duration::from_millis(500);
/// More appends in flight than any server takes.
const MAX_IN_FLIGHT: u32 = 1 << 20;
/// Pauses before an append is sent again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

pub(super) struct Appender {
    reader: Arc<Reader>,
    known: Arc<Known>,
    links: Links,
    locks: StreamLocks,
    in_flight: Semaphore,
    permits: u32,
    timeout: Duration,
}

/// What the stream says about an append that may be stored.
enum Fate {
    Stored(Appended),
    /// Another event took its place.
    Refused(AppendError),
    /// Its place is free: it may still arrive.
    Open,
}

impl Appender {
    pub(super) fn new(
        reader: Arc<Reader>,
        known: Arc<Known>,
        links: Links,
        options: &KurrentOptions,
    ) -> Self {
        let permits = u32::try_from(options.in_flight_appends).unwrap_or(u32::MAX).clamp(1, MAX_IN_FLIGHT);
        Self {
            reader,
            known,
            links,
            locks: StreamLocks::default(),
            in_flight: Semaphore::new(permits as usize),
            permits,
            timeout: options.append_timeout,
        }
    }

    pub(super) async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        check_bounds(append)?;
        let deadline = Instant::now() + self.timeout;
        let waiting = async {
            let held = self.locks.acquire(append).await;
            self.in_flight.acquire().await.map(|permit| (held, permit))
        };
        let _held = timeout_at(deadline, waiting)
            .await
            .map_err(|_| AppendError::Unavailable("other appends did not end in time".to_owned()))?
            .map_err(|_| AppendError::Unavailable("the log is closed".to_owned()))?;
        let first = self.admit(append, deadline).await?;
        let appended = self.send(append, first, deadline).await?;
        self.known.appended(&append.stream, appended.last_revision, &append.events);
        self.known.reaches(appended.last_position);
        Ok(appended)
    }

    /// Waits for the appends that are on their way and refuses later ones.
    pub(super) async fn close(&self) {
        let _ended = self.in_flight.acquire_many(self.permits).await;
        self.in_flight.close();
    }

    /// Judges an append before anything is sent; answers the revision of its first event.
    async fn admit(&self, append: &Append, deadline: Instant) -> Result<Revision, AppendError> {
        let mut admission = Admission::default();
        let others =
            append.guards.iter().map(|guard| &guard.stream).filter(|stream| **stream != append.stream);
        let guarded = others.map(async |stream| Ok((stream, self.reader.last(stream, deadline).await?)));
        let own = async { self.own_head(append, deadline).await.map(|head| (&append.stream, head)) };
        let (guarded, own) = futures::try_join!(try_join_all(guarded), own).map_err(unavailable)?;
        for (stream, head) in guarded.into_iter().chain([own]) {
            admission.tell(stream.clone(), head);
        }
        let first = admission.admit(append)?;
        match self.known.duplicate(&append.events) {
            Some(event_id) => Err(AppendError::Duplicate { event_id }),
            None => Ok(first),
        }
    }

    /// Where the stream stands, as far as it takes to judge the append. What this node knows is true and may be old: too old
    /// is what says less than the append expects.
    async fn own_head(&self, append: &Append, deadline: Instant) -> Result<Option<StreamHead>, ReadError> {
        let known = self.known.stream(&append.stream);
        match (append.expected, known) {
            // The server itself looks whether there is a stream.
            (Expected::NoStream, known) => Ok(known),
            (Expected::Exact(expected), Some(known)) if known.revision >= expected => Ok(Some(known)),
            _ => self.reader.last(&append.stream, deadline).await,
        }
    }

    /// Sends an append until its fate is known or its time is over. To send it again is safe: it names the same revision and
    /// the same ids, so the server answers as it did the first time.
    async fn send(
        &self,
        append: &Append,
        first: Revision,
        deadline: Instant,
    ) -> Result<Appended, AppendError> {
        let stream = self.reader.names.on_server(&append.stream);
        let expected = match append.expected {
            Expected::NoStream => StreamState::NoStream,
            Expected::Exact(revision) => StreamState::StreamRevision(revision.0),
        };
        let answer_by = deadline - LOOK_UP.min(self.timeout / 2);
        // Why an attempt may have been stored without an answer.
        let mut doubt: Option<String> = None;
        let mut refusal = String::new();
        let mut pause = FIRST_PAUSE;
        loop {
            let link = match self.links.link(answer_by).await {
                Ok(link) => link,
                Err(reason) => {
                    refusal = reason;
                    break;
                }
            };
            if doubt.is_some() {
                match self.fate(append, first, answer_by).await {
                    Ok(Fate::Stored(appended)) => return Ok(appended),
                    Ok(Fate::Refused(refused)) => return Err(refused),
                    Ok(Fate::Open) if self.guards_hold(append, answer_by).await => {}
                    Ok(Fate::Open) | Err(_) => break,
                }
            }
            let events = append.events.iter().map(encode).collect();
            let failure = match timeout_at(answer_by, link.send(&stream, expected, events)).await {
                Ok(Ok(done)) => {
                    let last_revision = last_revision(append, first);
                    let Some(position) = done.current_position() else {
                        // So it is answered where the server knew the events but not their place.
                        doubt = Some("the server did not say where".to_owned());
                        break;
                    };
                    return Ok(Appended { last_revision, last_position: Position(position.commit) });
                }
                Ok(Err(failure)) => failure,
                Err(_) => {
                    doubt = Some("KurrentDB did not answer in time".to_owned());
                    break;
                }
            };
            match failure {
                SendFailure::Conflict => return Err(self.conflict(append, deadline).await),
                SendFailure::Refused(reason) if doubt.is_none() => return Err(AppendError::Invalid(reason)),
                SendFailure::Refused(reason) | SendFailure::NotStored(reason) => refusal = reason,
                SendFailure::Unknown(reason) => doubt = Some(reason),
            }
            // One sent too late for its answer would leave a doubt.
            if Instant::now() + pause + self.timeout / 4 >= answer_by {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        match doubt {
            None => Err(AppendError::Unavailable(refusal)),
            Some(reason) => match self.fate(append, first, deadline).await {
                Ok(Fate::Stored(appended)) => Ok(appended),
                Ok(Fate::Refused(refused)) => Err(refused),
                Ok(Fate::Open) | Err(_) => Err(AppendError::OutcomeUnknown(reason)),
            },
        }
    }

    /// Looks an append up in its stream.
    async fn fate(&self, append: &Append, first: Revision, deadline: Instant) -> Result<Fate, ReadError> {
        let stored = self.reader.stream(&append.stream, first, append.events.len(), deadline).await?;
        let Some(last) = stored.last() else { return Ok(Fate::Open) };
        if is_stored(append, &stored) {
            let appended = Appended { last_revision: last.revision, last_position: last.position };
            return Ok(Fate::Stored(appended));
        }
        Ok(Fate::Refused(self.conflict(append, deadline).await))
    }

    /// The server says that the stream stands elsewhere: where?
    async fn conflict(&self, append: &Append, deadline: Instant) -> AppendError {
        match self.reader.last(&append.stream, deadline).await {
            Ok(head) => AppendError::Conflict { actual: head.map(|head| head.revision) },
            // Known not to be stored.
            Err(error) => unavailable(error),
        }
    }

    /// Whether an append that is sent again may still rely on its guards. Within this node they stand still.
    async fn guards_hold(&self, append: &Append, deadline: Instant) -> bool {
        for guard in append.guards.iter().filter(|guard| guard.stream != append.stream) {
            match self.reader.last(&guard.stream, deadline).await {
                Ok(head) if head.map(|head| head.revision) == guard.revision => {}
                _ => return false,
            }
        }
        true
    }
}

fn last_revision(append: &Append, first: Revision) -> Revision {
    Revision(first.0 + append.events.len() as u64 - 1)
}

fn is_stored(append: &Append, stored: &[RecordedEvent]) -> bool {
    stored.len() == append.events.len()
        && stored.iter().zip(&append.events).all(|(stored, event)| {
            stored.event_id == event.event_id
                && stored.payload == event.payload
                && stored.metadata == event.metadata
        })
}

fn unavailable(error: ReadError) -> AppendError {
    match error {
        ReadError::Unavailable(reason) | ReadError::Damaged(reason) => AppendError::Unavailable(reason),
    }
}

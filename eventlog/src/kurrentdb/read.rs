//! Reads, each from the leader: what it does not show was not acknowledged before.

use std::sync::Arc;
use std::time::Duration;

use kurrentdb::{
    Client, Error, Position as AllPosition, ReadAllOptions, ReadStream, ReadStreamOptions, StreamPosition,
};
use tokio::time::{Instant, timeout_at};

use super::codec::{decode, event_id};
use super::known::Known;
use super::link::{Link, Links};
use super::options::Names;
use crate::admission::StreamHead;
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::ReadError;

/// Pause before a read is tried again.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) struct Reader {
    pub(super) names: Arc<Names>,
    pub(super) known: Arc<Known>,
    pub(super) links: Links,
    pub(super) timeout: Duration,
}

/// Why an attempt to read failed.
pub(super) enum Failure {
    Client(Error),
    Damaged(ReadError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl Reader {
    /// When a read that begins now has to be over.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Events of a stream; afterwards this node knows them.
    pub(super) async fn stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        // The largest number means the end, not a revision.
        if limit == 0 || from.0 >= u64::MAX >> 1 {
            return Ok(vec![]);
        }
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from.0))
            .max_count(limit)
            .requires_leader(true);
        let events = self.stream_events(stream, &options, limit, deadline).await?;
        for event in &events {
            self.known.saw(event);
        }
        Ok(events)
    }

    /// A stream's last event; `None` when it has none.
    pub(super) async fn last(
        &self,
        stream: &StreamName,
        deadline: Instant,
    ) -> Result<Option<StreamHead>, ReadError> {
        let options =
            ReadStreamOptions::default().position(StreamPosition::End).max_count(1).requires_leader(true);
        let last = self.stream_events(stream, &options, 1, deadline).await?.pop();
        Ok(last.map(|event| {
            self.known.saw(&event);
            StreamHead { revision: event.revision, recorded_at_micros: event.recorded_at.as_microsecond() }
        }))
    }

    async fn stream_events(
        &self,
        stream: &StreamName,
        options: &ReadStreamOptions,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let on_server = self.names.on_server(stream);
        self.asked(deadline, |link| {
            let (names, options, on_server) = (Arc::clone(&self.names), options.clone(), on_server.clone());
            async move {
                let events = link.client.read_stream(on_server, &options).await;
                collect(&names, events, Position::START, limit).await
            }
        })
        .await
    }

    /// Events of the log after a position.
    pub(super) async fn all(&self, after: Position, limit: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        if limit == 0 || after.0 >= u64::MAX >> 1 {
            return Ok(vec![]);
        }
        // The server begins with the event at the position itself.
        let options = ReadAllOptions::default()
            .position(all_position(after))
            .filter(self.names.filter())
            .max_count(limit.saturating_add(1))
            .requires_leader(true);
        let events = self
            .asked(self.deadline(), |link| {
                let (names, options) = (Arc::clone(&self.names), options.clone());
                async move {
                    let events = link.client.read_all(&options).await;
                    collect(&names, events, after, limit).await
                }
            })
            .await?;
        if let Some(last) = events.last() {
            self.known.reaches(last.position);
        }
        Ok(events)
    }

    /// Position of the log's last event.
    pub(super) async fn head(&self) -> Result<Position, ReadError> {
        let asked = self.asked(self.deadline(), |link| {
            let names = Arc::clone(&self.names);
            async move { Ok(last_event(&link.client, &names).await?.map(|event| event.position.commit)) }
        });
        let head = asked.await?.map_or(Position::START, Position);
        self.known.reaches(head);
        Ok(head)
    }

    /// Id of the log's event at exactly this position.
    pub(super) async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        if position == Position::START || position.0 >= u64::MAX >> 1 {
            return Ok(None);
        }
        let options =
            ReadAllOptions::default().position(all_position(position)).max_count(1).requires_leader(true);
        self.asked(self.deadline(), |link| {
            let (names, options) = (Arc::clone(&self.names), options.clone());
            async move {
                let event = match link.client.read_all(&options).await {
                    Ok(mut events) => events.next().await,
                    Err(error) => Err(error),
                };
                let event = match event {
                    Ok(resolved) => resolved.and_then(|resolved| resolved.event),
                    // Nothing begins there.
                    Err(Error::Grpc { message, .. }) if message.contains("invalid position") => None,
                    Err(error) => return Err(error.into()),
                };
                let event = event.filter(|event| event.position.commit == position.0);
                let ours = event.filter(|event| names.of_log(event.stream_id()).is_some());
                Ok(ours.and_then(|event| event_id(&event)))
            }
        })
        .await
    }

    /// Asks, and asks again on a new connection, until the deadline.
    pub(super) async fn asked<T, F>(
        &self,
        deadline: Instant,
        ask: impl Fn(Arc<Link>) -> F,
    ) -> Result<T, ReadError>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut last_failure = None;
        loop {
            let link = match self.links.link(deadline).await {
                Ok(link) => link,
                Err(reason) => return Err(ReadError::Unavailable(last_failure.unwrap_or(reason))),
            };
            let answer = tokio::select! {
                answer = timeout_at(deadline, ask(Arc::clone(&link))) => answer,
                () = link.until_broken() => Ok(Err(Failure::Client(Error::ConnectionClosed))),
            };
            match answer {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Failure::Damaged(error))) => return Err(error),
                Ok(Err(Failure::Client(error))) => {
                    if !link.judge(&error) || Instant::now() + PAUSE >= deadline {
                        return Err(ReadError::Unavailable(error.to_string()));
                    }
                    last_failure = Some(error.to_string());
                    tokio::time::sleep(PAUSE).await;
                }
                Err(_) => return Err(ReadError::Unavailable("KurrentDB did not answer in time".to_owned())),
            }
        }
    }
}

/// Position of the log's last event; `None` when it has none.
pub(super) async fn last_of_log(client: &Client, names: &Names) -> Result<Option<Position>, Error> {
    Ok(last_event(client, names).await?.map(|event| Position(event.position.commit)))
}

async fn last_event(client: &Client, names: &Names) -> Result<Option<kurrentdb::RecordedEvent>, Error> {
    let options = ReadAllOptions::default()
        .position(StreamPosition::End)
        .filter(names.filter())
        .max_count(1)
        .requires_leader(true);
    let last = client.read_all(&options).await?.next().await?;
    Ok(last.and_then(|resolved| resolved.event))
}

fn all_position(position: Position) -> StreamPosition<AllPosition> {
    match position {
        Position::START => StreamPosition::Start,
        Position(place) => StreamPosition::Position(AllPosition { commit: place, prepare: place }),
    }
}

/// The log's events after a position, at most `limit`. What the server would send beyond is left there.
async fn collect(
    names: &Names,
    events: kurrentdb::Result<ReadStream>,
    after: Position,
    limit: usize,
) -> Result<Vec<RecordedEvent>, Failure> {
    let mut read = vec![];
    let mut events = match events {
        Err(Error::ResourceNotFound) => return Ok(read),
        events => events?,
    };
    while read.len() < limit {
        let resolved = match events.next().await {
            Ok(None) | Err(Error::ResourceNotFound) => break,
            Ok(Some(resolved)) => resolved,
            Err(Error::ResourceDeleted) => {
                let deleted = "a stream of the log was deleted on the server".to_owned();
                return Err(Failure::Damaged(ReadError::Damaged(deleted)));
            }
            Err(error) => return Err(error.into()),
        };
        let Some(event) = resolved.event else { continue };
        match decode(names, event).map_err(Failure::Damaged)? {
            Some(event) if event.position > after => read.push(event),
            _ => {}
        }
    }
    Ok(read)
}

//! The relay: the log is the outbox, and this is who empties it. It follows the log, publishes every event with the
//! position before it, and names the message that the bus must hold last, so that a second relay is noticed.
//!
//! Of several relays on one log and bus one publishes and the others stand by: who is fenced stands by, and who stands by
//! takes over when the log holds something to publish and the bus has not moved for a while. There is no election: two that
//! publish at once are found out by the bus, which takes each event once and in order.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::bus::{Bus, BusError, PublishError};
use crate::envelope::{Position, RecordedEvent};
use crate::outlet::{Outlet, Render};
use crate::store::{EventStore, ReadError};
use crate::subscription::Subscription;

mod destination;
mod standby;
mod status;

use destination::{Destination, NotPublished, ToBus, ToOutlet};
pub use status::{RelayState, RelayStatus};

/// Where to begin on a bus that holds no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenEmpty {
    /// At the log's head at start: followers catch up from the log. For a bus that forgets.
    FromHead,
    /// At the log's beginning: the bus shall hold everything, and is filled again when it was emptied. For a bus that keeps.
    FromBeginning,
}

/// How a relay works. The default is for a bus of this process alone.
#[derive(Clone, Debug)]
pub struct RelayOptions {
    /// What metrics call this relay.
    pub name: &'static str,
    /// Where to begin on a bus that holds no message.
    pub when_empty: WhenEmpty,
    /// Most events read and published at once.
    pub batch_events: usize,
    /// How long the bus must stand still, while the log holds something to publish, before this relay takes over. Zero: no
    /// other relay is expected, and this one begins at once.
    pub take_over_after: Duration,
    /// How often a relay with nothing to publish looks whether the bus is still there and still as it left it.
    pub idle_check: Duration,
    /// First pause after a failure; it doubles with each further one.
    pub shortest_pause: Duration,
    /// Longest pause after a failure.
    pub longest_pause: Duration,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            name: "bus",
            when_empty: WhenEmpty::FromHead,
            batch_events: 256,
            take_over_after: Duration::ZERO,
            idle_check: Duration::from_secs(2),
            shortest_pause: Duration::from_millis(50),
            longest_pause: Duration::from_secs(5),
        }
    }
}

impl RelayOptions {
    /// For a bus that keeps messages and that relays of several processes may feed.
    pub fn shared() -> Self {
        Self {
            when_empty: WhenEmpty::FromBeginning,
            batch_events: 2_048,
            take_over_after: Duration::from_secs(2),
            longest_pause: Duration::from_secs(1),
            ..Self::default()
        }
    }

    /// The same with another name in metrics.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }
}

/// The relay has stopped for good; the operator acts.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum RelayError {
    /// What the bus holds last is not in the log.
    #[error(
        "the bus holds an event at position {position} that this log does not have: one of them was restored or belongs \
         elsewhere; empty the bus and rebuild what follows it"
    )]
    BusOfAnotherLog {
        /// Position of the last message on the bus.
        position: Position,
    },
    /// No message can be made of an event: this release does not know it, or it is damaged. It is not passed over.
    #[error("the event at position {position} cannot be read by this release: {why}; upgrade this process")]
    Unreadable {
        /// Position of the event.
        position: Position,
        /// What is wrong with it.
        why: String,
    },
}

/// Publishes the log to a bus or an outlet.
pub struct Relay {
    store: Arc<dyn EventStore>,
    destination: Box<dyn Destination>,
    options: RelayOptions,
    status: Arc<RelayStatus>,
    /// Where this relay stands on a bus that forgets, after the first look.
    after: Option<Position>,
}

/// Why the relay looks at the bus again.
enum Setback {
    Passing(String),
    /// Another relay publishes.
    Fenced,
    Final(RelayError),
}

impl Setback {
    fn emptied() -> Self {
        Self::Passing("the bus has lost its messages".to_owned())
    }
}

impl From<BusError> for Setback {
    fn from(error: BusError) -> Self {
        Self::Passing(error.to_string())
    }
}

impl From<PublishError> for Setback {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Fenced { actual: Some(_) } => Self::Fenced,
            PublishError::Fenced { actual: None } => Self::emptied(),
            other => Self::Passing(other.to_string()),
        }
    }
}

impl From<NotPublished> for Setback {
    fn from(error: NotPublished) -> Self {
        match error {
            NotPublished::Bus(error) => error.into(),
            NotPublished::Unreadable { position, why } => {
                Self::Final(RelayError::Unreadable { position, why })
            }
        }
    }
}

impl From<ReadError> for Setback {
    fn from(error: ReadError) -> Self {
        Self::Passing(error.to_string())
    }
}

/// Where the bus stands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Position of the last message, `None` where the bus holds none.
    last: Option<Position>,
    /// What follows this is to be published.
    after: Position,
}

impl Relay {
    /// A relay from a log to the bus.
    pub fn new(store: Arc<dyn EventStore>, bus: Arc<dyn Bus>, options: RelayOptions) -> Self {
        Self::to(store, Box::new(ToBus(bus)), options)
    }

    /// A relay from a log to an outlet, of what `render` makes of each event.
    pub fn to_outlet(
        store: Arc<dyn EventStore>,
        outlet: Arc<dyn Outlet>,
        render: Render,
        options: RelayOptions,
    ) -> Self {
        Self::to(store, Box::new(ToOutlet { outlet, render }), options)
    }

    fn to(store: Arc<dyn EventStore>, destination: Box<dyn Destination>, options: RelayOptions) -> Self {
        let status = Arc::new(RelayStatus::new(options.name));
        Self { store, destination, options, status, after: None }
    }

    /// Shows how the relay gets on, while and after it runs.
    pub fn status(&self) -> Arc<RelayStatus> {
        Arc::clone(&self.status)
    }

    /// Publishes or stands by until told to stop. Stopping between sending and answer is safe: the next relay asks the bus
    /// what it holds.
    ///
    /// # Errors
    /// [`RelayError`] when no waiting would help.
    pub async fn run(mut self, stop: CancellationToken) -> Result<(), RelayError> {
        self.status.is(RelayState::Starting);
        let ended = tokio::select! {
            () = stop.cancelled() => Ok(()),
            error = self.follow() => Err(error),
        };
        self.status.is(RelayState::Stopped);
        ended
    }

    async fn follow(&mut self) -> RelayError {
        let relay = self.options.name;
        let alone = self.options.take_over_after.is_zero();
        let mut may_publish = alone;
        let mut pause = self.options.shortest_pause;
        loop {
            let before = self.status.published_events();
            let setback = if may_publish {
                let Err(setback) = self.publish_all().await;
                setback
            } else {
                match self.stand_by().await {
                    Ok(()) => {
                        tracing::info!(relay, "the bus stands still: the relay publishes");
                        self.status.took_over();
                        may_publish = true;
                        continue;
                    }
                    Err(setback) => setback,
                }
            };
            match setback {
                Setback::Final(error) => {
                    tracing::error!(relay, %error, "the relay stops");
                    self.status.failed(error.to_string(), self.known_head());
                    return error;
                }
                Setback::Fenced => {
                    tracing::info!(relay, "another relay publishes");
                    may_publish = alone;
                }
                Setback::Passing(error) => {
                    tracing::warn!(relay, %error, "the relay looks at the bus again");
                    self.status.failed(error, self.known_head());
                }
            }
            if self.status.published_events() > before {
                pause = self.options.shortest_pause;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.options.longest_pause);
        }
    }

    /// Publishes until something fails. The next events are read while those before them are being published.
    async fn publish_all(&mut self) -> Result<Infallible, Setback> {
        let Place { mut last, mut after } = self.place().await?;
        self.status.is(RelayState::Active);
        let mut batches = pin!(self.batches(after));
        let mut ahead = None;
        loop {
            let events = match ahead.take() {
                Some(events) => events,
                None => match tokio::time::timeout(self.options.idle_check, batches.next()).await {
                    Ok(Some(events)) => events,
                    Ok(None) => return Err(Setback::Passing("the log has no end".to_owned())),
                    Err(_) => {
                        self.look_after(last).await?;
                        continue;
                    }
                },
            }?;
            let upto = events.last().map_or(after, |event| event.position);
            let published = {
                let mut publishing = pin!(self.destination.publish(last, after, events));
                loop {
                    tokio::select! {
                        biased;
                        published = &mut publishing => break published?,
                        events = batches.next(), if ahead.is_none() => ahead = events,
                    }
                }
            };
            last = published.last.or(last);
            after = upto;
            self.after = Some(after);
            self.status.published(published.count);
            self.status.stands_at(after, self.known_head());
        }
    }

    /// The log from a position on, in batches, for ever.
    fn batches(
        &self,
        after: Position,
    ) -> impl Stream<Item = Result<Vec<RecordedEvent>, ReadError>> + Send + use<> {
        let subscription = Subscription::new(Arc::clone(&self.store), after);
        let most = self.options.batch_events;
        stream::unfold(subscription, move |mut subscription| async move {
            let events = subscription.next_batch(most).await;
            Some((events, subscription))
        })
    }

    /// With nothing to publish: whether the bus still holds what this relay published last.
    async fn look_after(&self, expected: Option<Position>) -> Result<(), Setback> {
        match self.destination.last_published().await?.map(|(position, _)| position) {
            last if last == expected => Ok(()),
            None => Err(Setback::emptied()),
            Some(_) => Err(Setback::Fenced),
        }
    }

    /// Asks the bus what it holds last, and makes sure that this log has it.
    async fn place(&mut self) -> Result<Place, Setback> {
        let last = self.destination.last_published().await?;
        let after = match (last, self.options.when_empty) {
            (Some((position, event_id)), _) => {
                if self.store.event_id_at(position).await? != Some(event_id) {
                    return Err(Setback::Final(RelayError::BusOfAnotherLog { position }));
                }
                position
            }
            (None, WhenEmpty::FromBeginning) => Position::START,
            (None, WhenEmpty::FromHead) => match self.after {
                Some(after) => after,
                None => self.store.head().await?,
            },
        };
        self.after = Some(after);
        self.status.stands_at(after, self.known_head());
        Ok(Place { last: last.map(|(position, _)| position), after })
    }

    fn known_head(&self) -> Position {
        *self.store.watch_head().borrow()
    }
}

#[cfg(test)]
mod tests;

//! The feed as server-sent events: one message per event, its position as `id`.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dossier_commands::Clock;
use dossier_eventlog::{EventStore, Position, RecordedEvent, Subscription};
use dossier_projections::export::analytics_event;
use futures::Stream;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::filter::EventFilter;
use super::{BATCH_EVENTS, unreadable};
use crate::call::Call;
use crate::exports::Exporter;
use crate::status::ApiError;

/// Proxies close connections on which nothing moves for about half a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A reader of the feed. It is asked for the next message only when the one before is sent, so that a slow reader costs the
/// memory of one batch; it reads the log itself, so that it skips nothing.
pub(super) struct Feed {
    subscription: Subscription,
    filter: EventFilter,
    alive: Interval,
    begun: bool,
    ended: bool,
    limits: Limits,
}

/// What ends a feed, and what it owes on the way.
struct Limits {
    /// The server is to stop.
    draining: CancellationToken,
    /// The caller's token ends.
    expires_at: Timestamp,
    clock: Clock,
    /// Each day of reading is recorded; `None` in tests of the feed alone.
    recording: Option<(Exporter, Date)>,
}

impl Feed {
    /// The feed of a call, after a position. The day's reading is recorded already.
    pub(super) fn new(
        call: &Call,
        filter: EventFilter,
        after: Position,
        exporter: Exporter,
        day: Date,
    ) -> Self {
        let app = call.app.clone();
        let limits = Limits {
            draining: call.draining.clone(),
            expires_at: call.token_expires_at,
            clock: Arc::new(move || app.commands.now()),
            recording: Some((exporter, day)),
        };
        Self::on(call.app.store.clone(), filter, after, KEEP_ALIVE, limits)
    }

    fn on(
        store: Arc<dyn EventStore>,
        filter: EventFilter,
        after: Position,
        keep_alive: Duration,
        limits: Limits,
    ) -> Self {
        let mut alive = interval(keep_alive);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            subscription: Subscription::new(store, after),
            filter,
            alive,
            begun: false,
            ended: false,
            limits,
        }
    }

    /// The messages, until the reader goes away, its token ends or the server stops.
    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        futures::stream::unfold(self, async |mut feed| feed.next().await.map(|chunk| (Ok(chunk), feed)))
    }

    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.begun, true) {
            // Sent at once, so that the reader knows that it is connected.
            self.alive.reset();
            return Some(Bytes::from_static(b": connected\n\n"));
        }
        while !self.ended && (self.limits.clock)() < self.limits.expires_at {
            let batch = tokio::select! {
                biased;
                () = self.limits.draining.cancelled() => return None,
                _ = self.alive.tick() => return Some(Bytes::from_static(b": keep-alive\n\n")),
                batch = self.subscription.next_batch(BATCH_EVENTS) => batch,
            };
            // The reader comes again, from what it has seen last, and is told what is wrong.
            let Ok(batch) = batch.inspect_err(|error| tracing::warn!(%error, "a feed ends")) else {
                return None;
            };
            let messages = self.messages(&batch);
            if !messages.is_empty() {
                self.limits.record(&batch).await.ok()?;
                return Some(messages.into());
            }
        }
        None
    }

    /// The messages of what is wanted of a batch; the last one where an event is not readable.
    fn messages(&mut self, batch: &[RecordedEvent]) -> String {
        let mut messages = String::new();
        for recorded in batch.iter().filter(|recorded| self.filter.may_pass(recorded)) {
            match analytics_event(recorded) {
                Ok(Some(event)) if self.filter.passes(&event) => {
                    let _ = write!(messages, "id: {}\ndata: {}\n\n", event.position, event.cloud_event());
                }
                Ok(_) => {}
                Err(error) => {
                    self.ended = true;
                    let _ = write!(messages, "event: error\ndata: {}\n\n", unreadable(&error).body());
                    break;
                }
            }
        }
        messages
    }
}

impl Limits {
    /// Records the reading of a new day before anything of it leaves.
    async fn record(&mut self, batch: &[RecordedEvent]) -> Result<(), ApiError> {
        if let (Some((exporter, day)), Some(first)) = (&mut self.recording, batch.first())
            && exporter.today() != *day
        {
            *day = exporter.record(first.position.0.saturating_sub(1), None).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

//! The one task per node that keeps the connection and follows the log by a catch-up subscription. It says when the log moved;
//! when the server goes away or ends the subscription, it begins again where it was.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use kurrentdb::{
    Client, ClientSettings, Error, Position as AllPosition, ReadAllOptions, StreamPosition,
    SubscribeToAllOptions, SubscriptionEvent,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::instrument::WithSubscriber as _;

use super::codec::decode;
use super::guard::{EndedCleanly, SpinGuard};
use super::known::Known;
use super::link::{Link, State};
use super::options::Names;
use super::read::last_of_log;

/// How long a server may take to take a connection and a subscription.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses between attempts: the first, and the longest after many in vain.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How often a connection is turned to the leader before it is given up.
const TURNS: u32 = 3;
/// Events that may wait between the client and this task.
const BUFFERED_EVENTS: usize = 1024;

pub(super) struct Follower {
    settings: ClientSettings,
    names: Arc<Names>,
    known: Arc<Known>,
    state: watch::Sender<State>,
    /// The last place in `$all` that was seen; `None` before the first connection.
    after: Option<AllPosition>,
    pause: Duration,
}

/// Why a subscription ended.
enum End {
    Cleanly,
    Failed(Error),
    /// Nothing of the client's: its task is gone.
    Lost,
}

impl End {
    fn reason(&self) -> String {
        match self {
            Self::Cleanly => "the server ended the subscription at once".to_owned(),
            Self::Failed(error) => error.to_string(),
            Self::Lost => "the subscription's task ended".to_owned(),
        }
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Follower {
    pub(super) fn new(
        settings: ClientSettings,
        names: Arc<Names>,
        known: Arc<Known>,
        state: watch::Sender<State>,
    ) -> Self {
        Self { settings, names, known, state, after: None, pause: FIRST_PAUSE }
    }

    /// Keeps the connection until the log is closed.
    pub(super) async fn run(mut self, closing: CancellationToken) {
        let state = self.state.clone();
        let mut keeping = pin!(async move {
            loop {
                let reason = match self.connect().await {
                    Ok((link, subscription)) => {
                        self.state.send_replace(State::Connected(Arc::clone(&link)));
                        let connected = Instant::now();
                        let reason = self.follow(&link, subscription).await;
                        link.broke();
                        if connected.elapsed() > LONGEST_PAUSE {
                            self.pause = FIRST_PAUSE;
                        }
                        tracing::warn!(reason, "the connection to the event log in KurrentDB was lost");
                        reason
                    }
                    Err(reason) => reason,
                };
                self.state.send_modify(|state| {
                    let since = match state {
                        State::Connected(_) => Instant::now(),
                        State::Away { since, .. } => *since,
                    };
                    *state = State::Away { since, reason };
                });
                self.take_pause().await;
            }
        });
        tokio::select! {
            () = closing.cancelled() => {}
            () = &mut keeping => {}
        }
        let closed = State::Away { since: Instant::now(), reason: "the log is closed".to_owned() };
        if let State::Connected(link) = state.send_replace(closed) {
            link.broke();
        }
    }

    /// Makes a connection that has proved to work: its subscription was confirmed.
    async fn connect(&mut self) -> Result<(Arc<Link>, Subscription), String> {
        let link = Arc::new(Link::new(self.settings.clone()).await?);
        let connected = timeout(CONNECT_TIMEOUT, async {
            let mut turns = 0;
            loop {
                match self.begin(&link).await {
                    // Another node leads: the client has turned there by itself.
                    Err(End::Failed(Error::NotLeaderException(_))) if turns < TURNS => turns += 1,
                    begun => return begun,
                }
            }
        });
        match connected.await {
            Ok(Ok(subscription)) => Ok((link, subscription)),
            Ok(Err(end)) => Err(end.reason()),
            Err(_) => Err(format!("no answer within {} s", CONNECT_TIMEOUT.as_secs())),
        }
    }

    /// Finds where the log ends, the first time, and follows it from there or from where it was followed before.
    async fn begin(&mut self, link: &Link) -> Result<Subscription, End> {
        if self.after.is_none() {
            let end = end_of_all(&link.client).await?;
            if let Some(last) = last_of_log(&link.client, &self.names).await? {
                self.known.reaches(last);
            }
            self.after = Some(end);
        }
        let mut subscription = self.subscribe(link);
        let confirmed = subscription.next().await?;
        self.take_in(confirmed);
        Ok(subscription)
    }

    /// Takes in what the log brings; answers why the connection is given up.
    async fn follow(&mut self, link: &Link, mut subscription: Subscription) -> String {
        loop {
            let next = tokio::select! {
                next = subscription.next() => next,
                () = link.until_broken() => return "an append or a read failed".to_owned(),
            };
            match next {
                Ok(event) => self.take_in(event),
                Err(end @ (End::Failed(_) | End::Lost)) => return end.reason(),
                Err(End::Cleanly) => {
                    tracing::info!("KurrentDB ended the subscription: subscribing again");
                    self.take_pause().await;
                    subscription = self.subscribe(link);
                }
            }
        }
    }

    fn take_in(&mut self, event: SubscriptionEvent) {
        match event {
            SubscriptionEvent::EventAppeared(resolved) => {
                let Some(event) = resolved.event else { return };
                self.after = Some(event.position);
                self.pause = FIRST_PAUSE;
                match decode(&self.names, event) {
                    Ok(Some(event)) => {
                        self.known.saw(&event);
                        self.known.reaches(event.position);
                    }
                    Ok(None) => {}
                    // Whoever reads it is told.
                    Err(error) => tracing::warn!(%error, "an event of the log cannot be read"),
                }
            }
            SubscriptionEvent::Checkpoint(position) => self.after = Some(position),
            _ => {}
        }
    }

    /// Waits longer each time, until an event comes again.
    async fn take_pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = LONGEST_PAUSE.min(self.pause * 2);
    }

    fn subscribe(&self, link: &Link) -> Subscription {
        let position = self.after.map_or(StreamPosition::Start, StreamPosition::Position);
        let options = SubscribeToAllOptions::default().filter(self.names.filter()).position(position);
        Subscription::start(link.client.clone(), options)
    }
}

/// A subscription in a task of its own: asking the client for its next event must not be cancelled.
struct Subscription {
    events: mpsc::Receiver<SubscriptionEvent>,
    task: AbortOnDropHandle<Option<Error>>,
}

impl Subscription {
    fn start(client: Client, options: SubscribeToAllOptions) -> Self {
        let (sender, events) = mpsc::channel(BUFFERED_EVENTS);
        let guard = SpinGuard::default();
        let answered = guard.clone();
        let pump = async move {
            let mut subscription = client.subscribe_to_all(&options).await;
            loop {
                match subscription.next_subscription_event().await {
                    Ok(event) => {
                        answered.answered();
                        if sender.send(event).await.is_err() {
                            return None;
                        }
                    }
                    Err(error) => return Some(error),
                }
            }
        };
        let task = AbortOnDropHandle::new(tokio::spawn(pump.with_subscriber(guard)));
        Self { events, task }
    }

    async fn next(&mut self) -> Result<SubscriptionEvent, End> {
        if let Some(event) = self.events.recv().await {
            return Ok(event);
        }
        Err(match (&mut self.task).await {
            Ok(error) => error.map_or(End::Lost, End::Failed),
            Err(ended) => match ended.try_into_panic() {
                Ok(payload) if payload.is::<EndedCleanly>() => End::Cleanly,
                _ => End::Lost,
            },
        })
    }
}

/// The last place in `$all`, whoever wrote there.
async fn end_of_all(client: &Client) -> Result<AllPosition, Error> {
    let options = ReadAllOptions::default().position(StreamPosition::End).max_count(1).requires_leader(true);
    let mut events = client.read_all(&options).await?;
    let last = events.next().await?;
    Ok(last.and_then(|resolved| resolved.event).map_or(AllPosition::start(), |event| event.position))
}

//! Keeps one read model up with the log: from the bus while messages follow each other, from the log wherever they do not.

use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::{Bus, BusMessage, EventStore, Position, RecordedEvent, Sealer};
use tokio::sync::{Mutex, Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::batch::apply;
use crate::bus_link::{BusLink, News, text};
use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::generations::Live;
use crate::model::{Checkpoint, ReadModel};
use crate::status::{ModelStatus, ProjectorState};

/// Most events taken in with one transaction.
pub(crate) const BATCH_EVENTS: usize = 2_000;
/// How long after the log moved a missing bus message is no longer waited for.
const BUS_PATIENCE: Duration = Duration::from_millis(100);
/// The same while there is no bus.
const AWAY_PATIENCE: Duration = Duration::from_millis(2);
/// Between two attempts to subscribe.
const RESUBSCRIBE_PAUSE: Duration = Duration::from_secs(1);
/// The head is only a hint (another process may write): the log itself is read at least this often.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How often a halted projector looks whether somebody has seen to it.
const HALTED_PAUSE: Duration = Duration::from_secs(1);
/// Pause before trouble is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// What a projector follows.
#[derive(Clone)]
pub struct LogFollower {
    /// The truth.
    pub store: Arc<dyn EventStore>,
    /// What brings it quickly.
    pub bus: Arc<dyn Bus>,
    /// Opens personal values.
    pub sealer: Arc<Sealer>,
}

impl LogFollower {
    /// Makes sure that a checkpoint is of this log, which holds the event it was moved to (promise 2).
    pub(crate) async fn check(&self, model: &str, checkpoint: Checkpoint) -> Result<(), ProjectionError> {
        let known = match checkpoint.event_id {
            None => true,
            Some(event_id) => self.store.event_id_at(checkpoint.position).await? == Some(event_id),
        };
        if checkpoint.log_id == self.store.log_id() && known {
            return Ok(());
        }
        Err(ProjectionError::Halted(format!(
            "the read model {model} comes from another log, or the log was restored; run: dossier rebuild {model}"
        )))
    }
}

/// A model, its status, and the generation that its runner feeds. Whoever needs several takes them in this order:
/// `rebuilding`, `live`, the database's writer.
pub(crate) struct ModelHandle {
    pub(crate) model: Box<dyn ReadModel>,
    pub(crate) status: watch::Sender<ModelStatus>,
    /// One rebuild at a time.
    pub(crate) rebuilding: Mutex<()>,
    pub(crate) live: Mutex<Live>,
    /// Tells the runner that a rebuild, here or elsewhere, has put another generation under it.
    pub(crate) switched: Notify,
}

/// Runs until cancelled: stands by until nobody else projects the model, then projects it.
pub(crate) async fn run(
    handle: Arc<ModelHandle>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    cancel: CancellationToken,
) {
    let runner = Runner { handle, database, follower, told: Mutex::new(Told::Unknown) };
    tokio::select! {
        () = cancel.cancelled() => {}
        never = runner.run() => match never {},
    }
    // Whoever stands by need not wait until the lease runs out.
    runner.release_lease().await;
}

struct Runner {
    handle: Arc<ModelHandle>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    told: Mutex<Told>,
}

/// What other processes have been told of the projector's trouble.
#[derive(PartialEq, Eq)]
enum Told {
    /// Whatever the one before it has told.
    Unknown,
    /// Why it has halted, and its last trouble.
    This(Option<String>, Option<String>),
}

impl Runner {
    async fn run(&self) -> std::convert::Infallible {
        let name = self.handle.model.name();
        loop {
            let error = match self.stand_by().await {
                Ok(()) => {
                    let active = metrics::gauge!("dossier_projector_active", "model" => name);
                    active.set(1.0);
                    let Err(error) = self.project().await;
                    active.set(0.0);
                    error
                }
                Err(error) => error,
            };
            match error {
                ProjectionError::Halted(_) | ProjectionError::Superseded(_) => self.halt(error).await,
                error => {
                    tracing::warn!(model = name, %error, "projector tries again");
                    let said = error.to_string();
                    self.handle.status.send_modify(|status| status.last_error = Some(said.clone()));
                    // One that was overtaken leaves the telling to the other.
                    if !matches!(error, ProjectionError::Fenced) {
                        self.tell(None, Some(said)).await;
                    }
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// Says why, and waits until somebody has seen to it.
    async fn halt(&self, error: ProjectionError) {
        let (name, why) = (self.handle.model.name(), error.to_string());
        tracing::error!(
            model = name,
            why,
            "projector halted: its read model stays as it is until it is rebuilt"
        );
        metrics::gauge!("dossier_projector_halted", "model" => name).set(1.0);
        self.handle.status.send_modify(|status| {
            status.state = ProjectorState::Halted;
            status.halted = Some(why.clone());
        });
        // Where the release is the reason, others may be well.
        if matches!(error, ProjectionError::Halted(_)) {
            self.tell(Some(why), None).await;
        }
        self.release_lease().await;
        self.moved_by_others().await;
        metrics::gauge!("dossier_projector_halted", "model" => name).set(0.0);
    }

    /// Waits until this process has the model's lease.
    async fn stand_by(&self) -> Result<(), ProjectionError> {
        while !self.database.take_lease(&*self.handle.model).await? {
            self.handle.status.send_if_modified(|status| {
                let is_new = status.state != ProjectorState::StandingBy;
                if is_new {
                    // From now on it says what the active one tells.
                    status.state = ProjectorState::StandingBy;
                    status.last_error = None;
                }
                is_new
            });
            *self.told.lock().await = Told::Unknown;
            let pace = self.database.lease_pace().unwrap_or(RETRY_PAUSE);
            tokio::time::sleep(pace).await;
        }
        Ok(())
    }

    /// Projects for as long as this process has the lease.
    async fn project(&self) -> Result<std::convert::Infallible, ProjectionError> {
        tokio::select! {
            result = self.follow() => result,
            () = self.lease_lost() => Err(ProjectionError::Fenced),
        }
    }

    /// Renews the lease until another process has it. Where the database does not answer, nobody else gets it either, and
    /// what is written meanwhile is fenced by the checkpoint.
    async fn lease_lost(&self) {
        let Some(pace) = self.database.lease_pace() else { return std::future::pending().await };
        loop {
            tokio::time::sleep(pace).await;
            if let Ok(false) = self.database.take_lease(&*self.handle.model).await {
                return;
            }
        }
    }

    async fn release_lease(&self) {
        if let Err(error) = self.database.release_lease(&*self.handle.model).await {
            tracing::debug!(model = self.handle.model.name(), %error, "the lease is left to run out");
        }
    }

    /// Tells other processes of trouble, once.
    async fn tell(&self, halted: Option<String>, last_error: Option<String>) {
        let news = Told::This(halted.clone(), last_error.clone());
        let mut told = self.told.lock().await;
        if *told == news {
            return;
        }
        match self.database.report(&*self.handle.model, halted, last_error).await {
            Ok(()) => *told = news,
            Err(error) => tracing::debug!(%error, "trouble was not told to other processes"),
        }
    }

    /// Waits until a rebuild has put another generation under a halted projector, or another process has gone on with it.
    async fn moved_by_others(&self) {
        let model = &*self.handle.model;
        let halted_on = self.handle.live.lock().await.generation;
        let mut first = None;
        loop {
            if let Ok(Some((version, live))) = self.database.active(model).await {
                let own = version == model.schema_version();
                if own && live.generation != halted_on || first.is_some_and(|first| first != (version, live))
                {
                    return;
                }
                first = Some((version, live));
            }
            tokio::select! {
                () = self.handle.switched.notified() => return,
                () = tokio::time::sleep(HALTED_PAUSE) => {}
            }
        }
    }

    /// Follows the bus while it is there, and the log all the time: a bus that is away costs time, no more.
    async fn follow(&self) -> Result<std::convert::Infallible, ProjectionError> {
        self.reload().await?;
        let mut link = self.subscribing(Duration::ZERO);
        self.catch_up().await?;
        self.trouble(None).await;
        // Kept over the messages: those that say nothing new must not put it off.
        let mut missed = std::pin::pin!(self.missed(BUS_PATIENCE));
        loop {
            let news = tokio::select! {
                // In this order, so that a simulated run repeats itself.
                biased;
                () = self.handle.switched.notified() => {
                    self.reload().await?;
                    continue;
                }
                news = link.next() => news,
                () = &mut missed => {
                    let patience = if link.is_up() { BUS_PATIENCE } else { AWAY_PATIENCE };
                    missed.set(self.missed(patience));
                    News::Messages(Vec::new())
                }
            };
            let position = match news {
                News::Messages(messages) if !messages.is_empty() => self.take(&messages).await?,
                News::Messages(_) => self.catch_up().await?,
                News::Subscribed(subscription) => {
                    link = BusLink::Up(subscription);
                    self.trouble(None).await;
                    // What came between the last look and the subscription.
                    self.catch_up().await?
                }
                News::Lost(why) => {
                    let why = format!("{why}; the log is read instead");
                    tracing::warn!(model = self.handle.model.name(), why, "the bus does not bring events");
                    link = self.subscribing(RESUBSCRIBE_PAUSE);
                    self.trouble(Some(why)).await;
                    self.catch_up().await?
                }
            };
            if let Err(error) = link.acknowledge(position).await {
                tracing::debug!(model = self.handle.model.name(), %error, "messages will come again");
            }
        }
    }

    /// Subscribes after a pause, if the bus carries this log: one that outlived the log's restore holds events that never
    /// happened, and its last message tells.
    fn subscribing(&self, pause: Duration) -> BusLink {
        let (follower, consumer) = (self.follower.clone(), self.handle.model.name());
        BusLink::Down(Box::pin(async move {
            tokio::time::sleep(pause).await;
            if let Some((position, event_id)) = follower.bus.last_published().await.map_err(text)?
                && follower.store.event_id_at(position).await.map_err(text)? != Some(event_id)
            {
                return Err(format!(
                    "the bus holds an event at position {position} that this log does not have: empty the bus"
                ));
            }
            follower.bus.subscribe(consumer).await.map_err(text)
        }))
    }

    /// Says what is wrong here, and tells the others; nothing takes back what was said.
    async fn trouble(&self, why: Option<String>) {
        self.handle.status.send_modify(|status| status.last_error.clone_from(&why));
        self.tell(None, why).await;
    }

    /// Waits until the bus has not brought what the log has held for a while, or for as long as the hint may say nothing:
    /// a message that is lost at the end leaves no gap to be noticed.
    async fn missed(&self, patience: Duration) {
        let mut head = self.follower.store.watch_head();
        loop {
            let known = *head.borrow_and_update();
            tokio::time::sleep(patience).await;
            if known > self.handle.status.borrow().position {
                return;
            }
            match tokio::time::timeout(LONGEST_WAIT, head.changed()).await {
                Ok(Ok(())) => {}
                // Nobody writes through this store any more.
                Ok(Err(_)) => return tokio::time::sleep(LONGEST_WAIT).await,
                Err(_) => return,
            }
        }
    }

    /// Reads the generation and its checkpoint again, which another process may have moved, and makes sure that they belong
    /// to this release and this log (promise 2).
    async fn reload(&self) -> Result<(), ProjectionError> {
        let name = self.handle.model.name();
        let mut live = self.handle.live.lock().await;
        match self.database.active(&*self.handle.model).await? {
            Some((version, found)) if version == self.handle.model.schema_version() => *live = found,
            _ => {
                return Err(ProjectionError::Superseded(name));
            }
        }
        self.follower.check(name, live.checkpoint).await?;
        self.report(&live);
        Ok(())
    }

    /// Takes messages in: those that follow the checkpoint are applied, those seen before dropped, and where one is
    /// missing the log is read (promise 5).
    async fn take(&self, messages: &[BusMessage]) -> Result<Position, ProjectionError> {
        let mut live = self.handle.live.lock().await;
        let mut cursor = live.checkpoint.position;
        let mut following: Vec<&RecordedEvent> = Vec::with_capacity(messages.len());
        let mut gap = false;
        for message in messages {
            if message.event.position <= cursor {
                continue;
            }
            if message.previous_position != cursor {
                gap = true;
                break;
            }
            cursor = message.event.position;
            following.push(&message.event);
        }
        self.apply(&mut live, &following).await?;
        let position = live.checkpoint.position;
        drop(live);
        if gap {
            metrics::counter!("dossier_projector_gaps_total", "model" => self.handle.model.name())
                .increment(1);
            return self.catch_up().await;
        }
        Ok(position)
    }

    /// Reads the log until a batch is not full: under load its head moves on for ever. A rebuild that waits to switch gets
    /// in between two batches.
    async fn catch_up(&self) -> Result<Position, ProjectionError> {
        loop {
            let mut live = self.handle.live.lock().await;
            let batch = self.follower.store.read_all(live.checkpoint.position, BATCH_EVENTS).await?;
            if !batch.is_empty() {
                self.apply(&mut live, &batch.iter().collect::<Vec<_>>()).await?;
            }
            if batch.len() < BATCH_EVENTS {
                return Ok(live.checkpoint.position);
            }
        }
    }

    async fn apply(&self, live: &mut Live, recorded: &[&RecordedEvent]) -> Result<(), ProjectionError> {
        let applied = apply(&self.database, &*self.handle.model, &self.follower.sealer, live, recorded).await;
        self.report(live);
        applied
    }

    fn report(&self, live: &Live) {
        let name = self.handle.model.name();
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("dossier_projector_position", "model" => name).set(live.checkpoint.position.0 as f64);
        self.handle.status.send_modify(|status| {
            status.state = ProjectorState::Active;
            status.position = live.checkpoint.position;
            status.halted = None;
        });
    }
}

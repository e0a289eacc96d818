//! All reactors of a process: where each begins, and running them.
//!
//! # Where a reactor begins
//!
//! A reactor that is deployed anew begins where it declares. But a work store that was lost looks the same: then a reactor
//! that begins at the head would pass over what happened since the loss, without a word. So the work store keeps a row of its
//! own, made beside an empty log ([`claim_new_log`]) or when no reactor is there yet. Where that row is missing beside a
//! log with events, a reactor that declares [`Begin::AtHead`] is not started until the operator has said where to begin. One
//! that declares [`Begin::AtBeginning`] needs no choice: what it did before, it does under the same command ids.

use std::sync::Arc;

use dossier_commands::Clock;
use dossier_eventlog::{EventStore, Position, ReadError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::lead::{self, Lead, Pace};
use super::runner::Runner;
use super::{Begin, Issue, Reactor, ReactorStatus};
use crate::work_store::{WorkCheckpoint, WorkStore, WorkStoreError};

/// The row that tells a work store in use from an empty one.
const ORIGIN: &str = "origin";

/// Why reactors were not started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The log or the work store cannot answer now. The caller repeats later.
    #[error("{0}")]
    Unavailable(String),
    /// The work store knows nothing and the log has events. The operator acts.
    #[error(
        "the work store is empty beside a log with events, so it is not known what the reactors ({}) have done: restore it \
         from its backup, or start once with lost_work_store=begin-at-head (what happened since the loss stays undone)",
        .reactors.join(", ")
    )]
    EmptyWorkStore {
        /// Those that would begin at the head.
        reactors: Vec<&'static str>,
    },
}

impl From<WorkStoreError> for StartError {
    fn from(error: WorkStoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ReadError> for StartError {
    fn from(error: ReadError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Notes in the work store that it belongs to a log that is still empty. Every process that opens both calls it before it
/// serves anything, whatever its roles: else a log may have events before the first process with reactors starts.
///
/// # Errors
/// [`StartError::Unavailable`].
pub async fn claim_new_log(store: &dyn EventStore, work: &dyn WorkStore) -> Result<(), StartError> {
    if work.checkpoint(ORIGIN).await?.is_none() && store.head().await? == Position::START {
        first(work, ORIGIN, &begin(store, Begin::AtBeginning).await?).await?;
    }
    Ok(())
}

/// The checkpoint of a reactor that begins now.
pub(crate) async fn begin(store: &dyn EventStore, begin: Begin) -> Result<WorkCheckpoint, ReadError> {
    let start = WorkCheckpoint { log_id: store.log_id(), position: Position::START, event_id: None };
    if begin == Begin::AtBeginning {
        return Ok(start);
    }
    let position = store.head().await?;
    let event_id = store.event_id_at(position).await?;
    Ok(WorkCheckpoint { position, event_id, ..start })
}

/// Writes a first checkpoint, unless another process was faster.
pub(crate) async fn first(
    work: &dyn WorkStore,
    process: &str,
    to: &WorkCheckpoint,
) -> Result<(), WorkStoreError> {
    match work.advance(process, None, to).await {
        Ok(()) | Err(WorkStoreError::Fenced(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The reactors of a process.
pub struct Reactors {
    store: Arc<dyn EventStore>,
    work: Arc<dyn WorkStore>,
    issuer: Arc<dyn Issue>,
    clock: Clock,
    node: String,
    pace: Pace,
    all: Vec<(Arc<dyn Reactor>, watch::Sender<ReactorStatus>)>,
    beside: Vec<&'static str>,
}

impl Reactors {
    /// No reactor yet, on a log and with the commands on it; `node` names this process among those that share the work store.
    pub fn new(
        store: Arc<dyn EventStore>,
        work: Arc<dyn WorkStore>,
        issuer: Arc<dyn Issue>,
        clock: Clock,
        node: impl Into<String>,
    ) -> Self {
        Self {
            store,
            work,
            issuer,
            clock,
            node: node.into(),
            pace: Pace::default(),
            all: Vec::new(),
            beside: Vec::new(),
        }
    }

    /// One more.
    #[must_use]
    pub fn with(mut self, reactor: impl Reactor) -> Self {
        assert!(
            reactor.name() != ORIGIN && self.statuses().iter().all(|(name, _)| *name != reactor.name()),
            "the name {} is taken",
            reactor.name()
        );
        self.all.push((Arc::new(reactor), watch::Sender::default()));
        self
    }

    /// A process that is no reactor, follows the log with a checkpoint of its own, and always begins at the head: also where the
    /// operator lets the others begin at the beginning, because what it does cannot be told from doing it again.
    #[must_use]
    pub fn beside(mut self, process: &'static str) -> Self {
        self.beside.push(process);
        self
    }

    /// The same at another pace.
    #[cfg(test)]
    pub(super) fn paced(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Gives each reactor that has none its first checkpoint, and starts them; they run until cancelled. `choice` is where the
    /// operator wants those to begin whose place is not known, because the work store was lost or the log was restored; it
    /// changes nothing for the others.
    ///
    /// # Errors
    /// [`StartError`]; nothing is started.
    pub async fn start(
        &self,
        choice: Option<Begin>,
        cancel: &CancellationToken,
    ) -> Result<JoinSet<()>, StartError> {
        self.place(choice).await?;
        let mut tasks = JoinSet::new();
        for (reactor, status) in &self.all {
            let runner = Runner {
                reactor: reactor.clone(),
                issuer: self.issuer.clone(),
                lead: Lead {
                    name: reactor.name(),
                    store: self.store.clone(),
                    work: self.work.clone(),
                    clock: self.clock.clone(),
                    node: self.node.clone(),
                    pace: self.pace,
                    status: status.clone(),
                },
            };
            tasks.spawn(lead::run(runner, cancel.clone()));
        }
        Ok(tasks)
    }

    /// Names and statuses.
    pub fn statuses(&self) -> Vec<(&'static str, ReactorStatus)> {
        self.all.iter().map(|(reactor, status)| (reactor.name(), status.borrow().clone())).collect()
    }

    /// Names, and what tells how each gets on, for as long as it runs.
    pub fn watched(&self) -> Vec<(&'static str, watch::Receiver<ReactorStatus>)> {
        self.all.iter().map(|(reactor, status)| (reactor.name(), status.subscribe())).collect()
    }

    async fn place(&self, choice: Option<Begin>) -> Result<(), StartError> {
        let (store, work) = (&*self.store, &*self.work);
        claim_new_log(store, work).await?;
        let known = work.checkpoint(ORIGIN).await?.is_some();
        let mut at_head = Vec::new();
        for (reactor, _) in &self.all {
            match work.checkpoint(reactor.name()).await? {
                None if !known && choice.is_none() && reactor.begins() == Begin::AtHead => {
                    at_head.push(reactor.name());
                }
                None => {
                    let where_ = choice.filter(|_| !known).unwrap_or_else(|| reactor.begins());
                    first(work, reactor.name(), &begin(store, where_).await?).await?;
                }
                Some(found) => {
                    if let Some(choice) = choice
                        && !belongs(store, &found).await?
                    {
                        let to = begin(store, choice).await?;
                        work.advance(reactor.name(), Some(&found), &to).await?;
                    }
                }
            }
        }
        for process in &self.beside {
            match work.checkpoint(process).await? {
                None if !known && choice.is_none() => at_head.push(*process),
                None => first(work, process, &begin(store, Begin::AtHead).await?).await?,
                Some(found) => {
                    if choice.is_some() && !belongs(store, &found).await? {
                        let to = begin(store, Begin::AtHead).await?;
                        work.advance(process, Some(&found), &to).await?;
                    }
                }
            }
        }
        if !at_head.is_empty() {
            return Err(StartError::EmptyWorkStore { reactors: at_head });
        }
        // Last, so that a crash half way asks the operator again.
        if !known {
            first(work, ORIGIN, &begin(store, Begin::AtHead).await?).await?;
        }
        Ok(())
    }
}

/// Whether a checkpoint speaks of this log as it is now (promise 2).
pub(crate) async fn belongs(store: &dyn EventStore, checkpoint: &WorkCheckpoint) -> Result<bool, ReadError> {
    if checkpoint.log_id != store.log_id() {
        return Ok(false);
    }
    match checkpoint.event_id {
        None => Ok(true),
        Some(event_id) => Ok(store.event_id_at(checkpoint.position).await? == Some(event_id)),
    }
}

#[cfg(test)]
mod tests;

//! All read models of one database: opening, running, waiting for them, rebuilding them.

use std::sync::Arc;
use std::time::Duration;

use dossier_eventlog::Position;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::account_recovery::AccountRecoveries;
use crate::accounts::Accounts;
use crate::case_history::CaseHistory;
use crate::cases::{self, Cases};
use crate::database::{ReadDatabase, Snapshot};
use crate::error::{OpenError, ProjectionError, QueryError};
use crate::event::ProjectedEvent;
use crate::event_delivery::EventDelivery;
use crate::feedback::FeedbackModel;
use crate::help_sessions::HelpSessions;
use crate::known_issues::KnownIssues;
use crate::location::ReadLocation;
use crate::model::{Column, ColumnKind, ReadModel, Table};
use crate::observer::{self, Waiting};
use crate::organizations::Organizations;
use crate::rebuild::{self, RebuildProgress};
use crate::reseller_visibility::{self, ResellerVisibility};
pub use crate::runner::LogFollower;
use crate::runner::{self, ModelHandle};
use crate::satisfaction::Satisfaction;
use crate::saved_views::SavedViews;
use crate::sql::Sql;
use crate::status::{ModelStatus, ProjectorState};
use crate::volume::{self, Volume};

/// The read models.
pub struct ReadModels {
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    handles: Vec<Arc<ModelHandle>>,
    waiting: Arc<Waiting>,
}

/// Why waiting for a position ended without it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The time was over.
    #[error("the read model {model} has not come as far yet")]
    TimedOut {
        /// The model that is behind.
        model: &'static str,
    },
    /// The model's projector has halted.
    #[error("the read model {model} has halted: {why}")]
    Halted {
        /// The model.
        model: &'static str,
        /// Why.
        why: String,
    },
}

impl ReadModels {
    /// Opens the database and makes sure that every model has tables of its current schema version. Where an older release
    /// is at work on PostgreSQL, this takes as long as it takes to build them anew.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(location: &ReadLocation, follower: LogFollower) -> Result<Self, OpenError> {
        let models: Vec<Box<dyn ReadModel>> = vec![
            Box::new(Cases),
            Box::new(CaseHistory),
            Box::new(ResellerVisibility),
            Box::new(Organizations),
            Box::new(Accounts),
            Box::new(AccountRecoveries),
            Box::new(EventDelivery),
            Box::new(Satisfaction),
            Box::new(KnownIssues),
            Box::new(Volume),
            Box::new(SavedViews),
            Box::new(FeedbackModel),
            Box::new(HelpSessions),
        ];
        Self::open_with(location, follower, models).await
    }

    /// The same with models of the caller's choice.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_with(
        location: &ReadLocation,
        follower: LogFollower,
        models: Vec<Box<dyn ReadModel>>,
    ) -> Result<Self, OpenError> {
        let database = Arc::new(ReadDatabase::open(location).await?);
        let mut handles = Vec::with_capacity(models.len());
        for model in models {
            let refused = |error: ProjectionError| OpenError::of(location, error.to_string());
            let (live, is_older) =
                database.open_model(&*model, follower.store.log_id()).await.map_err(refused)?;
            let handle = Arc::new(ModelHandle {
                model,
                // Nobody is told a position before the runner has made sure that it is of this log.
                status: watch::Sender::new(ModelStatus::default()),
                rebuilding: Mutex::default(),
                live: Mutex::new(live),
                switched: Notify::new(),
            });
            if is_older {
                rebuild::upgrade(&handle, &database, &follower).await.map_err(refused)?;
                handle.status.send_replace(ModelStatus::default());
            }
            handles.push(handle);
        }
        Ok(Self { database, follower, handles, waiting: Arc::default() })
    }

    /// The database, for queries.
    pub fn database(&self) -> &Arc<ReadDatabase> {
        &self.database
    }

    /// Starts one projector per model; they run until cancelled. Where several processes share the database, one projector
    /// of each model is active and the others stand by; those look how far it is, as [`Self::observe`] does.
    pub fn start(&self, cancel: &CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for handle in &self.handles {
            tasks.spawn(runner::run(
                handle.clone(),
                self.database.clone(),
                self.follower.clone(),
                cancel.clone(),
            ));
        }
        self.look_on(&mut tasks, cancel);
        tasks
    }

    /// Looks how far the projectors of other processes are, until cancelled, for a process that has none itself.
    pub fn observe(&self, cancel: &CancellationToken) -> JoinSet<()> {
        for handle in &self.handles {
            handle.status.send_modify(|status| status.state = ProjectorState::Observing);
        }
        let mut tasks = JoinSet::new();
        self.look_on(&mut tasks, cancel);
        tasks
    }

    fn look_on(&self, tasks: &mut JoinSet<()>, cancel: &CancellationToken) {
        tasks.spawn(observer::run(
            self.handles.clone(),
            self.database.clone(),
            self.follower.clone(),
            self.waiting.clone(),
            cancel.clone(),
        ));
    }

    /// Names and statuses of all models.
    pub fn statuses(&self) -> Vec<(&'static str, ModelStatus)> {
        self.handles.iter().map(|handle| (handle.model.name(), handle.status.borrow().clone())).collect()
    }

    /// The log's head.
    ///
    /// # Errors
    /// [`ProjectionError::Unavailable`].
    pub async fn head(&self) -> Result<Position, ProjectionError> {
        Ok(self.follower.store.head().await?)
    }

    /// Waits until every model has come as far as a position; a halted one is not waited for.
    ///
    /// # Errors
    /// [`WaitError`] for the first model that has not.
    pub async fn wait_for(&self, position: Position, patience: Duration) -> Result<(), WaitError> {
        let deadline = tokio::time::Instant::now() + patience;
        let mut result = Ok(());
        for handle in &self.handles {
            result = result.and(self.wait_for_model(handle, position, deadline).await);
        }
        result
    }

    /// Waits until the model that knows whom customers let in has come as far as a position: whoever sees by somebody's
    /// leave reads after it, or not at all.
    ///
    /// # Errors
    /// As [`Self::wait_for_one`].
    pub async fn wait_for_visibility(&self, position: Position, patience: Duration) -> Result<(), WaitError> {
        self.wait_for_one(reseller_visibility::NAME, position, patience).await
    }

    /// Waits until the model of what counts for the watch over the volume has come as far as a position.
    ///
    /// # Errors
    /// [`WaitError`]; where the model is not among these, it counts as halted.
    pub async fn wait_for_volume(&self, position: Position, patience: Duration) -> Result<(), WaitError> {
        self.wait_for_one(volume::NAME, position, patience).await
    }

    /// Waits until the model `cases` has come as far as a position.
    ///
    /// # Errors
    /// As [`Self::wait_for_one`].
    pub async fn wait_for_cases(&self, position: Position, patience: Duration) -> Result<(), WaitError> {
        self.wait_for_one(cases::NAME, position, patience).await
    }

    /// Waits until one model has come as far as a position.
    ///
    /// # Errors
    /// [`WaitError`]; where the model is not among these, it counts as halted.
    pub async fn wait_for_one(
        &self,
        model: &'static str,
        position: Position,
        patience: Duration,
    ) -> Result<(), WaitError> {
        let deadline = tokio::time::Instant::now() + patience;
        match self.handles.iter().find(|handle| handle.model.name() == model) {
            Some(handle) => self.wait_for_model(handle, position, deadline).await,
            None => Err(WaitError::Halted { model, why: "it is not kept here".to_owned() }),
        }
    }

    async fn wait_for_model(
        &self,
        handle: &ModelHandle,
        position: Position,
        deadline: tokio::time::Instant,
    ) -> Result<(), WaitError> {
        let model = handle.model.name();
        let mut status = handle.status.subscribe();
        let is_elsewhere = status.borrow().position < position && status.borrow().state.is_elsewhere();
        let _waiter = is_elsewhere.then(|| self.waiting.join());
        let arrived = status.wait_for(|status| status.position >= position || status.halted.is_some());
        match tokio::time::timeout_at(deadline, arrived).await {
            Ok(Ok(status)) if status.position >= position => Ok(()),
            Ok(Ok(status)) => {
                Err(WaitError::Halted { model, why: status.halted.clone().unwrap_or_default() })
            }
            Ok(Err(_)) | Err(_) => Err(WaitError::TimedOut { model }),
        }
    }

    /// Builds a model anew beside the live one and switches; `false` when there is no such model.
    ///
    /// # Errors
    /// [`ProjectionError`]; the live model stays as it is.
    pub async fn rebuild(
        &self,
        name: &str,
        progress: &(dyn Fn(RebuildProgress) + Send + Sync),
    ) -> Result<bool, ProjectionError> {
        let Some(handle) = self.handles.iter().find(|handle| handle.model.name() == name) else {
            return Ok(false);
        };
        rebuild::rebuild(handle, &self.database, &self.follower, progress).await?;
        Ok(true)
    }

    /// Takes events straight into a model's live tables, past any log: for benchmarks, which need many rows. The model is
    /// of no use to a projector any more.
    ///
    /// # Errors
    /// [`ProjectionError`].
    #[doc(hidden)]
    pub async fn take_in(&self, name: &str, events: &[ProjectedEvent]) -> Result<(), ProjectionError> {
        let handle = self.handles.iter().find(|handle| handle.model.name() == name);
        let Some(handle) = handle else { return Ok(()) };
        let generation = handle.live.lock().await.generation;
        let mut writer = self.database.writer().await?;
        let mut transaction = writer.begin().await?;
        handle.model.project(&mut transaction, generation, events).await?;
        transaction.commit().await
    }

    /// Every row of a model's live tables at one moment as text, sorted, for comparing.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn dump(&self, name: &str) -> Result<Vec<String>, QueryError> {
        let mut snapshot = self.database.snapshot().await?;
        let mut rows = Vec::new();
        let tables = self.handles.iter().filter(|handle| handle.model.name() == name);
        for table in tables.flat_map(|handle| handle.model.tables()) {
            rows.extend(dump_table(&mut snapshot, table).await?);
        }
        snapshot.end().await?;
        Ok(rows)
    }
}

async fn dump_table(snapshot: &mut Snapshot, table: &Table) -> Result<Vec<String>, QueryError> {
    let shown = table.columns.iter().map(|Column { name, kind, .. }| match kind {
        ColumnKind::Text => format!("coalesce('''' || replace({name}, '''', '''''') || '''', 'NULL')"),
        ColumnKind::Integer => format!("coalesce(CAST({name} AS TEXT), 'NULL')"),
        ColumnKind::Boolean => {
            format!("CASE WHEN {name} THEN 'yes' WHEN NOT {name} THEN 'no' ELSE 'NULL' END")
        }
    });
    let shown: Vec<String> = shown.collect();
    let mut sql = Sql::new(format!("SELECT '{}: ' || {} FROM ", table.name, shown.join(" || ' | ' || ")));
    sql.push_live(table.name);
    let rows: Vec<(String,)> = snapshot.fetch_all(&sql).await?;
    let mut rows: Vec<String> = rows.into_iter().map(|(row,)| row).collect();
    rows.sort_unstable();
    Ok(rows)
}

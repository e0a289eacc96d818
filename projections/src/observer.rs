//! Looks how far the projectors of other processes are. They tell with every commit where the database can (PostgreSQL), so
//! that whoever waits for a position learns of it within milliseconds; besides, the database is asked now and then, and often
//! while somebody waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dossier_eventlog::Position;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::database::ReadDatabase;
use crate::error::ProjectionError;
use crate::generations::checkpoint;
use crate::model::{Checkpoint, Generation};
use crate::runner::{LogFollower, ModelHandle};
use crate::sql::Sql;
use crate::status::ModelStatus;

/// How often the database is asked while somebody waits.
const PAUSE_WHILE_WAITED_FOR: Duration = Duration::from_millis(50);
/// How often it is asked otherwise.
const PAUSE: Duration = Duration::from_secs(1);
/// How often tables that nobody reads any more are looked for.
#[cfg(feature = "postgres")]
const RETIRED_PAUSE: Duration = Duration::from_secs(5);
/// News that may wait to be looked at.
const NEWS: usize = 1_024;

/// How many wait for a position.
#[derive(Default)]
pub(crate) struct Waiting {
    count: AtomicUsize,
    changed: Notify,
}

/// One that waits, until it is dropped.
pub(crate) struct Waiter<'a>(&'a Waiting);

impl Waiting {
    pub(crate) fn join(&self) -> Waiter<'_> {
        if self.count.fetch_add(1, Ordering::Relaxed) == 0 {
            self.changed.notify_one();
        }
        Waiter(self)
    }

    fn pause(&self) -> Duration {
        if self.count.load(Ordering::Relaxed) > 0 { PAUSE_WHILE_WAITED_FOR } else { PAUSE }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Looks until cancelled.
pub(crate) async fn run(
    handles: Vec<Arc<ModelHandle>>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    waiting: Arc<Waiting>,
    cancel: CancellationToken,
) {
    let (sender, receiver) = mpsc::channel(NEWS);
    let observer =
        Observer { handles, database: database.clone(), follower, waiting, known: BTreeMap::new() };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = observer.run(receiver) => {}
        () = listen(&database, sender) => {}
        () = clean(&database) => {}
    }
}

/// What is heard from other processes.
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only PostgreSQL tells"))]
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// A generation of a model has come as far as this.
    Moved { model: String, generation: Generation, position: Position },
    /// Another generation of a model has become active.
    Switched { model: String },
    /// Something may have been missed.
    Unknown,
}

#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only PostgreSQL tells"))]
impl News {
    fn parse(text: &str) -> Self {
        let mut words = text.split(' ');
        let model = words.next().unwrap_or_default().to_owned();
        match (words.next(), words.next()) {
            (None, _) => Self::Switched { model },
            (Some(generation), Some(position)) => match (generation.parse(), position.parse()) {
                (Ok(generation), Ok(position)) => {
                    Self::Moved { model, generation: Generation(generation), position: Position(position) }
                }
                _ => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

#[cfg(feature = "postgres")]
async fn listen(database: &ReadDatabase, news: mpsc::Sender<News>) {
    loop {
        match database.listen().await {
            Ok(None) => return std::future::pending().await,
            Ok(Some(mut listener)) => loop {
                // What was said before is not heard any more.
                if news.send(News::Unknown).await.is_err() {
                    return;
                }
                let error = loop {
                    match listener.try_recv().await {
                        Ok(Some(heard)) => drop(news.send(News::parse(heard.payload())).await),
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    }
                };
                if let Some(error) = error {
                    tracing::debug!(%error, "nothing is heard from projectors; the database is asked instead");
                    break;
                }
            },
            Err(error) => {
                tracing::debug!(%error, "nothing is heard from projectors; the database is asked instead");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(not(feature = "postgres"))]
async fn listen(_: &ReadDatabase, news: mpsc::Sender<News>) {
    std::future::pending::<()>().await;
    drop(news);
}

#[cfg(feature = "postgres")]
async fn clean(database: &ReadDatabase) {
    loop {
        if let Err(error) = database.drop_retired().await {
            tracing::debug!(%error, "tables of former generations are dropped later");
        }
        tokio::time::sleep(RETIRED_PAUSE).await;
    }
}

#[cfg(not(feature = "postgres"))]
async fn clean(_: &ReadDatabase) {
    std::future::pending().await
}

struct Observer {
    handles: Vec<Arc<ModelHandle>>,
    database: Arc<ReadDatabase>,
    follower: LogFollower,
    waiting: Arc<Waiting>,
    /// By model, the generation whose checkpoint was found to be of this log.
    known: BTreeMap<&'static str, Generation>,
}

/// What the database says of a model.
struct Seen {
    schema_version: i64,
    generation: Generation,
    checkpoint: Checkpoint,
    halted: Option<String>,
    last_error: Option<String>,
}

type SeenRow = (i64, i64, Vec<u8>, i64, Option<Vec<u8>>, Option<String>, Option<String>);

impl Observer {
    async fn run(mut self, mut news: mpsc::Receiver<News>) {
        let mut asked = Instant::now();
        self.ask().await;
        loop {
            let heard = tokio::select! {
                heard = news.recv() => heard,
                () = tokio::time::sleep_until(asked + self.waiting.pause()) => Some(News::Unknown),
                // Somebody waits from now on: the pause is another one.
                () = self.waiting.changed.notified() => continue,
            };
            match heard {
                Some(News::Moved { model, generation, position }) => self.moved(&model, generation, position),
                Some(News::Switched { model }) => {
                    if let Some(handle) = self.handles.iter().find(|handle| handle.model.name() == model) {
                        handle.switched.notify_one();
                    }
                    self.ask().await;
                }
                Some(News::Unknown) => {
                    self.ask().await;
                    asked = Instant::now();
                }
                None => return,
            }
        }
    }

    fn moved(&self, model: &str, generation: Generation, position: Position) {
        if self.known.get(model) != Some(&generation) {
            return;
        }
        for handle in self.handles.iter().filter(|handle| handle.model.name() == model) {
            tell(handle, |status| {
                // What is heard may be older than what was read.
                let moved = position > status.position;
                status.position = status.position.max(position);
                moved
            });
        }
    }

    /// Asks the database about every model that others project.
    async fn ask(&mut self) {
        for handle in self.handles.clone() {
            if !handle.status.borrow().state.is_elsewhere() {
                continue;
            }
            let seen = match self.look_at(&handle).await {
                Ok(seen) => seen,
                Err(error) => {
                    let (halted, error) = match error {
                        ProjectionError::Halted(_) | ProjectionError::Superseded(_) => {
                            (Some(error.to_string()), None)
                        }
                        error => (handle.status.borrow().halted.clone(), Some(error.to_string())),
                    };
                    tell(&handle, |status| set_trouble(status, halted, error));
                    continue;
                }
            };
            tell(&handle, |status| {
                let moved = status.position != seen.checkpoint.position;
                status.position = seen.checkpoint.position;
                set_trouble(status, seen.halted, seen.last_error) || moved
            });
        }
    }

    /// What the database says of a model, if it is of this log and this release.
    async fn look_at(&mut self, handle: &ModelHandle) -> Result<Seen, ProjectionError> {
        let model = &*handle.model;
        let name = model.name();
        let seen = self.read(name).await?;
        if seen.schema_version != model.schema_version() {
            return Err(ProjectionError::Superseded(name));
        }
        if self.known.get(name) != Some(&seen.generation) {
            self.follower.check(name, seen.checkpoint).await?;
            self.known.insert(name, seen.generation);
        }
        Ok(seen)
    }

    async fn read(&self, model: &'static str) -> Result<Seen, ProjectionError> {
        let sql = Sql::new(
            "SELECT schema_version, generation, log_id, position, event_id, halted, last_error
             FROM read_models JOIN checkpoints ON checkpoints.model = name AND generation = active_generation
             LEFT JOIN projector_reports ON projector_reports.model = name
             WHERE name = ",
        )
        .bind(model);
        let row: Option<SeenRow> = self.database.fetch_optional(&sql).await?;
        let Some((schema_version, generation, log_id, position, event_id, halted, last_error)) = row else {
            return Err(ProjectionError::Unavailable(format!("the read model {model} is not there")));
        };
        let (generation, checkpoint) = (Generation(generation), checkpoint(&log_id, position, event_id));
        Ok(Seen { schema_version, generation, checkpoint, halted, last_error })
    }
}

/// Changes a status, unless the projector has begun to run here meanwhile.
fn tell(handle: &ModelHandle, change: impl FnOnce(&mut ModelStatus) -> bool) {
    handle.status.send_if_modified(|status| status.state.is_elsewhere() && change(status));
}

fn set_trouble(status: &mut ModelStatus, halted: Option<String>, last_error: Option<String>) -> bool {
    let changed = status.halted != halted || status.last_error != last_error;
    (status.halted, status.last_error) = (halted, last_error);
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_are_told() {
        let moved =
            News::Moved { model: "cases".to_owned(), generation: Generation(3), position: Position(17) };
        assert_eq!(News::parse("cases 3 17"), moved);
        assert_eq!(News::parse("cases"), News::Switched { model: "cases".to_owned() });
        for odd in ["cases 3", "cases three 17", "cases 3 -1"] {
            assert_eq!(News::parse(odd), News::Unknown, "{odd}");
        }
    }
}

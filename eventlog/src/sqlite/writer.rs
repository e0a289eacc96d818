//! The one task that writes. It takes every append that waits, up to a bound, judges each against the log plus
//! what it has accepted of the same batch, and stores the accepted ones in one transaction.

use std::sync::Arc;

use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::heads::Heads;
use super::insert::{Inserts, Row};
use super::lock::LockFile;
use super::read::Reader;
use super::recovery::Failure;
use super::store::SqliteOptions;
use crate::admission::{Admission, StreamHead};
use crate::envelope::{Position, Revision, StreamName};
use crate::store::{Append, AppendError, Appended};

pub(super) type Answer = Result<Appended, AppendError>;

/// How often at most the writer steps back before it takes a batch.
const GATHER_ROUNDS: u32 = 4;

/// An append that waits for its batch.
pub(super) struct Queued {
    pub(super) append: Append,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The writer's state. The connection is dropped before the lock.
pub(super) struct Writer {
    pub(super) options: SqliteConnectOptions,
    pub(super) connection: Option<SqliteConnection>,
    /// Position of the log's last event; `None` after a failure, until it is looked up again.
    pub(super) last: Option<Position>,
    pub(super) heads: Arc<Heads>,
    pub(super) head: watch::Sender<Position>,
    pub(super) reader: Arc<Reader>,
    pub(super) inserts: Inserts,
    pub(super) bounds: SqliteOptions,
    #[cfg(test)]
    pub(super) faults: Arc<super::tests::Faults>,
    pub(super) lock: LockFile,
}

impl Writer {
    /// Writes until the store is closed or dropped; what was queued by then is still stored and answered.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<Queued>,
        closing: CancellationToken,
        done: CancellationToken,
    ) {
        let _done = done.drop_guard();
        loop {
            let first = tokio::select! {
                biased;
                () = closing.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
                queued = queue.recv() => queued,
            };
            let Some(first) = first else { break };
            let batch = self.gather(first, &mut queue).await;
            self.settle(batch).await;
        }
        self.close().await;
    }

    /// Takes what waits, up to the bounds.
    async fn gather(&self, first: Queued, queue: &mut mpsc::Receiver<Queued>) -> Vec<Queued> {
        // Callers that the last batch woke are about to queue again: let them, as long as some do. It costs
        // microseconds and spares whole commits.
        for _ in 0..GATHER_ROUNDS {
            let waiting = queue.len();
            tokio::task::yield_now().await;
            if queue.len() == waiting {
                break;
            }
        }
        let mut bytes = first.bytes;
        let mut events = first.append.events.len();
        let mut batch = vec![first];
        while bytes < self.bounds.batch_bytes && events < self.bounds.batch_events {
            let Ok(next) = queue.try_recv() else { break };
            bytes += next.bytes;
            events += next.append.events.len();
            batch.push(next);
        }
        batch
    }

    async fn settle(&mut self, batch: Vec<Queued>) {
        let (appends, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.append, queued.answer)).unzip();
        self.heads.begin_batch();
        let answers = self.store(&appends).await;
        if self.last.is_some() {
            self.heads.end_batch();
        }
        for (waiting, answer) in waiting.into_iter().zip(answers) {
            // Nobody may be waiting any more; the append holds all the same.
            let _ = waiting.send(answer);
        }
    }

    async fn store(&mut self, appends: &[Append]) -> Vec<Answer> {
        match self.attempt(appends).await {
            Ok(answers) => answers,
            Err(Failure::Constraint { .. }) if appends.len() > 1 => {
                // One of them met something that admission could not know: alone, it fails alone.
                let mut answers = Vec::with_capacity(appends.len());
                for append in appends.chunks(1) {
                    match self.attempt(append).await {
                        Ok(answer) => answers.extend(answer),
                        Err(failure) => answers.extend(self.recover(append, failure).await),
                    }
                }
                answers
            }
            Err(failure) => self.recover(appends, failure).await,
        }
    }

    /// Judges a batch and stores what it accepts, all or nothing.
    pub(super) async fn attempt(&mut self, appends: &[Append]) -> Result<Vec<Answer>, Failure> {
        let mut position = self.ready().await?;
        let mut admission = self.known_heads(appends).await?;
        let mut answers = Vec::with_capacity(appends.len());
        let mut rows = Vec::with_capacity(appends.len());
        for append in appends {
            answers.push(admission.admit(append).map(|first| {
                let mut revision = first;
                for (index, event) in append.events.iter().enumerate() {
                    revision = Revision(first.0 + index as u64);
                    position = Position(position.0 + 1);
                    rows.push(Row { position, stream: &append.stream, revision, event });
                }
                Appended { last_revision: revision, last_position: position }
            }));
        }
        if rows.is_empty() {
            return Ok(answers);
        }
        let stored = self.insert(&rows).await;
        if let Err(error) = stored {
            return Err(self.abandon(appends, answers, error).await);
        }
        for (append, _) in appends.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()) {
            if let Some(head) = admission.head(&append.stream) {
                self.heads.insert(append.stream.clone(), head);
            }
        }
        self.last = Some(position);
        self.head.send_replace(position);
        metrics::counter!("dossier_log_events_total").increment(rows.len() as u64);
        metrics::counter!("dossier_log_commits_total").increment(1);
        Ok(answers)
    }

    async fn insert(&mut self, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
        #[cfg(test)]
        self.faults.before_commit()?;
        let connection = self.connection.as_mut().ok_or(sqlx::Error::WorkerCrashed)?;
        self.inserts.store(connection, &self.reader.types, rows).await?;
        #[cfg(test)]
        self.faults.after_commit()?;
        Ok(())
    }

    /// The heads that the batch relies on: from memory where known, the others with one query.
    async fn known_heads(&mut self, appends: &[Append]) -> Result<Admission, Failure> {
        let mut admission = Admission::default();
        let mut unknown = vec![];
        for append in appends {
            for stream in append.guards.iter().map(|guard| &guard.stream).chain([&append.stream]) {
                if !admission.knows(stream) {
                    let head = self.heads.get(stream);
                    if head.is_none() {
                        unknown.push(stream.clone());
                    }
                    admission.tell(stream.clone(), head);
                }
            }
        }
        if !unknown.is_empty() {
            let connection = self.connection.as_mut().ok_or_else(Failure::no_connection)?;
            for (stream, head) in
                look_up_heads(connection, &unknown).await.map_err(|error| Failure::not_begun(&error))?
            {
                self.heads.insert(stream.clone(), head);
                admission.tell(stream, Some(head));
            }
        }
        Ok(admission)
    }

    /// Marks the log as closed cleanly and lets go of it, the lock last.
    async fn close(mut self) {
        self.reader.close().await;
        if let Some(mut connection) = self.connection.take() {
            let closed = async {
                set_closed_cleanly(&mut connection, true).await?;
                sqlx::Connection::close(connection).await
            };
            if let Err(error) = closed.await {
                tracing::warn!(%error, "the event log was not closed cleanly: the next start checks every page");
            }
        }
        drop(self.lock);
    }
}

/// Last events of streams; those without an event are left out.
async fn look_up_heads(
    connection: &mut SqliteConnection,
    streams: &[StreamName],
) -> Result<Vec<(StreamName, StreamHead)>, sqlx::Error> {
    let names = serde_json::to_string(streams).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let rows = sqlx::query(
        "SELECT wanted.key, event.revision, event.recorded_at FROM json_each(?) AS wanted \
         JOIN event ON event.position = \
         (SELECT position FROM event WHERE stream = wanted.value ORDER BY revision DESC LIMIT 1)",
    )
    .bind(names)
    .fetch_all(connection)
    .await?;
    let mut heads = Vec::with_capacity(rows.len());
    for row in rows {
        let index = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        let revision = Revision(row.try_get::<i64, _>(1)?.cast_unsigned());
        if let Some(stream) = streams.get(index) {
            heads.push((stream.clone(), StreamHead { revision, recorded_at_micros: row.try_get(2)? }));
        }
    }
    Ok(heads)
}

/// Remembers whether the log is closed: after anything else the next start checks every page.
pub(super) async fn set_closed_cleanly(
    connection: &mut SqliteConnection,
    clean: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE meta SET value = ? WHERE name = 'closed_cleanly'")
        .bind([u8::from(clean)].as_slice())
        .execute(connection)
        .await
        .map(drop)
}

//! What the writer does when a batch failed: find out what is stored before it answers anybody.

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, ConnectOptions, Row};
use uuid::Uuid;

use super::open::primary_code;
use super::writer::{Answer, Writer};
use crate::envelope::{EventId, Position, Revision};
use crate::store::{Append, AppendError, Appended};

/// Why a batch was not stored as a whole.
pub(super) enum Failure {
    /// Nothing was begun.
    NotBegun(String),
    /// A constraint of the database refused it; it was rolled back.
    Constraint(String),
    /// The transaction broke. `answers` are those of the admission, true only if the commit held.
    Broken {
        /// What the database said.
        detail: String,
        /// Whether the error itself proves that nothing was committed.
        surely_not_stored: bool,
        answers: Vec<Answer>,
    },
}

impl Failure {
    pub(super) fn not_begun(error: &sqlx::Error) -> Self {
        Self::NotBegun(sentence(error))
    }

    pub(super) fn no_connection() -> Self {
        Self::NotBegun("no connection to the database".to_owned())
    }
}

const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const NO_MEMORY: u32 = 7;
const READ_ONLY: u32 = 8;
const IO_ERROR: u32 = 10;
const FULL: u32 = 13;
const CANNOT_OPEN: u32 = 14;
const TOO_BIG: u32 = 18;
const CONSTRAINT: u32 = 19;

/// Says for the operator what a driver's error means.
pub(super) fn sentence(error: &sqlx::Error) -> String {
    match primary_code(error) {
        Some(FULL) => format!("the disk is full: free some space, writing then goes on by itself ({error})"),
        Some(IO_ERROR) => format!("the disk fails: look at the system's log ({error})"),
        Some(READ_ONLY) => format!("the database is read-only: check the file's permissions ({error})"),
        _ => error.to_string(),
    }
}

impl Writer {
    /// Makes sure of a connection and of the last position, which a failure before may have cost.
    pub(super) async fn ready(&mut self) -> Result<Position, Failure> {
        if let (Some(_), Some(last)) = (&self.connection, self.last) {
            return Ok(last);
        }
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await.map_err(|error| Failure::not_begun(&error))?);
        }
        let connection = self.connection.as_mut().ok_or_else(Failure::no_connection)?;
        let last = last_position(connection).await.map_err(|error| Failure::not_begun(&error))?;
        self.last = Some(last);
        // A commit that broke may have held.
        self.head.send_if_modified(|head| std::mem::replace(head, last) != last);
        Ok(last)
    }

    /// Ends a transaction that failed and forgets what it may have changed.
    pub(super) async fn abandon(
        &mut self,
        appends: &[Append],
        answers: Vec<Answer>,
        error: sqlx::Error,
    ) -> Failure {
        self.last = None;
        for append in appends {
            self.heads.remove(&append.stream);
        }
        if let Some(connection) = &mut self.connection {
            // Fails when the database has rolled back already, which is as good.
            let rolled_back = sqlx::query("ROLLBACK").execute(connection).await;
            if error.as_database_error().is_none()
                || rolled_back.is_err_and(|error| error.as_database_error().is_none())
            {
                // The database thread is gone.
                self.connection = None;
            }
        }
        let detail = sentence(&error);
        match primary_code(&error) {
            Some(CONSTRAINT) => Failure::Constraint(detail),
            code => Failure::Broken {
                detail,
                surely_not_stored: matches!(
                    code,
                    Some(BUSY | LOCKED | NO_MEMORY | READ_ONLY | FULL | CANNOT_OPEN | TOO_BIG)
                ),
                answers,
            },
        }
    }

    /// Finds the answers to a batch that failed; one that a constraint refused is a batch of one.
    pub(super) async fn recover(&mut self, appends: &[Append], failure: Failure) -> Vec<Answer> {
        match failure {
            Failure::NotBegun(detail) => {
                appends.iter().map(|_| Err(AppendError::Unavailable(detail.clone()))).collect()
            }
            Failure::Constraint(detail) => {
                let mut answers = Vec::with_capacity(appends.len());
                for append in appends {
                    answers.push(self.explain_constraint(append, &detail).await);
                }
                answers
            }
            Failure::Broken { detail, surely_not_stored, answers } => {
                tracing::error!(%detail, appends = appends.len(), "a commit to the event log failed");
                self.look_up(appends, answers, &detail, surely_not_stored).await
            }
        }
    }

    /// Which rule did the database enforce?
    async fn explain_constraint(&mut self, append: &Append, detail: &str) -> Answer {
        let known = match self.connection.as_mut() {
            Some(connection) => first_known(connection, append).await,
            None => Err(sqlx::Error::WorkerCrashed),
        };
        match known {
            Ok(Some(event_id)) => return Err(AppendError::Duplicate { event_id }),
            Ok(None) => {}
            Err(error) => return Err(AppendError::Unavailable(sentence(&error))),
        }
        // What the writer believed of the stream was forgotten: judged again, it is told where the stream stands.
        match self.attempt(std::slice::from_ref(append)).await {
            Ok(answers) => answers.into_iter().next().unwrap_or_else(|| unavailable(detail)),
            Err(Failure::Broken { detail, surely_not_stored, answers }) => {
                let append = std::slice::from_ref(append);
                let found = self.look_up(append, answers, &detail, surely_not_stored).await;
                found.into_iter().next().unwrap_or_else(|| unavailable(&detail))
            }
            Err(Failure::NotBegun(detail) | Failure::Constraint(detail)) => unavailable(&detail),
        }
    }

    /// After a broken commit: what is there was appended; what is not there was not, if a later write proves that the
    /// broken one cannot come back.
    async fn look_up(
        &mut self,
        appends: &[Append],
        answers: Vec<Answer>,
        detail: &str,
        surely_not_stored: bool,
    ) -> Vec<Answer> {
        let not_stored = surely_not_stored || self.fence().await;
        let mut found = Vec::with_capacity(appends.len());
        for (append, answer) in appends.iter().zip(answers) {
            found.push(match answer {
                Err(refused) => Err(refused),
                Ok(_) => match (self.find(append).await, not_stored) {
                    (Ok(Some(appended)), _) => Ok(appended),
                    (Ok(None), true) => unavailable(detail),
                    (Err(_), true) if surely_not_stored => unavailable(detail),
                    _ => Err(AppendError::OutcomeUnknown(detail.to_owned())),
                },
            });
        }
        found
    }

    /// Writes something after a broken commit. A commit whose sync failed may have reached the disk and come
    /// back after a crash; a later commit that holds has taken its place in the write-ahead log.
    async fn fence(&mut self) -> bool {
        if self.ready().await.is_err() {
            return false;
        }
        let Some(connection) = &mut self.connection else { return false };
        sqlx::query("UPDATE meta SET value = randomblob(8) WHERE name = 'fence'")
            .execute(connection)
            .await
            .is_ok()
    }

    /// Where an append is stored, if it is.
    async fn find(&mut self, append: &Append) -> Result<Option<Appended>, sqlx::Error> {
        if self.ready().await.is_err() {
            return Err(sqlx::Error::WorkerCrashed);
        }
        let (Some(connection), Some(last)) = (&mut self.connection, append.events.last()) else {
            return Err(sqlx::Error::WorkerCrashed);
        };
        let row = sqlx::query("SELECT position, revision FROM event WHERE event_id = ?")
            .bind(last.event_id.0.as_bytes().as_slice())
            .fetch_optional(connection)
            .await?;
        row.map(|row| {
            Ok(Appended {
                last_position: Position(row.try_get::<i64, _>(0)?.cast_unsigned()),
                last_revision: Revision(row.try_get::<i64, _>(1)?.cast_unsigned()),
            })
        })
        .transpose()
    }
}

fn unavailable(detail: &str) -> Answer {
    Err(AppendError::Unavailable(detail.to_owned()))
}

/// Position of the log's last event.
pub(super) async fn last_position(connection: &mut SqliteConnection) -> Result<Position, sqlx::Error> {
    let last: Option<i64> =
        sqlx::query("SELECT max(position) FROM event").fetch_one(connection).await?.try_get(0)?;
    Ok(last.map_or(Position::START, |last| Position(last.cast_unsigned())))
}

/// The first event of an append whose id the log has.
async fn first_known(
    connection: &mut SqliteConnection,
    append: &Append,
) -> Result<Option<EventId>, sqlx::Error> {
    for event in &append.events {
        let mut arguments = SqliteArguments::default();
        arguments.add(event.event_id.0.as_bytes().as_slice()).map_err(sqlx::Error::Encode)?;
        let row = sqlx::query_with("SELECT event_id FROM event WHERE event_id = ?", arguments)
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(row) = row {
            let id = Uuid::from_slice(row.try_get::<&[u8], _>(0)?);
            return Ok(Some(id.map_or(event.event_id, EventId)));
        }
    }
    Ok(None)
}

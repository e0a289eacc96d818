//! The read database: SQLite, one writer, many readers. It holds nothing that the log does not.

use std::path::Path;

use dossier_eventlog::{EventId, Position};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::error::{OpenError, ProjectionError};
use crate::model::{Checkpoint, Generation, ReadModel, Table};

/// Connections that read at the same time.
const READERS: u32 = 4;

const BOOKKEEPING: &str = "
CREATE TABLE IF NOT EXISTS read_models (
    name TEXT PRIMARY KEY,
    schema_version INTEGER NOT NULL,
    active_generation INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    model TEXT NOT NULL,
    generation INTEGER NOT NULL,
    log_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    event_id BLOB,
    PRIMARY KEY (model, generation)
) STRICT;";

/// The read models' database.
pub struct ReadDatabase {
    writer: Mutex<SqliteConnection>,
    readers: SqlitePool,
}

impl ReadDatabase {
    /// Opens or creates the database.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable =
            |error: sqlx::Error| OpenError::Unusable { path: path.to_owned(), cause: error.to_string() };
        // A crash may lose the last transactions: they are projected again.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(std::time::Duration::from_secs(5));
        let mut writer = options.connect().await.map_err(unusable)?;
        sqlx::raw_sql(BOOKKEEPING).execute(&mut writer).await.map_err(unusable)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await
            .map_err(unusable)?;
        Ok(Self { writer: Mutex::new(writer), readers })
    }

    /// The connections that queries use.
    pub fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The one connection that writes.
    pub(crate) async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        self.writer.lock().await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.readers.close().await;
        let mut writer = self.writer.lock().await;
        // What a checkpoint of the database leaves undone is done at the next start.
        let _ = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *writer).await;
    }

    /// The active generation of a model, made now when there is none of the wanted schema version.
    pub(crate) async fn active_generation(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<Generation, ProjectionError> {
        let mut writer = self.writer().await;
        let known = sqlx::query("SELECT schema_version, active_generation FROM read_models WHERE name = $1")
            .bind(model.name())
            .fetch_optional(&mut *writer)
            .await?;
        if let Some(row) = known
            && row.get::<i64, _>(0) == model.schema_version()
        {
            return Ok(Generation(row.get(1)));
        }
        drop(writer);
        let generation = self.create_generation(model, log_id).await?;
        self.activate(model, generation).await?;
        Ok(generation)
    }

    /// Creates empty tables for the next generation, with a checkpoint at the start.
    pub(crate) async fn create_generation(
        &self,
        model: &dyn ReadModel,
        log_id: Uuid,
    ) -> Result<Generation, ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = writer.begin().await?;
        let last: Option<i64> =
            sqlx::query_scalar("SELECT max(generation) FROM checkpoints WHERE model = $1")
                .bind(model.name())
                .fetch_one(&mut *transaction)
                .await?;
        let generation = Generation(last.unwrap_or(0) + 1);
        for table in model.tables() {
            let sql = create_sql(table, generation);
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        }
        sqlx::query("INSERT INTO checkpoints (model, generation, log_id, position) VALUES ($1, $2, $3, 0)")
            .bind(model.name())
            .bind(generation.0)
            .bind(&log_id.as_bytes()[..])
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(generation)
    }

    /// Makes a generation the one that queries see, and drops every other, in one transaction.
    pub(crate) async fn activate(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = writer.begin().await?;
        let others: Vec<i64> =
            sqlx::query_scalar("SELECT generation FROM checkpoints WHERE model = $1 AND generation <> $2")
                .bind(model.name())
                .bind(generation.0)
                .fetch_all(&mut *transaction)
                .await?;
        let mut sql = String::new();
        for table in model.tables() {
            let (view, live) = (table.name, generation.table(table.name));
            sql += &format!("DROP VIEW IF EXISTS {view}; CREATE VIEW {view} AS SELECT * FROM {live};");
            for other in &others {
                sql += &format!("DROP TABLE IF EXISTS {};", Generation(*other).table(table.name));
            }
        }
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM checkpoints WHERE model = $1 AND generation <> $2")
            .bind(model.name())
            .bind(generation.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO read_models (name, schema_version, active_generation) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO UPDATE SET schema_version = $2, active_generation = $3",
        )
        .bind(model.name())
        .bind(model.schema_version())
        .bind(generation.0)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops a generation that is not to become active.
    pub(crate) async fn discard(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<(), ProjectionError> {
        let mut writer = self.writer().await;
        let mut transaction = writer.begin().await?;
        for table in model.tables() {
            let sql = format!("DROP TABLE IF EXISTS {}", generation.table(table.name));
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
        }
        sqlx::query("DELETE FROM checkpoints WHERE model = $1 AND generation = $2")
            .bind(model.name())
            .bind(generation.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Where a generation stands.
    pub(crate) async fn checkpoint(
        &self,
        model: &dyn ReadModel,
        generation: Generation,
    ) -> Result<Checkpoint, ProjectionError> {
        let mut writer = self.writer().await;
        let row = sqlx::query(
            "SELECT log_id, position, event_id FROM checkpoints WHERE model = $1 AND generation = $2",
        )
        .bind(model.name())
        .bind(generation.0)
        .fetch_optional(&mut *writer)
        .await?
        .ok_or(ProjectionError::Fenced)?;
        let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
        Ok(Checkpoint {
            log_id: uuid(row.get::<&[u8], _>(0)),
            position: Position(u64::try_from(row.get::<i64, _>(1)).unwrap_or(0)),
            event_id: row.get::<Option<&[u8]>, _>(2).map(|bytes| EventId(uuid(bytes))),
        })
    }
}

/// Moves a generation's checkpoint inside a transaction, if it still stands where it was read: a paused twin that comes
/// back finds it moved.
pub(crate) async fn move_checkpoint(
    transaction: &mut SqliteConnection,
    model: &dyn ReadModel,
    generation: Generation,
    from: Position,
    to: (Position, EventId),
) -> Result<(), ProjectionError> {
    let moved = sqlx::query(
        "UPDATE checkpoints SET position = $1, event_id = $2 WHERE model = $3 AND generation = $4 AND position = $5",
    )
    .bind(stored(to.0))
    .bind(&to.1.0.as_bytes()[..])
    .bind(model.name())
    .bind(generation.0)
    .bind(stored(from))
    .execute(transaction)
    .await?;
    if moved.rows_affected() == 1 { Ok(()) } else { Err(ProjectionError::Fenced) }
}

/// A position as SQLite keeps it; logs of 2^63 events do not occur.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

fn create_sql(table: &Table, generation: Generation) -> String {
    let name = generation.table(table.name);
    let mut sql = format!("CREATE TABLE {name} ({}) STRICT;", table.columns);
    for (number, columns) in table.indexes.iter().enumerate() {
        sql += &format!("CREATE INDEX {name}_i{number} ON {name} ({columns});");
    }
    sql
}

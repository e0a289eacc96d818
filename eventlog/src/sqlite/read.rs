//! Reading the log, on connections that never write.

use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqlitePoolOptions};
use sqlx::{Arguments, Row, Sqlite};

use super::columns::{Interner, Page};
use super::open::connect_options;
use crate::admission::StreamHead;
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::ReadError;

/// Rows that the database thread may be ahead of the reader.
const ROWS_AHEAD: usize = 256;
/// How long a read waits for a connection before it says that the store is unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A small pool of reading connections.
pub(super) struct Reader {
    pool: SqlitePool,
    pub(super) types: Interner,
}

impl Reader {
    /// Connects when first asked; `immutable` reads a file that nothing changes and that cannot be locked.
    pub(super) fn new(path: &Path, connections: u32, immutable: bool) -> Self {
        let options = connect_options(path)
            .read_only(true)
            .immutable(immutable)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("cache_size", "-16000");
        let pool = SqlitePoolOptions::new()
            .max_connections(connections.max(1))
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A local file does not go away between two reads.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        Self { pool, types: Interner::default() }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn read_stream(
        &self,
        stream: &StreamName,
        from: Revision,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        const SQL: &str = "SELECT position, revision, event_id, type, version, recorded_at, metadata, payload \
             FROM event WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?";
        let arguments = arguments(|arguments| {
            arguments.add(stream.shared())?;
            arguments.add(saturate(from.0))?;
            arguments.add(saturate(limit as u64))
        })?;
        self.page(SQL, arguments, Page::new(&self.types, Some(stream.clone()))).await
    }

    pub(super) async fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        const SQL: &str = "SELECT position, revision, event_id, type, version, recorded_at, metadata, payload, stream \
             FROM event WHERE position > ? ORDER BY position LIMIT ?";
        let arguments = arguments(|arguments| {
            arguments.add(saturate(after.0))?;
            arguments.add(saturate(limit as u64))
        })?;
        self.page(SQL, arguments, Page::new(&self.types, None)).await
    }

    pub(super) async fn stream_head(&self, stream: &StreamName) -> Result<Option<StreamHead>, ReadError> {
        const SQL: &str =
            "SELECT revision, recorded_at FROM event WHERE stream = ? ORDER BY revision DESC LIMIT 1";
        let arguments = arguments(|arguments| arguments.add(stream.shared()))?;
        let row =
            sqlx::query_as_with::<Sqlite, (i64, i64), _>(SQL, arguments).fetch_optional(&self.pool).await;
        let Some((revision, recorded_at_micros)) = row.map_err(|error| read_error(&error))? else {
            return Ok(None);
        };
        let revision =
            u64::try_from(revision).map_err(|_| ReadError::Damaged("a negative revision".into()))?;
        Ok(Some(StreamHead { revision: Revision(revision), recorded_at_micros }))
    }

    pub(super) async fn head(&self) -> Result<Position, ReadError> {
        const SQL: &str = "SELECT position FROM event ORDER BY position DESC LIMIT 1";
        Ok(self.number(SQL, SqliteArguments::default()).await?.map_or(Position::START, Position))
    }

    pub(super) async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        let row = sqlx::query("SELECT event_id FROM event WHERE position = ?")
            .bind(saturate(position.0))
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        row.map(|row| {
            let bytes: &[u8] = row.try_get(0).map_err(|error| read_error(&error))?;
            let id = uuid::Uuid::from_slice(bytes).map_err(|error| ReadError::Damaged(error.to_string()))?;
            Ok(EventId(id))
        })
        .transpose()
    }

    async fn page(
        &self,
        sql: &'static str,
        arguments: SqliteArguments,
        mut page: Page<'_>,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let mut rows = sqlx::query_with::<Sqlite, _>(sql, arguments).fetch(&self.pool);
        while let Some(row) = rows.try_next().await.map_err(|error| read_error(&error))? {
            page.push(&row)?;
        }
        Ok(page.finish())
    }

    async fn number(&self, sql: &'static str, arguments: SqliteArguments) -> Result<Option<u64>, ReadError> {
        let row = sqlx::query_with::<Sqlite, _>(sql, arguments)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| read_error(&error))?;
        row.map(|row| {
            let number: i64 = row.try_get(0).map_err(|error| read_error(&error))?;
            u64::try_from(number).map_err(|_| ReadError::Damaged("a negative position or revision".into()))
        })
        .transpose()
    }
}

fn arguments(
    bind: impl FnOnce(&mut SqliteArguments) -> Result<(), sqlx::error::BoxDynError>,
) -> Result<SqliteArguments, ReadError> {
    let mut arguments = SqliteArguments::default();
    bind(&mut arguments).map_err(|error| ReadError::Unavailable(error.to_string()))?;
    Ok(arguments)
}

/// SQLite counts to 2⁶³: beyond that nothing is stored.
fn saturate(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read_error(error: &sqlx::Error) -> ReadError {
    const CORRUPT: u32 = 11;
    const NOT_A_DATABASE: u32 = 26;
    match super::open::primary_code(error) {
        Some(CORRUPT | NOT_A_DATABASE) => ReadError::Damaged(error.to_string()),
        _ => ReadError::Unavailable(error.to_string()),
    }
}

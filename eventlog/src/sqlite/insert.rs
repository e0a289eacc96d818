//! One statement per batch: begin, insert many rows, commit, in one trip to the database thread.

use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe, Executor};

use super::columns::Interner;
use crate::envelope::{NewEvent, Position, Revision, StreamName};

/// Most rows of one statement: nine values each, far below SQLite's 32,766.
pub(super) const MOST_ROWS: usize = 256;
const SIZES: usize = MOST_ROWS.ilog2() as usize + 1;

/// An event with its place, about to be stored.
pub(super) struct Row<'a> {
    pub(super) position: Position,
    pub(super) stream: &'a StreamName,
    pub(super) revision: Revision,
    pub(super) event: &'a NewEvent,
}

/// The insert statements by size, each a power of two, so that few are prepared and all are used again.
pub(super) struct Inserts {
    /// For `begin` and `commit` each left out or in.
    statements: [[Arc<str>; SIZES]; 4],
}

impl Inserts {
    pub(super) fn new() -> Self {
        Self {
            statements: std::array::from_fn(|shape| {
                std::array::from_fn(|size| statement(1 << size, shape & 1 != 0, shape & 2 != 0).into())
            }),
        }
    }

    /// Stores rows in one transaction. After an error the transaction may still be open.
    pub(super) async fn store(
        &self,
        connection: &mut SqliteConnection,
        types: &Interner,
        rows: &[Row<'_>],
    ) -> Result<(), sqlx::Error> {
        let chunks = rows.len().div_ceil(MOST_ROWS);
        for (index, chunk) in rows.chunks(MOST_ROWS).enumerate() {
            let shape = usize::from(index == 0) | usize::from(index + 1 == chunks) << 1;
            let size = chunk.len().next_power_of_two().ilog2() as usize;
            let sql = Arc::clone(&self.statements[shape][size]);
            let arguments = bind(types, chunk).map_err(sqlx::Error::Encode)?;
            connection.execute(sqlx::query_with(AssertSqlSafe(sql), arguments)).await?;
        }
        Ok(())
    }
}

/// Values that stay unbound are NULL: a row without a position is padding.
fn statement(rows: usize, begin: bool, commit: bool) -> String {
    let values = vec!["(?,?,?,?,?,?,?,?,?)"; rows].join(",");
    format!(
        "{}INSERT INTO event (position, stream, revision, event_id, type, version, recorded_at, metadata, payload) \
         SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL;{}",
        if begin { "BEGIN IMMEDIATE;" } else { "" },
        if commit { "COMMIT" } else { "" },
    )
}

fn bind(types: &Interner, rows: &[Row<'_>]) -> Result<SqliteArguments, sqlx::error::BoxDynError> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(rows.len() * 9, 0);
    for row in rows {
        let event = row.event;
        arguments.add(row.position.0.cast_signed())?;
        arguments.add(row.stream.shared())?;
        arguments.add(row.revision.0.cast_signed())?;
        arguments.add(event.event_id.0.as_bytes().as_slice())?;
        arguments.add(types.intern(&event.event_type))?;
        arguments.add(i64::from(event.version))?;
        arguments.add(event.recorded_at.as_microsecond())?;
        arguments.add(&event.metadata[..])?;
        arguments.add(&event.payload[..])?;
    }
    Ok(arguments)
}

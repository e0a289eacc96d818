//! What a node knows of the log while it holds the lock.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::session::Session;
use crate::admission::StreamHead;
use crate::envelope::{EventId, Position, Revision, StreamName};

/// Rows of other nodes that are taken over one by one; after more, what was known is forgotten.
const MOST_NEWS: usize = 1000;

/// Heads of streams, kept from batch to batch. They are exact up to `last`. Under the lock, the rows after it bring them
/// up to date: what other nodes have written, and what this one wrote without learning of it.
pub(super) struct Known {
    last: Option<Place>,
    heads: quick_cache::unsync::Cache<StreamName, StreamHead>,
}

/// Place of the log's last event. With another id at the position, it is another log: a restored one.
#[derive(Clone, Copy)]
struct Place {
    position: Position,
    event_id: EventId,
}

impl Known {
    pub(super) fn new(heads: usize) -> Self {
        Self { last: None, heads: quick_cache::unsync::Cache::new(heads) }
    }

    /// Begins a transaction under the lock and learns what has happened since the last one. One trip as a rule.
    pub(super) async fn begin(&mut self, session: &mut Session) -> Result<(), sqlx::Error> {
        if let Some(last) = self.last {
            let rows = session.begin(&news(last)).await?;
            if self.learn(last, &rows)? {
                return Ok(());
            }
            session.roll_back().await?;
        }
        self.heads.clear();
        let rows = session.begin("EXECUTE dossier_last").await?;
        self.last = Some(match rows.first() {
            Some(row) => Place { position: position(row)?, event_id: EventId(row.try_get(1)?) },
            None => Place { position: Position::START, event_id: EventId(Uuid::nil()) },
        });
        Ok(())
    }

    /// Takes over the rows from the last known one on; answers whether what is known is exact now.
    fn learn(&mut self, last: Place, rows: &[PgRow]) -> Result<bool, sqlx::Error> {
        let mut news = rows;
        if last.position != Position::START {
            let Some((first, rest)) = rows.split_first() else { return Ok(false) };
            if position(first)? != last.position || first.try_get::<Uuid, _>(1)? != last.event_id.0 {
                tracing::warn!(position = %last.position, "the log is not the one it was: it seems restored");
                return Ok(false);
            }
            news = rest;
        }
        if rows.len() >= MOST_NEWS {
            return Ok(false);
        }
        for row in news {
            let stream =
                StreamName::new(row.try_get(2)?).map_err(|error| sqlx::Error::Decode(error.into()))?;
            let revision = Revision(row.try_get::<i64, _>(3)?.cast_unsigned());
            self.heads.insert(stream, StreamHead { revision, recorded_at_micros: row.try_get(4)? });
            self.moved_to(position(row)?, EventId(row.try_get(1)?));
        }
        Ok(true)
    }

    /// The last event that is known of.
    pub(super) fn last_position(&self) -> Position {
        self.last.map_or(Position::START, |last| last.position)
    }

    /// Where a stream stands, if it is known.
    pub(super) fn head(&self, stream: &StreamName) -> Option<StreamHead> {
        self.heads.get(stream).copied()
    }

    /// Keeps where a stream stands.
    pub(super) fn remember(&mut self, stream: &StreamName, head: StreamHead) {
        self.heads.insert(stream.clone(), head);
    }

    /// Keeps where the log ends; every head is known to be exact up to there.
    pub(super) fn moved_to(&mut self, position: Position, event_id: EventId) {
        self.last = Some(Place { position, event_id });
    }
}

/// Prepares the statements by which a node learns what has happened.
pub(super) fn prepare() -> String {
    const COLUMNS: &str = "SELECT position, event_id, stream, revision, recorded_at FROM dossier_log.event";
    format!(
        "PREPARE dossier_last AS {COLUMNS} ORDER BY position DESC LIMIT 1; \
         PREPARE dossier_news (bigint) AS {COLUMNS} WHERE position >= $1 ORDER BY position LIMIT {MOST_NEWS}"
    )
}

fn position(row: &PgRow) -> Result<Position, sqlx::Error> {
    Ok(Position(row.try_get::<i64, _>(0)?.cast_unsigned()))
}

fn news(last: Place) -> String {
    format!("EXECUTE dossier_news ({})", last.position)
}

//! Reading the log, on connections that never write.

use std::sync::Arc;
use std::time::Duration;

use super::heads::Heads;
use super::open::Address;
use super::page::{Page, column, unsigned};
use super::pool::{Ask, Pool, STATEMENT_MILLIS, Value};
use crate::envelope::{EventId, Position, RecordedEvent, Revision, StreamName};
use crate::store::ReadError;

/// The log as it is read.
pub(super) struct Reader {
    pool: Arc<Pool>,
    heads: Heads,
}

impl Reader {
    /// Connects when first asked. Needs a tokio runtime.
    pub(super) fn new(address: &Address, connections: u32, patience: Duration) -> Self {
        let settings = [("statement_timeout", STATEMENT_MILLIS.to_string())];
        let options = address.used_as("dossier reader", &settings);
        let pool = Arc::new(Pool::new(options, connections, patience));
        let heads = Heads::start(Arc::clone(&pool), patience);
        Self { pool, heads }
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
        let mut page = Page::new(Some(stream.clone()));
        let ask = Ask {
            sql: "SELECT position, revision, event_id, type, version, recorded_at, metadata, payload \
                  FROM dossier_log.event WHERE stream = $1 AND revision >= $2 ORDER BY revision LIMIT $3",
            values: &[Value::Text(stream.as_str()), Value::Number(from.0), Value::Number(limit as u64)],
        };
        self.pool.rows(ask, |row| page.push(row)).await?;
        Ok(page.events)
    }

    pub(super) async fn read_all(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let mut page = Page::new(None);
        let ask = Ask {
            sql: "SELECT position, revision, event_id, type, version, recorded_at, metadata, payload, stream \
                  FROM dossier_log.event WHERE position > $1 ORDER BY position LIMIT $2",
            values: &[Value::Number(after.0), Value::Number(limit as u64)],
        };
        self.pool.rows(ask, |row| page.push(row)).await?;
        Ok(page.events)
    }

    pub(super) async fn stream_head(&self, stream: &StreamName) -> Result<Option<Revision>, ReadError> {
        self.heads.head(stream).await
    }

    pub(super) async fn head(&self) -> Result<Position, ReadError> {
        let sql = "SELECT position FROM dossier_log.event ORDER BY position DESC LIMIT 1";
        let mut head = Position::START;
        self.pool
            .rows(Ask { sql, values: &[] }, |row| {
                head = Position(unsigned(column(row, 0)?)?);
                Ok(())
            })
            .await?;
        Ok(head)
    }

    pub(super) async fn event_id_at(&self, position: Position) -> Result<Option<EventId>, ReadError> {
        let sql = "SELECT event_id FROM dossier_log.event WHERE position = $1";
        let mut id = None;
        self.pool
            .rows(Ask { sql, values: &[Value::Number(position.0)] }, |row| {
                id = Some(EventId(column(row, 0)?));
                Ok(())
            })
            .await?;
        Ok(id)
    }
}

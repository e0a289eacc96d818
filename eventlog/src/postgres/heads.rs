//! Where streams stand, asked by many at once: whoever asks while a query is under way shares the next one. Every command
//! asks, and on busy cores a trip to the server costs more than what it looks up.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::page::{column, unsigned};
use super::pool::{Ask, Pool, Value};
use crate::envelope::{Revision, StreamName};
use crate::store::ReadError;

/// Callers that share one query.
const MOST_SHARED: usize = 256;

type Head = Result<Option<Revision>, ReadError>;

/// Streams to look up, and who waits for each.
pub(super) struct Heads {
    queue: mpsc::Sender<(StreamName, oneshot::Sender<Head>)>,
    patience: Duration,
}

impl Heads {
    /// Starts the task that asks; it ends with the last way to reach it.
    pub(super) fn start(pool: Arc<Pool>, patience: Duration) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_SHARED);
        tokio::spawn(answer(pool, waiting));
        Self { queue, patience }
    }

    /// Last revision of a stream, by a query that begins after this call.
    pub(super) async fn head(&self, stream: &StreamName) -> Head {
        let ended = || ReadError::Unavailable("the log is closed".to_owned());
        let asked = async {
            let (answer, answered) = oneshot::channel();
            self.queue.send((stream.clone(), answer)).await.map_err(|_| ended())?;
            answered.await.map_err(|_| ended())?
        };
        let late = || ReadError::Unavailable("the database does not answer".to_owned());
        timeout(self.patience, asked).await.unwrap_or_else(|_| Err(late()))
    }
}

async fn answer(pool: Arc<Pool>, mut waiting: mpsc::Receiver<(StreamName, oneshot::Sender<Head>)>) {
    let mut shared = Vec::with_capacity(MOST_SHARED);
    while waiting.recv_many(&mut shared, MOST_SHARED).await > 0 {
        let names = shared.iter().map(|(stream, _)| stream.as_str()).collect::<Vec<_>>();
        let heads = look_up(&pool, &names).await;
        for (number, (_, answer)) in (1..).zip(shared.drain(..)) {
            // Nobody may be waiting any more.
            let _ =
                answer.send(heads.as_ref().map(|heads| heads.get(&number).copied()).map_err(Clone::clone));
        }
    }
}

/// Heads by the number of their stream in the question, from 1; those without an event are left out.
async fn look_up(pool: &Pool, names: &[&str]) -> Result<HashMap<i64, Revision>, ReadError> {
    // Each stream by one look into an index, whatever the planner thinks of the table's size.
    let sql = "SELECT wanted.number, event.revision \
               FROM UNNEST($1::text[]) WITH ORDINALITY AS wanted (stream, number) CROSS JOIN LATERAL \
               (SELECT revision FROM dossier_log.event WHERE stream = wanted.stream \
               ORDER BY revision DESC LIMIT 1) AS event";
    let mut heads = HashMap::new();
    pool.rows(Ask { sql, values: &[Value::Texts(names)] }, |row| {
        heads.insert(column(row, 0)?, Revision(unsigned(column(row, 1)?)?));
        Ok(())
    })
    .await?;
    Ok(heads)
}

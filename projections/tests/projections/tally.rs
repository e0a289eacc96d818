//! A read model that counts: what the others shrug off, taking an event in twice, it shows. It can be made to fail, to
//! wait, and to be of another release.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use dossier_projections::{Generation, ProjectedEvent, ProjectionError, ReadModel, Table};
use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::sync::Semaphore;

/// What a test holds of a [`Tally`].
#[derive(Clone)]
pub(crate) struct Switches {
    /// Fails after writing rows into generations from this one on.
    pub(crate) fails_from_generation: Arc<AtomicI64>,
    /// Each batch takes one, after writing its rows and before they are committed.
    pub(crate) batches: Arc<Semaphore>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            fails_from_generation: Arc::new(AtomicI64::new(i64::MAX)),
            batches: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        }
    }
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) switches: Switches,
    pub(crate) second_release: bool,
}

const COLUMNS: &str = "stream TEXT PRIMARY KEY, seen INTEGER NOT NULL, positions TEXT NOT NULL";

#[async_trait]
impl ReadModel for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn schema_version(&self) -> i64 {
        if self.second_release { 2 } else { 1 }
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        if self.second_release {
            &[Table { name: "tallies", columns: COLUMNS, indexes: &["seen"] }]
        } else {
            &[Table { name: "tally", columns: COLUMNS, indexes: &["seen"] }]
        }
    }

    async fn project(
        &self,
        transaction: &mut SqliteConnection,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let table = generation.table(self.tables()[0].name);
        for event in events {
            let sql = format!(
                "INSERT INTO {table} (stream, seen, positions) VALUES ($1, 1, $2)
                 ON CONFLICT (stream) DO UPDATE SET seen = seen + 1, positions = positions || ' ' || $2"
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(event.stream.as_str())
                .bind(event.position.to_string())
                .execute(&mut *transaction)
                .await?;
        }
        self.switches.batches.acquire().await.expect("never closed").forget();
        if generation.0 >= self.switches.fails_from_generation.load(Ordering::Relaxed) {
            return Err(ProjectionError::Unavailable("told to fail".to_owned()));
        }
        Ok(())
    }
}

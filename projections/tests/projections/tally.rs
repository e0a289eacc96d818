//! A read model that counts: what the others shrug off, taking an event in twice, it shows. It can be made to fail, to
//! wait, and to be of another release.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use dossier_projections::{
    Column, Generation, ProjectedEvent, ProjectionError, ReadModel, Sql, Table, WriteTransaction,
};
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

const COLUMNS: &[Column] = &[Column::text("stream"), Column::integer("seen"), Column::text("positions")];

const fn table(name: &'static str) -> Table {
    Table { name, columns: COLUMNS, key: &["stream"], indexes: &["seen"] }
}

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
        const TABLES: [&[Table]; 2] = [&[table("tally")], &[table("tallies")]];
        TABLES[usize::from(self.second_release)]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let table = generation.table(self.tables()[0].name);
        for event in events {
            let sql = Sql::new(format!("INSERT INTO {table} (stream, seen, positions) VALUES ("))
                .bind(event.stream.as_str())
                .then(", 1, ")
                .bind(event.position.to_string())
                .then(format!(
                    ") ON CONFLICT (stream) DO UPDATE SET seen = {table}.seen + 1,
                     positions = {table}.positions || ' ' || excluded.positions"
                ));
            transaction.execute(&sql).await?;
        }
        self.switches.batches.acquire().await.expect("never closed").forget();
        if generation.0 >= self.switches.fails_from_generation.load(Ordering::Relaxed) {
            return Err(ProjectionError::Unavailable("told to fail".to_owned()));
        }
        Ok(())
    }
}

//! A read model that counts. The real ones shrug off an event that they take in twice; this one shows it.

use async_trait::async_trait;
use dossier_projections::{
    Column, Generation, ProjectedEvent, ProjectionError, ReadModel, Sql, Table, WriteTransaction,
};

/// The events of each stream, and how often they were taken in.
pub struct Tally;

const TABLE: Table = Table {
    name: "tally",
    columns: &[Column::text("stream"), Column::text("positions")],
    key: &["stream"],
    indexes: &[],
};

#[async_trait]
impl ReadModel for Tally {
    fn name(&self) -> &'static str {
        TABLE.name
    }

    fn schema_version(&self) -> i64 {
        1
    }

    fn categories(&self) -> &'static [&'static str] {
        &["access", "case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[TABLE]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let table = generation.table(TABLE.name);
        for event in events {
            let sql = Sql::new(format!("INSERT INTO {table} (stream, positions) VALUES ("))
                .bind(event.stream.as_str())
                .then(", ")
                .bind(event.position.to_string())
                .then(format!(
                    ") ON CONFLICT (stream) DO UPDATE SET positions = {table}.positions || ' ' || excluded.positions"
                ));
            transaction.execute(&sql).await?;
        }
        Ok(())
    }
}

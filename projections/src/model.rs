//! What a read model is, and where it stands.

use async_trait::async_trait;
use dossier_eventlog::{EventId, Position};
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::event::ProjectedEvent;

/// One complete set of a model's tables. A rebuild fills the next one beside the live one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub i64);

impl Generation {
    /// The name of a table in this generation.
    pub fn table(self, base: &str) -> String {
        format!("{base}_g{}", self.0)
    }
}

/// How far a generation has come, and in which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log it was read from.
    pub log_id: Uuid,
    /// Position of the last event taken in.
    pub position: Position,
    /// That event's id; `None` at the start.
    pub event_id: Option<EventId>,
}

/// One table of a model: queries read the view of the same name, which shows the active generation.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Name of the view, and of the tables before their generation.
    pub name: &'static str,
    /// Columns and constraints, as in `CREATE TABLE`.
    pub columns: &'static str,
    /// Column lists of the indexes.
    pub indexes: &'static [&'static str],
}

/// A read model: tables, and how events become rows. The same events give the same rows, always.
#[async_trait]
pub trait ReadModel: Send + Sync + 'static {
    /// Name, as in `dossier rebuild NAME`.
    fn name(&self) -> &'static str;

    /// Changes whenever the tables or the projector do; the model is then built anew.
    fn schema_version(&self) -> i64;

    /// Categories of the streams it takes in.
    fn categories(&self) -> &'static [&'static str];

    /// Its tables.
    fn tables(&self) -> &'static [Table];

    /// Takes events into a generation's tables, inside the transaction that also moves the checkpoint.
    ///
    /// # Errors
    /// [`ProjectionError`]; the transaction is rolled back.
    async fn project(
        &self,
        transaction: &mut SqliteConnection,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError>;
}

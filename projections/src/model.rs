//! What a read model is, and where it stands.

use async_trait::async_trait;
use dossier_eventlog::{EventId, Position};
use uuid::Uuid;

use crate::database::WriteTransaction;
use crate::error::ProjectionError;
use crate::event::ProjectedEvent;
use crate::full_text::TextIndex;

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

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// Yes or no.
    Boolean,
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may be NULL.
    pub optional: bool,
}

impl Column {
    /// Text that is always there.
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Text, optional: false }
    }

    /// A number that is always there.
    pub const fn integer(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Integer, optional: false }
    }

    /// Yes or no.
    pub const fn boolean(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Boolean, optional: false }
    }

    /// The same, or NULL.
    #[must_use]
    pub const fn or_null(self) -> Self {
        Self { optional: true, ..self }
    }
}

/// One table of a model: queries read the active generation under its name.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name before the generation.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// The columns that tell rows apart.
    pub key: &'static [&'static str],
    /// Column lists of the indexes; with ` WHERE ` a condition, of those rows only.
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

    /// The words of its tables that are indexed, if any are.
    fn text_index(&self) -> Option<&'static TextIndex> {
        None
    }

    /// Takes events into a generation's tables, inside the transaction that also moves the checkpoint.
    ///
    /// # Errors
    /// [`ProjectionError`]; the transaction is rolled back.
    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError>;
}

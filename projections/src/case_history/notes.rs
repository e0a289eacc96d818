//! The notes that support writes for itself (R-COMMENT-3), in a table that no customer's question reads.

use std::sync::Arc;

use dossier_domain::case::CaseEvent;
use dossier_domain::{CaseId, OrganizationId, VisibilityScope};
use serde::Serialize;

use super::query::{Wanted, rows_of_case};
use crate::database::{ReadDatabase, stored};
use crate::error::QueryError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Table};
use crate::rows::cut;

pub(super) const NOTES: Table = Table {
    name: "case_notes",
    columns: &[
        Column::text("note_id"),
        Column::text("case_id"),
        Column::integer("sequence"),
        Column::text("body").or_null(),
        Column::text("author_email").or_null(),
        Column::text("author_name").or_null(),
        Column::integer("created_at_micros"),
    ],
    key: &["note_id"],
    indexes: &["case_id, sequence"],
};

/// An internal note as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct NoteRow {
    /// Id of the note.
    pub note_id: String,
    /// The case it belongs to.
    pub case_id: String,
    /// Position of the event: lists are ordered by it.
    pub sequence: i64,
    /// The text.
    pub body: Option<String>,
    /// Address of who wrote it.
    pub author_email: Option<String>,
    /// Name of who wrote it.
    pub author_name: Option<String>,
    /// When, microseconds since 1970.
    pub created_at_micros: i64,
}

impl NoteRow {
    pub(super) fn of_event(projected: &ProjectedEvent) -> Option<Self> {
        let ReadEvent::Case(CaseEvent::InternalNoteAdded(added)) = &projected.event else { return None };
        Some(Self {
            note_id: added.note.to_string(),
            case_id: projected.stream.id().to_owned(),
            sequence: stored(projected.position),
            body: added.body.open().cloned(),
            author_email: added.author.open().map(|author| author.email.clone()),
            author_name: added.author.open().map(|author| author.display_name.clone()),
            created_at_micros: projected.recorded_at.as_microsecond(),
        })
    }
}

/// Some notes, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotePage {
    /// The notes, oldest first.
    pub notes: Vec<NoteRow>,
    /// Sequence of the last one, when more follow.
    pub next_after: Option<i64>,
}

/// The model's query on notes. Only support may be answered from it.
#[derive(Clone)]
pub struct NoteQueries {
    database: Arc<ReadDatabase>,
}

impl NoteQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// Notes on a case of an organization, oldest first, after a sequence; `None` when the scope does not show the case,
    /// and when it is not one of support.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Option<NotePage>, QueryError> {
        if !matches!(scope, VisibilityScope::Provider { .. } | VisibilityScope::AllOrganizations) {
            return Ok(None);
        }
        let wanted = Wanted { scope, organization, case, after, limit };
        let notes = rows_of_case(&self.database, NOTES.name, wanted).await?;
        Ok(notes.map(|mut notes: Vec<NoteRow>| {
            let next_after = cut(&mut notes, limit, |note| note.sequence);
            NotePage { notes, next_after }
        }))
    }
}

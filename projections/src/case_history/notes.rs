//! The notes that support writes for itself (R-COMMENT-3) and the files on them, in tables that no customer's question reads.

use std::sync::Arc;

use dossier_domain::case::CaseEvent;
use dossier_domain::{AttachmentId, CaseId, NoteId, OrganizationId, VisibilityScope};
use serde::Serialize;

use super::note_attachments::{NOTE_ATTACHMENTS, NoteAttachmentPage, NoteAttachmentRow};
use super::query::{Wanted, push_visible, rows_of_case};
use crate::database::{ReadDatabase, stored};
use crate::error::QueryError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Table};
use crate::rows::cut;
use crate::sql::{ReadRow, Sql};

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
            created_at_micros: projected.occurred_at().as_microsecond(),
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

/// The model's queries on notes and their files. Only support is answered from them, whatever the scope shows of the case.
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
        if !is_of_support(scope) {
            return Ok(None);
        }
        let wanted = Wanted { scope, organization, case, after, limit };
        let notes = rows_of_case(&self.database, NOTES.name, wanted).await?;
        Ok(notes.map(|mut notes: Vec<NoteRow>| {
            let next_after = cut(&mut notes, limit, |note| note.sequence);
            NotePage { notes, next_after }
        }))
    }

    /// Whether there is such a note on a case of an organization that the scope shows.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn exists(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        note: NoteId,
    ) -> Result<bool, QueryError> {
        let wanted = OfNote { scope, organization, case, note };
        let found: Option<NoteRow> = self.one(NOTES.name, &wanted, None).await?;
        Ok(found.is_some())
    }

    /// A file of a note on a case of an organization, if the scope is one of support and shows the case.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn attachment(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        note: NoteId,
        attachment: AttachmentId,
    ) -> Result<Option<NoteAttachmentRow>, QueryError> {
        let wanted = OfNote { scope, organization, case, note };
        self.one(NOTE_ATTACHMENTS.name, &wanted, Some(attachment)).await
    }

    /// Files of a note on a case of an organization, oldest first, after a sequence; `None` when there is no such note, or
    /// none that the scope shows.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn attachments(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        note: NoteId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Option<NoteAttachmentPage>, QueryError> {
        // A note is never taken away: what is found after it is still its own.
        if !self.exists(scope, organization, case, note).await? {
            return Ok(None);
        }
        let mut query = OfNote { scope, organization, case, note }.select(NOTE_ATTACHMENTS.name);
        query.push(" AND sequence > ").push_bind(after.unwrap_or(0));
        query.push(" ORDER BY sequence LIMIT ").push_bind(i64::from(limit) + 1);
        let mut attachments: Vec<NoteAttachmentRow> = self.database.fetch_all(&query).await?;
        let next_after = cut(&mut attachments, limit, |attachment| attachment.sequence);
        Ok(Some(NoteAttachmentPage { attachments, next_after }))
    }

    async fn one<T: ReadRow>(
        &self,
        table: &'static str,
        wanted: &OfNote<'_>,
        attachment: Option<AttachmentId>,
    ) -> Result<Option<T>, QueryError> {
        if !is_of_support(wanted.scope) {
            return Ok(None);
        }
        let mut query = wanted.select(table);
        if let Some(attachment) = attachment {
            query.push(" AND attachment_id = ").push_bind(attachment.to_string());
        }
        self.database.fetch_optional(&query).await
    }
}

/// Which note's rows are wanted.
struct OfNote<'a> {
    scope: &'a VisibilityScope,
    organization: &'a OrganizationId,
    case: CaseId,
    note: NoteId,
}

impl OfNote<'_> {
    /// Its rows in a table, where the scope shows the case.
    fn select(&self, table: &'static str) -> Sql {
        let mut query = Sql::new(format!("SELECT {table}.* FROM "));
        query.push_live(table).push(" WHERE note_id = ").push_bind(self.note.to_string());
        query.push(format!(" AND {table}.case_id = ")).push_bind(self.case.to_string());
        query.push(" AND ");
        push_visible(&mut query, self.scope, self.organization, self.case);
        query
    }
}

/// Whether a scope is one that only support has: a customer's or a reseller's shows the case, and no note on it.
fn is_of_support(scope: &VisibilityScope) -> bool {
    matches!(scope, VisibilityScope::Provider { .. } | VisibilityScope::AllOrganizations)
}

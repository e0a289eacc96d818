//! Case events to comments, attachments, notes and their files.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use dossier_domain::OrganizationId;
use dossier_domain::case::CaseEvent;
use dossier_eventlog::{Audience, Position};
use serde::Serialize;

use super::attachments::AttachmentRow;
use super::comments::CommentRow;
use super::note_attachments::{NOTE_ATTACHMENTS, NoteAttachmentRow};
use super::notes::{NOTES, NoteRow};
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::scope::side_name;
use crate::sql::Sql;

/// The read model `case_history`.
pub struct CaseHistory;

const COMMENTS: Table = Table {
    name: "case_comments",
    columns: &[
        Column::text("comment_id"),
        Column::text("case_id"),
        Column::integer("sequence"),
        Column::text("kind"),
        Column::text("detail").or_null(),
        Column::text("particulars").or_null(),
        Column::text("body").or_null(),
        Column::text("author_email").or_null(),
        Column::text("author_name").or_null(),
        Column::text("side"),
        Column::integer("created_at_micros"),
    ],
    key: &["comment_id"],
    indexes: &["case_id, sequence"],
};
const ATTACHMENTS: Table = Table {
    name: "case_attachments",
    columns: &[
        Column::text("attachment_id"),
        Column::text("case_id"),
        Column::integer("sequence"),
        Column::text("filename").or_null(),
        Column::text("media_type"),
        Column::integer("size_bytes"),
        Column::text("sha256").or_null(),
        Column::text("blob"),
        Column::text("subject"),
        Column::text("author_email").or_null(),
        Column::text("author_name").or_null(),
        Column::text("side"),
        Column::integer("created_at_micros"),
    ],
    key: &["attachment_id"],
    indexes: &["case_id, sequence", "blob"],
};
/// Whose case it is, so that this model answers for visibility by itself.
const CASES: Table = Table {
    name: "case_history_cases",
    columns: &[
        Column::text("case_id"),
        Column::text("organization"),
        Column::text("product"),
        Column::text("manager").or_null(),
        Column::text("provider").or_null(),
        Column::integer("routed_revision"),
    ],
    key: &["case_id"],
    indexes: &[],
};

#[async_trait]
impl ReadModel for CaseHistory {
    fn name(&self) -> &'static str {
        "case_history"
    }

    fn schema_version(&self) -> i64 {
        10
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[COMMENTS, ATTACHMENTS, NOTES, NOTE_ATTACHMENTS, CASES]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let cases = cases(transaction, generation, events).await?;
        replace(transaction, generation, &CASES, cases.values(), |row| row.case_id.clone()).await?;
        let comments = events.iter().filter_map(CommentRow::of_event);
        replace(transaction, generation, &COMMENTS, comments, |row| row.comment_id.clone()).await?;
        let notes = events.iter().filter_map(NoteRow::of_event);
        replace(transaction, generation, &NOTES, notes, |row| row.note_id.clone()).await?;
        let of_notes = events.iter().filter_map(NoteAttachmentRow::of_event);
        replace(transaction, generation, &NOTE_ATTACHMENTS, of_notes, |row| row.attachment_id.clone())
            .await?;
        let attachments = events.iter().filter_map(attachment_row);
        replace(transaction, generation, &ATTACHMENTS, attachments, |row| row.attachment_id.clone()).await
    }
}

#[derive(Serialize, sqlx::FromRow)]
struct FiledRow {
    case_id: String,
    organization: String,
    product: String,
    /// The reseller that managed the organization at filing.
    manager: Option<String>,
    /// The provider that it was last routed to.
    provider: Option<String>,
    /// Revision of the event that routed it: what is older changes nothing.
    routed_revision: i64,
}

/// The rows that filings and hand-overs change.
async fn cases(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    events: &[ProjectedEvent],
) -> Result<BTreeMap<String, FiledRow>, ProjectionError> {
    let touched = |projected: &&ProjectedEvent| {
        matches!(&projected.event, ReadEvent::Case(CaseEvent::CaseFiled(_) | CaseEvent::CaseRouted(_)))
    };
    let ids: BTreeSet<&str> = events.iter().filter(touched).map(|event| event.stream.id()).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::new(format!("SELECT * FROM {} WHERE case_id", generation.table(CASES.name)));
    sql.push_is_one_of(ids);
    let known: Vec<FiledRow> = transaction.fetch_all(&sql).await?;
    let mut rows: BTreeMap<String, FiledRow> =
        known.into_iter().map(|row| (row.case_id.clone(), row)).collect();
    for projected in events {
        match &projected.event {
            ReadEvent::Case(CaseEvent::CaseFiled(filed)) => {
                let id = projected.stream.id();
                rows.entry(id.to_owned()).or_insert_with(|| FiledRow {
                    case_id: id.to_owned(),
                    organization: filed.organization.to_string(),
                    product: filed.product.to_string(),
                    manager: filed.manager.as_ref().map(OrganizationId::to_string),
                    provider: None,
                    routed_revision: 0,
                });
            }
            ReadEvent::Case(CaseEvent::CaseRouted(routed)) => {
                let revision = stored(Position(projected.revision.0));
                let row = rows.get_mut(projected.stream.id());
                if let Some(row) = row.filter(|row| row.routed_revision < revision) {
                    row.provider = Some(routed.provider.to_string());
                    row.routed_revision = revision;
                }
            }
            _ => {}
        }
    }
    Ok(rows)
}

/// As with comments: one that is not for customers has no row (R-COMMENT-3).
fn attachment_row(projected: &ProjectedEvent) -> Option<AttachmentRow> {
    let ReadEvent::Case(CaseEvent::AttachmentAdded(added)) = &projected.event else { return None };
    if projected.metadata.audience != Audience::Customer {
        return None;
    }
    Some(AttachmentRow {
        attachment_id: added.attachment.to_string(),
        case_id: projected.stream.id().to_owned(),
        sequence: stored(projected.position),
        filename: added.filename.open().cloned(),
        media_type: added.media_type.clone(),
        size_bytes: i64::try_from(added.size_bytes).unwrap_or(i64::MAX),
        sha256: added.sha256.open().cloned(),
        blob: added.blob.clone(),
        subject: added.author.subject().as_str().to_owned(),
        author_email: added.author.open().map(|author| author.email.clone()),
        author_name: added.author.open().map(|author| author.display_name.clone()),
        side: side_name(added.side).to_owned(),
        created_at_micros: projected.occurred_at().as_microsecond(),
    })
}

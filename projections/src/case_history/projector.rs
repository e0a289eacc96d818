//! Case events to comments.

use async_trait::async_trait;
use dossier_domain::case::CaseEvent;
use dossier_eventlog::Audience;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::attachments::AttachmentRow;
use super::query::CommentRow;
use crate::database::stored;
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Generation, ReadModel, Table};
use crate::rows::replace;
use crate::scope::side_name;

/// The read model `case_history`.
pub struct CaseHistory;

const COMMENTS: &str = "case_comments";
const ATTACHMENTS: &str = "case_attachments";
const ATTACHMENT_COLUMNS: &str = "attachment_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, \
     filename TEXT, media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT, blob TEXT NOT NULL, \
     subject TEXT NOT NULL, author_email TEXT, author_name TEXT, side TEXT NOT NULL, created_at_micros INTEGER NOT NULL";
const CASES: &str = "case_history_cases";

#[async_trait]
impl ReadModel for CaseHistory {
    fn name(&self) -> &'static str {
        "case_history"
    }

    fn schema_version(&self) -> i64 {
        5
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[
            Table {
                name: COMMENTS,
                columns: "comment_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT, \
                          author_email TEXT, author_name TEXT, side TEXT NOT NULL, created_at_micros INTEGER NOT NULL",
                indexes: &["case_id, sequence"],
            },
            Table { name: ATTACHMENTS, columns: ATTACHMENT_COLUMNS, indexes: &["case_id, sequence", "blob"] },
            // Whose case it is, so that this model answers for visibility by itself.
            Table {
                name: CASES,
                columns: "case_id TEXT PRIMARY KEY, organization TEXT NOT NULL, product TEXT NOT NULL",
                indexes: &[],
            },
        ]
    }

    async fn project(
        &self,
        transaction: &mut SqliteConnection,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        replace(
            transaction,
            &generation.table(CASES),
            &events.iter().filter_map(filed_row).collect::<Vec<_>>(),
        )
        .await?;
        replace(
            transaction,
            &generation.table(COMMENTS),
            &events.iter().filter_map(comment_row).collect::<Vec<_>>(),
        )
        .await?;
        replace(
            transaction,
            &generation.table(ATTACHMENTS),
            &events.iter().filter_map(attachment_row).collect::<Vec<_>>(),
        )
        .await
    }
}

#[derive(Serialize)]
struct FiledRow<'a> {
    case_id: &'a str,
    organization: &'a str,
    product: &'a str,
}

fn filed_row(projected: &ProjectedEvent) -> Option<FiledRow<'_>> {
    let ReadEvent::Case(CaseEvent::CaseFiled(filed)) = &projected.event else { return None };
    Some(FiledRow {
        case_id: projected.stream.id(),
        organization: filed.organization.as_str(),
        product: filed.product.as_str(),
    })
}

/// A comment that is not for customers has no row: every reader of this model may be one (R-COMMENT-3).
fn comment_row(projected: &ProjectedEvent) -> Option<CommentRow> {
    let ReadEvent::Case(CaseEvent::CommentAdded(comment)) = &projected.event else { return None };
    if projected.metadata.audience != Audience::Customer {
        return None;
    }
    Some(CommentRow {
        comment_id: comment.comment.to_string(),
        case_id: projected.stream.id().to_owned(),
        sequence: stored(projected.position),
        body: comment.body.open().cloned(),
        author_email: comment.author.open().map(|author| author.email.clone()),
        author_name: comment.author.open().map(|author| author.display_name.clone()),
        side: side_name(comment.side).to_owned(),
        created_at_micros: projected.recorded_at.as_microsecond(),
    })
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
        created_at_micros: projected.recorded_at.as_microsecond(),
    })
}

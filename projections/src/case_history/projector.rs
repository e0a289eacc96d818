//! Case events to comments.

use async_trait::async_trait;
use dossier_domain::OrganizationId;
use dossier_domain::case::CaseEvent;
use dossier_eventlog::Audience;
use serde::Serialize;

use super::attachments::AttachmentRow;
use super::query::CommentRow;
use crate::database::{WriteTransaction, stored};
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, ReadModel, Table};
use crate::rows::replace;
use crate::scope::side_name;

/// The read model `case_history`.
pub struct CaseHistory;

const COMMENTS: Table = Table {
    name: "case_comments",
    columns: &[
        Column::text("comment_id"),
        Column::text("case_id"),
        Column::integer("sequence"),
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
        6
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[COMMENTS, ATTACHMENTS, CASES]
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let filed = events.iter().filter_map(filed_row);
        replace(transaction, generation, &CASES, filed, |row| row.case_id).await?;
        let comments = events.iter().filter_map(comment_row);
        replace(transaction, generation, &COMMENTS, comments, |row| row.comment_id.clone()).await?;
        let attachments = events.iter().filter_map(attachment_row);
        replace(transaction, generation, &ATTACHMENTS, attachments, |row| row.attachment_id.clone()).await
    }
}

#[derive(Serialize)]
struct FiledRow<'a> {
    case_id: &'a str,
    organization: &'a str,
    product: &'a str,
    /// The reseller that managed the organization at filing.
    manager: Option<&'a str>,
}

fn filed_row(projected: &ProjectedEvent) -> Option<FiledRow<'_>> {
    let ReadEvent::Case(CaseEvent::CaseFiled(filed)) = &projected.event else { return None };
    Some(FiledRow {
        case_id: projected.stream.id(),
        organization: filed.organization.as_str(),
        product: filed.product.as_str(),
        manager: filed.manager.as_ref().map(OrganizationId::as_str),
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

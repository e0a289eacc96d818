//! Getting one attachment and listing a case's, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::{AttachmentId, CaseId, OrganizationId, VisibilityScope};
use serde::Serialize;

use super::query::{Wanted, push_visible, rows_of_case};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// An attachment as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct AttachmentRow {
    /// Id of the attachment.
    pub attachment_id: String,
    /// The case it belongs to.
    pub case_id: String,
    /// Position of the event: lists are ordered by it.
    pub sequence: i64,
    /// Name of the file.
    pub filename: Option<String>,
    /// Media type as told.
    pub media_type: String,
    /// Size of the content, in bytes.
    pub size_bytes: i64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: Option<String>,
    /// Where the sealed content lies.
    pub blob: String,
    /// Whose key seals it.
    pub subject: String,
    /// Address of who attached it.
    pub author_email: Option<String>,
    /// Name of who attached it.
    pub author_name: Option<String>,
    /// From which side.
    pub side: String,
    /// When, microseconds since 1970.
    pub created_at_micros: i64,
}

/// Some attachments, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachmentPage {
    /// The attachments, oldest first.
    pub attachments: Vec<AttachmentRow>,
    /// Sequence of the last one, when more follow.
    pub next_after: Option<i64>,
}

/// The model's queries on attachments.
#[derive(Clone)]
pub struct AttachmentQueries {
    database: Arc<ReadDatabase>,
}

impl AttachmentQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// An attachment of a case of an organization, if the scope shows it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        attachment: AttachmentId,
    ) -> Result<Option<AttachmentRow>, QueryError> {
        let mut query = Sql::new("SELECT case_attachments.* FROM ");
        query.push_live("case_attachments").push(" WHERE attachment_id = ").push_bind(attachment.to_string());
        query.push(" AND case_id = ").push_bind(case.to_string());
        query.push(" AND ");
        push_visible(&mut query, scope, organization, case);
        self.database.fetch_optional(&query).await
    }

    /// Attachments of a case of an organization, oldest first, after a sequence; `None` when the scope does not show
    /// the case.
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
    ) -> Result<Option<AttachmentPage>, QueryError> {
        let wanted = Wanted { scope, organization, case, after, limit };
        let attachments = rows_of_case(&self.database, "case_attachments", wanted).await?;
        Ok(attachments.map(|mut attachments: Vec<AttachmentRow>| {
            let next_after = cut(&mut attachments, limit, |attachment| attachment.sequence);
            AttachmentPage { attachments, next_after }
        }))
    }
}

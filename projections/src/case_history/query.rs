//! Getting one comment and listing a case's, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::{CaseId, CommentId, OrganizationId, VisibilityScope};
use serde::Serialize;

use crate::database::{ReadDatabase, Snapshot};
use crate::error::QueryError;
use crate::rows::cut;
use crate::scope::push_scope;
use crate::sql::{ReadRow, Sql};

/// A comment as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct CommentRow {
    /// Id of the comment.
    pub comment_id: String,
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
    /// From which side.
    pub side: String,
    /// When, microseconds since 1970.
    pub created_at_micros: i64,
}

/// Some comments, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentPage {
    /// The comments, oldest first.
    pub comments: Vec<CommentRow>,
    /// Sequence of the last one, when more follow.
    pub next_after: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct CommentQueries {
    database: Arc<ReadDatabase>,
}

impl CommentQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A comment of a case of an organization, if the scope shows it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        comment: CommentId,
    ) -> Result<Option<CommentRow>, QueryError> {
        let mut query = Sql::new("SELECT case_comments.* FROM ");
        query.push_live("case_comments").push(" WHERE comment_id = ").push_bind(comment.to_string());
        query.push(" AND case_id = ").push_bind(case.to_string());
        query.push(" AND ");
        push_visible(&mut query, scope, organization, case);
        self.database.fetch_optional(&query).await
    }

    /// Comments of a case of an organization, oldest first, after a sequence; `None` when the scope does not show the
    /// case.
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
    ) -> Result<Option<CommentPage>, QueryError> {
        let wanted = Wanted { scope, organization, case, after, limit };
        let comments = rows_of_case(&self.database, "case_comments", wanted).await?;
        Ok(comments.map(|mut comments: Vec<CommentRow>| {
            let next_after = cut(&mut comments, limit, |comment| comment.sequence);
            CommentPage { comments, next_after }
        }))
    }
}

/// Which rows of a case are wanted.
pub(super) struct Wanted<'a> {
    pub(super) scope: &'a VisibilityScope,
    pub(super) organization: &'a OrganizationId,
    pub(super) case: CaseId,
    pub(super) after: Option<i64>,
    pub(super) limit: u32,
}

/// Rows of a table that belong to a case, in order, one more than wanted; `None` when the scope does not show the case.
pub(super) async fn rows_of_case<T: ReadRow>(
    database: &ReadDatabase,
    table: &'static str,
    wanted: Wanted<'_>,
) -> Result<Option<Vec<T>>, QueryError> {
    let mut rows = Sql::new("SELECT * FROM ");
    rows.push_live(table).push(" WHERE case_id = ").push_bind(wanted.case.to_string());
    rows.push(" AND sequence > ").push_bind(wanted.after.unwrap_or(0));
    rows.push(" ORDER BY sequence LIMIT ").push_bind(i64::from(wanted.limit) + 1);
    // One snapshot for both: the case's visibility and its rows.
    let mut snapshot = database.snapshot().await?;
    let visible = is_visible(&mut snapshot, wanted.scope, wanted.organization, wanted.case).await?;
    let rows = if visible { Some(snapshot.fetch_all(&rows).await?) } else { None };
    snapshot.end().await?;
    Ok(rows)
}

/// Whether a case exists under an organization and is in scope.
pub(super) async fn is_visible(
    snapshot: &mut Snapshot,
    scope: &VisibilityScope,
    organization: &OrganizationId,
    case: CaseId,
) -> Result<bool, QueryError> {
    let mut visible = Sql::new("SELECT ");
    push_visible(&mut visible, scope, organization, case);
    let answer: Vec<(bool,)> = snapshot.fetch_all(&visible).await?;
    Ok(answer.first().is_some_and(|(visible,)| *visible))
}

/// The condition that a case exists under an organization and is in scope.
pub(super) fn push_visible(
    query: &mut Sql,
    scope: &VisibilityScope,
    organization: &OrganizationId,
    case: CaseId,
) {
    query.push("EXISTS (SELECT 1 FROM ").push_live("case_history_cases");
    query.push(" WHERE case_history_cases.case_id = ").push_bind(case.to_string());
    query.push(" AND ");
    push_scope(query, "case_history_cases", scope, Some(organization));
    query.push(")");
}

//! Getting one comment and listing a case's, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::{CaseId, CommentId, OrganizationId, VisibilityScope};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, QueryBuilder, Sqlite, SqliteConnection};

use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::scope::push_scope;

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
        let mut query = QueryBuilder::new("SELECT case_comments.* FROM case_comments WHERE comment_id = ");
        query.push_bind(comment.to_string()).push(" AND case_id = ").push_bind(case.to_string());
        query.push(" AND ");
        push_visible(&mut query, scope, organization, case);
        Ok(query.build_query_as().fetch_optional(self.database.readers()).await?)
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
        const SQL: &str =
            "SELECT * FROM case_comments WHERE case_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
        let wanted = Wanted { scope, organization, case, after, limit };
        let comments = rows_of_case(&self.database, SQL, wanted).await?;
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

/// Rows of a case by a statement that takes its id, a sequence to begin after and a limit, one more than wanted; `None` when
/// the scope does not show the case.
pub(super) async fn rows_of_case<T>(
    database: &ReadDatabase,
    sql: &'static str,
    wanted: Wanted<'_>,
) -> Result<Option<Vec<T>>, QueryError>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    // One snapshot for both: the case's visibility and its rows.
    let mut snapshot = database.readers().begin().await?;
    if !is_visible(&mut snapshot, wanted.scope, wanted.organization, wanted.case).await? {
        return Ok(None);
    }
    let rows = sqlx::query_as(sql)
        .bind(wanted.case.to_string())
        .bind(wanted.after.unwrap_or(0))
        .bind(i64::from(wanted.limit) + 1)
        .fetch_all(&mut *snapshot)
        .await?;
    Ok(Some(rows))
}

/// Whether a case exists under an organization and is in scope.
pub(super) async fn is_visible(
    snapshot: &mut SqliteConnection,
    scope: &VisibilityScope,
    organization: &OrganizationId,
    case: CaseId,
) -> Result<bool, QueryError> {
    let mut visible = QueryBuilder::new("SELECT ");
    push_visible(&mut visible, scope, organization, case);
    Ok(visible.build_query_scalar::<bool>().fetch_one(snapshot).await?)
}

/// The condition that a case exists under an organization and is in scope.
pub(super) fn push_visible(
    query: &mut QueryBuilder<Sqlite>,
    scope: &VisibilityScope,
    organization: &OrganizationId,
    case: CaseId,
) {
    query.push("EXISTS (SELECT 1 FROM case_history_cases AS visible WHERE visible.case_id = ");
    query.push_bind(case.to_string());
    query.push(" AND organization = ").push_bind(organization.as_str().to_owned()).push(" AND ");
    push_scope(query, scope);
    query.push(")");
}

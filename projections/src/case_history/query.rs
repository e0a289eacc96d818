//! Rows of a case, always within a visibility scope.

use dossier_domain::{CaseId, OrganizationId, VisibilityScope};

use crate::database::{ReadDatabase, Snapshot};
use crate::error::QueryError;
use crate::scope::push_scope;
use crate::sql::{ReadRow, Sql};

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

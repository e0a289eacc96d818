//! `knownIssues.list` and `.get`: known issues with all that support knows of them (R-KI-1).

use dossier_domain::known_issue::KnownIssueStatus;
use dossier_domain::{KnownIssueId, ProductId};
use dossier_projections::known_issues::KnownIssueWanted;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::known_issues_resources::{KNOWN_ISSUE_STATES, KnownIssueResource};
use crate::call::{Call, Reply};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::{ApiError, Code};

/// Some known issues.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownIssueList {
    /// The issues, the last suspected first.
    pub known_issues: Vec<KnownIssueResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues before an issue.
#[derive(Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) before: i64,
}

/// Lists known issues, the last suspected first.
///
/// # Errors
/// 400 for a bad state, product, page size or token.
#[utoipa::path(
    get,
    path = "/v2/knownIssues",
    operation_id = "knownIssues.list",
    tag = "known issues",
    params(
        ("state" = Option<String>, Query, description = "Only those that stand there, such as `SUSPECTED`"),
        ("product" = Option<String>, Query, description = "Only those of this product"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same state and product"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Known issues", body = KnownIssueList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let state = call.query.enumeration("state", KNOWN_ISSUE_STATES)?;
    let name = state.and_then(|number| KNOWN_ISSUE_STATES.iter().find(|(_, known)| *known == number));
    let status = name.and_then(|(name, _)| KnownIssueStatus::from_name(name));
    let product = call.query.text("product").map(product).transpose()?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {status:?} {product:?}", call.endpoint.id);
    let before = call.cursor::<Cursor>(&scope)?.map(|cursor| cursor.before);
    let queries = &call.app.known_issues;
    let page = queries.list(&KnownIssueWanted { status, product }, before, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let updates = queries.updates(&page.issues).await.map_err(|error| refusals::query(&error))?;
    Reply::json(&KnownIssueList {
        known_issues: page.issues.iter().map(|row| KnownIssueResource::of_row(row, &updates)).collect(),
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(&scope, &Cursor { before })),
    })
}

/// Gets a known issue.
///
/// # Errors
/// 404 when nobody suspects it.
#[utoipa::path(
    get,
    path = "/v2/knownIssues/{issue}",
    operation_id = "knownIssues.get",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let queries = &call.app.known_issues;
    let found = queries.get(issue_id(&call)?).await.map_err(|error| refusals::query(&error))?;
    let row = found.ok_or_else(not_found)?;
    let updates = queries.updates(std::slice::from_ref(&row)).await;
    Reply::json(&KnownIssueResource::of_row(&row, &updates.map_err(|error| refusals::query(&error))?))
}

/// A product as a query or body names it.
pub(super) fn product(name: &str) -> Result<ProductId, ApiError> {
    ProductId::new(name).map_err(|error| ApiError::invalid_field("product", error.to_string()))
}

/// The known issue of the path.
pub(super) fn issue_id(call: &Call) -> Result<KnownIssueId, ApiError> {
    call.params.item.parse().map_err(|_| not_found())
}

/// There is no such issue, or none that the caller may know of.
pub(super) fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such known issue").with_reason("KNOWN_ISSUE_NOT_FOUND")
}

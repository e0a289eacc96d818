//! `cases.search`: cases by the whole filter language, free text included.

use crate::call::{Call, Reply};
use crate::filter::{CaseFilter, FilterMode, ParentName};
use crate::status::ApiError;

use super::cases_list::{Among, CaseList, authorize_named, page};

/// Searches cases.
///
/// # Errors
/// 400 for a bad query, page size or token; 403 where the query names a parent that is not open to the caller.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases:search",
    operation_id = "cases.search",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("query" = Option<String>, Query,
            description = "As the filter of cases.list, and `\"free text\"` (its words one after the other, the last one maybe a beginning) over title, description and comments, and `update_time>\"2026-01-31T00:00:00Z\"`"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same query"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Cases, newest first", body = CaseList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let mode = FilterMode::Search.of_side(call.authority.side());
    let filter = CaseFilter::parse(mode, call.query.text("query"))?;
    authorize_named(&call, &filter).await?;
    page(&call, Among::of(&call), &filter, None).await
}

/// Searches cases of the one organization that the query demands (v2beta).
///
/// # Errors
/// As [`handle`], and 400 where the query does not demand exactly one organization.
#[utoipa::path(
    get,
    path = "/v2beta/cases:search",
    operation_id = "v2beta.cases.search.byQuery",
    tag = "cases",
    params(
        ("query" = String, Query, description = "As for the search below a parent; `organization=\"organizations/{organization}\"` is needed"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same query"),
    ),
    responses((status = 200, description = "Cases, newest first", body = CaseList)),
)]
pub async fn handle_by_query(call: Call) -> Result<Reply, ApiError> {
    let mode = FilterMode::Search.of_side(call.authority.side());
    let filter = CaseFilter::parse(mode, call.query.text("query"))?;
    let mut named = authorize_named(&call, &filter).await?;
    let parent = match filter.required_parent() {
        Some(ParentName::Organization(id)) => named
            .iter()
            .position(|parent| parent.organization.as_str() == id)
            .map(|index| named.swap_remove(index)),
        Some(ParentName::Project(_)) | None => None,
    };
    let parent = parent.ok_or_else(|| {
        ApiError::invalid_field("query", "name the parent: organization=\"organizations/acme\" AND …")
            .with_reason("PARENT_MISSING")
    })?;
    page(&call, Among::parent(&parent), &filter, None).await
}

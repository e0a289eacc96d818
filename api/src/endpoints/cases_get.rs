//! `cases.get`: one case.

use crate::call::{Call, Reply, case_not_found};
use crate::refusals;
use crate::resources::{CaseResource, revision_of};
use crate::status::ApiError;

/// Gets a case.
///
/// # Errors
/// 404 when there is none, or none that the caller may see.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}",
    operation_id = "cases.get",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
        ("Dossier-Max-Wait" = Option<f64>, Header, description = "Seconds to wait for it; 2 when absent"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let parent = call.parent()?;
    let row = call
        .app
        .current_cases
        .get(&call.scope()?, &parent.organization, call.case_id()?)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(case_not_found)?;
    let side = parent.authority.side();
    Ok(Reply::json(&CaseResource::new(&row, side, call.enums()))?.with_etag(revision_of(&row, side)))
}

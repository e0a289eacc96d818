//! `cases.close`: closing a case (R-CLOSE-1).

use dossier_domain::case::{CaseCommand, CloseCase};

use super::case_commands::execute;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// Closes a case. Closing a closed one changes nothing.
///
/// # Errors
/// 400 when support closes without a solution.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:close",
    operation_id = "cases.close",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    // Clients send `{}` or nothing at all; anything else in it is ignored, what is no JSON is not.
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::Close(CloseCase {})).await
}

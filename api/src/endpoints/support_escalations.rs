//! `cases.acknowledgeEscalation`, `cases.resolveEscalation`: support's side of an escalation (R-ESC-2).

use dossier_domain::case::{AcknowledgeEscalation, CaseCommand, ResolveEscalation};

use super::case_commands::execute;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// Takes a requested escalation up. Where that was done, nothing changes.
///
/// # Errors
/// 400 where none is requested (`NO_ESCALATION`).
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:acknowledgeEscalation",
    operation_id = "cases.acknowledgeEscalation",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn acknowledge(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::AcknowledgeEscalation(AcknowledgeEscalation {})).await
}

/// Finishes an active escalation. Where that was done, nothing changes.
///
/// # Errors
/// 400 where none is active (`NO_ESCALATION`).
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:resolveEscalation",
    operation_id = "cases.resolveEscalation",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn resolve(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::ResolveEscalation(ResolveEscalation {})).await
}

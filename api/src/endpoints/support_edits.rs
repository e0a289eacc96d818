//! `cases.changePriority`, `cases.addInternalNote`: support's priority with its reason, and what it writes for itself (R-PRIO-1,
//! R-COMMENT-3).

use dossier_domain::case::{AddInternalNote, CaseCommand, ChangePriority};
use dossier_domain::catalogue::Priority;
use utoipa::ToSchema;

use super::case_commands::{execute, priority};
use super::support_commands::{own_text, own_text_if_any, wrong};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// A priority, and why.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct PriorityChange {
    /// P0 to P4, whatever the plan offers.
    priority: String,
    /// Why, in the caller's words; the customer reads it.
    #[schema(min_length = 1)]
    reason: String,
}

/// What support writes for itself.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewInternalNote {
    /// The text, which no customer ever reads.
    #[schema(min_length = 1)]
    body: String,
}

/// Changes the priority of a case, for a reason.
///
/// # Errors
/// 400 without a reason (`REASON_REQUIRED`) or priority, and on a closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:changePriority",
    operation_id = "cases.changePriority",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = PriorityChange,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn change_priority(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let priority = priority(&message)?.and_then(Priority::from_digit);
    let command = ChangePriority {
        priority: priority.ok_or_else(|| wrong("priority", "must be given: one of P0, P1, P2, P3, P4"))?,
        reason: own_text_if_any(&call, &message, "reason")?,
    };
    execute(&call, Some(case), &CaseCommand::ChangePriority(command)).await
}

/// Adds a note that support alone reads, at any time.
///
/// # Errors
/// 400 without a text.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:addInternalNote",
    operation_id = "cases.addInternalNote",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewInternalNote,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn add_internal_note(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let command = AddInternalNote { body: own_text(&call, &message, "body")? };
    execute(&call, Some(case), &CaseCommand::AddInternalNote(command)).await
}

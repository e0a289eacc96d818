//! `cases.escalate`: escalating a case (R-ESC-1).

use dossier_domain::Personal;
use dossier_domain::case::{CaseCommand, EscalateCase, EscalationReason};
use utoipa::ToSchema;

use super::case_commands::execute;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::{CaseResource, ESCALATION_REASONS};
use crate::status::ApiError;

/// Why a case is escalated.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct EscalateRequest {
    /// Why.
    escalation: Escalation,
}

/// Why, in a word and in the caller's words.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct Escalation {
    /// RESOLUTION_TIME, TECHNICAL_EXPERTISE or BUSINESS_IMPACT.
    reason: String,
    /// In the caller's words.
    #[schema(min_length = 1)]
    justification: String,
}

/// Escalates a case.
///
/// # Errors
/// 400 without reason or justification, on a closed case, or while an escalation is active; 403 without the capability.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:escalate",
    operation_id = "cases.escalate",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = EscalateRequest,
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let escalation = message.message("escalation")?;
    let reason = escalation.as_ref().map(|escalation| escalation.enumeration("reason", ESCALATION_REASONS));
    let reason = match reason.transpose()?.flatten() {
        Some(1) => Some(EscalationReason::ResolutionTime),
        Some(2) => Some(EscalationReason::TechnicalExpertise),
        Some(3) => Some(EscalationReason::BusinessImpact),
        _ => None,
    };
    let justification =
        escalation.map(|escalation| escalation.string("justification")).transpose()?.flatten();
    let command = CaseCommand::Escalate(EscalateCase {
        reason,
        justification: Personal::new(call.actor.contact.subject().clone(), justification.unwrap_or_default()),
    });
    execute(&call, Some(case), &command).await
}

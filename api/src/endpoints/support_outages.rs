//! `cases.requestServiceCredit`, `cases.requestIncidentReport`: what the customer side may ask for after an outage (R-RESOLVE-1).

use dossier_domain::case::{CaseCommand, RequestIncidentReport, RequestServiceCredit};

use super::case_commands::execute;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// Asks for a service credit for the outage that the latest solution names, once.
///
/// # Errors
/// 400 where it names none (`NO_OUTAGE`) or it was asked for (`ALREADY_REQUESTED`).
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:requestServiceCredit",
    operation_id = "cases.requestServiceCredit",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn service_credit(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::RequestServiceCredit(RequestServiceCredit {})).await
}

/// Asks for an incident report about the outage that the latest solution names, once.
///
/// # Errors
/// 400 where it names none (`NO_OUTAGE`) or it was asked for (`ALREADY_REQUESTED`).
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:requestIncidentReport",
    operation_id = "cases.requestIncidentReport",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn incident_report(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::RequestIncidentReport(RequestIncidentReport {})).await
}

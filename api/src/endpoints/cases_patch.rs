//! `cases.patch`: editing title, priority and subscribers (R-PRIO-1).

use dossier_domain::Personal;
use dossier_domain::case::{CaseCommand, EditCase};
use dossier_domain::catalogue::Priority;
use utoipa::ToSchema;

use super::case_commands::{execute, priority, subscribers};
use crate::call::{Call, Reply};
use crate::mask::{CASE_PATHS, Mask};
use crate::proto_json::Message;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// The fields of a case that can be patched.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct CasePatch {
    /// Short summary.
    display_name: Option<String>,
    /// P0 to P4, as the plan offers.
    priority: Option<String>,
    /// The whole new list; absent: none.
    subscriber_email_addresses: Option<Vec<String>>,
}

/// Edits a case.
///
/// # Errors
/// 400 for another field in the mask, or a value that does not fit; nothing changes then.
#[utoipa::path(
    patch,
    path = "/v2/organizations/{organization}/cases/{case}",
    operation_id = "cases.patch",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("updateMask" = Option<String>, Query,
            description = "Some of priority, displayName, subscriberEmailAddresses; all three when absent"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = CasePatch,
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let mask = Mask::parse(call.query.get("updateMask"), CASE_PATHS)?;
    let message = Message::parse(&call.body)?;
    let title = message.string("displayName")?.unwrap_or_default();
    let author = call.actor.contact.subject().clone();
    let digit = priority(&message)?;
    if mask.contains("priority") && digit.is_none() {
        return Err(ApiError::invalid_field(
            "priority",
            "give one of P0, P1, P2, P3, P4, or leave it out of updateMask",
        ));
    }
    let command = CaseCommand::Edit(EditCase {
        title: mask.contains("display_name").then(|| Personal::new(author, title)),
        priority: digit.filter(|_| mask.contains("priority")).and_then(Priority::from_digit),
        priority_reason: None,
        subscribers: if mask.contains("subscriber_email_addresses") {
            Some(subscribers(&call, &message)?)
        } else {
            None
        },
    });
    execute(&call, Some(case), &command).await
}

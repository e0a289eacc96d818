//! `cases.requestInformation`, `cases.proposeSolution`: what support asks and what it proposes (R-INFOREQ-1, R-RESOLVE-1).

use dossier_domain::case::{
    CaseCommand, InformationKind, ProposeSolution, RequestInformation, SolutionKind, SolutionParticulars,
};
use utoipa::ToSchema;

use super::case_commands::execute;
use super::support_commands::{own_text, own_text_if_any, required};
use crate::call::{Call, Reply};
use crate::proto_json::{EnumTable, Message};
use crate::resources::CaseResource;
use crate::status::ApiError;

/// What support may ask for.
pub const INFORMATION_KINDS: &EnumTable =
    &[("INFORMATION_UNSPECIFIED", 0), ("EXACT_STEPS", 1), ("PROCEDURE", 2), ("LOGS_AND_HEADERS", 3)];

/// The kinds of solution.
pub const SOLUTION_KINDS: &EnumTable = &[
    ("KIND_UNSPECIFIED", 0),
    ("SOLVED", 1),
    ("MISSING_FEATURE", 2),
    ("NOT_REPRODUCIBLE", 3),
    ("THIRD_PARTY", 4),
    ("OUT_OF_SCOPE", 5),
    ("OUTAGE", 6),
];

/// What the customer is asked for.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct InformationRequest {
    /// EXACT_STEPS, PROCEDURE (to carry out a troubleshooting procedure) or LOGS_AND_HEADERS.
    information: String,
    /// In support's words.
    #[schema(min_length = 1)]
    text: String,
}

/// A solution, with what its kind needs and nothing that belongs to another.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct SolutionProposal {
    /// SOLVED, MISSING_FEATURE, NOT_REPRODUCIBLE, THIRD_PARTY, OUT_OF_SCOPE or OUTAGE.
    kind: String,
    /// In support's words.
    #[schema(min_length = 1)]
    text: String,
    /// Of a missing feature: the page where it is posted as an idea; that of the catalogue when absent.
    idea_url: Option<String>,
    /// Of what could not be reproduced: what to do.
    recommendations: Option<String>,
    /// Of what was handed to a third party: how to reach it.
    third_party_contact: Option<String>,
    /// Of an outage: its page on the status dashboard.
    outage_url: Option<String>,
}

/// Asks the customer for something: the case is ACTION_REQUIRED, and the response clock pauses.
///
/// # Errors
/// 400 without kind or text, and on a closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:requestInformation",
    operation_id = "cases.requestInformation",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = InformationRequest,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn request_information(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let information = match required(&message, "information", INFORMATION_KINDS)? {
        1 => InformationKind::ExactSteps,
        2 => InformationKind::TroubleshootingProcedure,
        _ => InformationKind::LogsAndHeaders,
    };
    let command = RequestInformation { information, text: own_text(&call, &message, "text")? };
    execute(&call, Some(case), &CaseCommand::RequestInformation(command)).await
}

/// Proposes a solution: the case is SOLUTION_PROVIDED, and the customer closes it, comments or escalates.
///
/// # Errors
/// 400 naming what the kind needs or what belongs to another kind, and on a closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:proposeSolution",
    operation_id = "cases.proposeSolution",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = SolutionProposal,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn propose_solution(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let solution = match required(&message, "kind", SOLUTION_KINDS)? {
        1 => SolutionKind::Solved,
        2 => SolutionKind::MissingFeature,
        3 => SolutionKind::NotReproducible,
        4 => SolutionKind::ThirdParty,
        5 => SolutionKind::OutOfScope,
        _ => SolutionKind::Outage,
    };
    let url = |name| Ok::<_, ApiError>(message.string(name)?.filter(|url| !url.is_empty()));
    let particulars = SolutionParticulars {
        idea_url: url("ideaUrl")?,
        recommendations: own_text_if_any(&call, &message, "recommendations")?,
        third_party_contact: own_text_if_any(&call, &message, "thirdPartyContact")?,
        outage_url: url("outageUrl")?,
    };
    let command = ProposeSolution { solution, text: own_text(&call, &message, "text")?, particulars };
    execute(&call, Some(case), &CaseCommand::ProposeSolution(command)).await
}

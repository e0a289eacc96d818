//! `cases.assign`, `cases.unassign`, `cases.route`: which agent and which provider has a case (R-ROUTE-1).

use dossier_domain::address::EmailAddress;
use dossier_domain::case::{AssignCase, Assignee, CaseCommand, CaseRejection, RouteCase, UnassignCase};
use dossier_domain::{AccountId, ProviderId};
use utoipa::ToSchema;

use super::case_commands::execute;
use super::support_commands::{own_text, wrong};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::{ApiError, excerpt};

/// Who gets a case.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct AssignRequest {
    /// `agents/{account}` or the address of an agent of the case's provider; the caller is meant when it is absent.
    #[schema(example = "agent-north@support.example")]
    agent: Option<String>,
}

/// To whom a case is handed over, and why.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct RouteRequest {
    /// Id of the provider in the catalogue.
    #[schema(example = "south")]
    provider: String,
    /// Why, in the caller's words.
    #[schema(min_length = 1)]
    reason: String,
}

/// Assigns a case to oneself, or to another agent of the provider that has it. The customer side learns of it only that a new case is in progress.
///
/// # Errors
/// 400 for whoever is no agent (`ASSIGNEE_NOT_AN_AGENT`) or one of another provider (`ASSIGNEE_NOT_OF_PROVIDER`), and on a
/// closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:assign",
    operation_id = "cases.assign",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = AssignRequest,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn assign(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let named = match message.string("agent")?.filter(|name| !name.is_empty()) {
        None => message.string("assignee")?.filter(|name| !name.is_empty()),
        agent => agent,
    };
    let to = match named {
        None => None,
        Some(name) => assignee(&call, &name).await?,
    };
    execute(&call, Some(case), &CaseCommand::Assign(AssignCase { to })).await
}

/// Who is named, where it is not the caller. The command looks at their account again.
async fn assignee(call: &Call, name: &str) -> Result<Option<Assignee>, ApiError> {
    let id = ["agents/", "accounts/"].into_iter().find_map(|kind| name.strip_prefix(kind));
    let account: Option<AccountId> = match (id, EmailAddress::parse(name)) {
        (Some(id), _) => id.parse().ok(),
        (None, Ok(email)) => {
            let known = call.app.accounts.agent_by_email(&email).await;
            let known = known.map_err(|error| refusals::query(&error))?;
            let account = known.and_then(|agent| agent.account.parse().ok());
            Some(account.ok_or_else(|| refusals::case(&CaseRejection::AssigneeNotAnAgent))?)
        }
        (None, Err(_)) => None,
    };
    let account = account.ok_or_else(|| {
        wrong("agent", format!("{} is neither of the form agents/… nor an address", excerpt(name)))
    })?;
    if account == call.actor.account {
        return Ok(None);
    }
    let view = call.app.commands.account_view(account).await.map_err(refusals::load)?;
    Ok(Some(Assignee::of(account, &view.account)))
}

/// Takes a case from the agent who has it. Where nobody has it, nothing changes.
///
/// # Errors
/// 400 on a closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:unassign",
    operation_id = "cases.unassign",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn unassign(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::Unassign(UnassignCase {})).await
}

/// Hands a case over to another provider, whose agents alone see it from then on.
///
/// # Errors
/// 400 for a provider that receives no such cases (`PROVIDER_UNSUITABLE`), without a reason, and on a closed case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:route",
    operation_id = "cases.route",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = RouteRequest,
    responses((status = 200, description = "The case as it was handed over", body = CaseResource)),
)]
pub async fn route(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let provider = message.string("provider")?.unwrap_or_default();
    let provider = ProviderId::new(&provider)
        .map_err(|_| wrong("provider", "must be given: the id of a provider in the catalogue"))?;
    let command = RouteCase { provider, reason: own_text(&call, &message, "reason")? };
    execute(&call, Some(case), &CaseCommand::Route(command)).await
}

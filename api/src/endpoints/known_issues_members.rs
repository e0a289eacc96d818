//! Known issues as the users of an organization see them: `organizations.knownIssues.list`, `.get` and `.banner` (R-KI-3), and
//! what they say of one: `:meToo`, `:notAffected` and `:unsubscribe` (R-KI-4, R-KI-5).

use std::collections::BTreeSet;

use dossier_domain::ProductId;
use dossier_domain::case::CaseState;
use dossier_domain::catalogue::Priority;
use dossier_domain::known_issue::{KnownIssueCommand, MeToo, SayNotAffected, Unsubscribe, products_followed};
use dossier_projections::known_issues::ShownIssueRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::case_commands::priority;
use super::known_issues_read::{Cursor, issue_id, not_found};
use super::known_issues_resources::{OrganizationKnownIssueResource, PartnerResource};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// Most issues of a banner.
const BANNER_ISSUES: u32 = 20;

/// Some published known issues.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationKnownIssueList {
    /// The issues, the last published first.
    pub known_issues: Vec<OrganizationKnownIssueResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// How the case is filed of a user who is affected.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct MeTooRequest {
    /// What they say themselves.
    description: Option<String>,
    /// Language of the case; updates of the issue are in English all the same.
    language_code: Option<String>,
    /// Urgency of the case; P3 when absent.
    priority: Option<String>,
    /// IANA name or offset.
    time_zone: Option<String>,
}

/// Lists the published known issues of the products that the organization is entitled to, the last published first, resolved
/// ones too.
///
/// # Errors
/// 400 for a bad page size or token; 403 for whoever is no member.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/knownIssues",
    operation_id = "organizations.knownIssues.list",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Known issues", body = OrganizationKnownIssueList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {}", call.endpoint.id, call.parent()?.organization);
    let before = call.cursor::<Cursor>(&scope)?.map(|cursor| cursor.before);
    let page = call.app.known_issues.published(&followed(&call)?, false, before, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    Reply::json(&OrganizationKnownIssueList {
        known_issues: shown(&call, &page.issues).await?,
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(&scope, &Cursor { before })),
    })
}

/// The known issues to show in a banner: published, of the organization's products, not resolved; at most 20.
///
/// # Errors
/// 403 for whoever is no member.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/knownIssues:banner",
    operation_id = "organizations.knownIssues.banner",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Known issues", body = OrganizationKnownIssueList)),
)]
pub async fn banner(call: Call) -> Result<Reply, ApiError> {
    let page = call.app.known_issues.published(&followed(&call)?, true, None, BANNER_ISSUES).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let known_issues = shown(&call, &page.issues).await?;
    Reply::json(&OrganizationKnownIssueList { known_issues, next_page_token: None })
}

/// Gets a published known issue of a product that the organization is entitled to.
///
/// # Errors
/// 404 for any other; 403 for whoever is no member.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/knownIssues/{issue}",
    operation_id = "organizations.knownIssues.get",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The known issue", body = OrganizationKnownIssueResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let found = call.app.known_issues.get(issue_id(&call)?).await.map_err(|error| refusals::query(&error))?;
    let followed = followed(&call)?;
    let is_theirs = |row: &ShownIssueRow| {
        row.issue.published_position.is_some()
            && followed.iter().any(|product| product.as_str() == row.issue.product)
    };
    let row = found.filter(is_theirs).ok_or_else(not_found)?;
    let resource = shown(&call, &[row]).await?.pop().ok_or_else(not_found)?;
    Reply::json(&resource)
}

/// Says that a known issue affects the caller: a case is filed for them, linked with the issue, and they get mails about it.
/// Repeating it changes nothing; after `:unsubscribe` or `:notAffected` it takes that back. The answer names the case, which
/// is filed within moments.
///
/// # Errors
/// As filing a case: 403 without a plan, a role or the support privilege; 400 naming the field that does not fit, and once the
/// issue is resolved. 404 when there is no such published issue.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/knownIssues/{issue}:meToo",
    operation_id = "organizations.knownIssues.meToo",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = MeTooRequest,
    responses((status = 200, description = "The known issue", body = OrganizationKnownIssueResource)),
)]
pub async fn me_too(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let text = |field| Ok::<_, ApiError>(message.string(field)?.filter(|text| !text.is_empty()));
    let command = KnownIssueCommand::MeToo(Box::new(MeToo {
        case: CaseState::default(),
        priority: priority(&message)?.and_then(Priority::from_digit),
        language: text("languageCode")?.unwrap_or_default(),
        time_zone: text("timeZone")?,
        description: text("description")?,
    }));
    execute(&call, &command).await
}

/// Says that a known issue does not affect the caller: they are counted no more, get no mails about it, and their case goes back
/// to individual support.
///
/// # Errors
/// 400 for whoever never said that it does; 404 when there is no such published issue.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/knownIssues/{issue}:notAffected",
    operation_id = "organizations.knownIssues.notAffected",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The known issue", body = OrganizationKnownIssueResource)),
)]
pub async fn not_affected(call: Call) -> Result<Reply, ApiError> {
    execute(&call, &KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: None })).await
}

/// Ends the caller's mails about a known issue; their case stays linked, and they stay counted.
///
/// # Errors
/// 400 for whoever never said that it affects them; 404 when there is no such published issue.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/knownIssues/{issue}:unsubscribe",
    operation_id = "organizations.knownIssues.unsubscribe",
    tag = "known issues",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The known issue", body = OrganizationKnownIssueResource)),
)]
pub async fn unsubscribe(call: Call) -> Result<Reply, ApiError> {
    execute(&call, &KnownIssueCommand::Unsubscribe(Unsubscribe { on_behalf_of: None })).await
}

async fn execute(call: &Call, command: &KnownIssueCommand) -> Result<Reply, ApiError> {
    let (issue, parent) = (issue_id(call)?, call.parent()?);
    let request = call.command_request()?;
    let organization = &parent.organization;
    let outcome = call.app.commands.known_issue(&request, Some(organization), Some(issue), command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::known_issue))?;
    let issue = outcome.folded.state.published();
    let issue = issue.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let partner = partner(call).await?;
    let account = call.actor.account;
    let resource = OrganizationKnownIssueResource::of_state(organization, account, issue, partner);
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}

/// The products whose known issues the organization sees now.
fn followed(call: &Call) -> Result<BTreeSet<ProductId>, ApiError> {
    let commands = &call.app.commands;
    Ok(products_followed(&call.parent()?.access, commands.catalogue(), commands.now()))
}

async fn shown(call: &Call, rows: &[ShownIssueRow]) -> Result<Vec<OrganizationKnownIssueResource>, ApiError> {
    let (queries, organization) = (&call.app.known_issues, &call.parent()?.organization);
    let updates = queries.updates(rows).await.map_err(|error| refusals::query(&error))?;
    let said = queries.said(organization, call.actor.account, rows).await;
    let said = said.map_err(|error| refusals::query(&error))?;
    let partner = if rows.is_empty() { None } else { partner(call).await? };
    let resource =
        |row| OrganizationKnownIssueResource::of_row(organization, row, &updates, &said, partner.clone());
    Ok(rows.iter().map(resource).collect())
}

/// Whom a customer that is managed by a reseller may turn to as well (R-KI-7).
async fn partner(call: &Call) -> Result<Option<PartnerResource>, ApiError> {
    let Some(manager) = call.parent()?.access.manager() else { return Ok(None) };
    let found = call.app.organizations.get(manager).await.map_err(|error| refusals::query(&error))?;
    Ok(found.map(PartnerResource::from))
}

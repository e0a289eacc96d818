//! `cases.linkCases`, `cases.unlinkCases`, `cases.mergeInto`, `cases.undoMerge`: how one case has to do with another.

use dossier_commands::CaseView;
use dossier_domain::case::{CaseCommand, CaseState, LinkCases, LinkKind, MergeInto, UndoMerge, UnlinkCases};
use dossier_domain::{CaseId, OrganizationId};
use utoipa::ToSchema;

use super::case_commands::execute;
use super::support_commands::{required, wrong};
use crate::call::{Call, Reply};
use crate::proto_json::{EnumTable, Message};
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::{ApiError, excerpt};

/// How one case has to do with another.
pub const LINK_KINDS: &EnumTable =
    &[("KIND_UNSPECIFIED", 0), ("RELATED", 1), ("DUPLICATE", 2), ("CAUSED_BY", 3), ("FOLLOWED_UP_BY", 4)];

/// Another case, and how they have to do with each other.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewCaseLink {
    /// `organizations/{organization}/cases/{case}`: any that the caller may see.
    case: String,
    /// RELATED, DUPLICATE, CAUSED_BY or FOLLOWED_UP_BY.
    kind: String,
}

/// Where a case goes on.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct MergeTarget {
    /// `organizations/{organization}/cases/{case}`: an open one of the same organization.
    case: String,
}

/// Links a case with another one, for support's eyes. Where they are linked so, nothing changes.
///
/// # Errors
/// 400 for a case that is none, or that the caller may not see.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:linkCases",
    operation_id = "cases.linkCases",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewCaseLink,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn link(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let kind = kind(&message)?;
    let other = named(&call, &message).await?;
    let command = LinkCases { other: CaseState::clone(&other.state), kind };
    execute(&call, Some(case), &CaseCommand::LinkCases(command)).await
}

/// Takes the link with another case away. Where they are not linked so, nothing changes.
///
/// # Errors
/// 400 for a name that is none of a case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:unlinkCases",
    operation_id = "cases.unlinkCases",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewCaseLink,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn unlink(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let kind = kind(&message)?;
    let (_, other) = name_of(&message)?;
    execute(&call, Some(case), &CaseCommand::UnlinkCases(UnlinkCases { other, kind })).await
}

/// Merges a case into another one, in which it goes on; both histories are kept.
///
/// # Errors
/// 400 for a closed case, one of another organization or one that goes on elsewhere; 404 where the other is none.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:mergeInto",
    operation_id = "cases.mergeInto",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = MergeTarget,
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn merge(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let target = named(&call, &message).await?;
    let command = MergeInto { target: CaseState::clone(&target.state) };
    execute(&call, Some(case), &CaseCommand::MergeInto(Box::new(command))).await
}

/// Undoes a merge: the case goes on by itself, in progress.
///
/// # Errors
/// 400 for a case that was not merged (`NOT_MERGED`).
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:undoMerge",
    operation_id = "cases.undoMerge",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case as support sees it", body = CaseResource)),
)]
pub async fn undo_merge(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    execute(&call, Some(case), &CaseCommand::UndoMerge(UndoMerge { target: None })).await
}

/// The case that the body names; an empty state where there is none. Who may see it is the command's to say.
async fn named(call: &Call, message: &Message) -> Result<CaseView, ApiError> {
    let (organization, case) = name_of(message)?;
    call.app.commands.case_view(&organization, case).await.map_err(refusals::load)
}

fn name_of(message: &Message) -> Result<(OrganizationId, CaseId), ApiError> {
    let name = message.string("case")?.unwrap_or_default();
    parsed(&name).ok_or_else(|| {
        wrong("case", format!("{} is not of the form organizations/…/cases/…", excerpt(&name)))
    })
}

fn kind(message: &Message) -> Result<LinkKind, ApiError> {
    Ok(match required(message, "kind", LINK_KINDS)? {
        1 => LinkKind::Related,
        2 => LinkKind::Duplicate,
        3 => LinkKind::CausedBy,
        _ => LinkKind::FollowedUpBy,
    })
}

fn parsed(name: &str) -> Option<(OrganizationId, CaseId)> {
    let (organization, case) = name.strip_prefix("organizations/")?.split_once("/cases/")?;
    Some((OrganizationId::new(organization).ok()?, case.parse().ok()?))
}

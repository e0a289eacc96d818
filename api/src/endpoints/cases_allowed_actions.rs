//! `cases.allowedActions`: which buttons of a case the caller is shown, and why not the others (R-ESC-1).

use std::collections::BTreeMap;

use dossier_domain::case::AllowedAction;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::refusals;
use crate::resources::{revision_of, row_of};
use crate::status::ApiError;

/// The buttons of a case, in the order in which they are shown.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedActionList {
    /// Every button there is.
    pub actions: Vec<AllowedActionResource>,
    /// The case's etag as the caller sees it: a command with it as `If-Match` is decided on the case that this is about.
    pub etag: String,
}

/// A button.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedActionResource {
    /// What it does: `comment`, `attach`, `edit`, `changePriority`, `close`, `escalate`, `requestInformation`,
    /// `proposeSolution`, `acknowledgeEscalation`, `resolveEscalation`.
    pub action: &'static str,
    /// Whether it is shown: its command would be accepted now.
    pub allowed: bool,
    /// The stable reason for which the command would be refused.
    #[serde(rename = "reason", skip_serializing_if = "Option::is_none")]
    pub refusal_reason: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Particulars of the reason, as the ErrorInfo of the refused command would hold them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    pub metadata: BTreeMap<&'static str, String>,
}

impl From<AllowedAction> for AllowedActionResource {
    fn from(AllowedAction { button, refused }: AllowedAction) -> Self {
        Self {
            action: button.as_str(),
            allowed: refused.is_none(),
            refusal_reason: refused.as_ref().map(dossier_domain::case::CaseRejection::reason),
            message: refused.as_ref().map(ToString::to_string),
            metadata: refused.map(|refused| refused.metadata().into_iter().collect()).unwrap_or_default(),
        }
    }
}

/// Lists the buttons of a case for the caller, decided on the log's head by the checks of the commands themselves.
///
/// # Errors
/// 404 when there is none, or none that the caller may see; 503 while the log is away, as for the commands.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}:allowedActions",
    operation_id = "cases.allowedActions",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
    ),
    responses((status = 200, description = "Every button, shown or with its reason", body = AllowedActionList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let parent = call.parent()?;
    let acts_for = call.acts_for.as_ref();
    let (actions, folded) = call
        .app
        .commands
        .allowed_actions(&call.actor, acts_for, &parent.organization, call.case_id()?)
        .await
        .map_err(|error| refusals::command(&error, refusals::case))?;
    let revision = revision_of(&row_of(&folded)?, parent.authority.side());
    let actions = actions.into_iter().map(AllowedActionResource::from).collect();
    Ok(Reply::json(&AllowedActionList { actions, etag: format!("\"{revision}\"") })?.with_etag(revision))
}

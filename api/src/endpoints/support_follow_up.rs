//! `cases.followUp`: filing a new case that follows a closed one up (R-REOPEN-2, R-REOPEN-4).

use dossier_commands::Request;
use dossier_domain::case::{CaseCommand, FileCase, follow_up};
use dossier_domain::catalogue::Priority;
use dossier_domain::{CaseId, Context};
use utoipa::ToSchema;

use super::case_commands::{execute, priority};
use super::support_commands::own;
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// What the new case says otherwise than the closed one.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct FollowUpCase {
    /// Short summary; that of the closed case when absent.
    display_name: Option<String>,
    /// The whole story, which is to be written anew.
    #[schema(min_length = 1, max_length = 60_000)]
    description: String,
    /// P0 to P4, as the plan offers them; that of the closed case when absent.
    priority: Option<String>,
}

/// Files a new case that follows a closed one up: linked with it, and prefilled from it.
///
/// # Errors
/// 400 without a description and while the case is open (`CASE_OPEN`); 403 without a plan or a role; 404 where there is no
/// such case.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:followUp",
    operation_id = "cases.followUp",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = FollowUpCase,
    responses((status = 200, description = "The new case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let title = message.string("displayName")?.filter(|title| !title.is_empty());
    let description = message.string("description")?.unwrap_or_default();
    let priority = priority(&message)?.and_then(Priority::from_digit);

    let mut file = prefilled(&call, &call.command_request()?).await?;
    file.description = own(&call, description);
    if let Some(title) = title {
        file.title = own(&call, title);
    }
    if priority.is_some() {
        file.priority = priority;
    }
    execute(&call, None, &CaseCommand::File(Box::new(file))).await
}

/// The new case as the closed one prefills it. For a repeat it is never looked at, whatever became of the closed case since.
async fn prefilled(call: &Call, request: &Request) -> Result<FileCase, ApiError> {
    let parent = call.parent()?;
    let commands = &call.app.commands;
    let closed = commands.case_view(&parent.organization, call.case_id()?).await.map_err(refusals::load)?;
    let subject = call.actor.contact.subject();
    let context = Context {
        now: commands.now(),
        command_id: request.command_id,
        actor: &call.actor,
        authority: &parent.authority,
        acting_for: call.standpoint.acting_for(),
        organization: Some(&parent.organization),
        access: &parent.access,
        // Nothing is stored of this decision: the filing is decided again.
        access_revision: None,
        catalogue: commands.catalogue(),
    };
    let refused = match follow_up(&closed.state, subject, &context) {
        Ok(file) => return Ok(file),
        Err(refused) => refused,
    };
    let filed = CaseId::derived(request.command_id);
    let repeated = commands.case_view(&parent.organization, filed).await.map_err(refusals::load)?;
    if repeated.revision.is_none() {
        return Err(refusals::case(&refused));
    }
    Ok(FileCase {
        classification: String::new(),
        title: own(call, String::new()),
        description: own(call, String::new()),
        priority: None,
        language: String::new(),
        time_zone: None,
        contact_email: None,
        subscribers: Vec::new(),
        test_case: false,
        problem: None,
        channel: None,
        follow_up_of: None,
        help: None,
    })
}

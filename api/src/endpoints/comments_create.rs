//! `cases.comments.create`: commenting (R-COMMENT-1), which reopens a case closed at most 30 days ago (R-REOPEN-1).

use dossier_domain::Personal;
use dossier_domain::case::{AddComment, CaseCommand, CaseEvent, FollowUpOffer};
use utoipa::ToSchema;

use super::case_commands::outcome;
use crate::call::{Call, DOSSIER_FOLLOW_UP_OF, Reply};
use crate::comment_resource::CommentResource;
use crate::proto_json::Message;
use crate::status::ApiError;

/// What a comment is created from.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewComment {
    /// 1 to 12,800 characters.
    #[schema(min_length = 1, max_length = 12_800)]
    body: String,
}

/// Adds a comment. Where that reopens the case, the answer offers a new one for what is urgent (R-REOPEN-4).
///
/// # Errors
/// 400 for an empty or too long text, and for a case closed more than 30 days ago.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}/comments",
    operation_id = "cases.comments.create",
    tag = "comments",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewComment,
    responses((status = 200, description = "The comment", body = CommentResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let body = message.string("body")?.unwrap_or_default();
    let command =
        CaseCommand::Comment(AddComment { body: Personal::new(call.actor.contact.subject().clone(), body) });
    let outcome = outcome(&call, Some(case), &command).await?;
    let added = outcome.events.iter().find_map(|event| match event {
        CaseEvent::CommentAdded(added) => Some(added),
        _ => None,
    });
    let added = added.ok_or_else(|| ApiError::internal("an accepted comment left no event"))?;
    let organization = call.parent()?.organization.as_str();
    let reply = Reply::json(&CommentResource::of_event(added, organization, case, outcome.at, call.enums()))?
        .after_command(outcome.folded.position, outcome.replayed);
    let reopened = outcome.events.iter().any(|event| matches!(event, CaseEvent::ReopenedWithin30Days(_)));
    Ok(match outcome.folded.state.filed() {
        Some(case) if reopened => reply.with_header(DOSSIER_FOLLOW_UP_OF, &FollowUpOffer::of(case).case_name),
        _ => reply,
    })
}

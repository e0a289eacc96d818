//! `cases.notes.create`: what support writes for itself about a case (R-COMMENT-3), answered as the note, whose name files are
//! attached by.

use dossier_domain::case::{AddInternalNote, CaseCommand, CaseEvent};

use super::case_commands::outcome;
use super::support_commands::own_text;
use super::support_edits::NewInternalNote;
use crate::call::{Call, Reply};
use crate::comment_resource::NoteResource;
use crate::proto_json::Message;
use crate::status::ApiError;

/// Adds a note that support alone reads, at any time. `:addInternalNote` does the same and answers the case.
///
/// # Errors
/// 400 without a text.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}/notes",
    operation_id = "cases.notes.create",
    tag = "support",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewInternalNote,
    responses((status = 200, description = "The note", body = NoteResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    let message = Message::parse(&call.body)?;
    let command = AddInternalNote { body: own_text(&call, &message, "body")? };
    let outcome = outcome(&call, Some(case), &CaseCommand::AddInternalNote(command)).await?;
    let added = outcome.events.iter().find_map(|event| match event {
        CaseEvent::InternalNoteAdded(added) => Some(added),
        _ => None,
    });
    let added = added.ok_or_else(|| ApiError::internal("an accepted note left no event"))?;
    let organization = call.parent()?.organization.as_str();
    let reply = Reply::json(&NoteResource::of_event(added, organization, case, outcome.at))?;
    Ok(reply.after_command(outcome.folded.position, outcome.replayed))
}

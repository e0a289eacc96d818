//! The help assistant (R-HELP-1 to R-HELP-3): a session is a resource, each step a custom method on it. Every answer is the
//! session with what its step shows, what can be done next, and where to find help elsewhere.

pub mod resource;
pub mod start_case;
pub mod stats;
pub mod steps;
mod suggest;

use dossier_commands::HelpSessionOutcome;
use dossier_domain::HelpSessionId;
use dossier_domain::help_session::{HelpSession, HelpSessionCommand, Suggestion, SuggestionKind};

use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::{ApiError, Code};
use resource::{OpenedResource, Shower};

/// The session of the path.
fn session_id(call: &Call) -> Result<HelpSessionId, ApiError> {
    call.params.item.parse().map_err(|_| not_found())
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such help session").with_reason("HELP_SESSION_NOT_FOUND")
}

/// The session of the path as it stands now, for whoever began it; what can be asked of it is decided with the command.
async fn current(call: &Call) -> Result<std::sync::Arc<HelpSession>, ApiError> {
    let state = call.app.commands.help_session_view(session_id(call)?).await.map_err(refusals::load)?;
    let organization = &call.parent()?.organization;
    let is_theirs = state
        .started()
        .is_some_and(|session| session.user == call.actor.account && session.organization == *organization);
    if is_theirs { Ok(state) } else { Err(not_found()) }
}

/// Executes a command of the path's session, or of a new one.
async fn execute(
    call: &Call,
    session: Option<HelpSessionId>,
    command: &HelpSessionCommand,
) -> Result<HelpSessionOutcome, ApiError> {
    let (request, organization) = (call.command_request()?, &call.parent()?.organization);
    let outcome = call.app.commands.help_session(&request, organization, session, command).await;
    outcome.map_err(|error| refusals::command(&error, refusals::help_session))
}

/// The answer to a command of a session.
async fn reply(
    call: &Call,
    outcome: &HelpSessionOutcome,
    opened: Option<OpenedResource>,
) -> Result<Reply, ApiError> {
    let session = outcome.folded.state.started().ok_or_else(not_found)?;
    let mut resource = Shower::new(call)?.show(session).await?;
    resource.opened = opened;
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}

/// What a body names as suggestion: `helpArticles/{id}` or `knownIssues/{id}`.
fn suggestion(message: &Message) -> Result<Option<Suggestion>, ApiError> {
    let Some(name) = message.string("suggestion")?.filter(|name| !name.is_empty()) else { return Ok(None) };
    let suggestion = name.split_once('/').and_then(|(collection, id)| {
        let kind = match collection {
            "helpArticles" => SuggestionKind::Article,
            "knownIssues" => SuggestionKind::KnownIssue,
            _ => return None,
        };
        Some(Suggestion { kind, id: id.to_owned() })
    });
    suggestion.map(Some).ok_or_else(|| {
        ApiError::invalid_field("suggestion", "wanted the name of a suggestion, such as helpArticles/restart")
            .with_reason("INVALID_FIELD")
    })
}

/// The name of a suggestion.
fn name_of(suggestion: &Suggestion) -> String {
    let collection = match suggestion.kind {
        SuggestionKind::Article => "helpArticles",
        SuggestionKind::KnownIssue => "knownIssues",
    };
    format!("{collection}/{}", suggestion.id)
}

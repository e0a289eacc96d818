//! `helpSessions.startCase`: the case, filled in already (R-HELP-2). It is filed through the ordinary command, whose id is made
//! of the session: however often it is asked for, there is one case. Where one of the recent cases goes on instead, what was
//! said becomes a comment on it.

use dossier_commands::{CommandError, Request, command_of_session};
use dossier_domain::case::{AddComment, CaseCommand, CaseRejection, FileCase, HelpReference};
use dossier_domain::catalogue::ProblemKind;
use dossier_domain::help_session::{
    EndWithCase, HelpMove, HelpSession, HelpSessionCommand, Session, at_step,
};
use dossier_domain::{CaseId, Context, Personal};
use utoipa::ToSchema;

use super::super::cases_create::{ClassificationKey, filing};
use super::super::support_commands::own;
use super::resource::HelpSessionResource;
use super::{current, execute, reply, session_id};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::ProblemResource;
use crate::status::ApiError;

/// What the case says otherwise than the session's draft. Everything else that a case is created from can be given too.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct StartedCase {
    /// Short summary; the draft's when absent.
    display_name: Option<String>,
    /// The whole story, or the comment on the case that goes on; the draft's when absent.
    description: Option<String>,
    /// What it is about; the draft's when absent, and needed where that has none.
    classification: Option<ClassificationKey>,
    /// P1 to P4, or P0 where the plan offers it; the draft's when absent, and needed where that has none.
    priority: Option<String>,
    /// IANA name or offset; kept as given.
    time_zone: Option<String>,
    /// Addresses that get updates, at most 100.
    #[schema(max_items = 100)]
    subscriber_email_addresses: Option<Vec<String>>,
    /// Address to reach the filer at.
    contact_email: Option<String>,
    /// Not to be worked on.
    test_case: Option<bool>,
    /// More about the problem.
    problem: Option<ProblemResource>,
}

/// Starts the case of a session, or goes on in the one that was chosen; the session ends.
///
/// # Errors
/// As creating a case, or commenting on one, is refused; 400 before channel and language are chosen, and where the session has
/// ended.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:startCase",
    operation_id = "helpSessions.startCase",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = StartedCase,
    responses((status = 200, description = "The session, with the name of its case", body = HelpSessionResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let (id, request) = (session_id(&call)?, call.command_request()?);
    let state = current(&call).await?;
    let ended = state.started().and_then(|session| session.end.as_ref()?.case);
    let case = match ended {
        // Repeated, or refused: the session's own command says which.
        Some(case) => case,
        None => start(&call, ready(&call, &state, &request)?, &request).await?,
    };
    let command = HelpSessionCommand::EndWithCase(EndWithCase { case });
    let outcome = execute(&call, Some(id), &command).await?;
    reply(&call, &outcome, None).await
}

/// The session, if its case can be started.
fn ready<'a>(call: &Call, state: &'a HelpSession, request: &Request) -> Result<&'a Session, ApiError> {
    let (parent, commands) = (call.parent()?, &call.app.commands);
    let context = Context {
        now: commands.now(),
        command_id: request.command_id,
        actor: &call.actor,
        authority: &parent.authority,
        acting_for: call.standpoint.acting_for(),
        organization: Some(&parent.organization),
        access: &parent.access,
        // Nothing is stored of this decision: the end of the session is decided again.
        access_revision: None,
        catalogue: commands.catalogue(),
    };
    at_step(state, HelpMove::StartCase, &context).map_err(|refused| refusals::help_session(&refused))
}

/// Files the case, or comments on the chosen one.
async fn start(call: &Call, session: &Session, request: &Request) -> Result<CaseId, ApiError> {
    let message = Message::parse(&call.body)?;
    let (command_id, parent) = (command_of_session(session.id), call.parent()?);
    let (case, command) = match &session.chosen_case {
        Some(chosen) => (Some(chosen.case), comment(call, session, &message)?),
        None => (None, file(call, session, &message)?),
    };
    let request = Request { command_id, if_match: None, ..request.clone() };
    let done = call.app.commands.case(&request, &parent.organization, case, &command).await;
    match done {
        // It was done before, with other words, and the session did not learn of it: what was done first counts.
        Ok(_) | Err(CommandError::KeyReused) => Ok(case.unwrap_or_else(|| CaseId::derived(command_id))),
        Err(error) => Err(refusals::command::<CaseRejection>(&error, refusals::case)),
    }
}

fn comment(call: &Call, session: &Session, message: &Message) -> Result<CaseCommand, ApiError> {
    let given = message.string("description")?.filter(|text| !text.is_empty());
    let body = given.or_else(|| session.draft_description().cloned()).unwrap_or_default();
    Ok(CaseCommand::Comment(AddComment { body: own(call, body) }))
}

/// The case as the caller has it, and for the rest as the session has it.
fn file(call: &Call, session: &Session, message: &Message) -> Result<CaseCommand, ApiError> {
    let given = filing(call, message)?;
    let catalogue = call.app.commands.catalogue();
    let kind: Option<&ProblemKind> = session.kind.as_deref().and_then(|id| catalogue.problem_kind(id));
    let or_else = |given: Personal<String>, drafted: Option<String>| match drafted {
        Some(drafted) if given.open().is_none_or(String::is_empty) => own(call, drafted),
        _ => given,
    };
    let contact = session.contact.as_ref();
    let classification = if given.classification.is_empty() {
        kind.and_then(|kind| kind.classification.clone()).unwrap_or_default()
    } else {
        given.classification
    };
    let articles = session.articles_read();
    Ok(CaseCommand::File(Box::new(FileCase {
        classification,
        title: or_else(given.title, session.draft_title()),
        description: or_else(given.description, session.draft_description().cloned()),
        priority: given.priority.or_else(|| kind.and_then(|kind| kind.priority)),
        language: contact.map_or(given.language, |contact| contact.language.clone()),
        channel: contact.map(|contact| contact.channel),
        help: Some(HelpReference { session: session.id, articles }),
        ..given
    })))
}

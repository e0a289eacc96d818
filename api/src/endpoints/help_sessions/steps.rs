//! `helpSessions.create`, `.get` and a custom method for each step (R-HELP-2).

use dossier_domain::help_session::{
    ChooseContact, ChooseProblemKind, ChooseRecentCase, DescribeProblem, HelpSessionCommand, HelpStep,
    OpenSuggestion, RECENT_DAYS, SayHelped, SayNotHelped, SearchAgain, StartHelpSession, StepBack,
};
use dossier_domain::{CaseId, ProductId};
use dossier_projections::cases::{CaseCondition, Compared, Moment};
use jiff::SignedDuration;
use utoipa::ToSchema;

use super::super::support_commands::wrong;
use super::resource::{HelpSessionResource, Shower};
use super::suggest::suggestions;
use super::{current, execute, not_found, reply, session_id, suggestion};
use crate::call::{Call, Reply, case_not_found};
use crate::proto_json::Message;
use crate::refusals;
use crate::resources::{CHANNELS, channel_of};
use crate::status::{ApiError, Code};

/// Most cases that are asked about.
const MOST_CASES: usize = 10;
/// The newest cases among which these are looked for.
const CASES_LOOKED_AT: u32 = 100;

/// How a session begins.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewHelpSession {
    /// The language to answer in, BCP 47; `en` when absent, or where support does not speak it.
    language_code: Option<String>,
    /// Key of the product that it is about, where that is known.
    product: Option<String>,
}

/// A problem in the words of whoever has it.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct HelpProblem {
    /// 1 to 60,000 characters.
    #[schema(min_length = 1, max_length = 60_000)]
    text: String,
}

/// A suggestion by its name.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct HelpSuggestion {
    /// `helpArticles/{id}` or `knownIssues/{id}`.
    suggestion: Option<String>,
}

/// A case by its name.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct HelpCase {
    /// One of the recent cases.
    case: String,
}

/// A kind of problem by its key.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct HelpKind {
    /// One of the problem kinds.
    kind: String,
}

/// A channel and a language.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct HelpContactChoice {
    /// One of the contact options: WEB, EMAIL, CHAT or PHONE.
    channel: String,
    /// A language spoken there; the session's when absent.
    language_code: Option<String>,
}

/// Executes a step of the path's session and answers the session.
async fn step(call: &Call, command: HelpSessionCommand) -> Result<Reply, ApiError> {
    let outcome = execute(call, Some(session_id(call)?), &command).await?;
    reply(call, &outcome, None).await
}

/// The caller's visible cases updated of late, the latest change first, where they are asked about next.
async fn recent_cases(call: &Call) -> Result<Vec<CaseId>, ApiError> {
    let state = current(call).await?;
    if state.started().is_none_or(|session| session.step != HelpStep::Suggestions) {
        return Ok(Vec::new());
    }
    let (parent, shower) = (call.parent()?, Shower::new(call)?);
    let since = call.app.commands.now().saturating_sub(SignedDuration::from_hours(24 * RECENT_DAYS));
    let since = since.map_err(|error| ApiError::internal(error.to_string()))?;
    let condition = CaseCondition::At(Moment::Updated(shower.side()), Compared::After, since);
    let (scope, organization) = (parent.authority.visibility(), Some(&parent.organization));
    let page = call.app.cases.list(&scope, organization, &condition, None, CASES_LOOKED_AT).await;
    let mut rows = page.map_err(|error| refusals::query(&error))?.cases;
    rows.sort_by_key(|row| std::cmp::Reverse(row.customer_updated_at_micros));
    Ok(rows.iter().take(MOST_CASES).filter_map(|row| row.case_id.parse().ok()).collect())
}

/// Begins a session with the help assistant.
///
/// # Errors
/// 400 for a product that there is not; 403 for whoever is no member.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions",
    operation_id = "helpSessions.create",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewHelpSession,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn create(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let product = message.string("product")?.filter(|product| !product.is_empty());
    let product = product.map(|product| ProductId::new(&product)).transpose();
    let command = HelpSessionCommand::Start(StartHelpSession {
        language: message.string("languageCode")?.unwrap_or_default(),
        product: product.map_err(|_| wrong("product", "there is no such product"))?,
    });
    let outcome = execute(&call, None, &command).await?;
    reply(&call, &outcome, None).await
}

/// Gets a session, for whoever began it.
///
/// # Errors
/// 404 where there is none, or it is somebody else's.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/helpSessions/{session}",
    operation_id = "helpSessions.get",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let (organization, id) = (&call.parent()?.organization, session_id(&call)?);
    let found = call.app.help_sessions.get(organization, call.actor.account, id).await;
    let state = found.map_err(|error| refusals::query(&error))?.ok_or_else(not_found)?;
    let session = state.started().ok_or_else(not_found)?;
    Reply::json(&Shower::new(&call)?.show(session).await?)
}

/// Says what the problem is, and is shown what may help: known issues and articles, the best first.
///
/// # Errors
/// 400 for an empty or too long text, and at a step where nothing is described.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:describe",
    operation_id = "helpSessions.describe",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpProblem,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn describe(call: Call) -> Result<Reply, ApiError> {
    let text = Message::parse(&call.body)?.string("text")?.unwrap_or_default();
    let state = current(&call).await?;
    let suggested = match state.started() {
        Some(session) => suggestions(&call, session, &text).await?,
        None => Vec::new(),
    };
    step(&call, HelpSessionCommand::Describe(DescribeProblem { text, suggested })).await
}

/// Reads something that was suggested; the answer holds its text.
///
/// # Errors
/// 400 for what was not suggested; 404 where it is not to be had any more.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:open",
    operation_id = "helpSessions.open",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpSuggestion,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn open(call: Call) -> Result<Reply, ApiError> {
    let Some(suggestion) = suggestion(&Message::parse(&call.body)?)? else {
        return Err(wrong("suggestion", "must be given"));
    };
    let state = current(&call).await?;
    let session = state.started().ok_or_else(not_found)?;
    let opened = Shower::new(&call)?.open(&suggestion, &session.language).await?;
    // What was never suggested is refused below.
    if opened.is_none() && session.suggestions().contains(&suggestion) {
        return Err(ApiError::new(
            Code::NotFound,
            "this is not to be had any more; look at the other suggestions",
        )
        .with_reason("SUGGESTION_NOT_FOUND"));
    }
    let command = HelpSessionCommand::Open(OpenSuggestion { suggestion });
    let outcome = execute(&call, Some(session_id(&call)?), &command).await?;
    reply(&call, &outcome, opened).await
}

/// Says that it helped: the session ends without a case.
///
/// # Errors
/// 400 for what was not suggested, and at a step that shows nothing.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:helped",
    operation_id = "helpSessions.helped",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpSuggestion,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn helped(call: Call) -> Result<Reply, ApiError> {
    let by = suggestion(&Message::parse(&call.body)?)?;
    step(&call, HelpSessionCommand::Helped(SayHelped { by })).await
}

/// Says that it did not help, and is led on: to recent cases, kinds of problems, or how to reach support.
///
/// # Errors
/// 400 at a step that shows nothing.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:notHelped",
    operation_id = "helpSessions.notHelped",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn not_helped(call: Call) -> Result<Reply, ApiError> {
    let recent_cases = recent_cases(&call).await?;
    step(&call, HelpSessionCommand::NotHelped(SayNotHelped { recent_cases })).await
}

/// Says which of the recent cases it is about, and is shown the latest that was said on it.
///
/// # Errors
/// 400 for a case that was not asked about; 404 for one that the caller does not see any more.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:chooseCase",
    operation_id = "helpSessions.chooseCase",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpCase,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn choose_case(call: Call) -> Result<Reply, ApiError> {
    let name = Message::parse(&call.body)?.string("case")?.unwrap_or_default();
    let case: CaseId = name
        .rsplit('/')
        .next()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| wrong("case", "wanted the name of one of the recent cases"))?;
    let row = Shower::new(&call)?.visible(case).await?.ok_or_else(case_not_found)?;
    let product = ProductId::new(&row.product).map_err(|error| ApiError::internal(error.to_string()))?;
    step(&call, HelpSessionCommand::ChooseCase(ChooseRecentCase { case, product })).await
}

/// Says what kind of problem it is, and is shown what there is to know of it.
///
/// # Errors
/// 400 for a kind that there is not.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:chooseKind",
    operation_id = "helpSessions.chooseKind",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpKind,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn choose_kind(call: Call) -> Result<Reply, ApiError> {
    let kind = Message::parse(&call.body)?.string("kind")?.unwrap_or_default();
    step(&call, HelpSessionCommand::ChooseKind(ChooseProblemKind { kind })).await
}

/// Chooses a channel and a language, of those that are open now.
///
/// # Errors
/// 400 for what is not to be had.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:chooseContact",
    operation_id = "helpSessions.chooseContact",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = HelpContactChoice,
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn choose_contact(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let command = ChooseContact {
        channel: message.enumeration("channel", CHANNELS)?.and_then(channel_of),
        language: message.string("languageCode")?.unwrap_or_default(),
    };
    step(&call, HelpSessionCommand::ChooseContact(command)).await
}

/// Goes back a step.
///
/// # Errors
/// 400 at the first step.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:back",
    operation_id = "helpSessions.back",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn back(call: Call) -> Result<Reply, ApiError> {
    step(&call, HelpSessionCommand::Back(StepBack {})).await
}

/// Goes to where the problem is described, to search in other words.
///
/// # Errors
/// 400 where the session has ended.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/helpSessions/{session}:searchAgain",
    operation_id = "helpSessions.searchAgain",
    tag = "help",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("session" = String, Path, description = "Id of the session"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The session", body = HelpSessionResource)),
)]
pub async fn search_again(call: Call) -> Result<Reply, ApiError> {
    step(&call, HelpSessionCommand::SearchAgain(SearchAgain {})).await
}

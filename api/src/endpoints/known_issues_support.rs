//! What support does with known issues (R-KI-1, R-KI-6): `knownIssues.create`, `:confirm`, `:dismiss`, `:publish`, `:postUpdate`
//! and `:resolve`.

use dossier_domain::KnownIssueId;
use dossier_domain::known_issue::{
    ConfirmKnownIssue, CustomerImpact, DismissKnownIssue, KnownIssueCommand, PostUpdate, PublishKnownIssue,
    ResolveKnownIssue, SuspectKnownIssue,
};
use utoipa::ToSchema;

use super::known_issues_read::{issue_id, product};
use super::known_issues_resources::{CUSTOMER_IMPACTS, KnownIssueResource, SUSPICION_SOURCES, source_of};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::ApiError;

/// A suspicion.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewKnownIssue {
    /// Key of the product.
    product: String,
    /// What it is about, for support; 1 to 1,000 characters.
    title: String,
    /// INTERNAL_ALERT or COMMUNITY.
    source: String,
    /// Where it was seen, and more about it.
    details: Option<String>,
}

/// What an issue means to customers.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the request for the OpenAPI document")]
pub struct KnownIssueImpact {
    /// LOW, MEDIUM or HIGH.
    impact: String,
    /// The same in words.
    statement: String,
}

/// Why an issue is none.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the request for the OpenAPI document")]
pub struct KnownIssueDismissal {
    /// For support.
    reason: String,
}

/// What customers get to see.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the request for the OpenAPI document")]
pub struct KnownIssuePublication {
    /// What it is about, in English; 1 to 500 characters.
    summary: String,
    /// The outage on the status dashboard, where there is one.
    outage_url: Option<String>,
}

/// An update, or the solution.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the request for the OpenAPI document")]
pub struct KnownIssueText {
    /// In English; 1 to 20,000 characters.
    text: String,
}

/// Raises the suspicion of a known issue.
///
/// # Errors
/// 400 naming the field that does not fit.
#[utoipa::path(
    post,
    path = "/v2/knownIssues",
    operation_id = "knownIssues.create",
    tag = "known issues",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID")),
    request_body = NewKnownIssue,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn create(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let source = message.enumeration("source", SUSPICION_SOURCES)?.and_then(source_of);
    let source = source
        .ok_or_else(|| ApiError::invalid_field("source", "must be given: INTERNAL_ALERT or COMMUNITY"))?;
    let command = KnownIssueCommand::Suspect(SuspectKnownIssue {
        product: product(&text(&message, "product")?)?,
        title: text(&message, "title")?,
        source,
        details: message.string("details")?.filter(|details| !details.is_empty()),
        figures: None,
    });
    execute(&call, None, &command).await
}

/// Confirms a known issue with its impact on customers, or states the impact anew while it is not published.
///
/// # Errors
/// 404 when nobody suspects it; 400 naming the field that does not fit, and once it is dismissed, published or resolved.
#[utoipa::path(
    post,
    path = "/v2/knownIssues/{issue}:confirm",
    operation_id = "knownIssues.confirm",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = KnownIssueImpact,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn confirm(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let impact = match message.enumeration("impact", CUSTOMER_IMPACTS)? {
        Some(1) => CustomerImpact::Low,
        Some(2) => CustomerImpact::Medium,
        Some(3) => CustomerImpact::High,
        _ => return Err(ApiError::invalid_field("impact", "must be given: LOW, MEDIUM or HIGH")),
    };
    let statement = text(&message, "statement")?;
    let command = KnownIssueCommand::Confirm(ConfirmKnownIssue { impact, statement });
    execute(&call, Some(issue_id(&call)?), &command).await
}

/// Dismisses a known issue that is none.
///
/// # Errors
/// 404 when nobody suspects it; 400 without a reason, and once it is published or resolved.
#[utoipa::path(
    post,
    path = "/v2/knownIssues/{issue}:dismiss",
    operation_id = "knownIssues.dismiss",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = KnownIssueDismissal,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn dismiss(call: Call) -> Result<Reply, ApiError> {
    let reason = text(&Message::parse(&call.body)?, "reason")?;
    let command = KnownIssueCommand::Dismiss(DismissKnownIssue { reason });
    execute(&call, Some(issue_id(&call)?), &command).await
}

/// Publishes a confirmed known issue of high impact.
///
/// # Errors
/// 404 when nobody suspects it; 400 naming the field that does not fit, and where it is not confirmed or its impact not high.
#[utoipa::path(
    post,
    path = "/v2/knownIssues/{issue}:publish",
    operation_id = "knownIssues.publish",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = KnownIssuePublication,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn publish(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let command = KnownIssueCommand::Publish(PublishKnownIssue {
        summary: text(&message, "summary")?,
        outage_url: message.string("outageUrl")?.filter(|url| !url.is_empty()),
    });
    execute(&call, Some(issue_id(&call)?), &command).await
}

/// Posts an update of a published known issue, which goes to every subscriber.
///
/// # Errors
/// 404 when nobody suspects it; 400 for an empty or too long text, and where it is not published, or resolved.
#[utoipa::path(
    post,
    path = "/v2/knownIssues/{issue}:postUpdate",
    operation_id = "knownIssues.postUpdate",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = KnownIssueText,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn post_update(call: Call) -> Result<Reply, ApiError> {
    let text = text(&Message::parse(&call.body)?, "text")?;
    let command = KnownIssueCommand::PostUpdate(PostUpdate { text });
    execute(&call, Some(issue_id(&call)?), &command).await
}

/// Resolves a known issue: its solution goes to every subscriber, and is proposed on every linked open case.
///
/// # Errors
/// 404 when nobody suspects it; 400 for an empty or too long text, and where it is not confirmed.
#[utoipa::path(
    post,
    path = "/v2/knownIssues/{issue}:resolve",
    operation_id = "knownIssues.resolve",
    tag = "known issues",
    params(
        ("issue" = String, Path, description = "Id of the known issue"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = KnownIssueText,
    responses((status = 200, description = "The known issue", body = KnownIssueResource)),
)]
pub async fn resolve(call: Call) -> Result<Reply, ApiError> {
    let text = text(&Message::parse(&call.body)?, "text")?;
    let command = KnownIssueCommand::Resolve(ResolveKnownIssue { text });
    execute(&call, Some(issue_id(&call)?), &command).await
}

/// A text; empty where it is not given, for which the domain has its refusal.
fn text(message: &Message, field: &str) -> Result<String, ApiError> {
    Ok(message.string(field)?.unwrap_or_default())
}

async fn execute(
    call: &Call,
    issue: Option<KnownIssueId>,
    command: &KnownIssueCommand,
) -> Result<Reply, ApiError> {
    let request = call.command_request()?;
    let outcome = call.app.commands.known_issue(&request, None, issue, command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::known_issue))?;
    let issue = outcome.folded.state.suspected();
    let issue = issue.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let reply = Reply::json(&KnownIssueResource::of_state(issue))?;
    Ok(reply.after_command(outcome.folded.position, outcome.replayed))
}

//! `cases.create`: filing a case (R-CASE-1).

use dossier_commands::identity;
use dossier_domain::Personal;
use dossier_domain::case::{CaseCommand, FileCase, Problem, Reproducible};
use dossier_domain::catalogue::Priority;
use utoipa::ToSchema;

use super::case_commands::{execute, priority, subscribers};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::resources::{CHANNELS, CaseResource, ProblemResource, REPRODUCIBLE, channel_of};
use crate::status::ApiError;

/// What a case is created from. Unknown and output-only fields are ignored.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewCase {
    /// Short summary, 1 to 1,000 characters.
    #[schema(min_length = 1, max_length = 1000)]
    display_name: String,
    /// The whole story, 1 to 60,000 characters.
    #[schema(min_length = 1, max_length = 60_000)]
    description: String,
    /// What it is about.
    classification: ClassificationKey,
    /// P1 to P4, or P0 where the plan offers it.
    priority: String,
    /// IANA name or offset; kept as given.
    time_zone: Option<String>,
    /// Addresses that get updates, at most 100.
    #[schema(max_items = 100)]
    subscriber_email_addresses: Option<Vec<String>>,
    /// BCP 47; `en` where support does not speak it.
    language_code: Option<String>,
    /// Address to reach the filer at.
    contact_email: Option<String>,
    /// Not to be worked on.
    test_case: Option<bool>,
    /// More about the problem.
    problem: Option<ProblemResource>,
    /// WEB, EMAIL, CHAT or PHONE, as the plan has it; WEB when absent.
    channel: Option<String>,
}

/// A classification by its key; everything else of it is ignored.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct ClassificationKey {
    /// Stable key, as `caseClassifications:search` tells it.
    #[schema(example = "compute-vm")]
    id: String,
}

/// Files a case.
///
/// # Errors
/// 400 naming the field that does not fit; 403 without a plan, a role or the support privilege.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases",
    operation_id = "cases.create",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID; repeating it files nothing again"),
    ),
    request_body = NewCase,
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let command = CaseCommand::File(Box::new(filing(&call, &message)?));
    execute(&call, None, &command).await
}

/// The case that a message describes, as far as it does.
pub(super) fn filing(call: &Call, message: &Message) -> Result<FileCase, ApiError> {
    let author = call.actor.contact.subject();
    let own = |text: String| Personal::new(author.clone(), text);
    let classification =
        message.message("classification")?.map(|message| message.string("id")).transpose()?.flatten();
    let contact_email = message
        .string("contactEmail")?
        .filter(|email| !email.is_empty())
        .map(|email| Personal::new(identity::contact_subject(call.app.commands.sealer(), &email), email));
    Ok(FileCase {
        classification: classification.unwrap_or_default(),
        title: own(message.string("displayName")?.unwrap_or_default()),
        description: own(message.string("description")?.unwrap_or_default()),
        priority: priority(message)?.and_then(Priority::from_digit),
        language: message.string("languageCode")?.unwrap_or_default(),
        time_zone: message.string("timeZone")?.filter(|zone| !zone.is_empty()),
        contact_email,
        subscribers: subscribers(call, message)?,
        test_case: message.bool("testCase")?.unwrap_or_default(),
        problem: message.message("problem")?.map(|message| problem(&message, own)).transpose()?,
        channel: message.enumeration("channel", CHANNELS)?.and_then(channel_of),
        follow_up_of: None,
        help: None,
    })
}

/// More about the problem, as far as it was told.
fn problem(message: &Message, own: impl Fn(String) -> Personal<String>) -> Result<Problem, ApiError> {
    let text = |name| Ok::<_, ApiError>(message.string(name)?.filter(|text| !text.is_empty()));
    let percent = message.int32("affectedUserPercent")?;
    let affected_user_percent = percent
        .map(|percent| {
            u8::try_from(percent)
                .map_err(|_| ApiError::invalid_field("problem.affectedUserPercent", "must be from 0 to 100"))
        })
        .transpose()?;
    Ok(Problem {
        start: message.timestamp("start")?,
        end: message.timestamp("end")?,
        version: text("version")?,
        log_entries: text("logEntries")?.map(&own),
        reproducible: match message.enumeration("reproducible", REPRODUCIBLE)? {
            Some(1) => Some(Reproducible::Yes),
            Some(2) => Some(Reproducible::No),
            Some(3) => Some(Reproducible::Unknown),
            _ => None,
        },
        code: text("code")?.map(&own),
        application_flow: text("applicationFlow")?.map(&own),
        affected_user_percent,
        user_impact: text("userImpact")?.map(&own),
    })
}

//! The resources of the public API as they are written, and the enums in which they are read.

use dossier_commands::Folded;
use dossier_domain::case::{AttachmentAdded, CaseState, Status};
use dossier_domain::catalogue::Channel;
use dossier_domain::{CaseId, Side};
use dossier_eventlog::Revision;
use dossier_projections::case_history::AttachmentRow;
use dossier_projections::cases::CaseRow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::call::Version;
use crate::proto_json::{EnumEncoding, EnumTable, format_timestamp};
use crate::status::ApiError;

/// States as published.
pub const STATES: &EnumTable = &[
    ("STATE_UNSPECIFIED", 0),
    ("NEW", 1),
    ("IN_PROGRESS_GOOGLE_SUPPORT", 2),
    ("ACTION_REQUIRED", 3),
    ("SOLUTION_PROVIDED", 4),
    ("CLOSED", 5),
];

/// Priorities as published: the number is one more than the digit.
pub const PRIORITIES: &EnumTable =
    &[("PRIORITY_UNSPECIFIED", 0), ("P0", 1), ("P1", 2), ("P2", 3), ("P3", 4), ("P4", 5)];

/// Channels by which a case comes.
pub const CHANNELS: &EnumTable =
    &[("CHANNEL_UNSPECIFIED", 0), ("WEB", 1), ("EMAIL", 2), ("CHAT", 3), ("PHONE", 4)];

/// Reasons for an escalation as published.
pub const ESCALATION_REASONS: &EnumTable =
    &[("REASON_UNSPECIFIED", 0), ("RESOLUTION_TIME", 1), ("TECHNICAL_EXPERTISE", 2), ("BUSINESS_IMPACT", 3)];

/// Product lines as published in v2beta.
pub const PRODUCT_LINES: &EnumTable =
    &[("PRODUCT_LINE_UNSPECIFIED", 0), ("GOOGLE_CLOUD", 1), ("GOOGLE_MAPS", 2)];

/// What a case is about.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClassificationResource {
    /// Stable key; needed to create a case.
    pub id: String,
    /// Levels joined by ` > `.
    pub display_name: String,
    /// The product line (v2beta only).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProductResource>)]
    pub product: Option<Value>,
}

/// A product (v2beta only).
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the message for the OpenAPI document; it is written by `product_of`")]
pub struct ProductResource {
    /// GOOGLE_CLOUD or GOOGLE_MAPS.
    product_line: String,
}

/// Somebody who did something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorResource {
    /// Name to show.
    pub display_name: String,
    /// Email address; not given for support staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether it is support staff.
    pub google_support: bool,
    /// How they sign in; not given for support staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// What is shown of a person whose data were erased.
pub(crate) const ERASED: &str = "(erased)";

impl ActorResource {
    pub(crate) fn new(email: Option<&String>, name: Option<&String>, is_support: bool) -> Self {
        let shown = name.or(email).map_or(ERASED, String::as_str);
        let display_name =
            if is_support && email.is_some() { format!("{shown} (support)") } else { shown.to_owned() };
        let email = email.filter(|_| !is_support).cloned();
        Self { display_name, username: email.clone(), email, google_support: is_support }
    }
}

/// A support case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseResource {
    /// `organizations/{organization}/cases/{case}`.
    pub name: String,
    /// Short summary.
    pub display_name: String,
    /// The whole story.
    pub description: String,
    /// What it is about.
    pub classification: ClassificationResource,
    /// IANA name or offset, as given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Addresses that get updates.
    pub subscriber_email_addresses: Vec<String>,
    /// NEW, IN_PROGRESS_GOOGLE_SUPPORT, ACTION_REQUIRED, SOLUTION_PROVIDED or CLOSED.
    #[schema(value_type = String)]
    pub state: Value,
    /// When it was filed.
    pub create_time: String,
    /// When anything last happened to it.
    pub update_time: String,
    /// Who filed it.
    pub creator: ActorResource,
    /// Address to reach the filer at, where given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
    /// Whether an escalation is active.
    pub escalated: bool,
    /// Not to be worked on.
    pub test_case: bool,
    /// Language support answers in.
    pub language_code: String,
    /// P0 to P4.
    #[schema(value_type = String)]
    pub priority: Value,
    /// More about the problem, where it was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemResource>)]
    pub problem: Option<Value>,
    /// WEB, EMAIL, CHAT or PHONE; absent where it is WEB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub channel: Option<Value>,
    /// The closed case that it follows up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up_of: Option<String>,
    /// The case in which it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// The known issue that it is about, as its users see it: `organizations/{organization}/knownIssues/{issue}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known_issue: Option<String>,
    /// When support has promised to answer (R-RESPONSE-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_objective: Option<ResponseObjectiveResource>,
    /// Whether the first answer was on time, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_response_on_time: Option<bool>,
    /// When it closes by itself, once that is announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closing_time: Option<String>,
    /// What support alone sees (R-COMMENT-3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support: Option<CaseSupportResource>,
}

/// A promise to answer that is open.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResponseObjectiveResource {
    /// FIRST for the answer to the filing, else NEXT.
    pub kind: String,
    /// The last instant at which the answer is on time.
    pub due_time: String,
    /// Whether that instant has passed without an answer.
    pub missed: bool,
}

/// What support alone sees of a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseSupportResource {
    /// The support provider that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The agent who has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assignee: Option<AssigneeResource>,
    /// When support is warned that the answer is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning_time: Option<String>,
    /// What the help assistant was asked before it was filed (R-HELP-2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<CaseHelpResource>,
}

/// The session with the help assistant that a case came of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseHelpResource {
    /// `organizations/{organization}/helpSessions/{session}`.
    pub session: String,
    /// The articles that were read, without avail: `helpArticles/{id}`.
    pub articles: Vec<String>,
}

/// The agent who has a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssigneeResource {
    /// `accounts/{account}`.
    pub name: String,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// More about a problem (R-CASE-1). Beside the public API: its clients neither send nor see it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the message for the OpenAPI document; it is read and written field by field"
)]
pub struct ProblemResource {
    /// When it began, RFC 3339.
    start: Option<String>,
    /// When it ended; not before its start.
    end: Option<String>,
    /// Version of the product.
    version: Option<String>,
    /// Log entries or stack trace.
    log_entries: Option<String>,
    /// YES, NO or UNKNOWN.
    reproducible: Option<String>,
    /// The code in question.
    code: Option<String>,
    /// How the application flows.
    application_flow: Option<String>,
    /// Users affected, 0 to 100.
    affected_user_percent: Option<i32>,
    /// What it means to the users.
    user_impact: Option<String>,
}

/// Whether a problem can be brought about again.
pub const REPRODUCIBLE: &EnumTable =
    &[("REPRODUCIBLE_UNSPECIFIED", 0), ("YES", 1), ("NO", 2), ("UNKNOWN", 3)];

impl CaseResource {
    /// A case as somebody of a side sees it.
    pub fn new(row: &CaseRow, side: Side, enums: EnumEncoding) -> Self {
        // Other cases that a case names are of the same organization.
        let named = |case: &str| format!("organizations/{}/cases/{case}", row.organization);
        let updated_at_micros =
            if side == Side::Support { row.updated_at_micros } else { row.customer_updated_at_micros };
        Self {
            name: format!("organizations/{}/cases/{}", row.organization, row.case_id),
            display_name: row.title.clone().unwrap_or_else(|| ERASED.to_owned()),
            description: row.description.clone().unwrap_or_else(|| ERASED.to_owned()),
            classification: ClassificationResource {
                id: row.classification_id.clone(),
                display_name: row.classification_name.clone(),
                product: None,
            },
            time_zone: row.time_zone.clone(),
            subscriber_email_addresses: row.subscribers(),
            state: enums.encode(state_number(&row.status), STATES),
            create_time: instant(row.filed_at_micros),
            update_time: instant(updated_at_micros),
            creator: ActorResource::new(row.filer_email.as_ref(), row.filer_name.as_ref(), false),
            contact_email: row.contact_email.clone(),
            escalated: row.escalated,
            test_case: row.test_case,
            language_code: row.language.clone(),
            priority: enums.encode(i32::try_from(row.priority).map_or(0, |digit| digit + 1), PRIORITIES),
            problem: row.problem.as_deref().and_then(|problem| serde_json::from_str(problem).ok()),
            channel: row.channel.as_deref().map(|channel| enums.encode(channel_number(channel), CHANNELS)),
            follow_up_of: row.follow_up_of.as_deref().map(named),
            merged_into: row.merged_into.as_deref().map(named),
            known_issue: (row.known_issue.as_ref())
                .map(|issue| format!("organizations/{}/knownIssues/{issue}", row.organization)),
            response_objective: row.response_kind.as_ref().zip(row.response_due_micros).map(|(kind, due)| {
                ResponseObjectiveResource {
                    kind: kind.to_uppercase(),
                    due_time: instant(due),
                    missed: row.response_missed,
                }
            }),
            first_response_on_time: row.first_response_on_time,
            closing_time: row.closes_micros.map(instant),
            support: (side == Side::Support).then(|| CaseSupportResource::new(row)),
        }
    }
}

impl CaseSupportResource {
    fn new(row: &CaseRow) -> Self {
        Self {
            provider: row.provider.clone(),
            assignee: row.assignee.as_ref().map(|account| AssigneeResource {
                name: format!("accounts/{account}"),
                email: row.assignee_email.clone(),
                display_name: row.assignee_name.clone(),
            }),
            warning_time: row.response_warn_micros.map(instant),
            help: row.help().map(|help| CaseHelpResource {
                session: format!("organizations/{}/helpSessions/{}", row.organization, help.session),
                articles: help.articles.iter().map(|article| format!("helpArticles/{article}")).collect(),
            }),
        }
    }
}

/// The number of a channel by the name that the catalogue has for it.
fn channel_number(name: &str) -> i32 {
    CHANNELS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(0, |(_, number)| *number)
}

/// The channel that a number of [`CHANNELS`] stands for.
pub fn channel_of(number: i32) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel_number(channel.as_str()) == number)
}

/// The row of a folded case, to be answered in the same words as a query.
///
/// # Errors
/// 500 when the fold holds no case.
pub fn row_of(folded: &Folded<CaseState>) -> Result<CaseRow, ApiError> {
    let case = folded.state.filed().ok_or_else(|| ApiError::internal("an accepted command left no case"))?;
    let revision = folded.revision.unwrap_or(Revision(0));
    let updated_at = folded.occurred_at.unwrap_or(case.filed_at);
    Ok(CaseRow::of_case(
        case,
        revision,
        folded.customer_revision.unwrap_or(revision),
        updated_at,
        folded.customer_updated_at.unwrap_or(updated_at),
    ))
}

/// The revision of a case as a side sees it.
pub fn revision_of(row: &CaseRow, side: Side) -> i64 {
    if side == Side::Support { row.revision } else { row.customer_revision }
}

/// The published number of a state by its name in events and read models.
pub fn state_number(status: &str) -> i32 {
    match Status::from_name(status) {
        None => 0,
        Some(Status::New) => 1,
        Some(Status::InProgress) => 2,
        Some(Status::ActionRequired) => 3,
        Some(Status::SolutionProvided) => 4,
        Some(Status::Closed) => 5,
    }
}

/// An instant of a row, as it is written.
pub(crate) fn instant(micros: i64) -> String {
    format_timestamp(Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A file attached to a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentResource {
    /// `organizations/{organization}/cases/{case}/attachments/{attachment}`.
    pub name: String,
    /// When it was attached.
    pub create_time: String,
    /// Who attached it.
    pub creator: ActorResource,
    /// Name of the file.
    pub filename: String,
    /// Media type, as told by whoever uploaded it.
    pub mime_type: String,
    /// Size in bytes, as decimal text.
    pub size_bytes: String,
}

impl AttachmentResource {
    /// An attachment of a case of an organization.
    pub fn of_row(row: &AttachmentRow, organization: &str) -> Self {
        Self {
            name: format!(
                "organizations/{organization}/cases/{}/attachments/{}",
                row.case_id, row.attachment_id
            ),
            create_time: instant(row.created_at_micros),
            creator: ActorResource::new(
                row.author_email.as_ref(),
                row.author_name.as_ref(),
                row.side == "support",
            ),
            filename: row.filename.clone().unwrap_or_else(|| ERASED.to_owned()),
            mime_type: row.media_type.clone(),
            size_bytes: row.size_bytes.to_string(),
        }
    }

    /// A file that was just attached.
    pub fn of_event(added: &AttachmentAdded, organization: &str, case: CaseId, at: Timestamp) -> Self {
        let author = added.author.open();
        Self {
            name: format!("organizations/{organization}/cases/{case}/attachments/{}", added.attachment),
            create_time: format_timestamp(at),
            creator: ActorResource::new(
                author.map(|author| &author.email),
                author.map(|author| &author.display_name),
                added.side == Side::Support,
            ),
            filename: added.filename.open().cloned().unwrap_or_else(|| ERASED.to_owned()),
            mime_type: added.media_type.clone(),
            size_bytes: added.size_bytes.to_string(),
        }
    }
}

/// The product line of a classification, for v2beta.
pub fn product_of(line: u8, version: Version, enums: EnumEncoding) -> Option<Value> {
    (version == Version::V2Beta)
        .then(|| serde_json::json!({ "productLine": enums.encode(i32::from(line), PRODUCT_LINES) }))
}

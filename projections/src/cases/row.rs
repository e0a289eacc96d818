//! One row of the model.

use dossier_domain::case::{
    Case, CaseAssigned, CaseFiled, HelpReference, Problem, ResponseObjectiveSet, Status,
};
use dossier_domain::catalogue::{Channel, Priority};
use dossier_domain::personal::Personal;
use dossier_eventlog::{Position, Revision};
use jiff::Timestamp;
use serde::{Serialize, Serializer};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use crate::database::stored;
use crate::model::Column;
use crate::scope::side_name;

/// Columns of the table `cases`, in the order of [`CaseRow`]'s fields. Erased values are NULL.
pub(super) const COLUMNS: &[Column] = &[
    Column::text("case_id"),
    Column::integer("sequence"),
    Column::text("organization"),
    Column::text("product"),
    Column::text("classification_id"),
    Column::text("classification_name"),
    Column::text("title").or_null(),
    Column::text("description").or_null(),
    Column::integer("priority"),
    Column::text("status"),
    Column::boolean("escalated"),
    Column::text("language"),
    Column::text("time_zone").or_null(),
    Column::text("contact_email").or_null(),
    Column::text("subscribers"),
    Column::boolean("test_case"),
    Column::text("problem").or_null(),
    Column::text("filer_email").or_null(),
    Column::text("filer_name").or_null(),
    Column::text("filer_side"),
    Column::text("manager").or_null(),
    Column::text("channel").or_null(),
    Column::text("follow_up_of").or_null(),
    Column::text("provider"),
    Column::boolean("default_queue"),
    Column::text("assignee").or_null(),
    Column::text("assignee_email").or_null(),
    Column::text("assignee_name").or_null(),
    Column::text("response_kind").or_null(),
    Column::integer("response_due_micros").or_null(),
    Column::integer("response_warn_micros").or_null(),
    Column::boolean("response_missed"),
    Column::boolean("first_response_on_time").or_null(),
    Column::text("merged_into").or_null(),
    Column::integer("closes_micros").or_null(),
    Column::integer("filed_at_micros"),
    Column::integer("updated_at_micros"),
    Column::integer("customer_updated_at_micros"),
    Column::integer("revision"),
    Column::integer("customer_revision"),
    Column::text("known_issue").or_null(),
    Column::text("help").or_null(),
];

/// A case as the read side shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "a row: each is a column")]
pub struct CaseRow {
    /// Id of the case.
    pub case_id: String,
    /// Position of its filing: lists are ordered by it, newest first, and it never changes.
    pub sequence: i64,
    /// Whose case it is.
    pub organization: String,
    /// The product.
    pub product: String,
    /// Key of the classification.
    pub classification_id: String,
    /// Name of the classification at filing.
    pub classification_name: String,
    /// Short summary.
    pub title: Option<String>,
    /// The whole story.
    pub description: Option<String>,
    /// Digit of the priority.
    pub priority: i64,
    /// Name of the status.
    pub status: String,
    /// Whether an escalation is active.
    pub escalated: bool,
    /// Language support answers in.
    pub language: String,
    /// IANA name or offset, as given.
    pub time_zone: Option<String>,
    /// Address to reach the filer at, where given.
    pub contact_email: Option<String>,
    /// Addresses that get updates, a JSON array.
    pub subscribers: String,
    /// Not to be worked on.
    pub test_case: bool,
    /// More about the problem, a JSON object with open texts.
    pub problem: Option<String>,
    /// Address of who filed it.
    pub filer_email: Option<String>,
    /// Name of who filed it.
    pub filer_name: Option<String>,
    /// From which side it was filed.
    pub filer_side: String,
    /// The reseller that managed the organization at filing.
    pub manager: Option<String>,
    /// By which channel it came; the web where none was given.
    pub channel: Option<String>,
    /// The case that it follows up.
    pub follow_up_of: Option<String>,
    /// The support provider that has it; of support only. Stored as an empty text where there is none: an index in whose order
    /// PostgreSQL lists has no NULL.
    #[serde(serialize_with = "or_empty")]
    pub provider: Option<String>,
    /// Whether it went to the default queue because no provider fits; of support only.
    pub default_queue: bool,
    /// Account of the agent who has it; of support only.
    pub assignee: Option<String>,
    /// Address of that agent.
    pub assignee_email: Option<String>,
    /// Name of that agent.
    pub assignee_name: Option<String>,
    /// To what support has promised an answer: `first` or `next`; none is open otherwise.
    pub response_kind: Option<String>,
    /// The last instant at which that answer is on time.
    pub response_due_micros: Option<i64>,
    /// When support is warned; of support only.
    pub response_warn_micros: Option<i64>,
    /// Whether that promise was missed.
    pub response_missed: bool,
    /// Whether the first answer was on time; none was given or missed otherwise.
    pub first_response_on_time: Option<bool>,
    /// The case in which it goes on.
    pub merged_into: Option<String>,
    /// When it closes by itself, once that is announced.
    pub closes_micros: Option<i64>,
    /// When it was filed, microseconds since 1970.
    pub filed_at_micros: i64,
    /// When anything last happened to it.
    pub updated_at_micros: i64,
    /// When anything last happened that customers may learn of.
    pub customer_updated_at_micros: i64,
    /// Revision of the stream.
    pub revision: i64,
    /// Revision of the last event that customers may learn of.
    pub customer_revision: i64,
    /// The known issue that it is about (R-KI-4).
    pub known_issue: Option<String>,
    /// The session with the help assistant that it came of, as the event has it, in JSON; of support only (R-HELP-2).
    pub help: Option<String>,
}

/// By number, in the order of [`COLUMNS`]: a list looks up hundreds of columns, and names cost more than values.
impl<'r, R: Row> FromRow<'r, R> for CaseRow
where
    usize: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            case_id: row.try_get(0)?,
            sequence: row.try_get(1)?,
            organization: row.try_get(2)?,
            product: row.try_get(3)?,
            classification_id: row.try_get(4)?,
            classification_name: row.try_get(5)?,
            title: row.try_get(6)?,
            description: row.try_get(7)?,
            priority: row.try_get(8)?,
            status: row.try_get(9)?,
            escalated: row.try_get(10)?,
            language: row.try_get(11)?,
            time_zone: row.try_get(12)?,
            contact_email: row.try_get(13)?,
            subscribers: row.try_get(14)?,
            test_case: row.try_get(15)?,
            problem: row.try_get(16)?,
            filer_email: row.try_get(17)?,
            filer_name: row.try_get(18)?,
            filer_side: row.try_get(19)?,
            manager: row.try_get(20)?,
            channel: row.try_get(21)?,
            follow_up_of: row.try_get(22)?,
            provider: Some(row.try_get::<String, _>(23)?).filter(|provider| !provider.is_empty()),
            default_queue: row.try_get(24)?,
            assignee: row.try_get(25)?,
            assignee_email: row.try_get(26)?,
            assignee_name: row.try_get(27)?,
            response_kind: row.try_get(28)?,
            response_due_micros: row.try_get(29)?,
            response_warn_micros: row.try_get(30)?,
            response_missed: row.try_get(31)?,
            first_response_on_time: row.try_get(32)?,
            merged_into: row.try_get(33)?,
            closes_micros: row.try_get(34)?,
            filed_at_micros: row.try_get(35)?,
            updated_at_micros: row.try_get(36)?,
            customer_updated_at_micros: row.try_get(37)?,
            revision: row.try_get(38)?,
            customer_revision: row.try_get(39)?,
            known_issue: row.try_get(40)?,
            help: row.try_get(41)?,
        })
    }
}

impl CaseRow {
    /// The row right after the filing.
    pub(super) fn filed(filed: &CaseFiled, position: Position, at: Timestamp) -> Self {
        let at_micros = at.as_microsecond();
        Self {
            case_id: filed.case.to_string(),
            sequence: stored(position),
            organization: filed.organization.to_string(),
            product: filed.product.to_string(),
            classification_id: filed.classification.id.clone(),
            classification_name: filed.classification.display_name.clone(),
            title: filed.title.open().cloned(),
            description: filed.description.open().cloned(),
            priority: i64::from(filed.priority.digit()),
            status: Status::New.as_str().to_owned(),
            escalated: false,
            language: filed.language.clone(),
            time_zone: filed.time_zone.clone(),
            contact_email: filed.contact_email.as_ref().and_then(|email| email.open().cloned()),
            subscribers: subscribers_json(&filed.subscribers),
            test_case: filed.test_case,
            problem: filed.problem.as_ref().map(problem_json),
            filer_email: filed.filer.open().map(|contact| contact.email.clone()),
            filer_name: filed.filer.open().map(|contact| contact.display_name.clone()),
            filer_side: side_name(filed.side).to_owned(),
            manager: filed.manager.as_ref().map(ToString::to_string),
            channel: filed
                .channel
                .filter(|channel| *channel != Channel::Web)
                .map(|channel| channel.as_str().to_owned()),
            follow_up_of: filed.follow_up_of.map(|case| case.to_string()),
            provider: None,
            default_queue: false,
            assignee: None,
            assignee_email: None,
            assignee_name: None,
            response_kind: None,
            response_due_micros: None,
            response_warn_micros: None,
            response_missed: false,
            first_response_on_time: None,
            merged_into: None,
            closes_micros: None,
            filed_at_micros: at_micros,
            updated_at_micros: at_micros,
            customer_updated_at_micros: at_micros,
            revision: 0,
            customer_revision: 0,
            known_issue: None,
            help: filed.help.as_ref().map(help_json),
        }
    }

    pub(super) fn set_status(&mut self, status: Status) {
        status.as_str().clone_into(&mut self.status);
        // What was announced is of a solution that nobody has answered.
        self.closes_micros = None;
    }

    /// It is closed, or goes on in another: what support had promised ends.
    pub(super) fn end(&mut self) {
        self.set_status(Status::Closed);
        self.escalated = false;
        self.promise(None);
    }

    pub(super) fn promise(&mut self, promise: Option<&ResponseObjectiveSet>) {
        self.response_kind = promise.map(|set| set.kind.as_str().to_owned());
        self.response_due_micros = promise.map(|set| set.due_at.as_microsecond());
        self.response_warn_micros = None;
        self.response_missed = false;
    }

    pub(super) fn assign(&mut self, assigned: Option<&CaseAssigned>) {
        let contact = assigned.and_then(|assigned| assigned.contact.open());
        self.assignee = assigned.map(|assigned| assigned.agent.to_string());
        self.assignee_email = contact.map(|contact| contact.email.clone());
        self.assignee_name = contact.map(|contact| contact.display_name.clone());
    }

    /// The row of a folded case, for answering a command in the same words as a query.
    pub fn of_case(
        case: &Case,
        revision: Revision,
        customer_revision: Revision,
        updated_at: Timestamp,
        customer_updated_at: Timestamp,
    ) -> Self {
        let assignee = case.assignment.as_ref().and_then(|assignment| assignment.contact.open());
        Self {
            case_id: case.id.to_string(),
            sequence: 0,
            organization: case.organization.to_string(),
            product: case.product.to_string(),
            classification_id: case.classification.id.clone(),
            classification_name: case.classification.display_name.clone(),
            title: case.title.open().cloned(),
            description: case.description.open().cloned(),
            priority: i64::from(case.priority.digit()),
            status: case.status.as_str().to_owned(),
            escalated: case.escalation.is_active(),
            language: case.language.clone(),
            time_zone: case.time_zone.clone(),
            contact_email: case.contact_email.as_ref().and_then(|email| email.open().cloned()),
            subscribers: subscribers_json(&case.subscribers),
            test_case: case.test_case,
            problem: case.problem.as_ref().map(problem_json),
            filer_email: case.filer.open().map(|contact| contact.email.clone()),
            filer_name: case.filer.open().map(|contact| contact.display_name.clone()),
            filer_side: side_name(case.side).to_owned(),
            manager: case.manager.as_ref().map(ToString::to_string),
            channel: Some(case.channel.as_str().to_owned()).filter(|_| case.channel != Channel::Web),
            follow_up_of: case.follow_up_of.map(|case| case.to_string()),
            provider: case.provider.as_ref().map(ToString::to_string),
            default_queue: false,
            assignee: case.assignment.as_ref().map(|assignment| assignment.agent.to_string()),
            assignee_email: assignee.map(|contact| contact.email.clone()),
            assignee_name: assignee.map(|contact| contact.display_name.clone()),
            response_kind: case.objective.as_ref().map(|open| open.kind.as_str().to_owned()),
            response_due_micros: case.objective.as_ref().map(|open| open.due_at.as_microsecond()),
            response_warn_micros: case
                .objective
                .as_ref()
                .and_then(|open| open.warn_at.map(Timestamp::as_microsecond)),
            response_missed: case.objective.as_ref().is_some_and(|open| open.missed),
            first_response_on_time: case.first_response.map(|first| first.on_time),
            merged_into: case.merged_into.map(|case| case.to_string()),
            closes_micros: case.announced_closing().map(Timestamp::as_microsecond),
            filed_at_micros: case.filed_at.as_microsecond(),
            updated_at_micros: updated_at.as_microsecond(),
            customer_updated_at_micros: customer_updated_at.as_microsecond(),
            revision: stored(Position(revision.0)),
            customer_revision: stored(Position(customer_revision.0)),
            known_issue: case.known_issue.as_ref().map(|linked| linked.issue.to_string()),
            help: case.help.as_ref().map(help_json),
        }
    }

    /// The priority; `None` in a damaged row.
    pub fn priority(&self) -> Option<Priority> {
        u8::try_from(self.priority).ok().and_then(Priority::from_digit)
    }

    /// The session with the help assistant that it came of; `None` where it came of none.
    pub fn help(&self) -> Option<HelpReference> {
        self.help.as_deref().and_then(|help| serde_json::from_str(help).ok())
    }

    /// The addresses that get updates, erased ones left out.
    pub fn subscribers(&self) -> Vec<String> {
        serde_json::from_str(&self.subscribers).unwrap_or_default()
    }
}

#[allow(clippy::ref_option, reason = "serde hands it over so")]
fn or_empty<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_deref().unwrap_or_default())
}

pub(super) fn subscribers_json(subscribers: &[Personal<String>]) -> String {
    let open: Vec<&String> = subscribers.iter().filter_map(Personal::open).collect();
    serde_json::to_string(&open).expect("strings are serializable")
}

fn help_json(help: &HelpReference) -> String {
    serde_json::to_string(help).expect("ids and keys are serializable")
}

/// The problem with its texts open, in the names of the API.
fn problem_json(problem: &Problem) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct OpenProblem<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        start: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        end: Option<Timestamp>,
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        log_entries: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reproducible: Option<&'static str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        application_flow: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        affected_user_percent: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_impact: Option<&'a str>,
    }
    fn open(text: Option<&Personal<String>>) -> Option<&str> {
        text.and_then(|text| text.open().map(String::as_str))
    }
    serde_json::to_string(&OpenProblem {
        start: problem.start,
        end: problem.end,
        version: problem.version.as_deref(),
        log_entries: open(problem.log_entries.as_ref()),
        reproducible: problem.reproducible.map(|reproducible| match reproducible {
            dossier_domain::case::Reproducible::Yes => "YES",
            dossier_domain::case::Reproducible::No => "NO",
            dossier_domain::case::Reproducible::Unknown => "UNKNOWN",
        }),
        code: open(problem.code.as_ref()),
        application_flow: open(problem.application_flow.as_ref()),
        affected_user_percent: problem.affected_user_percent,
        user_impact: open(problem.user_impact.as_ref()),
    })
    .expect("texts and instants are serializable")
}

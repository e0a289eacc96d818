//! `cases.explainObjective`: by when support had to answer, what of the time was counted, and what became of it (R-RESPONSE-1).

use dossier_domain::Side;
use dossier_domain::calendar::OpenInterval;
use dossier_domain::case::{
    CaseEvent, ExplainedObjective, ObjectiveCause, ObjectiveEnd, Pause, explain_responses,
};
use dossier_domain::event::EventAudience;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::call::{Call, Reply, case_not_found};
use crate::proto_json::{EnumEncoding, format_timestamp};
use crate::refusals;
use crate::resources::{PRIORITIES, STATES, state_number};
use crate::status::ApiError;

/// All promises to answer of a case, and the pauses between them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveExplanationResource {
    /// The promises, the first one first.
    pub objectives: Vec<ExplainedObjectiveResource>,
    /// The stretches in which no clock ran, in order.
    pub pauses: Vec<PauseResource>,
}

/// A promise, what was counted of it, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedObjectiveResource {
    /// FIRST for the answer to the filing, else NEXT.
    pub kind: String,
    /// What it was made for: FILING, COMMENT, PRIORITY_CHANGE, ESCALATION or MERGE_UNDONE.
    pub cause: &'static str,
    /// The priority of that moment.
    #[schema(value_type = String)]
    pub priority: Value,
    /// The plan that promised.
    pub plan: String,
    /// What it promised, in words: `within 4 hours of opening time`.
    pub objective: String,
    /// The calendar by which it was counted (support only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// From when it was counted.
    pub from_time: String,
    /// The last instant at which the answer was on time.
    pub due_time: String,
    /// What is counted until then (support only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub counted: Vec<IntervalResource>,
    /// What of that had passed when it ended, or now (support only).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub passed: Vec<IntervalResource>,
    /// When support was warned (support only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warned_time: Option<String>,
    /// When the miss was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_time: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_time: Option<String>,
    /// How: OPEN, ANSWERED_ON_TIME, ANSWERED_LATE, REPLACED or CASE_ENDED.
    pub outcome: &'static str,
}

/// From one instant until, exclusive, another.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntervalResource {
    /// The first instant.
    pub from_time: String,
    /// The first instant after.
    pub until_time: String,
}

/// A stretch in which no clock ran.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PauseResource {
    /// From when.
    pub from_time: String,
    /// Until when; absent: still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_time: Option<String>,
    /// Where the case stood.
    #[schema(value_type = String)]
    pub state: Value,
}

/// Explains the promises to answer of a case, from its own events: no later change of calendar or plan tells it otherwise.
///
/// # Errors
/// 404 when there is none, or none that the caller may see; 503 while the log is away.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}:explainObjective",
    operation_id = "cases.explainObjective",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
    ),
    responses((status = 200, description = "The promises and the pauses", body = ObjectiveExplanationResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let parent = call.parent()?;
    let (scope, case) = (call.scope()?, call.case_id()?);
    let shown = call.app.current_cases.get(&scope, &parent.organization, case).await;
    shown.map_err(|error| refusals::query(&error))?.ok_or_else(case_not_found)?;
    let history = call.app.commands.case_history(case).await.map_err(refusals::history)?;
    let is_support = parent.authority.side() == Side::Support;
    let readable = |event: &CaseEvent| is_support || event.audience() == EventAudience::Customer;
    let readable = history.iter().filter(|past| readable(&past.event));
    // What was recorded by a clock that is ahead has happened.
    let now =
        call.app.commands.now().max(history.last().map_or(jiff::Timestamp::MIN, |past| past.recorded_at));
    let told = explain_responses(readable.map(|past| (past.occurred_at, &past.event)), now);
    let enums = call.enums();
    Reply::json(&ObjectiveExplanationResource {
        objectives: told.objectives.into_iter().map(|objective| resource(objective, enums)).collect(),
        pauses: told.pauses.into_iter().map(|pause| pause_resource(pause, enums)).collect(),
    })
}

fn resource(told: ExplainedObjective, enums: EnumEncoding) -> ExplainedObjectiveResource {
    ExplainedObjectiveResource {
        kind: told.kind.as_str().to_uppercase(),
        cause: match told.cause {
            ObjectiveCause::Filing => "FILING",
            ObjectiveCause::Comment => "COMMENT",
            ObjectiveCause::PriorityChange => "PRIORITY_CHANGE",
            ObjectiveCause::Escalation => "ESCALATION",
            ObjectiveCause::MergeUndone => "MERGE_UNDONE",
            ObjectiveCause::KnownIssueUnlinked => "KNOWN_ISSUE_UNLINKED",
        },
        priority: enums.encode(i32::from(told.priority.digit()) + 1, PRIORITIES),
        plan: told.plan.to_string(),
        objective: told.objective.in_words(),
        calendar: told.calendar.map(|calendar| calendar.to_string()),
        from_time: format_timestamp(told.from),
        due_time: format_timestamp(told.due_at),
        counted: told.counted.into_iter().map(interval).collect(),
        passed: told.passed.into_iter().map(interval).collect(),
        warned_time: told.warned_at.map(format_timestamp),
        missed_time: told.missed_at.map(format_timestamp),
        ended_time: told.ended_at.map(format_timestamp),
        outcome: match told.end {
            ObjectiveEnd::Open => "OPEN",
            ObjectiveEnd::Answered { on_time: true } => "ANSWERED_ON_TIME",
            ObjectiveEnd::Answered { on_time: false } => "ANSWERED_LATE",
            ObjectiveEnd::Replaced => "REPLACED",
            ObjectiveEnd::CaseEnded => "CASE_ENDED",
        },
    }
}

fn interval(OpenInterval { from, until }: OpenInterval) -> IntervalResource {
    IntervalResource { from_time: format_timestamp(from), until_time: format_timestamp(until) }
}

fn pause_resource(Pause { from, until, because }: Pause, enums: EnumEncoding) -> PauseResource {
    PauseResource {
        from_time: format_timestamp(from),
        until_time: until.map(format_timestamp),
        state: enums.encode(state_number(because.as_str()), STATES),
    }
}

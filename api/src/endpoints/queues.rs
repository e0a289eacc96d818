//! `queues.list` and `queues.cases`: what there is to do for an agent, each queue with its filter, so that it can be narrowed.

use dossier_domain::Side;
use dossier_projections::cases::{CaseCondition, Count, QueueCounts};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cases_list::{Among, CaseList, authorize_named, condition, page};
use crate::call::{Call, Reply};
use crate::filter::{CaseFilter, FilterMode};
use crate::proto_json::format_timestamp;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::{ApiError, Code};

/// How soon an answer must be due, unless the caller says otherwise, in minutes.
const SOON_MINUTES: i64 = 120;
/// At most a week.
const MAX_SOON_MINUTES: i64 = 7 * 24 * 60;

/// A queue of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Queue {
    /// Those that the caller has.
    Mine,
    /// Those of the caller's provider.
    Provider,
    /// Those of them that nobody has.
    Unassigned,
    /// Those that support has promised to answer soon, or should have answered.
    BreachingSoon,
}

impl Queue {
    const ALL: [Self; 4] = [Self::Mine, Self::Provider, Self::Unassigned, Self::BreachingSoon];

    fn id(self) -> &'static str {
        match self {
            Self::Mine => "mine",
            Self::Provider => "provider",
            Self::Unassigned => "unassigned",
            Self::BreachingSoon => "breachingSoon",
        }
    }

    fn display_name(self) -> &'static str {
        match self {
            Self::Mine => "My cases",
            Self::Provider => "My provider's cases",
            Self::Unassigned => "Unassigned",
            Self::BreachingSoon => "Breaching soon",
        }
    }

    fn filter(self, soon: Timestamp) -> String {
        match self {
            Self::Mine => "assignee=me AND state=OPEN".to_owned(),
            Self::Provider => "state=OPEN".to_owned(),
            Self::Unassigned => "assignee=none AND state=OPEN".to_owned(),
            Self::BreachingSoon => format!("response_due<\"{}\"", format_timestamp(soon)),
        }
    }

    fn count(self, counts: &QueueCounts) -> Count {
        match self {
            Self::Mine => counts.mine,
            Self::Provider => counts.open,
            Self::Unassigned => counts.unassigned,
            Self::BreachingSoon => counts.due,
        }
    }
}

/// A queue of support.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueResource {
    /// `queues/mine`, `queues/provider`, `queues/unassigned` or `queues/breachingSoon`.
    pub name: String,
    /// Name to show.
    pub display_name: &'static str,
    /// The same cases as a filter of `organizations/-/cases`.
    pub filter: String,
    /// How many cases it has, as far as they were counted.
    pub cases: i64,
    /// Whether it has more than that: mine and breachingSoon are counted up to 1000.
    pub more: bool,
}

/// Support's queues.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueueList {
    /// The queues, in the order in which they are shown.
    pub queues: Vec<QueueResource>,
}

/// Continues after what is due at an instant, in microseconds.
#[derive(Serialize, Deserialize)]
struct DueCursor {
    due: i64,
    sequence: i64,
}

/// Lists the queues of the caller, each with how many of the cases that the caller sees are in it.
///
/// # Errors
/// 400 for a bad number of minutes.
#[utoipa::path(
    get,
    path = "/v2/queues",
    operation_id = "queues.list",
    tag = "support",
    params(
        ("withinMinutes" = Option<i64>, Query, description = "How soon an answer must be due to be breaching soon; 120 when absent"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The queues", body = QueueList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let soon = soon(&call)?;
    let account = call.actor.account.to_string();
    let counts = call.app.cases.queue_counts(&call.authority.visibility(), &account, soon).await;
    let counts = counts.map_err(|error| refusals::query(&error))?;
    let resource = |queue: Queue| {
        let count = queue.count(&counts);
        QueueResource {
            name: format!("queues/{}", queue.id()),
            display_name: queue.display_name(),
            filter: queue.filter(soon),
            cases: count.cases,
            more: count.more,
        }
    };
    Reply::json(&QueueList { queues: Queue::ALL.map(resource).into() })
}

/// Lists the cases of a queue that the caller sees, newest first; those breaching soon with what is due first.
///
/// # Errors
/// 404 for another queue; 400 for a bad filter, number of minutes, page size or token.
#[utoipa::path(
    get,
    path = "/v2/queues/{queue}/cases",
    operation_id = "queues.cases",
    tag = "support",
    params(
        ("queue" = String, Path, description = "mine, provider, unassigned or breachingSoon"),
        ("filter" = Option<String>, Query, description = "As for `cases.list`, of the cases of the queue"),
        ("withinMinutes" = Option<i64>, Query, description = "How soon an answer must be due to be breaching soon; 120 when absent"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer to the same filter"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "Cases", body = CaseList)),
)]
pub async fn cases(call: Call) -> Result<Reply, ApiError> {
    let queue = Queue::ALL.into_iter().find(|queue| queue.id() == call.params.item).ok_or_else(|| {
        let known: Vec<_> = Queue::ALL.into_iter().map(Queue::id).collect();
        let message = format!("there is no such queue; there are {}", known.join(", "));
        ApiError::new(Code::NotFound, message).with_reason("QUEUE_NOT_FOUND")
    })?;
    let given = CaseFilter::parse(FilterMode::SupportList, call.query.text("filter"))?;
    authorize_named(&call, &given).await?;
    let soon = soon(&call)?;
    if queue == Queue::BreachingSoon {
        return due(&call, &given, soon).await;
    }
    let own = CaseFilter::parse(FilterMode::SupportList, Some(&queue.filter(soon)))?;
    page(&call, Among::of(&call), &both(own, given), None).await
}

fn both(own: CaseFilter, given: CaseFilter) -> CaseFilter {
    if given == CaseFilter::All { own } else { CaseFilter::And(vec![own, given]) }
}

async fn due(call: &Call, given: &CaseFilter, soon: Timestamp) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {given}", call.endpoint.id);
    let after = call.cursor::<DueCursor>(&scope)?.map(|cursor| (cursor.due, cursor.sequence));
    let condition: CaseCondition = condition(given, Among::of(call), call);
    let page = call.app.cases.due(&call.authority.visibility(), &condition, soon, after, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    let next = page.next_after.map(|(due, sequence)| DueCursor { due, sequence });
    let resource = |row| CaseResource::new(row, Side::Support, call.enums());
    Reply::json(&CaseList {
        cases: page.cases.iter().map(resource).collect(),
        next_page_token: next.map(|cursor| call.app.page_tokens.seal(&scope, &cursor)),
    })
}

/// Before which instant an answer is due soon.
fn soon(call: &Call) -> Result<Timestamp, ApiError> {
    let minutes = match call.query.text("withinMinutes") {
        None => SOON_MINUTES,
        Some(text) => {
            let minutes = text.parse().ok().filter(|minutes| (1..=MAX_SOON_MINUTES).contains(minutes));
            minutes.ok_or_else(|| {
                let what = format!("wanted a number of minutes from 1 to {MAX_SOON_MINUTES}");
                ApiError::invalid_field("withinMinutes", what).with_reason("INVALID_QUERY")
            })?
        }
    };
    Ok(call.app.commands.now().saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(Timestamp::MAX))
}

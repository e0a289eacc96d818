//! `helpStats.get`: how much the assistant helps, for support: what was shown, read and of help, and how sessions ended.

use dossier_projections::help_sessions::{HelpStats, SessionCounts, SuggestionCounts};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::support_commands::wrong;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// How much the assistant helps.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelpStatsResource {
    /// What became of suggestions, by month and suggestion.
    pub suggestions: Vec<SuggestionStatsResource>,
    /// What became of sessions, by month.
    pub sessions: Vec<SessionStatsResource>,
}

/// What became of a suggestion in a month.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SuggestionStatsResource {
    /// The month in which it was suggested, UTC: `2026-11`.
    pub month: String,
    /// `helpArticles/{id}` or `knownIssues/{id}`.
    pub name: String,
    /// Title in English, where it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Sessions in which it was suggested.
    pub shown: i64,
    /// Of these, in which it was read.
    pub opened: i64,
    /// Of these, which it ended.
    pub helped: i64,
}

/// What became of the sessions that began in a month.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionStatsResource {
    /// The month, UTC.
    pub month: String,
    /// All of them.
    pub sessions: i64,
    /// Which ended without a case.
    pub without_case: i64,
    /// Which ended with a new case.
    pub with_case: i64,
    /// Which went on in a case that was there.
    pub continued_case: i64,
}

/// Shows how much the assistant helps, over all organizations.
///
/// # Errors
/// 400 for what is no month.
#[utoipa::path(
    get,
    path = "/v2/helpStats",
    operation_id = "helpStats.get",
    tag = "help",
    params(
        ("month" = Option<String>, Query, description = "Only this month, UTC, such as 2026-11"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The figures", body = HelpStatsResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let month = call.query.text("month");
    if month.is_some_and(|month| format!("{month}-01").parse::<jiff::civil::Date>().is_err()) {
        return Err(wrong("month", "wanted a month such as 2026-11"));
    }
    let HelpStats { suggestions, sessions } =
        call.app.help_sessions.stats(month).await.map_err(|error| refusals::query(&error))?;
    Reply::json(&HelpStatsResource {
        suggestions: suggestions.into_iter().map(|counts| suggestion(&call, counts)).collect(),
        sessions: by_month(sessions),
    })
}

fn suggestion(call: &Call, counts: SuggestionCounts) -> SuggestionStatsResource {
    let is_article = counts.kind == "article";
    let article = call.app.help_articles.get(&counts.item, "en").filter(|_| is_article);
    let collection = if is_article { "helpArticles" } else { "knownIssues" };
    SuggestionStatsResource {
        month: counts.month,
        name: format!("{collection}/{}", counts.item),
        title: article.map(|article| article.title.clone()),
        shown: counts.shown,
        opened: counts.opened,
        helped: counts.helped,
    }
}

/// The counts by outcome, which come by month, as one line for each month.
fn by_month(counts: Vec<SessionCounts>) -> Vec<SessionStatsResource> {
    let mut months: Vec<SessionStatsResource> = Vec::new();
    for SessionCounts { month, outcome, sessions } in counts {
        if months.last().is_none_or(|last| last.month != month) {
            months.push(SessionStatsResource { month, ..SessionStatsResource::default() });
        }
        let Some(of_month) = months.last_mut() else { continue };
        of_month.sessions += sessions;
        match outcome.as_str() {
            "solved" => of_month.without_case += sessions,
            "case" => of_month.with_case += sessions,
            "continued" => of_month.continued_case += sessions,
            _ => {}
        }
    }
    months
}

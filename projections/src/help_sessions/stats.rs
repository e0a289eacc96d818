//! How much the assistant helps: counted when asked, of rows that are few for each session.

use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::sql::Sql;

/// What became of something that was suggested in a month.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SuggestionCounts {
    /// The month in which it was suggested, UTC: `2026-11`.
    pub month: String,
    /// `article` or `known_issue`.
    pub kind: String,
    /// Its key.
    pub item: String,
    /// Sessions in which it was suggested.
    pub shown: i64,
    /// Of these, in which it was read.
    pub opened: i64,
    /// Of these, which it ended.
    pub helped: i64,
}

/// What became of the sessions that began in a month.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionCounts {
    /// The month, UTC.
    pub month: String,
    /// `open`, `solved`, `case` or `continued`.
    pub outcome: String,
    /// Sessions.
    pub sessions: i64,
}

/// How much the assistant helps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelpStats {
    /// By suggestion and month.
    pub suggestions: Vec<SuggestionCounts>,
    /// By month and outcome.
    pub sessions: Vec<SessionCounts>,
}

pub(super) async fn read(database: &ReadDatabase, month: Option<&str>) -> Result<HelpStats, QueryError> {
    let mut shown = Sql::new(
        "SELECT month, kind, item, COUNT(*) AS shown, COUNT(CASE WHEN opened THEN 1 END) AS opened, \
         COUNT(CASE WHEN helped THEN 1 END) AS helped FROM ",
    );
    shown.push_live("help_suggestions");
    push_month(&mut shown, month);
    shown.push(" GROUP BY month, kind, item ORDER BY month, kind, item");
    let mut ended = Sql::new("SELECT month, outcome, COUNT(*) AS sessions FROM ");
    ended.push_live("help_sessions");
    push_month(&mut ended, month);
    ended.push(" GROUP BY month, outcome ORDER BY month, outcome");
    Ok(HelpStats {
        suggestions: database.fetch_all(&shown).await?,
        sessions: database.fetch_all(&ended).await?,
    })
}

fn push_month(query: &mut Sql, month: Option<&str>) {
    if let Some(month) = month {
        query.push(" WHERE month = ").push_bind(month);
    }
}

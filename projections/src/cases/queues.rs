//! Support's queues: how many cases are in each, and those to be answered soon, the most urgent first.

use dossier_domain::VisibilityScope;
use dossier_domain::case::Status;
use jiff::Timestamp;

use super::condition::{Asked, CaseCondition, Compared, Moment};
use super::counts::push_counted;
use super::query::{CaseQueries, Place, Question, list_query, parts, push_part};
use super::row::CaseRow;
use crate::error::QueryError;
use crate::sql::Sql;

/// Where counting case by case ends: nobody works on more.
pub const MAX_COUNTED: i64 = 1_000;

/// How many cases there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// So many, or at least.
    pub cases: i64,
    /// Whether there are more.
    pub more: bool,
}

impl Count {
    fn of(cases: i64) -> Self {
        Self { cases, more: false }
    }

    fn up_to_most(cases: i64) -> Self {
        Self { cases: cases.min(MAX_COUNTED), more: cases > MAX_COUNTED }
    }
}

/// How many open cases each queue has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueCounts {
    /// Those that an agent has.
    pub mine: Count,
    /// All that the scope shows.
    pub open: Count,
    /// Those of them that nobody has.
    pub unassigned: Count,
    /// Those that are to be answered before an instant.
    pub due: Count,
}

/// Some cases that await an answer, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuePage {
    /// The cases, what is due first.
    pub cases: Vec<CaseRow>,
    /// Instant in microseconds and sequence of the last one, when more follow.
    pub next_after: Option<(i64, i64)>,
}

impl CaseQueries {
    /// How many cases of a scope are in each queue of an agent, at one moment: without reading more than so many.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn queue_counts(
        &self,
        scope: &VisibilityScope,
        account: &str,
        due_before: Timestamp,
    ) -> Result<QueueCounts, QueryError> {
        let engine = self.database().engine();
        let mine =
            CaseCondition::And(vec![CaseCondition::Assignee(Some(account.to_owned())), CaseCondition::Open]);
        let due = CaseCondition::At(Moment::ResponseDue, Compared::Before, due_before);
        let mut snapshot = self.database().snapshot().await?;
        let mut counted = Vec::with_capacity(4);
        for query in [
            open_query(scope, false),
            open_query(scope, true),
            count_query(Question { scope, organization: None, condition: &mine }, engine),
            count_query(Question { scope, organization: None, condition: &due }, engine),
        ] {
            let found: Vec<(i64,)> = snapshot.fetch_all(&query).await?;
            counted.push(found.first().map_or(0, |(cases,)| *cases));
        }
        snapshot.end().await?;
        Ok(QueueCounts {
            open: Count::of(counted[0]),
            unassigned: Count::of(counted[1]),
            mine: Count::up_to_most(counted[2]),
            due: Count::up_to_most(counted[3]),
        })
    }

    /// Cases of a scope that are to be answered before an instant, what is due first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn due(
        &self,
        scope: &VisibilityScope,
        condition: &CaseCondition,
        due_before: Timestamp,
        after: Option<(i64, i64)>,
        limit: u32,
    ) -> Result<DuePage, QueryError> {
        let condition = CaseCondition::And(vec![
            CaseCondition::At(Moment::ResponseDue, Compared::Before, due_before),
            condition.clone(),
        ]);
        let question = Question { scope, organization: None, condition: &condition };
        let query = list_query(self.database().engine(), question, Place::SoonestDue(after), limit);
        let mut cases: Vec<CaseRow> = self.database().fetch_all(&query).await?;
        let more = cases.len() > limit as usize;
        cases.truncate(limit as usize);
        let last = cases.last().filter(|_| more);
        let next_after = last.and_then(|case| Some((case.response_due_micros?, case.sequence)));
        Ok(DuePage { cases, next_after })
    }
}

/// From the counters, of which there are few however many cases there are.
fn open_query(scope: &VisibilityScope, unassigned: bool) -> Sql {
    let mut query = Sql::new("SELECT CAST(coalesce(sum(cases), 0) AS BIGINT) FROM ");
    push_counted(&mut query, scope, None);
    query.push(format!(" AND status <> '{}'", Status::Closed.as_str()));
    if unassigned {
        query.push(" AND NOT assigned");
    }
    query
}

/// One by one, as far as anybody wants to know.
pub(super) fn count_query(question: Question<'_>, engine: crate::sql::Engine) -> Sql {
    let asked = Asked { engine, marks: Vec::new() };
    let mut query = Sql::new("SELECT CAST(count(*) AS BIGINT) FROM (");
    for (number, part) in parts(question).iter().enumerate() {
        query.push(if number > 0 { " UNION ALL SELECT 1 FROM " } else { "SELECT 1 FROM " });
        query.push_live("cases").push(" WHERE ");
        push_part(&mut query, *part, question.organization);
        query.push(" AND ");
        question.condition.push(&mut query, &asked);
    }
    query.push(" LIMIT ").push_bind(MAX_COUNTED + 1).push(") AS counted");
    query
}

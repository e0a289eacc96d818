//! Getting one case and listing many, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::{CaseId, OrganizationId, VisibilityScope};

use super::condition::{Asked, CaseCondition};
use super::found_texts::{Texts, found_query};
use super::row::CaseRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::full_text::{marks, push_before, push_match, push_sequence};
use crate::rows::cut;
use crate::scope::{providers, push_scope};
use crate::sql::{Engine, Sql};
use crate::words::Phrase;

/// Some cases, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePage {
    /// The cases, newest first.
    pub cases: Vec<CaseRow>,
    /// Sequence of the last one, when more follow.
    pub next_before: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct CaseQueries {
    database: Arc<ReadDatabase>,
}

impl CaseQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    pub(super) fn database(&self) -> &ReadDatabase {
        &self.database
    }

    /// A case of an organization, if the scope shows it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
    ) -> Result<Option<CaseRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("cases").push(" WHERE case_id = ").push_bind(case.to_string());
        query.push(" AND ");
        push_scope(&mut query, "cases", scope, Some(organization));
        self.database.fetch_optional(&query).await
    }

    /// Cases that the scope shows, of an organization or, without one, of every one, newest first, beginning before a
    /// sequence. The order never changes, so that pages neither repeat nor drop a case that was there from the start.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        scope: &VisibilityScope,
        organization: Option<&OrganizationId>,
        condition: &CaseCondition,
        before: Option<i64>,
        limit: u32,
    ) -> Result<CasePage, QueryError> {
        let (engine, place) = (self.database.engine(), Place::Newest(before));
        let question = Question { scope, organization, condition };
        let text = if engine == Engine::Postgres { condition.split_text() } else { None };
        let mut cases: Vec<CaseRow> = match text {
            None => self.database.fetch_all(&list_query(engine, question, place, limit)).await?,
            // At one moment, so that no case is between what was found and what is listed.
            Some((phrase, rest)) => {
                let marks = marks(scope, organization);
                let mut snapshot = self.database.snapshot().await?;
                let found: Vec<(i64,)> = snapshot.fetch_all(&found_query(&phrase, &marks)).await?;
                let texts = Texts::of(&phrase, &marks, &found);
                let question = Question { condition: &rest, ..question };
                let cases =
                    snapshot.fetch_all(&searched_query(engine, question, &texts, place, limit)).await?;
                snapshot.end().await?;
                cases
            }
        };
        let next_before = cut(&mut cases, limit, |case| case.sequence);
        Ok(CasePage { cases, next_before })
    }
}

/// Where a page begins, and in which order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Newest first, before a sequence.
    Newest(Option<i64>),
    /// What is due first, after an instant and a sequence.
    SoonestDue(Option<(i64, i64)>),
}

impl Place {
    fn push_bound(self, query: &mut Sql) {
        match self {
            Self::Newest(None) | Self::SoonestDue(None) => {}
            Self::Newest(Some(before)) => {
                query.push(" AND sequence < ").push_bind(before);
            }
            Self::SoonestDue(Some((due, sequence))) => {
                query.push(" AND (response_due_micros, sequence) > (").push_bind(due);
                query.push(", ").push_bind(sequence).push(")");
            }
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Newest(_) => "sequence DESC",
            Self::SoonestDue(_) => "response_due_micros, sequence",
        }
    }
}

/// What is asked: of whom, and what else.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) scope: &'a VisibilityScope,
    pub(super) organization: Option<&'a OrganizationId>,
    pub(super) condition: &'a CaseCondition,
}

/// Asks for one more than wanted, to know whether more follow.
pub(super) fn list_query(engine: Engine, question: Question<'_>, place: Place, limit: u32) -> Sql {
    let Question { scope, organization, condition } = question;
    let text = if engine == Engine::Sqlite { condition.split_text() } else { None };
    if let (Some((phrase, rest)), Place::Newest(before)) = (text, place) {
        let asked = Asked { engine, marks: marks(scope, organization) };
        return text_query(question, &asked, &phrase, &rest, before, limit);
    }
    searched_query(engine, question, &Texts::AsAsked, place, limit)
}

/// The same, where the texts were looked for before.
pub(super) fn searched_query(
    engine: Engine,
    question: Question<'_>,
    texts: &Texts<'_>,
    place: Place,
    limit: u32,
) -> Sql {
    let Question { scope, organization, condition } = question;
    let asked = Asked { engine, marks: marks(scope, organization) };
    let parts = parts(question);
    // SQLite merges parts that it reads in order. PostgreSQL does where each is in order by itself, and short.
    let by_itself = engine == Engine::Postgres && parts.len() > 1;
    let end = |query: &mut Sql| {
        query.push(format!(" ORDER BY {} LIMIT ", place.order())).push_bind(i64::from(limit) + 1);
    };
    let mut query = Sql::new(if by_itself { "SELECT * FROM (" } else { "" });
    for (number, part) in parts.iter().enumerate() {
        query.push(if number > 0 { " UNION ALL " } else { "" });
        query.push(if by_itself { "(SELECT * FROM " } else { "SELECT * FROM " });
        query.push_live("cases").push(" WHERE ");
        push_part(&mut query, *part, organization);
        query.push(" AND ");
        condition.push(&mut query, &asked);
        texts.push(&mut query);
        place.push_bound(&mut query);
        if by_itself {
            end(&mut query);
            query.push(")");
        }
    }
    if by_itself {
        query.push(") AS cases");
    }
    end(&mut query);
    query
}

/// From text to text, newest case first, ending with the page. A case comes once, however many of its texts match.
fn text_query(
    Question { scope, organization, .. }: Question<'_>,
    asked: &Asked,
    phrase: &Phrase,
    rest: &CaseCondition,
    before: Option<i64>,
    limit: u32,
) -> Sql {
    let mut query = Sql::new("SELECT DISTINCT cases.* FROM ");
    query.push_live("case_words").push(" CROSS JOIN ").push_live("cases").push(" WHERE ");
    push_match(&mut query, phrase, &asked.marks);
    query.push(" AND cases.sequence = ");
    push_sequence(&mut query);
    query.push(" AND ");
    push_scope(&mut query, "cases", scope, organization);
    query.push(" AND ");
    rest.push(&mut query, asked);
    if let Some(before) = before {
        push_before(&mut query, before);
    }
    query.push(" ORDER BY text_number DESC LIMIT ").push_bind(i64::from(limit) + 1);
    query
}

/// A part of what a scope shows that is read in the order of one index.
#[derive(Clone, Copy)]
pub(super) enum Part<'a> {
    /// All of it.
    Whole(&'a VisibilityScope),
    /// Of what an agent sees, what is with this provider; empty: with none.
    With(&'a str),
}

/// What an agent sees across organizations lies in two places: with their provider, and with none. Each is in order by
/// itself, and both are merged, so that neither is sorted.
pub(super) fn parts(question: Question<'_>) -> Vec<Part<'_>> {
    let Question { scope, organization, condition } = question;
    match scope {
        VisibilityScope::Provider { provider, organization: None }
            if organization.is_none() && !condition.is_of_one_organization() =>
        {
            let known = providers(provider.as_ref()).into_iter();
            let parts: Vec<Part<'_>> =
                known.filter(|provider| condition.may_be_with(provider)).map(Part::With).collect();
            if parts.is_empty() { vec![Part::Whole(&VisibilityScope::Nothing)] } else { parts }
        }
        _ => vec![Part::Whole(scope)],
    }
}

pub(super) fn push_part(query: &mut Sql, part: Part<'_>, organization: Option<&OrganizationId>) {
    match part {
        Part::Whole(scope) => push_scope(query, "cases", scope, organization),
        Part::With(provider) => {
            query.push("provider = ").push_bind(provider);
        }
    }
}

#[cfg(test)]
#[path = "query_plans.rs"]
mod plans;
#[cfg(test)]
#[path = "queue_plans.rs"]
mod queue_plans;
#[cfg(test)]
#[path = "text_plans.rs"]
mod text_plans;

//! Getting one case and listing many, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::case::Status;
use dossier_domain::catalogue::Priority;
use dossier_domain::{CaseId, OrganizationId, Side, VisibilityScope};
use jiff::Timestamp;

use super::row::CaseRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::full_text::{marks, push_before, push_match, push_sequence, push_terms};
use crate::rows::cut;
use crate::scope::push_scope;
use crate::sql::{Engine, Sql};
use crate::words::Phrase;

/// What a listed case must fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseCondition {
    /// All of these; none: anything.
    And(Vec<CaseCondition>),
    /// One of these.
    Or(Vec<CaseCondition>),
    /// Not closed.
    Open,
    /// In this state.
    Status(Status),
    /// Of this priority.
    Priority(Priority),
    /// Of this organization.
    Organization(String),
    /// Filed by whoever has this address.
    FilerEmail(String),
    /// Filed under one of these classifications.
    Classification(Vec<String>),
    /// The words of this stand one after the other in title, description or a comment that customers see, whatever the
    /// case of their letters and without accents; the last may be the beginning of one, of three characters or more,
    /// unless something follows it. Nothing is found by what has neither letters nor digits.
    Text(String),
    /// Changed after this instant, as a side sees it.
    UpdatedAfter(Timestamp, Side),
}

impl CaseCondition {
    /// Anything.
    pub fn anything() -> Self {
        Self::And(Vec::new())
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    fn push(&self, query: &mut Sql, asked: &Asked) {
        match self {
            Self::And(conditions) => push_joined(query, conditions, asked, " AND ", "TRUE"),
            Self::Or(conditions) => push_joined(query, conditions, asked, " OR ", "FALSE"),
            Self::Open => {
                // Said as the index of open cases says it.
                query.push(format!("status <> '{}'", Status::Closed.as_str()));
            }
            Self::Status(status) => {
                query.push("status = ").push_bind(status.as_str());
            }
            Self::Priority(priority) => {
                query.push("priority = ").push_bind(i64::from(priority.digit()));
            }
            Self::Organization(organization) => {
                query.push("organization = ").push_bind(organization.as_str());
            }
            Self::FilerEmail(email) => {
                query.push("filer_email = ").push_bind(email.to_lowercase());
            }
            Self::Classification(ids) => {
                query.push("classification_id").push_is_one_of(ids);
            }
            Self::Text(text) => match Phrase::of(text) {
                Some(phrase) => asked.push_text(query, &phrase),
                None => {
                    query.push("FALSE");
                }
            },
            Self::UpdatedAfter(instant, side) => {
                let support = *side == Side::Support;
                query.push(if support { "updated_at_micros > " } else { "customer_updated_at_micros > " });
                query.push_bind(instant.as_microsecond());
            }
        }
    }

    /// A text that every case that fulfils this has, and what else it must fulfil.
    fn split_text(&self) -> Option<(Phrase, Self)> {
        match self {
            Self::Text(text) => Some((Phrase::of(text)?, Self::anything())),
            Self::And(conditions) => {
                let mut found = conditions.iter().enumerate();
                let (at, (phrase, rest)) = found.find_map(|(at, one)| Some((at, one.split_text()?)))?;
                let mut others = conditions.clone();
                others[at] = rest;
                Some((phrase, Self::And(others)))
            }
            _ => None,
        }
    }
}

/// What a condition on texts has to know of the whole question.
struct Asked {
    engine: Engine,
    /// Of the texts in scope.
    marks: Vec<String>,
}

impl Asked {
    /// The condition that a case has a text with a phrase.
    fn push_text(&self, query: &mut Sql, phrase: &Phrase) {
        match self.engine {
            Engine::Sqlite => {
                query.push("cases.sequence IN (SELECT ");
                push_sequence(query);
                query.push(" FROM ").push_live("case_words").push(" WHERE ");
                push_match(query, phrase, &self.marks);
            }
            Engine::Postgres => {
                query.push("EXISTS (SELECT 1 FROM ").push_live("case_texts");
                query.push(" WHERE case_texts.sequence = cases.sequence AND ");
                push_terms(query, phrase, &self.marks);
            }
        }
        query.push(")");
    }
}

fn push_joined(
    query: &mut Sql,
    conditions: &[CaseCondition],
    asked: &Asked,
    by: &'static str,
    empty: &'static str,
) {
    if conditions.is_empty() {
        query.push(empty);
        return;
    }
    query.push("(");
    for (number, condition) in conditions.iter().enumerate() {
        if number > 0 {
            query.push(by);
        }
        condition.push(query, asked);
    }
    query.push(")");
}

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
        let query = list_query(self.database.engine(), scope, organization, condition, before, limit);
        let mut cases: Vec<CaseRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut cases, limit, |case| case.sequence);
        Ok(CasePage { cases, next_before })
    }
}

/// Asks for one more than wanted, to know whether more follow.
fn list_query(
    engine: Engine,
    scope: &VisibilityScope,
    organization: Option<&OrganizationId>,
    condition: &CaseCondition,
    before: Option<i64>,
    limit: u32,
) -> Sql {
    let asked = Asked { engine, marks: marks(scope, organization) };
    let text = if engine == Engine::Sqlite { condition.split_text() } else { None };
    let (mut query, order) = if let Some((phrase, _)) = &text {
        // From text to text, newest case first, ending with the page. A case comes once, however many of its texts match.
        let mut query = Sql::new("SELECT DISTINCT cases.* FROM ");
        query.push_live("case_words").push(" CROSS JOIN ").push_live("cases").push(" WHERE ");
        push_match(&mut query, phrase, &asked.marks);
        query.push(" AND cases.sequence = ");
        push_sequence(&mut query);
        query.push(" AND ");
        (query, "text_number")
    } else {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("cases").push(" WHERE ");
        (query, "sequence")
    };
    push_scope(&mut query, "cases", scope, organization);
    query.push(" AND ");
    text.as_ref().map_or(condition, |(_, rest)| rest).push(&mut query, &asked);
    match before {
        Some(before) if text.is_some() => push_before(&mut query, before),
        Some(before) => {
            query.push(" AND sequence < ").push_bind(before);
        }
        None => {}
    }
    query.push(format!(" ORDER BY {order} DESC LIMIT ")).push_bind(i64::from(limit) + 1);
    query
}

#[cfg(test)]
#[path = "query_plans.rs"]
mod plans;
#[cfg(test)]
#[path = "text_plans.rs"]
mod text_plans;

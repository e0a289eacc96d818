//! Getting one case and listing many, always within a visibility scope.

use std::sync::Arc;

use dossier_domain::case::Status;
use dossier_domain::catalogue::Priority;
use dossier_domain::{CaseId, OrganizationId, Side, VisibilityScope};
use jiff::Timestamp;

use super::row::CaseRow;
use super::text::fold;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::scope::push_scope;
use crate::sql::Sql;

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
    /// Title, description or a comment contains this, whatever the case of its letters.
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

    fn push(&self, query: &mut Sql) {
        match self {
            Self::And(conditions) => push_joined(query, conditions, " AND ", "TRUE"),
            Self::Or(conditions) => push_joined(query, conditions, " OR ", "FALSE"),
            Self::Open => {
                query.push("status <> ").push_bind(Status::Closed.as_str());
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
            Self::Text(text) => {
                query.push("EXISTS (SELECT 1 FROM ").push_live("case_texts");
                query
                    .push(" WHERE case_texts.case_id = cases.case_id AND ")
                    .push_contains("text", fold(text))
                    .push(")");
            }
            Self::UpdatedAfter(instant, side) => {
                let support = *side == Side::Support;
                query.push(if support { "updated_at_micros > " } else { "customer_updated_at_micros > " });
                query.push_bind(instant.as_microsecond());
            }
        }
    }
}

fn push_joined(query: &mut Sql, conditions: &[CaseCondition], by: &'static str, empty: &'static str) {
    if conditions.is_empty() {
        query.push(empty);
        return;
    }
    query.push("(");
    for (number, condition) in conditions.iter().enumerate() {
        if number > 0 {
            query.push(by);
        }
        condition.push(query);
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
        let query = list_query(scope, organization, condition, before, limit);
        let mut cases: Vec<CaseRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut cases, limit, |case| case.sequence);
        Ok(CasePage { cases, next_before })
    }
}

/// Asks for one more than wanted, to know whether more follow.
fn list_query(
    scope: &VisibilityScope,
    organization: Option<&OrganizationId>,
    condition: &CaseCondition,
    before: Option<i64>,
    limit: u32,
) -> Sql {
    let mut query = Sql::new("SELECT * FROM ");
    query.push_live("cases").push(" WHERE ");
    push_scope(&mut query, "cases", scope, organization);
    query.push(" AND ");
    condition.push(&mut query);
    if let Some(before) = before {
        query.push(" AND sequence < ").push_bind(before);
    }
    query.push(" ORDER BY sequence DESC LIMIT ").push_bind(i64::from(limit) + 1);
    query
}

#[cfg(test)]
#[path = "query_plans.rs"]
mod plans;

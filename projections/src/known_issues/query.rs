//! Known issues as support and customers look through them. Who may ask, and which products an organization follows, is decided
//! before.

use std::collections::BTreeSet;
use std::sync::Arc;

use dossier_domain::known_issue::KnownIssueStatus;
use dossier_domain::{AccountId, KnownIssueId, OrganizationId, ProductId};

use super::projector::{ISSUES, UPDATES, USERS};
use super::row::{IssueUpdateRow, IssueUserRow, ShownIssueRow};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Some known issues, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIssuePage {
    /// The issues.
    pub issues: Vec<ShownIssueRow>,
    /// Where the next ones begin: before this position; `None` at the end.
    pub next_before: Option<i64>,
}

/// What support looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownIssueWanted {
    /// Only those that stand there.
    pub status: Option<KnownIssueStatus>,
    /// Only those of this product.
    pub product: Option<ProductId>,
}

/// The model's queries.
#[derive(Clone)]
pub struct KnownIssueQueries {
    database: Arc<ReadDatabase>,
}

impl KnownIssueQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A known issue; `None` when nobody suspects it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(&self, issue: KnownIssueId) -> Result<Option<ShownIssueRow>, QueryError> {
        let mut query = select();
        query.push(" WHERE issue = ").push_bind(issue.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Issues that were suspected before a position, the newest first: for support.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        wanted: &KnownIssueWanted,
        before: Option<i64>,
        limit: u32,
    ) -> Result<KnownIssuePage, QueryError> {
        let mut query = select();
        query.push(" WHERE suspected_position < ").push_bind(before.unwrap_or(i64::MAX));
        if let Some(status) = wanted.status {
            query.push(" AND status = ").push_bind(status.as_str());
        }
        if let Some(product) = &wanted.product {
            query.push(" AND product = ").push_bind(product.as_str());
        }
        query.push(" ORDER BY suspected_position DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let mut issues: Vec<ShownIssueRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut issues, limit, |row| row.issue.suspected_position);
        Ok(KnownIssuePage { issues, next_before })
    }

    /// Published issues of products, the last published first: all of them, or the unresolved ones alone (R-KI-3).
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn published(
        &self,
        products: &BTreeSet<ProductId>,
        unresolved: bool,
        before: Option<i64>,
        limit: u32,
    ) -> Result<KnownIssuePage, QueryError> {
        if products.is_empty() {
            return Ok(KnownIssuePage { issues: Vec::new(), next_before: None });
        }
        let mut query = select();
        // What was never published has no such position.
        query.push(" WHERE published_position < ").push_bind(before.unwrap_or(i64::MAX));
        query.push(" AND product").push_is_one_of(products.iter().map(ProductId::as_str));
        if unresolved {
            query.push(" AND status = ").push_bind(KnownIssueStatus::Published.as_str());
        }
        query.push(" ORDER BY published_position DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let mut issues: Vec<ShownIssueRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut issues, limit, |row| row.issue.published_position.unwrap_or_default());
        Ok(KnownIssuePage { issues, next_before })
    }

    /// The updates of issues, by issue and number.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn updates(&self, issues: &[ShownIssueRow]) -> Result<Vec<IssueUpdateRow>, QueryError> {
        if issues.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live(UPDATES).push(" WHERE issue").push_is_one_of(ids(issues));
        query.push(" ORDER BY issue, number");
        self.database.fetch_all(&query).await
    }

    /// What a user said of issues, for an organization.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn said(
        &self,
        organization: &OrganizationId,
        account: AccountId,
        issues: &[ShownIssueRow],
    ) -> Result<Vec<IssueUserRow>, QueryError> {
        if issues.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live(USERS).push(" WHERE organization = ").push_bind(organization.as_str());
        query.push(" AND account = ").push_bind(account.to_string());
        query.push(" AND issue").push_is_one_of(ids(issues));
        self.database.fetch_all(&query).await
    }
}

fn ids(issues: &[ShownIssueRow]) -> impl Iterator<Item = String> {
    issues.iter().map(|row| row.issue.issue.clone())
}

/// Issues with how many they affect; an organization or user that is affected twice is one.
fn select() -> Sql {
    let mut query = Sql::new("SELECT known_issues.*");
    for (what, name) in [("organization", "organizations_affected"), ("account", "users_affected")] {
        query.push(format!(", (SELECT COUNT(DISTINCT {what}) FROM ")).push_live(USERS);
        query.push(" WHERE known_issue_users.issue = known_issues.issue AND affected) AS ").push(name);
    }
    query.push(" FROM ").push_live(ISSUES);
    query
}

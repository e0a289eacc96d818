//! The accounts of an organization, as its directory looks for them. Who may ask is decided before.

use std::sync::Arc;

use dossier_domain::OrganizationId;
use dossier_domain::address::EmailAddress;

use super::projector::AccountRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::sql::Sql;

/// Which accounts of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountFilter {
    /// All of them.
    All,
    /// The one with an address, however it is written.
    Email(EmailAddress),
    /// The one whom the identity provider calls so.
    Subject(String),
}

/// Some accounts of an organization, and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPage {
    /// The accounts, by id.
    pub accounts: Vec<AccountRow>,
    /// How many accounts fit, on all pages.
    pub total: u64,
}

/// The model's queries. Deleted accounts are in none.
#[derive(Clone)]
pub struct AccountQueries {
    database: Arc<ReadDatabase>,
}

impl AccountQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    pub(super) fn database(&self) -> &ReadDatabase {
        &self.database
    }

    /// The accounts of an organization that fit, by id: after so many of them, at most so many. The page and the total
    /// are of one moment.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        organization: &OrganizationId,
        filter: &AccountFilter,
        skip: u64,
        limit: u32,
    ) -> Result<AccountPage, QueryError> {
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let count = Self::fitting("SELECT COUNT(*) FROM ", organization, filter);
        let mut page = Self::fitting("SELECT * FROM ", organization, filter);
        page.push(" ORDER BY account LIMIT ").push_bind(i64::from(limit));
        page.push(" OFFSET ").push_bind(number(skip));
        let mut snapshot = self.database.snapshot().await?;
        let counted: Vec<(i64,)> = snapshot.fetch_all(&count).await?;
        let accounts = snapshot.fetch_all(&page).await?;
        snapshot.end().await?;
        let total = counted.first().and_then(|(total,)| u64::try_from(*total).ok()).unwrap_or_default();
        Ok(AccountPage { accounts, total })
    }

    fn fitting(select: &'static str, organization: &OrganizationId, filter: &AccountFilter) -> Sql {
        let mut sql = Sql::new(select);
        sql.push_live("accounts").push(" WHERE organization = ").push_bind(organization.as_str());
        sql.push(" AND NOT deleted");
        match filter {
            AccountFilter::All => {}
            AccountFilter::Email(email) => {
                sql.push(" AND canonical_email = ").push_bind(email.canonical());
            }
            AccountFilter::Subject(subject) => {
                sql.push(" AND subject = ").push_bind(subject.as_str());
            }
        }
        sql
    }
}

//! Organizations, their people and entitlements, by what they are looked for. Who may ask is decided before.

use std::sync::Arc;

use dossier_domain::{AccountId, OrganizationId, PlanId, ProductId};
use jiff::Timestamp;

use super::row::{EntitlementRow, MemberRow, MembershipRow, OrganizationRow};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Some organizations, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrganizationPage {
    /// The organizations, by id.
    pub organizations: Vec<OrganizationRow>,
    /// Id of the last one, when more follow.
    pub next_after: Option<String>,
}

/// Some members of an organization, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPage {
    /// The members, by account.
    pub members: Vec<MemberRow>,
    /// Account of the last one, when more follow.
    pub next_after: Option<String>,
}

/// The model's queries.
#[derive(Clone)]
pub struct OrganizationQueries {
    database: Arc<ReadDatabase>,
}

impl OrganizationQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// An organization; `None` when it is not registered.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(&self, organization: &OrganizationId) -> Result<Option<OrganizationRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organizations").push(" WHERE organization = ").push_bind(organization.as_str());
        self.database.fetch_optional(&query).await
    }

    /// Every organization, by id, after an id: for operators.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(&self, after: Option<&str>, limit: u32) -> Result<OrganizationPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organizations").push(" WHERE TRUE");
        self.page(query, after, limit).await
    }

    /// The organizations that a reseller manages, by id, after an id. Those whose `allowed_reseller` it is let it in.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn managed_by(
        &self,
        reseller: &OrganizationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<OrganizationPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organizations").push(" WHERE manager = ").push_bind(reseller.as_str());
        self.page(query, after, limit).await
    }

    async fn page(
        &self,
        mut query: Sql,
        after: Option<&str>,
        limit: u32,
    ) -> Result<OrganizationPage, QueryError> {
        if let Some(after) = after {
            query.push(" AND organization > ").push_bind(after);
        }
        query.push(" ORDER BY organization LIMIT ").push_bind(i64::from(limit) + 1);
        let mut organizations: Vec<OrganizationRow> = self.database.fetch_all(&query).await?;
        let next_after = cut(&mut organizations, limit, |row| row.organization.clone());
        Ok(OrganizationPage { organizations, next_after })
    }

    /// The customers that a reseller manages, by id, which hold one of these plans for its product at an instant
    /// (R-RES-6); at most so many.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn entitled_customers(
        &self,
        reseller: &OrganizationId,
        eligible: &[(ProductId, PlanId)],
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organizations").push(" WHERE manager = ").push_bind(reseller.as_str());
        query.push(" AND EXISTS (SELECT 1 FROM ").push_live("organization_entitlements");
        query.push(" WHERE organization_entitlements.organization = organizations.organization");
        query.push(" AND from_micros <= ").push_bind(now.as_microsecond());
        query.push(" AND (until_micros IS NULL OR until_micros > ").push_bind(now.as_microsecond());
        // Names of products and plans have no space.
        let pairs = eligible.iter().map(|(product, plan)| format!("{product} {plan}"));
        query.push(") AND product || ' ' || plan").push_is_one_of(pairs);
        query.push(") ORDER BY organization LIMIT ").push_bind(i64::from(limit));
        self.database.fetch_all(&query).await
    }

    /// Everything that an account is a member of, by organization.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn of_member(&self, account: AccountId) -> Result<Vec<MembershipRow>, QueryError> {
        let mut query = Sql::new(
            "SELECT organization_members.*, organizations.display_name AS organization_name,
             organizations.reseller AS organization_is_reseller FROM ",
        );
        query.push_live("organization_members").push(" JOIN ").push_live("organizations");
        query.push(" ON organizations.organization = organization_members.organization WHERE account = ");
        query.push_bind(account.to_string()).push(" ORDER BY organization_members.organization");
        self.database.fetch_all(&query).await
    }

    /// A member of an organization.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn member(
        &self,
        organization: &OrganizationId,
        account: AccountId,
    ) -> Result<Option<MemberRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organization_members");
        query.push(" WHERE organization = ").push_bind(organization.as_str());
        query.push(" AND account = ").push_bind(account.to_string());
        self.database.fetch_optional(&query).await
    }

    /// The members of an organization, by account, after an account.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn members(
        &self,
        organization: &OrganizationId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<MemberPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organization_members");
        query.push(" WHERE organization = ").push_bind(organization.as_str());
        if let Some(after) = after {
            query.push(" AND account > ").push_bind(after);
        }
        query.push(" ORDER BY account LIMIT ").push_bind(i64::from(limit) + 1);
        let mut members: Vec<MemberRow> = self.database.fetch_all(&query).await?;
        let next_after = cut(&mut members, limit, |row| row.account.clone());
        Ok(MemberPage { members, next_after })
    }

    /// Everything that an organization is, was or will be entitled to, in the order of granting.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn entitlements(
        &self,
        organization: &OrganizationId,
    ) -> Result<Vec<EntitlementRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("organization_entitlements");
        query.push(" WHERE organization = ").push_bind(organization.as_str()).push(" ORDER BY ordinal");
        self.database.fetch_all(&query).await
    }
}

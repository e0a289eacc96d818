//! Sessions one by one, each for whoever began it.

use std::sync::Arc;

use dossier_domain::help_session::HelpSession;
use dossier_domain::{AccountId, HelpSessionId, OrganizationId};

use super::projector::SessionRow;
use super::stats::{self, HelpStats};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::sql::Sql;

/// The model's queries.
#[derive(Clone)]
pub struct HelpSessionQueries {
    database: Arc<ReadDatabase>,
}

impl HelpSessionQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A session of an organization that an account began; `None` where there is none.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        organization: &OrganizationId,
        account: AccountId,
        session: HelpSessionId,
    ) -> Result<Option<HelpSession>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("help_sessions").push(" WHERE session = ").push_bind(session.to_string());
        query.push(" AND organization = ").push_bind(organization.as_str());
        query.push(" AND account = ").push_bind(account.to_string());
        let row: Option<SessionRow> = self.database.fetch_optional(&query).await?;
        let state = row.map(|row| serde_json::from_str(&row.state)).transpose();
        state.map_err(|_| QueryError::Row("help_sessions"))
    }

    /// How much the assistant helped in a month, such as `2026-11`, or ever.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn stats(&self, month: Option<&str>) -> Result<HelpStats, QueryError> {
        stats::read(&self.database, month).await
    }
}

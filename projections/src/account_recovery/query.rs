//! The recoveries of accounts, as support looks through them. Who may ask is decided before.

use std::sync::Arc;

use dossier_domain::AccountRecoveryId;

use super::projector::AccountRecoveryRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Some recoveries, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRecoveryPage {
    /// The recoveries.
    pub recoveries: Vec<AccountRecoveryRow>,
    /// Where the next ones begin: before this position; `None` at the end.
    pub next_before: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct AccountRecoveryQueries {
    database: Arc<ReadDatabase>,
}

impl AccountRecoveryQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A recovery; `None` when nobody asked for it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(&self, recovery: AccountRecoveryId) -> Result<Option<AccountRecoveryRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("account_recoveries").push(" WHERE recovery = ").push_bind(recovery.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Recoveries that were asked for before a position, the newest first; only those that are closed, or that are not.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        closed: Option<bool>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<AccountRecoveryPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("account_recoveries").push(" WHERE asked_position < ");
        query.push_bind(before.unwrap_or(i64::MAX));
        if let Some(closed) = closed {
            query.push(if closed { " AND closed" } else { " AND NOT closed" });
        }
        query.push(" ORDER BY asked_position DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let mut recoveries: Vec<AccountRecoveryRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut recoveries, limit, |row| row.asked_position);
        Ok(AccountRecoveryPage { recoveries, next_before })
    }
}

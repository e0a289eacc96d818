//! The views that somebody sees: their own, and those that are shared with their provider.

use std::sync::Arc;

use dossier_domain::{AccountId, ProviderId, SavedViewId};

use super::projector::SavedViewRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Some views, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedViewPage {
    /// The views.
    pub views: Vec<SavedViewRow>,
    /// Where the next ones begin: before this position; `None` at the end.
    pub next_before: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct SavedViewQueries {
    database: Arc<ReadDatabase>,
}

impl SavedViewQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A view, if an account with a provider sees it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        account: AccountId,
        provider: Option<&ProviderId>,
        view: SavedViewId,
    ) -> Result<Option<SavedViewRow>, QueryError> {
        let mut query = seen_by(account, provider);
        query.push(" AND view = ").push_bind(view.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Views that an account with a provider sees, saved before a position, the newest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        account: AccountId,
        provider: Option<&ProviderId>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<SavedViewPage, QueryError> {
        let mut query = seen_by(account, provider);
        query.push(" AND saved_position < ").push_bind(before.unwrap_or(i64::MAX));
        query.push(" ORDER BY saved_position DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let mut views: Vec<SavedViewRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut views, limit, |row| row.saved_position);
        Ok(SavedViewPage { views, next_before })
    }
}

fn seen_by(account: AccountId, provider: Option<&ProviderId>) -> Sql {
    let mut query = Sql::new("SELECT * FROM ");
    query.push_live("saved_views").push(" WHERE NOT deleted AND (owner = ").push_bind(account.to_string());
    if let Some(provider) = provider {
        query.push(" OR shared_with = ").push_bind(provider.as_str());
    }
    query.push(")");
    query
}

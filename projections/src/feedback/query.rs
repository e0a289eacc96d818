//! Feedback, as support looks through it. Who may ask is decided before.

use std::sync::Arc;

use dossier_domain::FeedbackId;

use super::projector::FeedbackRow;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

/// Some feedback, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackPage {
    /// The feedback.
    pub feedback: Vec<FeedbackRow>,
    /// Where the next begins: before this position; `None` at the end.
    pub next_before: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct FeedbackQueries {
    database: Arc<ReadDatabase>,
}

impl FeedbackQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// Feedback; `None` when there is none of this id.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(&self, feedback: FeedbackId) -> Result<Option<FeedbackRow>, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("feedback").push(" WHERE feedback = ").push_bind(feedback.to_string());
        self.database.fetch_optional(&query).await
    }

    /// Feedback that was sent before a position, the newest first.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(&self, before: Option<i64>, limit: u32) -> Result<FeedbackPage, QueryError> {
        let mut query = Sql::new("SELECT * FROM ");
        query.push_live("feedback").push(" WHERE sent_position < ");
        query.push_bind(before.unwrap_or(i64::MAX));
        query.push(" ORDER BY sent_position DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let mut feedback: Vec<FeedbackRow> = self.database.fetch_all(&query).await?;
        let next_before = cut(&mut feedback, limit, |row| row.sent_position);
        Ok(FeedbackPage { feedback, next_before })
    }
}

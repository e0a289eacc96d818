//! How content those are who answered, as support looks at it. Who may ask is decided before.

use std::sync::Arc;

use dossier_domain::VisibilityScope;

use super::projector::COUNTERS;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::scope::push_scope;
use crate::sql::Sql;

/// Which answers are wanted; `None`: whichever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SatisfactionFilter {
    /// Of cases of this product.
    pub product: Option<String>,
    /// Of cases that this provider had.
    pub provider: Option<String>,
    /// Given in this month of UTC, such as `2026-11`.
    pub month: Option<String>,
}

/// The answers of one month about one product and provider.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SatisfactionRow {
    /// The product.
    pub product: String,
    /// The provider that had the cases; empty where none had.
    pub provider: String,
    /// The month, in UTC.
    pub month: String,
    /// How many rated 1.
    pub rated_1: i64,
    /// How many rated 2.
    pub rated_2: i64,
    /// How many rated 3.
    pub rated_3: i64,
    /// How many rated 4.
    pub rated_4: i64,
    /// How many rated 5.
    pub rated_5: i64,
}

impl SatisfactionRow {
    /// How often each rating was given, from 1 to 5.
    pub fn ratings(&self) -> [i64; 5] {
        [self.rated_1, self.rated_2, self.rated_3, self.rated_4, self.rated_5]
    }
}

/// The model's queries.
#[derive(Clone)]
pub struct SatisfactionQueries {
    database: Arc<ReadDatabase>,
}

impl SatisfactionQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// The answers on cases that the scope shows: the latest month first, then by product and provider.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn rows(
        &self,
        scope: &VisibilityScope,
        filter: &SatisfactionFilter,
    ) -> Result<Vec<SatisfactionRow>, QueryError> {
        let sums: Vec<_> = (1..=5).map(|n| format!("CAST(sum(rated_{n}) AS BIGINT) AS rated_{n}")).collect();
        let mut query = Sql::new(format!("SELECT product, provider, month, {} FROM ", sums.join(", ")));
        query.push_live(COUNTERS.name).push(" WHERE ");
        push_scope(&mut query, COUNTERS.name, scope, None);
        for (column, value) in
            [("product", &filter.product), ("provider", &filter.provider), ("month", &filter.month)]
        {
            if let Some(value) = value {
                query.push(format!(" AND {column} = ")).push_bind(value.as_str());
            }
        }
        query.push(" GROUP BY 1, 2, 3 ORDER BY 3 DESC, 1, 2");
        self.database.fetch_all(&query).await
    }
}

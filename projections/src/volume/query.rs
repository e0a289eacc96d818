//! What was counted, by hours.

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_domain::ProductId;
use dossier_eventlog::Position;
use jiff::Timestamp;

use super::projector::ACTS;
use crate::database::{ReadDatabase, stored};
use crate::error::QueryError;
use crate::sql::Sql;

/// How many cases and calls of a product an hour had.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HourlyCount {
    /// The product.
    pub product: String,
    /// The beginning of the hour, seconds since 1970.
    pub hour_seconds: i64,
    /// How many.
    pub acts: i64,
}

/// The model's queries.
#[derive(Clone)]
pub struct VolumeQueries {
    database: Arc<ReadDatabase>,
}

impl VolumeQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// Cases and calls of a product in these hours, of those that lie in the log up to a position; hours without any are left
    /// out.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn counts_until(
        &self,
        product: &ProductId,
        hours: &[Timestamp],
        until: Position,
    ) -> Result<BTreeMap<Timestamp, u32>, QueryError> {
        let mut query = Sql::new("SELECT product, hour_seconds, COUNT(*) AS acts FROM ");
        query.push_live(ACTS).push(" WHERE product = ").push_bind(product.as_str());
        query.push(" AND hour_seconds IN (");
        for (number, hour) in hours.iter().enumerate() {
            query.push(if number > 0 { ", " } else { "" }).push_bind(hour.as_second());
        }
        query.push(") AND position <= ").push_bind(stored(until));
        query.push(" GROUP BY product, hour_seconds");
        let rows: Vec<HourlyCount> = self.database.fetch_all(&query).await?;
        Ok(rows.iter().filter_map(HourlyCount::entry).collect())
    }

    /// Cases and calls by product and hour, of one product or of all, in hours [from, until); hours without any are left out.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn hourly(
        &self,
        product: Option<&ProductId>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<BTreeMap<String, BTreeMap<Timestamp, u32>>, QueryError> {
        let mut query = Sql::new("SELECT product, hour_seconds, COUNT(*) AS acts FROM ");
        query.push_live(ACTS).push(" WHERE hour_seconds >= ").push_bind(from.as_second());
        // An hour that has just begun lies before an instant within its first second.
        let until_seconds = until.as_second() + i64::from(until.subsec_nanosecond() > 0);
        query.push(" AND hour_seconds < ").push_bind(until_seconds);
        if let Some(product) = product {
            query.push(" AND product = ").push_bind(product.as_str());
        }
        query.push(" GROUP BY product, hour_seconds");
        let rows: Vec<HourlyCount> = self.database.fetch_all(&query).await?;
        let mut counts: BTreeMap<String, BTreeMap<Timestamp, u32>> = BTreeMap::new();
        for row in &rows {
            counts.entry(row.product.clone()).or_default().extend(row.entry());
        }
        Ok(counts)
    }
}

impl HourlyCount {
    fn entry(&self) -> Option<(Timestamp, u32)> {
        let hour = Timestamp::from_second(self.hour_seconds).ok()?;
        Some((hour, u32::try_from(self.acts).unwrap_or(u32::MAX)))
    }
}

//! `satisfaction.get`: how content those are who answered surveys (R-SURVEY-1).

use dossier_domain::{ProductId, ProviderId};
use dossier_projections::satisfaction::{SatisfactionFilter, SatisfactionRow};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::support_commands::wrong;
use crate::call::{Call, Reply};
use crate::refusals;
use crate::status::ApiError;

/// How content those are who answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SatisfactionResource {
    /// All answers together.
    pub total: RatingsResource,
    /// The same by month, product and provider, the latest month first.
    pub groups: Vec<SatisfactionGroupResource>,
}

/// Ratings of surveys.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RatingsResource {
    /// How many answered.
    pub answers: i64,
    /// The sum of their ratings.
    pub sum: i64,
    /// Their mean, from 1 to 5; absent without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// How many rated 1, 2, 3, 4 and 5.
    pub ratings: [i64; 5],
}

/// The answers of one month about one product and provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SatisfactionGroupResource {
    /// The month in which they were given, in UTC: `2026-11`.
    pub month: String,
    /// Id of the product.
    pub product: String,
    /// Id of the provider that had the cases when they were answered; absent where none had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// What was answered.
    #[serde(flatten)]
    pub answers: RatingsResource,
}

/// Counts the answers to surveys on the cases that the caller sees, as the read model has them.
///
/// # Errors
/// 400 for a filter that is none.
#[utoipa::path(
    get,
    path = "/v2/satisfaction",
    operation_id = "satisfaction.get",
    tag = "support",
    params(
        ("product" = Option<String>, Query, description = "Of this product only"),
        ("provider" = Option<String>, Query, description = "Of this provider only"),
        ("month" = Option<String>, Query, description = "Of this month of UTC only: 2026-11"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The answers", body = SatisfactionResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let filter = filter(&call)?;
    let scope = call.authority.visibility();
    let rows = call.app.satisfaction.rows(&scope, &filter).await.map_err(|error| refusals::query(&error))?;
    let mut total = [0; 5];
    for row in &rows {
        for (sum, answers) in total.iter_mut().zip(row.ratings()) {
            *sum += answers;
        }
    }
    Reply::json(&SatisfactionResource {
        total: RatingsResource::of(total),
        groups: rows.into_iter().map(group).collect(),
    })
}

fn filter(call: &Call) -> Result<SatisfactionFilter, ApiError> {
    let text = |name| call.query.text(name).map(str::to_owned);
    let (product, provider, month) = (text("product"), text("provider"), text("month"));
    if product.as_deref().is_some_and(|id| ProductId::new(id).is_err()) {
        return Err(wrong("product", "must be the id of a product"));
    }
    if provider.as_deref().is_some_and(|id| ProviderId::new(id).is_err()) {
        return Err(wrong("provider", "must be the id of a provider"));
    }
    let is_month = |text: &str| text.len() == 7 && format!("{text}-01").parse::<Date>().is_ok();
    if month.as_deref().is_some_and(|month| !is_month(month)) {
        return Err(wrong("month", "must be a year and a month, such as 2026-11"));
    }
    Ok(SatisfactionFilter { product, provider, month })
}

fn group(row: SatisfactionRow) -> SatisfactionGroupResource {
    let answers = RatingsResource::of(row.ratings());
    let provider = Some(row.provider).filter(|provider| !provider.is_empty());
    SatisfactionGroupResource { month: row.month, product: row.product, provider, answers }
}

impl RatingsResource {
    fn of(ratings: [i64; 5]) -> Self {
        let answers: i64 = ratings.iter().sum();
        let sum = (1..).zip(ratings).map(|(rating, answers)| rating * answers).sum();
        #[expect(clippy::cast_precision_loss, reason = "nobody answers 2^52 surveys")]
        let mean = (answers > 0).then(|| sum as f64 / answers as f64);
        Self { answers, sum, mean, ratings }
    }
}

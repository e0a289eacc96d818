//! `volumeWatch.dryRun`: which suspicions the watch over the volume would have raised in the past (R-KI-2). Over HTTP, because
//! that is where support tries other numbers, on every profile and while the system runs; the catalogue's count where none are
//! given. Nothing is written.

use dossier_domain::catalogue::{VolumeFactor, VolumePolicy};
use dossier_domain::volume_watch::{WEEKS, bursts_between, hour_of};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::known_issues_read::product;
use super::known_issues_resources::VolumeFiguresResource;
use crate::call::{Call, Reply};
use crate::proto_json::parse_timestamp;
use crate::refusals;
use crate::status::{ApiError, excerpt};

/// Longest stretch of a dry run, in days.
const MAX_DAYS: i64 = 92;
/// The stretch where none is given, in days.
const DEFAULT_DAYS: i64 = 7;
/// Hours of a day.
const DAY_HOURS: i64 = 24;
/// What lies before the stretch and counts: the weeks of the mean, and an hour.
const BEFORE_HOURS: i64 = 4 * 7 * DAY_HOURS + 1;
const _: () = assert!(WEEKS == 4, "the weeks of the mean");

/// What a dry run found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeDryRunResource {
    /// The least number of cases and calls that would have been unusual.
    pub minimum: u32,
    /// How many times the mean.
    pub factor: f64,
    /// The suspicions, by product and hour.
    pub suspicions: Vec<DryRunSuspicionResource>,
}

/// A suspicion that would have been raised.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRunSuspicionResource {
    /// Key of the product.
    pub product: String,
    /// The first hour of the burst, when it was over.
    pub figures: VolumeFiguresResource,
}

/// Shows which suspicions the watch over the volume would have raised, with the catalogue's or with other numbers.
///
/// # Errors
/// 400 for bad instants or numbers, and for a stretch of more than 92 days.
#[utoipa::path(
    get,
    path = "/v2/volumeWatch:dryRun",
    operation_id = "volumeWatch.dryRun",
    tag = "known issues",
    params(
        ("product" = Option<String>, Query, description = "Only this product"),
        ("from" = Option<String>, Query, description = "From this instant (RFC 3339), in whole hours; 7 days before `until` when absent"),
        ("until" = Option<String>, Query, description = "Until this instant, exclusive; now when absent"),
        ("minimum" = Option<u32>, Query, description = "At least so many; the catalogue's when absent"),
        ("factor" = Option<f64>, Query, description = "So many times the mean, 1 to 1,000; the catalogue's when absent"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "What would have been raised", body = VolumeDryRunResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let policy = policy(&call)?;
    let product = call.query.text("product").map(product).transpose()?;
    let instant_of = |name: &'static str| call.query.text(name).map(|text| instant(name, text)).transpose();
    let until = instant_of("until")?.unwrap_or_else(|| call.app.commands.now());
    let from = instant_of("from")?.map_or_else(|| before(until, DEFAULT_DAYS * DAY_HOURS), hour_of);
    if from > until || before(until, MAX_DAYS * DAY_HOURS) > from {
        return Err(ApiError::invalid_field(
            "from",
            format!("must lie at most {MAX_DAYS} days before until"),
        )
        .with_reason("INVALID_QUERY"));
    }
    let counts = call.app.volume.hourly(product.as_ref(), before(from, BEFORE_HOURS), until).await;
    let counts = counts.map_err(|error| refusals::query(&error))?;
    let mut suspicions = Vec::new();
    for (product, hours) in &counts {
        let bursts = bursts_between(policy, from, until, hours);
        suspicions.extend(
            bursts
                .iter()
                .map(|figures| DryRunSuspicionResource { product: product.clone(), figures: figures.into() }),
        );
    }
    Reply::json(&VolumeDryRunResource {
        minimum: policy.minimum,
        factor: f64::from(policy.factor.hundredths()) / 100.0,
        suspicions,
    })
}

fn before(instant: Timestamp, hours: i64) -> Timestamp {
    hour_of(instant.saturating_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN))
}

/// The catalogue's policy, or other numbers.
fn policy(call: &Call) -> Result<VolumePolicy, ApiError> {
    let VolumePolicy { mut minimum, mut factor } = call.app.commands.catalogue().volume_watch;
    let invalid =
        |name: &str, wanted: &str| ApiError::invalid_field(name, wanted).with_reason("INVALID_QUERY");
    if let Some(text) = call.query.text("minimum") {
        let wanted = text.parse().ok().filter(|minimum| *minimum > 0);
        minimum = wanted.ok_or_else(|| invalid("minimum", "wanted a number from 1"))?;
    }
    if let Some(text) = call.query.text("factor") {
        factor =
            VolumeFactor::parse(text).ok_or_else(|| invalid("factor", "wanted a number from 1 to 1,000"))?;
    }
    Ok(VolumePolicy { minimum, factor })
}

fn instant(name: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    parse_timestamp(text).ok_or_else(|| {
        let wanted = "is not an instant such as 2026-01-31T09:00:00Z";
        ApiError::invalid_field(name, format!("{} {wanted}", excerpt(text))).with_reason("INVALID_QUERY")
    })
}

//! `stats.get`: how many cases there are, by what they have in common.

use dossier_domain::{AccessRefusal, Side};
use dossier_projections::cases::{CaseCount, CaseCounts, CountBy};
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::proto_json::EnumTable;
use crate::refusals;
use crate::resources::{STATES, state_number};
use crate::status::ApiError;

/// What cases are counted by.
const BY: &EnumTable = &[("state", 0), ("priority", 1), ("product", 2), ("provider", 3)];

/// How many cases the caller sees, by what they have in common. Each list has the values that any of them has, in order.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseStatsResource {
    /// All of them.
    pub total: i64,
    /// The same by what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Vec<CaseCountResource>>,
    /// By state, where nothing was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_state: Option<Vec<CaseCountResource>>,
    /// By priority, where nothing was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_priority: Option<Vec<CaseCountResource>>,
    /// By product, where nothing was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_product: Option<Vec<CaseCountResource>>,
    /// By support provider, where nothing was asked for; shown to support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_provider: Option<Vec<CaseCountResource>>,
}

/// How many cases have a value.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseCountResource {
    /// A state, a priority, the id of a product or of a provider; absent: they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// How many, at least one.
    pub cases: i64,
}

/// Counts the cases of an organization, or (`-`) all that the caller sees, as the read model has them.
///
/// # Errors
/// 400 for something that nothing is counted by; 403 when others than support count by provider.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/stats",
    operation_id = "stats.get",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization, or `-`"),
        ("by" = Option<String>, Query, description = "state, priority, product or, for support, provider; by all of them when absent"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The counts", body = CaseStatsResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let by = match call.query.enumeration("by", BY)? {
        Some(0) => Some(CountBy::State),
        Some(1) => Some(CountBy::Priority),
        Some(2) => Some(CountBy::Product),
        Some(_) => Some(CountBy::Provider),
        None => None,
    };
    // Who works on a case is support's own business (R-COMMENT-3).
    let shows_providers = call.authority.side() == Side::Support;
    if by == Some(CountBy::Provider) && !shows_providers {
        return Err(refusals::access(&AccessRefusal::NotForYou { who: "support staff" }));
    }
    let organization = call.parent.as_ref().map(|parent| &parent.organization);
    let counts = call.app.cases.counts(&call.authority.visibility(), organization).await;
    let counts = counts.map_err(|error| refusals::query(&error))?;
    let resource = CaseStatsResource { total: counts.total, ..CaseStatsResource::default() };
    Reply::json(&match by {
        Some(by) => CaseStatsResource { counts: Some(resources(&counts, by)), ..resource },
        None => CaseStatsResource {
            by_state: Some(resources(&counts, CountBy::State)),
            by_priority: Some(resources(&counts, CountBy::Priority)),
            by_product: Some(resources(&counts, CountBy::Product)),
            by_provider: shows_providers.then(|| resources(&counts, CountBy::Provider)),
            ..resource
        },
    })
}

/// Counts all cases that the caller sees, of every organization, as the read model has them.
///
/// # Errors
/// As for those of one organization.
#[utoipa::path(
    get,
    path = "/v2/stats",
    operation_id = "stats.getAll",
    tag = "cases",
    params(
        ("by" = Option<String>, Query, description = "state, priority, product or, for support, provider; by all of them when absent"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The counts", body = CaseStatsResource)),
)]
pub async fn handle_all(call: Call) -> Result<Reply, ApiError> {
    handle(call).await
}

fn resources(counts: &CaseCounts, by: CountBy) -> Vec<CaseCountResource> {
    counts.by(by).into_iter().map(|count| resource(count, by)).collect()
}

fn resource(CaseCount { value, cases }: CaseCount, by: CountBy) -> CaseCountResource {
    let value = match by {
        CountBy::State => {
            let number = state_number(&value);
            STATES.iter().find(|(_, known)| *known == number).map_or(value, |(name, _)| (*name).to_owned())
        }
        CountBy::Priority => format!("P{value}"),
        CountBy::Product | CountBy::Provider => value,
    };
    CaseCountResource { value: Some(value).filter(|value| !value.is_empty()), cases }
}

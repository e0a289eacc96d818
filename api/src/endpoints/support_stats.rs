//! `stats.get`: how many cases there are, by what they have in common.

use dossier_domain::{AccessRefusal, Side};
use dossier_projections::cases::{CaseCount, CountBy};
use serde::Serialize;
use utoipa::ToSchema;

use super::support_commands::wrong;
use crate::call::{Call, Reply};
use crate::proto_json::EnumTable;
use crate::refusals;
use crate::resources::{STATES, state_number};
use crate::status::ApiError;

/// What cases are counted by.
const BY: &EnumTable = &[("state", 0), ("priority", 1), ("product", 2), ("provider", 3)];

/// How many cases the caller sees, by what they have in common.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseStatsResource {
    /// All of them.
    pub total: i64,
    /// The same by each value that any of them has, in the order of the values.
    pub counts: Vec<CaseCountResource>,
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
/// 400 without anything to count by; 403 when others than support count by provider.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/stats",
    operation_id = "stats.get",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization, or `-`"),
        ("by" = String, Query, description = "state, priority, product or, for support, provider"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The counts", body = CaseStatsResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let by = match call.query.enumeration("by", BY)? {
        Some(0) => CountBy::State,
        Some(1) => CountBy::Priority,
        Some(2) => CountBy::Product,
        Some(_) => CountBy::Provider,
        None => {
            return Err(wrong("by", "must be given: state, priority, product or provider"));
        }
    };
    // Who works on a case is support's own business (R-COMMENT-3).
    if by == CountBy::Provider && call.authority.side() != Side::Support {
        return Err(refusals::access(&AccessRefusal::NotForYou { who: "support staff" }));
    }
    let organization = call.parent.as_ref().map(|parent| &parent.organization);
    let scope = call.authority.visibility();
    let counts = call.app.cases.counts(&scope, organization, by).await;
    let counts = counts.map_err(|error| refusals::query(&error))?;
    Reply::json(&CaseStatsResource {
        total: counts.iter().map(|count| count.cases).sum(),
        counts: counts.into_iter().map(|count| resource(count, by)).collect(),
    })
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

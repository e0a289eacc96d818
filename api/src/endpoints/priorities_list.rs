//! `priorities.list`: what each priority means, in full (R-CASE-2).

use dossier_domain::catalogue::Priority;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::resources::PRIORITIES;
use crate::status::ApiError;

/// All priorities.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriorityList {
    /// The most urgent first.
    pub priorities: Vec<PriorityResource>,
}

/// A priority.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriorityResource {
    /// P0 to P4.
    #[schema(value_type = String)]
    pub priority: Value,
    /// What it means.
    pub description: String,
    /// Keys of the plans that offer it.
    pub plans: Vec<String>,
}

/// Lists the priorities with what they mean and which plans offer them.
///
/// # Errors
/// Only those of every call.
#[utoipa::path(
    get,
    path = "/v2/priorities",
    operation_id = "priorities.list",
    tag = "classifications",
    responses((status = 200, description = "Priorities", body = PriorityList)),
)]
pub fn handle(call: &Call) -> Result<Reply, ApiError> {
    let plans = &call.app.commands.catalogue().plans;
    let priorities = Priority::ALL
        .into_iter()
        .map(|priority| PriorityResource {
            priority: call.enums().encode(i32::from(priority.digit()) + 1, PRIORITIES),
            description: priority.description().to_owned(),
            plans: plans
                .iter()
                .filter(|plan| plan.priorities.contains(&priority))
                .map(|plan| plan.id.to_string())
                .collect(),
        })
        .collect();
    Reply::json(&PriorityList { priorities })
}

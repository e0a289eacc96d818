//! `agents.list`: who can be given a case (R-ROUTE-1), as each agent's last sign-in said.

use dossier_domain::{ProviderId, VisibilityScope};
use dossier_projections::accounts::AgentRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::ApiError;

/// An agent of support. What was erased is absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentResource {
    /// `agents/{account}`: what `:assign` takes.
    pub name: String,
    /// Address, which `:assign` takes too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The support provider that they work for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// Some agents.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentList {
    /// The agents, in the order of their names.
    pub agents: Vec<AgentResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after an account.
#[derive(Serialize, Deserialize)]
struct Cursor {
    after: String,
}

/// Lists the agents of the caller's provider, engineers those of all. Whoever has not signed in yet is not among them.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/agents",
    operation_id = "agents.list",
    tag = "support",
    params(
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The agents", body = AgentList)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let provider = match call.authority.visibility() {
        VisibilityScope::AllOrganizations => None,
        VisibilityScope::Provider { provider, .. } => Some(provider),
        // Nobody else gets here.
        _ => return Reply::json(&AgentList { agents: Vec::new(), next_page_token: None }),
    };
    let whose = provider.as_ref().map(|of| of.as_ref().map_or("", ProviderId::as_str));
    let scope = format!("{} {whose:?}", call.endpoint.id);
    let after = call.cursor::<Cursor>(&scope)?.map(|cursor| cursor.after);
    let page = call.app.accounts.agents(whose, after.as_deref(), limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    Reply::json(&AgentList {
        agents: page.agents.into_iter().map(AgentResource::of_row).collect(),
        next_page_token: page.next_after.map(|after| call.app.page_tokens.seal(&scope, &Cursor { after })),
    })
}

impl AgentResource {
    fn of_row(row: AgentRow) -> Self {
        Self {
            name: format!("agents/{}", row.account),
            email: row.email,
            display_name: row.display_name,
            provider: Some(row.provider).filter(|provider| !provider.is_empty()),
        }
    }
}

//! `accountRecoveryCases.close`: support is done with the recovery of an account (R-ACCESS-6).

use dossier_domain::account_recovery::{AccountRecoveryCommand, CloseAccountRecovery};
use utoipa::ToSchema;

use super::account_recovery_list::{AccountRecoveryResource, recovery_id};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::ApiError;

/// What came of it.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct AccountRecoveryOutcome {
    /// For support; 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5_000)]
    outcome: String,
}

/// Closes the recovery of an account with what came of it.
///
/// # Errors
/// 404 when nobody asked for it; 400 for an empty or too long outcome, and where it is closed already.
#[utoipa::path(
    post,
    path = "/v2/accountRecoveryCases/{recovery}:close",
    operation_id = "accountRecoveryCases.close",
    tag = "account recovery",
    params(
        ("recovery" = String, Path, description = "Id of the recovery"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = AccountRecoveryOutcome,
    responses((status = 200, description = "The recovery", body = AccountRecoveryResource)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let recovery = recovery_id(&call)?;
    let outcome = Message::parse(&call.body)?.string("outcome")?.unwrap_or_default();
    let command = AccountRecoveryCommand::Close(CloseAccountRecovery { outcome });
    let request = call.command_request()?;
    let outcome = call.app.commands.account_recovery(&request, Some(recovery), &command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::account_recovery))?;
    let resource = AccountRecoveryResource::of_state(&outcome.folded.state)
        .ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}

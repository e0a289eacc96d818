//! `accountRecoveryCases.create`: asking support for an account back, without signing in (R-ACCESS-6).
//!
//! Nothing is looked up: what is answered, and how long it takes, is the same whether or not there is an account. How much may
//! be asked is bounded by [`crate::limits`], and the body by [`crate::pipeline`].

use dossier_domain::account_recovery::{
    AccountRecoveryCommand, MAX_DESCRIPTION_CHARS, RequestAccountRecovery,
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::refusals;
use crate::status::ApiError;

/// What is asked.
#[derive(ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewAccountRecoveryCase {
    /// Where to answer.
    #[schema(format = "email", max_length = 320)]
    email: String,
    /// What happened; 1 to 5,000 characters.
    #[schema(min_length = 1, max_length = 5_000)]
    description: String,
    /// The language to answer in, BCP 47; `en` when absent, or where support does not speak it.
    language_code: Option<String>,
}

const _: () = assert!(MAX_DESCRIPTION_CHARS == 5_000, "as the OpenAPI document says");

/// That it was received; support answers by mail.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedAccountRecoveryResource {
    /// `accountRecoveryCases/{id}`: what to call it when talking to support.
    pub name: String,
    /// When it was received.
    #[schema(value_type = String, format = DateTime)]
    pub create_time: Timestamp,
}

/// Asks support to recover an account. Needs no sign-in, and looks at none.
///
/// # Errors
/// 400 for what is no address, or an empty or too long text; 413 for a body above 64 KiB; 429 when too much is asked.
#[utoipa::path(
    post,
    path = "/v2/accountRecoveryCases",
    operation_id = "accountRecoveryCases.create",
    tag = "account recovery",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID")),
    request_body = NewAccountRecoveryCase,
    responses((status = 200, description = "It was received", body = ReceivedAccountRecoveryResource)),
    security(()),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let command = AccountRecoveryCommand::Request(RequestAccountRecovery {
        email: message.string("email")?.unwrap_or_default(),
        description: message.string("description")?.unwrap_or_default(),
        language: message.string("languageCode")?.unwrap_or_default(),
    });
    let request = call.command_request()?;
    let outcome = call.app.commands.account_recovery(&request, None, &command).await;
    let outcome = outcome.map_err(|error| refusals::command(&error, refusals::account_recovery))?;
    let requested = outcome.folded.state.requested();
    let requested = requested.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let received = ReceivedAccountRecoveryResource {
        name: format!("accountRecoveryCases/{}", requested.recovery),
        create_time: requested.at,
    };
    Ok(Reply::json(&received)?.after_command(outcome.folded.position, outcome.replayed))
}

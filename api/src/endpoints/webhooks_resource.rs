//! A webhook as the API shows it, and what its use cases share.

use dossier_commands::WebhookOutcome;
use dossier_domain::WebhookId;
use dossier_domain::webhook::{
    DisableCause, Hook, NewSecret, SECRET_BYTES, WebhookCommand, WebhookRejection, WebhookUrl,
};
use dossier_projections::event_delivery::WebhookRow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::organizations_commands::invalid;
use crate::call::{Call, Reply};
use crate::proto_json::{EnumEncoding, EnumTable, Message, format_timestamp};
use crate::refusals;
use crate::status::ApiError;

/// Why a webhook gets no messages.
pub const DISABLE_CAUSES: &EnumTable = &[("DISABLE_CAUSE_UNSPECIFIED", 0), ("OWNER", 1), ("GONE", 2)];

/// A webhook of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookResource {
    /// `organizations/{organization}/webhooks/{id}`.
    pub name: String,
    /// Where messages are sent; absent when it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The topic that it serves: it gets what the organization's subscriptions to that topic get.
    pub pub_sub_topic: String,
    /// Whether it gets messages.
    pub enabled: bool,
    /// Why not: OWNER, or GONE where it answered 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub disable_cause: Option<Value>,
    /// What messages are signed with, `whsec_` and base64; shown by creation and rotation and never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Until when they are signed with the secret before it too, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret_expire_time: Option<String>,
    /// When it was made.
    pub create_time: String,
    /// When anything last happened to it.
    pub update_time: String,
}

impl WebhookResource {
    /// As the read model has it.
    ///
    /// # Errors
    /// 500 for an instant that is none.
    pub(super) fn of_row(row: &WebhookRow, now: Timestamp, enums: EnumEncoding) -> Result<Self, ApiError> {
        let instant = |micros: i64| {
            Timestamp::from_microsecond(micros).map_err(|error| ApiError::internal(error.to_string()))
        };
        let cause = row.disabled_cause.as_deref();
        let cause = DISABLE_CAUSES.iter().find(|(name, _)| Some(*name) == cause).map(|(_, number)| *number);
        let previous = row.previous_secret_until_micros.map(instant).transpose()?;
        Ok(Self {
            name: format!("organizations/{}/webhooks/{}", row.organization, row.webhook),
            url: row.url.clone(),
            pub_sub_topic: row.topic.clone(),
            enabled: cause.is_none(),
            disable_cause: cause.map(|number| enums.encode(number, DISABLE_CAUSES)),
            secret: None,
            previous_secret_expire_time: previous.filter(|until| now < *until).map(format_timestamp),
            create_time: format_timestamp(instant(row.created_at_micros)?),
            update_time: format_timestamp(instant(row.updated_at_micros)?),
        })
    }

    /// As a command left it, without the secret.
    pub(super) fn of_fold(hook: &Hook, now: Timestamp, enums: EnumEncoding) -> Self {
        let cause = hook.disabled.map(|cause| match cause {
            DisableCause::Owner => 1,
            DisableCause::Gone => 2,
        });
        let previous = hook.previous.as_ref().map(|previous| previous.until);
        Self {
            name: format!("organizations/{}/webhooks/{}", hook.organization, hook.webhook),
            url: hook.url.open().cloned(),
            pub_sub_topic: hook.topic.to_string(),
            enabled: cause.is_none(),
            disable_cause: cause.map(|number| enums.encode(number, DISABLE_CAUSES)),
            secret: None,
            previous_secret_expire_time: previous.filter(|until| now < *until).map(format_timestamp),
            create_time: format_timestamp(hook.created_at),
            update_time: format_timestamp(hook.updated_at),
        }
    }
}

/// The webhook of the path.
///
/// # Errors
/// 404 when the text cannot be a webhook's id.
pub(super) fn webhook_id(call: &Call) -> Result<WebhookId, ApiError> {
    call.params.item.parse().map_err(|_| webhook_not_found())
}

pub(super) fn webhook_not_found() -> ApiError {
    refusals::webhook(&WebhookRejection::NotFound)
}

/// The address that a field gives, if it may be called here.
///
/// # Errors
/// 400 when it is missing, or may not.
pub(super) fn url(call: &Call, message: &Message) -> Result<WebhookUrl, ApiError> {
    let text = message.string("url")?.unwrap_or_default();
    WebhookUrl::parse(&text, call.app.webhooks.policy()).map_err(|why| invalid(message.path("url"), why))
}

/// Random bytes for a secret.
pub(super) fn new_secret(call: &Call) -> NewSecret {
    let mut bytes = [0; SECRET_BYTES];
    (call.app.entropy)(&mut bytes);
    NewSecret(bytes)
}

/// Executes a command on a webhook of the path's organization.
pub(super) async fn outcome(
    call: &Call,
    webhook: Option<WebhookId>,
    command: &WebhookCommand,
) -> Result<WebhookOutcome, ApiError> {
    let request = call.command_request()?;
    let done = call.app.commands.webhook(&request, &call.parent()?.organization, webhook, command).await;
    done.map_err(|error| refusals::command(&error, refusals::webhook))
}

/// Answers a command with what it left, and its secret where that is new.
pub(super) fn reply(call: &Call, outcome: &WebhookOutcome, shows_secret: bool) -> Result<Reply, ApiError> {
    let hook = outcome.folded.state.hook();
    let hook = hook.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let mut resource = WebhookResource::of_fold(hook, call.app.commands.now(), call.enums());
    resource.secret = hook.secret.reveal().filter(|_| shows_secret).map(str::to_owned);
    let revision = outcome.folded.revision.and_then(|revision| i64::try_from(revision.0).ok());
    Ok(Reply::json(&resource)?
        .with_etag(revision.unwrap_or_default())
        .after_command(outcome.folded.position, outcome.replayed))
}

//! A subscription to events as the API shows it, and what its use cases share.

use dossier_commands::{CommandError, EventSubscriptionOutcome};
use dossier_domain::EventSubscriptionId;
use dossier_domain::event_subscription::{
    EventSubscriptionCommand, EventSubscriptionRejection, FailureReason, Subscribed, SubscriptionState, Topic,
};
use dossier_projections::event_delivery::EventSubscriptionRow;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::organizations_commands::invalid;
use crate::call::{Call, Reply};
use crate::proto_json::{EnumEncoding, EnumTable, Message, format_timestamp};
use crate::refusals;
use crate::status::ApiError;

/// Where a subscription stands.
pub const SUBSCRIPTION_STATES: &EnumTable =
    &[("STATE_UNSPECIFIED", 0), ("WORKING", 1), ("FAILING", 2), ("DELETED", 3)];
/// Why notifications do not arrive.
pub const FAILURE_REASONS: &EnumTable =
    &[("FAILURE_REASON_UNSPECIFIED", 0), ("PERMISSION_DENIED", 1), ("TOPIC_NOT_FOUND", 2), ("OTHER", 3)];

/// A subscription of an organization to what happens to its cases.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportEventSubscriptionResource {
    /// `organizations/{organization}/supportEventSubscriptions/{id}`.
    pub name: String,
    /// Where notifications go: `projects/{project}/topics/{topic}`.
    pub pub_sub_topic: String,
    /// WORKING, FAILING or DELETED.
    #[schema(value_type = String)]
    pub state: Value,
    /// Why they do not arrive, while FAILING: PERMISSION_DENIED, TOPIC_NOT_FOUND or OTHER.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub failure_reason: Option<Value>,
    /// When it was made.
    pub create_time: String,
    /// When anything last happened to it.
    pub update_time: String,
    /// When it was deleted, while DELETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_time: Option<String>,
    /// When it is gone for good, while DELETED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge_time: Option<String>,
}

impl SupportEventSubscriptionResource {
    /// As the read model has it.
    ///
    /// # Errors
    /// 500 for an instant that is none.
    pub(super) fn of_row(row: &EventSubscriptionRow, enums: EnumEncoding) -> Result<Self, ApiError> {
        let instant = |micros: i64| {
            Timestamp::from_microsecond(micros)
                .map(format_timestamp)
                .map_err(|error| ApiError::internal(error.to_string()))
        };
        let failure = row.failure_reason.as_deref();
        let number =
            FAILURE_REASONS.iter().find(|(name, _)| Some(*name) == failure).map(|(_, number)| *number);
        let (state, failure) = match (row.deleted_at_micros, number) {
            (Some(_), _) => (3, None),
            (None, Some(number)) => (2, Some(number)),
            (None, None) => (1, None),
        };
        Ok(Self {
            name: name(&row.organization, &row.subscription),
            pub_sub_topic: row.topic.clone(),
            state: enums.encode(state, SUBSCRIPTION_STATES),
            failure_reason: failure.map(|number| enums.encode(number, FAILURE_REASONS)),
            create_time: instant(row.created_at_micros)?,
            update_time: instant(row.updated_at_micros)?,
            delete_time: row.deleted_at_micros.map(instant).transpose()?,
            purge_time: row.purge_at_micros.map(instant).transpose()?,
        })
    }

    /// As a command left it.
    pub(super) fn of_fold(known: &Subscribed, enums: EnumEncoding) -> Self {
        let (state, failure) = match known.state() {
            SubscriptionState::Working => (1, None),
            SubscriptionState::Failing(FailureReason::PermissionDenied) => (2, Some(1)),
            SubscriptionState::Failing(FailureReason::TopicNotFound) => (2, Some(2)),
            SubscriptionState::Failing(FailureReason::Other) => (2, Some(3)),
            SubscriptionState::Deleted => (3, None),
        };
        Self {
            name: name(known.organization.as_str(), &known.subscription.to_string()),
            pub_sub_topic: known.topic.to_string(),
            state: enums.encode(state, SUBSCRIPTION_STATES),
            failure_reason: failure.map(|number| enums.encode(number, FAILURE_REASONS)),
            create_time: format_timestamp(known.created_at),
            update_time: format_timestamp(known.updated_at),
            delete_time: known.deleted.map(|deletion| format_timestamp(deletion.at)),
            purge_time: known.deleted.map(|deletion| format_timestamp(deletion.purge_at)),
        }
    }
}

fn name(organization: &str, subscription: &str) -> String {
    format!("organizations/{organization}/supportEventSubscriptions/{subscription}")
}

/// The subscription of the path.
///
/// # Errors
/// 404 when the text cannot be a subscription's id.
pub(super) fn subscription_id(call: &Call) -> Result<EventSubscriptionId, ApiError> {
    call.params.item.parse().map_err(|_| subscription_not_found())
}

pub(super) fn subscription_not_found() -> ApiError {
    refusals::event_subscription(&EventSubscriptionRejection::NotFound)
}

/// The topic that a field names.
///
/// # Errors
/// 400 when it is missing or names none.
pub(super) fn topic(message: &Message) -> Result<Topic, ApiError> {
    let text = message.string("pubSubTopic")?.unwrap_or_default();
    text.parse().map_err(|why: dossier_domain::event_subscription::InvalidTopic| {
        invalid(message.path("pubSubTopic"), why.to_string())
    })
}

/// Executes a command on a subscription of the path's organization.
pub(super) async fn outcome(
    call: &Call,
    subscription: Option<EventSubscriptionId>,
    command: &EventSubscriptionCommand,
) -> Result<EventSubscriptionOutcome, ApiError> {
    let request = call.command_request()?;
    let organization = &call.parent()?.organization;
    let done: Result<_, CommandError<_>> =
        call.app.commands.event_subscription(&request, organization, subscription, command).await;
    done.map_err(|error| refusals::command(&error, refusals::event_subscription))
}

/// Executes a command and answers with what it left.
pub(super) async fn execute(
    call: &Call,
    subscription: Option<EventSubscriptionId>,
    command: &EventSubscriptionCommand,
) -> Result<Reply, ApiError> {
    let outcome = outcome(call, subscription, command).await?;
    let known = outcome.folded.state.at(outcome.at);
    let known = known.ok_or_else(|| ApiError::internal("an accepted command left nothing"))?;
    let resource = SupportEventSubscriptionResource::of_fold(known, call.enums());
    let revision = outcome.folded.revision.and_then(|revision| i64::try_from(revision.0).ok());
    Ok(Reply::json(&resource)?
        .with_etag(revision.unwrap_or_default())
        .after_command(outcome.folded.position, outcome.replayed))
}

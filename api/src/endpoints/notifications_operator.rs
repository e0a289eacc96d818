//! `notifications.list`, `notifications.retry`: for the operator, the messages of all organizations by what became of them, and
//! sending one again whose acceptance stayed unknown, or that failed for good (R-NOTIFY-2). No address is shown.

use dossier_processes::notifications::ledger::{LedgerFilter, MessageId};
use uuid::Uuid;

use super::case_notifications::{Cursor, NotificationList};
use super::notification_resource::{MESSAGE_STATES, NotificationResource, message_state};
use crate::call::{Call, Reply};
use crate::proto_json::Message;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::status::{ApiError, Code};

/// Lists messages, the earliest event first.
///
/// # Errors
/// 400 for a bad state, page size or token.
#[utoipa::path(
    get,
    path = "/v2/notifications",
    operation_id = "notifications.list",
    tag = "notifications",
    params(
        ("state" = Option<String>, Query, description = "Such as `UNKNOWN` or `FAILED`; all when absent"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same state"),
    ),
    responses((status = 200, description = "Messages", body = NotificationList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let state = call.query.enumeration("state", MESSAGE_STATES)?.and_then(message_state);
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("{} {state:?}", call.endpoint.id);
    let page = Cursor::page(call.cursor::<Cursor>(&scope)?, limit);
    let filter = LedgerFilter { state, ..LedgerFilter::default() };
    let entries = call.app.fleet.work.messages_in(&filter, page).await;
    let mut entries = entries.map_err(|error| refusals::work_store(&error))?;
    let next = Cursor::cut(&mut entries, limit);
    Reply::json(&NotificationList {
        notifications: entries.iter().map(NotificationResource::of).collect(),
        next_page_token: next.map(|cursor| call.app.page_tokens.seal(&scope, &cursor)),
    })
}

/// Sends a message again that failed for good, or whose acceptance stayed unknown: then its reader may get it twice, under the
/// same `Message-ID`.
///
/// # Errors
/// 404 when there is no such message; 400 for one that is in another state (`NOTIFICATION_NOT_SETTLED`).
#[utoipa::path(
    post,
    path = "/v2/notifications/{notification}:retry",
    operation_id = "notifications.retry",
    tag = "notifications",
    params(("notification" = String, Path, description = "Id of the message")),
    responses((status = 200, description = "The message", body = NotificationResource)),
)]
pub async fn retry(call: Call) -> Result<Reply, ApiError> {
    let not_found = || {
        ApiError::new(Code::NotFound, "there is no such notification").with_reason("NOTIFICATION_NOT_FOUND")
    };
    Message::parse(&call.body)?;
    let id = MessageId(Uuid::try_parse(&call.params.item).map_err(|_| not_found())?);
    let work = &call.app.fleet.work;
    let unavailable = |error| refusals::work_store(&error);
    work.message(id).await.map_err(unavailable)?.ok_or_else(not_found)?;
    if !work.retry(id, call.app.commands.now()).await.map_err(unavailable)? {
        let why = "only a notification that is FAILED or UNKNOWN is sent again; look at its state";
        return Err(ApiError::new(Code::FailedPrecondition, why).with_reason("NOTIFICATION_NOT_SETTLED"));
    }
    tracing::info!(account = %call.actor.account, message = %id, "a message is sent again");
    let entry = work.message(id).await.map_err(unavailable)?.ok_or_else(not_found)?;
    Reply::json(&NotificationResource::of(&entry))
}

//! `cases.notifications.list`: which messages about a case were meant for whom, and what became of them (R-NOTIFY-2);
//! `cases.stopNotifications`, `cases.resumeNotifications`: ending and resuming one's own mails about it.

use dossier_domain::case::{CaseCommand, ChangeNotifications, NotificationsChannel};
use dossier_domain::notification::RecipientKey;
use dossier_eventlog::Position;
use dossier_processes::notifications::ledger::{LedgerFilter, LedgerPage, MessageId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::case_commands::execute;
use super::notification_resource::NotificationResource;
use crate::call::{Call, Reply, case_not_found};
use crate::proto_json::Message;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::resources::CaseResource;
use crate::status::ApiError;

/// Some messages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotificationList {
    /// The messages, the earliest event first.
    pub notifications: Vec<NotificationResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues after a message.
#[derive(Serialize, Deserialize)]
pub(super) struct Cursor {
    position: u64,
    id: Uuid,
}

impl Cursor {
    /// What a page begins after, and how many it has: one more than asked for tells whether others follow.
    pub(super) fn page(cursor: Option<Self>, limit: u32) -> LedgerPage {
        let after = cursor.map(|cursor| (Position(cursor.position), MessageId(cursor.id)));
        LedgerPage { after, limit: limit.saturating_add(1) }
    }

    /// Where the next page begins, of one more than were asked for.
    pub(super) fn cut(
        entries: &mut Vec<dossier_processes::notifications::ledger::LedgerEntry>,
        limit: u32,
    ) -> Option<Self> {
        let limit = limit as usize;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last().filter(|_| more)?;
        Some(Self { position: last.message.position.0, id: last.message.id.0 })
    }
}

/// Lists the messages about a case, for support.
///
/// # Errors
/// 404 when there is no such case, or none that the caller sees; 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/organizations/{organization}/cases/{case}/notifications",
    operation_id = "cases.notifications.list",
    tag = "notifications",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same case"),
    ),
    responses((status = 200, description = "Messages", body = NotificationList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let parent = call.parent()?;
    let (organization, case) = (&parent.organization, call.case_id()?);
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let seen = call.app.current_cases.get(&call.scope()?, organization, case).await;
    seen.map_err(|error| refusals::query(&error))?.ok_or_else(case_not_found)?;
    let scope = format!("cases.notifications.list {organization} {case}");
    let page = Cursor::page(call.cursor::<Cursor>(&scope)?, limit);
    let filter = LedgerFilter { stream: Some(format!("case-{case}")), ..LedgerFilter::default() };
    let entries = call.app.fleet.work.messages_in(&filter, page).await;
    let mut entries = entries.map_err(|error| refusals::work_store(&error))?;
    let next = Cursor::cut(&mut entries, limit);
    let mut notifications = Vec::with_capacity(entries.len());
    for entry in &entries {
        let resource = NotificationResource::for_support(entry, &call.app, &parent.access).await;
        notifications.push(resource.map_err(refusals::load)?);
    }
    let next_page_token = next.map(|cursor| call.app.page_tokens.seal(&scope, &cursor));
    Reply::json(&NotificationList { notifications, next_page_token })
}

/// Ends the caller's mails about a case. Where that was done, nothing changes.
///
/// # Errors
/// 404 when there is no such case, or none that the caller sees.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:stopNotifications",
    operation_id = "cases.stopNotifications",
    tag = "notifications",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn stop(call: Call) -> Result<Reply, ApiError> {
    change(&call, true).await
}

/// Resumes the caller's mails about a case. Where they were never ended, nothing changes.
///
/// # Errors
/// 404 when there is no such case, or none that the caller sees.
#[utoipa::path(
    post,
    path = "/v2/organizations/{organization}/cases/{case}:resumeNotifications",
    operation_id = "cases.resumeNotifications",
    tag = "notifications",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("If-Match" = Option<String>, Header, description = "The ETag the case must still have"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "The case", body = CaseResource)),
)]
pub async fn resume(call: Call) -> Result<Reply, ApiError> {
    change(&call, false).await
}

async fn change(call: &Call, stop: bool) -> Result<Reply, ApiError> {
    let case = call.case_id()?;
    Message::parse(&call.body)?;
    let recipient = RecipientKey::Account(call.actor.account);
    let command = ChangeNotifications { recipient, stop, via: NotificationsChannel::SignedIn };
    execute(call, Some(case), &CaseCommand::ChangeNotifications(command)).await
}

//! `savedViews`: filters of cases that support's people keep under a name.

use dossier_commands::SavedViewOutcome;
use dossier_domain::SavedViewId;
use dossier_domain::saved_view::{ChangeView, DeleteView, KeptView, SaveView, SavedViewCommand};
use dossier_projections::saved_views::SavedViewRow;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::support_commands::own;
use crate::call::{Call, Reply};
use crate::filter::{CaseFilter, FilterMode};
use crate::mask::Mask;
use crate::proto_json::{Message, format_timestamp};
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::resources::{ERASED, instant};
use crate::status::{ApiError, Code};

const PATHS: &[&str] = &["display_name", "filter", "shared"];

/// A view to save, or what changes of one.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the request for the OpenAPI document; requests are read field by field"
)]
pub struct NewSavedView {
    /// Name to show; 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    display_name: String,
    /// A filter of `organizations/-/cases`; empty for every case.
    #[schema(example = "assignee=none AND priority=P1")]
    filter: Option<String>,
    /// Whether the agents of one's provider see it too.
    shared: Option<bool>,
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedViewResource {
    /// `savedViews/{view}`.
    pub name: String,
    /// Name to show.
    pub display_name: String,
    /// The filter, for `organizations/-/cases`.
    pub filter: String,
    /// Whether the agents of the owner's provider see it too.
    pub shared: bool,
    /// Whether it is the caller's own, who alone changes it.
    pub own: bool,
    /// When it was saved.
    pub create_time: String,
    /// When it last changed.
    pub update_time: String,
}

/// Some views.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedViewList {
    /// The views, the newest first.
    pub saved_views: Vec<SavedViewResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Continues before a saving.
#[derive(Serialize, Deserialize)]
struct Cursor {
    before: i64,
}

/// Lists the caller's views and those that are shared with the caller's provider.
///
/// # Errors
/// 400 for a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2/savedViews",
    operation_id = "savedViews.list",
    tag = "support",
    params(
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The views", body = SavedViewList)),
)]
pub async fn list(call: Call) -> Result<Reply, ApiError> {
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let (account, provider) = (call.actor.account, call.actor.provider.as_ref());
    let scope = format!("{} {account} {provider:?}", call.endpoint.id);
    let before = call.cursor::<Cursor>(&scope)?.map(|cursor| cursor.before);
    let page = call.app.saved_views.list(account, provider, before, limit).await;
    let page = page.map_err(|error| refusals::query(&error))?;
    Reply::json(&SavedViewList {
        saved_views: page.views.into_iter().map(|row| SavedViewResource::of_row(row, &call)).collect(),
        next_page_token: page.next_before.map(|before| call.app.page_tokens.seal(&scope, &Cursor { before })),
    })
}

/// Gets a view.
///
/// # Errors
/// 404 for one that there is not, or that the caller does not see.
#[utoipa::path(
    get,
    path = "/v2/savedViews/{view}",
    operation_id = "savedViews.get",
    tag = "support",
    params(
        ("view" = String, Path, description = "Id of the view"),
        ("Dossier-Min-Position" = Option<u64>, Header, description = "A position the answer must not be older than"),
    ),
    responses((status = 200, description = "The view", body = SavedViewResource)),
)]
pub async fn get(call: Call) -> Result<Reply, ApiError> {
    let found = call.app.saved_views.get(call.actor.account, call.actor.provider.as_ref(), id(&call)?).await;
    let row = found.map_err(|error| refusals::query(&error))?.ok_or_else(not_found)?;
    Reply::json(&SavedViewResource::of_row(row, &call))
}

/// Saves a view.
///
/// # Errors
/// 400 for a filter that is none, a name that is empty or too long, and sharing by whoever works for no provider.
#[utoipa::path(
    post,
    path = "/v2/savedViews",
    operation_id = "savedViews.create",
    tag = "support",
    params(("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID")),
    request_body = NewSavedView,
    responses((status = 200, description = "The view", body = SavedViewResource)),
)]
pub async fn create(call: Call) -> Result<Reply, ApiError> {
    let message = Message::parse(&call.body)?;
    let command = SavedViewCommand::Save(SaveView {
        title: own(&call, message.string("displayName")?.unwrap_or_default()),
        filter: own(&call, filter(&message)?.unwrap_or_default()),
        shared: message.bool("shared")?.unwrap_or_default(),
    });
    kept(&call, &execute(&call, None, &command).await?)
}

/// Changes a view of one's own.
///
/// # Errors
/// As for saving one; 403 for one of somebody else's (`NOT_THE_OWNER`), 404 for one that the caller does not see.
#[utoipa::path(
    patch,
    path = "/v2/savedViews/{view}",
    operation_id = "savedViews.patch",
    tag = "support",
    params(
        ("view" = String, Path, description = "Id of the view"),
        ("updateMask" = Option<String>, Query, description = "Some of displayName, filter, shared; what the body has when absent"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    request_body = NewSavedView,
    responses((status = 200, description = "The view", body = SavedViewResource)),
)]
pub async fn patch(call: Call) -> Result<Reply, ApiError> {
    let view = id(&call)?;
    let mask = Mask::parse(call.query.get("updateMask"), PATHS)?;
    let message = Message::parse(&call.body)?;
    // A field that is named and not given is empty; one that is not named stays.
    let cleared = |field: &str| (mask.is_explicit() && mask.contains(field)).then(String::new);
    let title = message.string("displayName")?.or_else(|| cleared("display_name"));
    let filter = filter(&message)?.or_else(|| cleared("filter"));
    let shared = message.bool("shared")?.or_else(|| cleared("shared").map(|_| false));
    let command = SavedViewCommand::Change(ChangeView {
        title: title.filter(|_| mask.contains("display_name")).map(|title| own(&call, title)),
        filter: filter.filter(|_| mask.contains("filter")).map(|filter| own(&call, filter)),
        shared: shared.filter(|_| mask.contains("shared")),
    });
    kept(&call, &execute(&call, Some(view), &command).await?)
}

/// Deletes a view of one's own.
///
/// # Errors
/// 403 for one of somebody else's (`NOT_THE_OWNER`), 404 for one that the caller does not see.
#[utoipa::path(
    delete,
    path = "/v2/savedViews/{view}",
    operation_id = "savedViews.delete",
    tag = "support",
    params(
        ("view" = String, Path, description = "Id of the view"),
        ("Idempotency-Key" = Option<String>, Header, description = "A ULID or UUID"),
    ),
    responses((status = 200, description = "Nothing more to say", body = Object)),
)]
pub async fn delete(call: Call) -> Result<Reply, ApiError> {
    let outcome = execute(&call, Some(id(&call)?), &SavedViewCommand::Delete(DeleteView {})).await?;
    Ok(Reply::json(&json!({}))?.after_command(outcome.folded.position, outcome.replayed))
}

async fn execute(
    call: &Call,
    view: Option<SavedViewId>,
    command: &SavedViewCommand,
) -> Result<SavedViewOutcome, ApiError> {
    let request = call.command_request()?;
    let outcome = call.app.commands.saved_view(&request, view, command).await;
    outcome.map_err(|error| refusals::command(&error, refusals::saved_view))
}

fn kept(call: &Call, outcome: &SavedViewOutcome) -> Result<Reply, ApiError> {
    let kept = outcome.folded.state.kept().ok_or_else(not_found)?;
    let resource = SavedViewResource::of_kept(kept, call);
    Ok(Reply::json(&resource)?.after_command(outcome.folded.position, outcome.replayed))
}

/// The filter of the body, which lists must understand.
fn filter(message: &Message) -> Result<Option<String>, ApiError> {
    let filter = message.string("filter")?;
    CaseFilter::parse(FilterMode::SupportList, filter.as_deref())?;
    Ok(filter)
}

fn id(call: &Call) -> Result<SavedViewId, ApiError> {
    call.params.item.parse().map_err(|_| not_found())
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "there is no such saved view").with_reason("SAVED_VIEW_NOT_FOUND")
}

impl SavedViewResource {
    fn of_row(row: SavedViewRow, call: &Call) -> Self {
        Self {
            name: format!("savedViews/{}", row.view),
            display_name: row.title.unwrap_or_else(|| ERASED.to_owned()),
            filter: row.filter.unwrap_or_default(),
            shared: !row.shared_with.is_empty(),
            own: row.owner == call.actor.account.to_string(),
            create_time: instant(row.saved_at_micros),
            update_time: instant(row.updated_at_micros),
        }
    }

    fn of_kept(kept: &KeptView, call: &Call) -> Self {
        Self {
            name: format!("savedViews/{}", kept.view),
            display_name: kept.title.open().cloned().unwrap_or_else(|| ERASED.to_owned()),
            filter: kept.filter.open().cloned().unwrap_or_default(),
            shared: kept.shared_with.is_some(),
            own: kept.owner == call.actor.account,
            create_time: format_timestamp(kept.saved_at),
            update_time: format_timestamp(kept.changed_at),
        }
    }
}

//! `cases.showFeed` (v2beta): comments and attachments of a case in one order.

use dossier_projections::case_history::{FeedItem, FeedOrder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::call::{Call, Reply, case_not_found};
use crate::comment_resource::CommentResource;
use crate::proto_json::EnumEncoding;
use crate::query::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refusals;
use crate::resources::AttachmentResource;
use crate::status::{ApiError, excerpt};

/// Some items of a feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Feed {
    /// The items, in the wanted order.
    pub feed_items: Vec<FeedItemResource>,
    /// Where the next ones begin; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

/// Something that happened: a comment, what support asked or proposed, or an attachment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedItemResource {
    /// When.
    pub event_time: String,
    /// The comment that was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<CommentResource>,
    /// The file that was attached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentResource>,
}

/// Continues beyond an item.
#[derive(Serialize, Deserialize)]
struct Cursor {
    beyond: i64,
}

/// Shows the feed of a case.
///
/// # Errors
/// 404 when there is no such case; 400 for another order, a bad page size or token.
#[utoipa::path(
    get,
    path = "/v2beta/organizations/{organization}/cases/{case}:showFeed",
    operation_id = "v2beta.cases.showFeed",
    tag = "cases",
    params(
        ("organization" = String, Path, description = "Id of the organization"),
        ("case" = String, Path, description = "Id of the case"),
        ("orderBy" = Option<String>, Query, description = "`creation_time`, followed by `asc` (the default) or `desc`"),
        ("pageSize" = Option<i32>, Query, description = "At most 100; 10 when absent"),
        ("pageToken" = Option<String>, Query, description = "From an earlier answer for the same case and order"),
    ),
    responses((status = 200, description = "The feed", body = Feed)),
)]
pub async fn handle(call: Call) -> Result<Reply, ApiError> {
    let organization = &call.parent()?.organization;
    let case = call.case_id()?;
    let order = order(call.query.text("orderBy").unwrap_or_default())?;
    let limit = call.query.page_size(DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    let scope = format!("cases.showFeed {organization} {case} {order:?}");
    let cursor = call.cursor::<Cursor>(&scope)?;
    let page = call
        .app
        .feeds
        .read(&call.scope()?, organization, case, order, cursor.map(|cursor| cursor.beyond), limit)
        .await
        .map_err(|error| refusals::query(&error))?
        .ok_or_else(case_not_found)?;
    Reply::json(&Feed {
        feed_items: page
            .items
            .iter()
            .map(|item| resource(item, organization.as_str(), call.enums()))
            .collect(),
        next_page_token: page.next.map(|beyond| call.app.page_tokens.seal(&scope, &Cursor { beyond })),
    })
}

fn resource(item: &FeedItem, organization: &str, enums: EnumEncoding) -> FeedItemResource {
    match item {
        FeedItem::Comment(row) => {
            let comment = CommentResource::of_row(row, organization, enums);
            FeedItemResource {
                event_time: comment.create_time.clone(),
                comment: Some(comment),
                attachment: None,
            }
        }
        FeedItem::Attachment(row) => {
            let attachment = AttachmentResource::of_row(row, organization);
            FeedItemResource {
                event_time: attachment.create_time.clone(),
                comment: None,
                attachment: Some(attachment),
            }
        }
    }
}

fn order(text: &str) -> Result<FeedOrder, ApiError> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["creation_time"] | ["creation_time", "asc"] => Ok(FeedOrder::OldestFirst),
        ["creation_time", "desc"] => Ok(FeedOrder::NewestFirst),
        _ => Err(ApiError::invalid_field(
            "orderBy",
            format!("`{}` is not an order; wanted creation_time, or creation_time desc", excerpt(text)),
        )
        .with_reason("INVALID_ORDER_BY")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_by_creation_time_in_either_direction_whatever_the_case_and_blanks() {
        for text in ["", " ", "creation_time", "Creation_Time  ASC"] {
            assert_eq!(order(text).unwrap(), FeedOrder::OldestFirst, "{text:?}");
        }
        assert_eq!(order("creation_time  Desc ").unwrap(), FeedOrder::NewestFirst);
        for text in ["update_time", "creation_time down", "creation_time asc, x", "desc"] {
            assert_eq!(order(text).unwrap_err().reason(), "INVALID_ORDER_BY", "{text:?}");
        }
    }
}

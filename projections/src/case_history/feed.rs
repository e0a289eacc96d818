//! The feed of a case: its comments and attachments in one order.

use std::sync::Arc;

use dossier_domain::{CaseId, OrganizationId, VisibilityScope};
use sqlx::AssertSqlSafe;

use super::attachments::AttachmentRow;
use super::query::{CommentRow, is_visible};
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;

/// Something that happened to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedItem {
    /// Somebody commented.
    Comment(CommentRow),
    /// Somebody attached a file.
    Attachment(AttachmentRow),
}

impl FeedItem {
    /// Position of the event.
    pub fn sequence(&self) -> i64 {
        match self {
            Self::Comment(comment) => comment.sequence,
            Self::Attachment(attachment) => attachment.sequence,
        }
    }
}

/// In which order a feed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedOrder {
    /// The oldest first.
    OldestFirst,
    /// The newest first.
    NewestFirst,
}

/// Some items, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPage {
    /// The items, in the wanted order.
    pub items: Vec<FeedItem>,
    /// Sequence of the last one, when more follow.
    pub next: Option<i64>,
}

/// The model's query on feeds.
#[derive(Clone)]
pub struct FeedQueries {
    database: Arc<ReadDatabase>,
}

impl FeedQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// The feed of a case of an organization, beyond a sequence; `None` when the scope does not show the case.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn read(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        order: FeedOrder,
        beyond: Option<i64>,
        limit: u32,
    ) -> Result<Option<FeedPage>, QueryError> {
        let mut snapshot = self.database.readers().begin().await?;
        if !is_visible(&mut snapshot, scope, organization, case).await? {
            return Ok(None);
        }
        let (compare, direction, start) = match order {
            FeedOrder::OldestFirst => (">", "ASC", 0),
            FeedOrder::NewestFirst => ("<", "DESC", i64::MAX),
        };
        let sql = |table| {
            format!(
                "SELECT * FROM {table} WHERE case_id = $1 AND sequence {compare} $2 ORDER BY sequence {direction} LIMIT $3"
            )
        };
        let (id, beyond, count) = (case.to_string(), beyond.unwrap_or(start), i64::from(limit) + 1);
        let comments: Vec<CommentRow> = sqlx::query_as(AssertSqlSafe(sql("case_comments")))
            .bind(&id)
            .bind(beyond)
            .bind(count)
            .fetch_all(&mut *snapshot)
            .await?;
        let attachments: Vec<AttachmentRow> = sqlx::query_as(AssertSqlSafe(sql("case_attachments")))
            .bind(&id)
            .bind(beyond)
            .bind(count)
            .fetch_all(&mut *snapshot)
            .await?;
        let mut items: Vec<FeedItem> = comments
            .into_iter()
            .map(FeedItem::Comment)
            .chain(attachments.into_iter().map(FeedItem::Attachment))
            .collect();
        items.sort_by_key(FeedItem::sequence);
        if order == FeedOrder::NewestFirst {
            items.reverse();
        }
        let next = cut(&mut items, limit, FeedItem::sequence);
        Ok(Some(FeedPage { items, next }))
    }
}

//! The feed of a case: its comments and attachments in one order.

use std::sync::Arc;

use dossier_domain::{CaseId, OrganizationId, VisibilityScope};

use super::attachments::AttachmentRow;
use super::comments::CommentRow;
use super::query::is_visible;
use crate::database::ReadDatabase;
use crate::error::QueryError;
use crate::rows::cut;
use crate::sql::Sql;

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
        let (compare, direction, start) = match order {
            FeedOrder::OldestFirst => (">", "ASC", 0),
            FeedOrder::NewestFirst => ("<", "DESC", i64::MAX),
        };
        let sql = |table| {
            let mut sql = Sql::new("SELECT * FROM ");
            sql.push_live(table).push(" WHERE case_id = ").push_bind(case.to_string());
            sql.push(format!(" AND sequence {compare} ")).push_bind(beyond.unwrap_or(start));
            sql.push(format!(" ORDER BY sequence {direction} LIMIT ")).push_bind(i64::from(limit) + 1);
            sql
        };
        let mut snapshot = self.database.snapshot().await?;
        if !is_visible(&mut snapshot, scope, organization, case).await? {
            snapshot.end().await?;
            return Ok(None);
        }
        let comments: Vec<CommentRow> = snapshot.fetch_all(&sql("case_comments")).await?;
        let attachments: Vec<AttachmentRow> = snapshot.fetch_all(&sql("case_attachments")).await?;
        snapshot.end().await?;
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

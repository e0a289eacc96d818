//! What was said about a case: comments, and what support asks and proposes. Getting one and listing a case's, always
//! within a visibility scope.

use std::sync::Arc;

use dossier_domain::case::{CaseEvent, InformationRequested, SolutionProposed};
use dossier_domain::{CaseId, CommentId, Contact, OrganizationId, Personal, Side, VisibilityScope};
use dossier_eventlog::Audience;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::query::{Wanted, push_visible, rows_of_case};
use crate::database::{ReadDatabase, stored};
use crate::error::QueryError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::rows::cut;
use crate::scope::side_name;
use crate::sql::Sql;

/// The kind of what somebody said of themselves.
pub const PLAIN: &str = "comment";
/// The kind of what support asked for (R-INFOREQ-1).
pub const INFORMATION_REQUEST: &str = "request";
/// The kind of what support proposed (R-RESOLVE-1).
pub const SOLUTION: &str = "solution";

/// What was said, as the read side shows it. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct CommentRow {
    /// Id of the comment; of what support asked or proposed, one derived from the event's.
    pub comment_id: String,
    /// The case it belongs to.
    pub case_id: String,
    /// Position of the event: lists are ordered by it.
    pub sequence: i64,
    /// [`PLAIN`], [`INFORMATION_REQUEST`] or [`SOLUTION`].
    pub kind: String,
    /// What is asked for, or the kind of solution, as the event names it.
    pub detail: Option<String>,
    /// What a solution brings along: [`SolutionDetails`] in JSON.
    pub particulars: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// Address of who wrote it.
    pub author_email: Option<String>,
    /// Name of who wrote it.
    pub author_name: Option<String>,
    /// From which side.
    pub side: String,
    /// When, microseconds since 1970.
    pub created_at_micros: i64,
}

/// What a solution brings along, by its kind. What was erased is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SolutionDetails {
    /// Where the customer may post a missing feature as an idea.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idea_url: Option<String>,
    /// What to do about what could not be reproduced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommendations: Option<String>,
    /// Whom to reach at the third party.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party_contact: Option<String>,
    /// The outage on the status dashboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_url: Option<String>,
}

impl CommentRow {
    /// What a solution brings along; nothing of another kind.
    pub fn solution(&self) -> SolutionDetails {
        let particulars = self.particulars.as_deref().unwrap_or("{}");
        serde_json::from_str(particulars).unwrap_or_default()
    }

    /// What an event says. What is not for customers has no row: every reader of this table may be one (R-COMMENT-3).
    pub(super) fn of_event(projected: &ProjectedEvent) -> Option<Self> {
        let ReadEvent::Case(event) = &projected.event else { return None };
        if projected.metadata.audience != Audience::Customer {
            return None;
        }
        match event {
            CaseEvent::CommentAdded(comment) => {
                let said = (&comment.body, &comment.author, comment.side);
                Some(Self::said(projected, comment.comment, PLAIN, said))
            }
            CaseEvent::InformationRequested(InformationRequested { information, text, author }) => {
                let said = (text, author, Side::Support);
                let row = Self::said(projected, id_of(projected), INFORMATION_REQUEST, said);
                Some(Self { detail: name(information), ..row })
            }
            CaseEvent::SolutionProposed(SolutionProposed { solution, text, author, particulars, .. }) => {
                let open =
                    |text: &Option<Personal<String>>| text.as_ref().and_then(|text| text.open().cloned());
                let details = SolutionDetails {
                    idea_url: particulars.idea_url.clone(),
                    recommendations: open(&particulars.recommendations),
                    third_party_contact: open(&particulars.third_party_contact),
                    outage_url: particulars.outage_url.clone(),
                };
                let row = Self::said(projected, id_of(projected), SOLUTION, (text, author, Side::Support));
                Some(Self {
                    detail: name(solution),
                    particulars: serde_json::to_string(&details).ok(),
                    ..row
                })
            }
            _ => None,
        }
    }

    fn said(
        projected: &ProjectedEvent,
        id: CommentId,
        kind: &str,
        (body, author, side): (&Personal<String>, &Personal<Contact>, Side),
    ) -> Self {
        Self {
            comment_id: id.to_string(),
            case_id: projected.stream.id().to_owned(),
            sequence: stored(projected.position),
            kind: kind.to_owned(),
            detail: None,
            particulars: None,
            body: body.open().cloned(),
            author_email: author.open().map(|author| author.email.clone()),
            author_name: author.open().map(|author| author.display_name.clone()),
            side: side_name(side).to_owned(),
            created_at_micros: projected.occurred_at().as_microsecond(),
        }
    }
}

/// The id of what has none of its own: the event's bits, so that it stays the same with every rebuild.
fn id_of(projected: &ProjectedEvent) -> CommentId {
    CommentId(Ulid::from(projected.event_id.0.as_u128()))
}

/// A kind as the event names it.
fn name(kind: &impl Serialize) -> Option<String> {
    serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
}

/// Some comments, and where the next ones begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentPage {
    /// The comments, oldest first.
    pub comments: Vec<CommentRow>,
    /// Sequence of the last one, when more follow.
    pub next_after: Option<i64>,
}

/// The model's queries.
#[derive(Clone)]
pub struct CommentQueries {
    database: Arc<ReadDatabase>,
}

impl CommentQueries {
    /// Queries on a database.
    pub fn new(database: Arc<ReadDatabase>) -> Self {
        Self { database }
    }

    /// A comment of a case of an organization, if the scope shows it.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn get(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        comment: CommentId,
    ) -> Result<Option<CommentRow>, QueryError> {
        let mut query = Sql::new("SELECT case_comments.* FROM ");
        query.push_live("case_comments").push(" WHERE comment_id = ").push_bind(comment.to_string());
        query.push(" AND case_id = ").push_bind(case.to_string());
        query.push(" AND ");
        push_visible(&mut query, scope, organization, case);
        self.database.fetch_optional(&query).await
    }

    /// Comments of a case of an organization, oldest first, after a sequence; `None` when the scope does not show the
    /// case.
    ///
    /// # Errors
    /// [`QueryError`].
    pub async fn list(
        &self,
        scope: &VisibilityScope,
        organization: &OrganizationId,
        case: CaseId,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Option<CommentPage>, QueryError> {
        let wanted = Wanted { scope, organization, case, after, limit };
        let comments = rows_of_case(&self.database, "case_comments", wanted).await?;
        Ok(comments.map(|mut comments: Vec<CommentRow>| {
            let next_after = cut(&mut comments, limit, |comment| comment.sequence);
            CommentPage { comments, next_after }
        }))
    }
}

//! Case events to comments.

use async_trait::async_trait;
use dossier_domain::case::CaseEvent;
use dossier_eventlog::Audience;
use serde::Serialize;
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::query::CommentRow;
use crate::database::stored;
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Generation, ReadModel, Table};
use crate::scope::side_name;

/// The read model `case_history`.
pub struct CaseHistory;

const COMMENTS: &str = "case_comments";
const CASES: &str = "case_history_cases";

#[async_trait]
impl ReadModel for CaseHistory {
    fn name(&self) -> &'static str {
        "case_history"
    }

    fn schema_version(&self) -> i64 {
        2
    }

    fn categories(&self) -> &'static [&'static str] {
        &["case"]
    }

    fn tables(&self) -> &'static [Table] {
        &[
            Table {
                name: COMMENTS,
                columns: "comment_id TEXT PRIMARY KEY, case_id TEXT NOT NULL, sequence INTEGER NOT NULL, body TEXT, \
                          author_email TEXT, author_name TEXT, side TEXT NOT NULL, created_at_micros INTEGER NOT NULL",
                indexes: &["case_id, sequence"],
            },
            // Whose case it is, so that this model answers for visibility by itself.
            Table {
                name: CASES,
                columns: "case_id TEXT PRIMARY KEY, organization TEXT NOT NULL, product TEXT NOT NULL",
                indexes: &[],
            },
        ]
    }

    async fn project(
        &self,
        transaction: &mut SqliteConnection,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let (comments, cases) = (generation.table(COMMENTS), generation.table(CASES));
        let filed: Vec<FiledRow<'_>> = events.iter().filter_map(filed_row).collect();
        if !filed.is_empty() {
            let sql = format!(
                "INSERT OR REPLACE INTO {cases} (case_id, organization, product)
                 SELECT value->>'case_id', value->>'organization', value->>'product' FROM json_each($1)"
            );
            let rows = serde_json::to_string(&filed).expect("rows are serializable");
            sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut *transaction).await?;
        }
        let added: Vec<CommentRow> = events.iter().filter_map(comment_row).collect();
        if !added.is_empty() {
            let sql = format!(
                "INSERT OR REPLACE INTO {comments}
                     (comment_id, case_id, sequence, body, author_email, author_name, side, created_at_micros)
                 SELECT value->>'comment_id', value->>'case_id', value->>'sequence', value->>'body',
                     value->>'author_email', value->>'author_name', value->>'side', value->>'created_at_micros'
                 FROM json_each($1)"
            );
            let rows = serde_json::to_string(&added).expect("rows are serializable");
            sqlx::query(AssertSqlSafe(sql)).bind(rows).execute(&mut *transaction).await?;
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct FiledRow<'a> {
    case_id: &'a str,
    organization: &'a str,
    product: &'a str,
}

fn filed_row(projected: &ProjectedEvent) -> Option<FiledRow<'_>> {
    let ReadEvent::Case(CaseEvent::CaseFiled(filed)) = &projected.event else { return None };
    Some(FiledRow {
        case_id: projected.stream.id(),
        organization: filed.organization.as_str(),
        product: filed.product.as_str(),
    })
}

/// A comment that is not for customers has no row: every reader of this model may be one (R-COMMENT-3).
fn comment_row(projected: &ProjectedEvent) -> Option<CommentRow> {
    let ReadEvent::Case(CaseEvent::CommentAdded(comment)) = &projected.event else { return None };
    if projected.metadata.audience != Audience::Customer {
        return None;
    }
    Some(CommentRow {
        comment_id: comment.comment.to_string(),
        case_id: projected.stream.id().to_owned(),
        sequence: stored(projected.position),
        body: comment.body.open().cloned(),
        author_email: comment.author.open().map(|author| author.email.clone()),
        author_name: comment.author.open().map(|author| author.display_name.clone()),
        side: side_name(comment.side).to_owned(),
        created_at_micros: projected.recorded_at.as_microsecond(),
    })
}

//! What free text is searched in: title, description and comments of each case, folded so that upper and lower case are
//! the same in every script.

use dossier_domain::case::CaseEvent;
use dossier_eventlog::Audience;
use serde::Serialize;

use crate::database::WriteTransaction;
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::model::{Column, Generation, Table};
use crate::rows::replace;

pub(super) const TABLE: Table = Table {
    name: "case_texts",
    columns: &[Column::text("case_id"), Column::text("part"), Column::text("text")],
    key: &["case_id", "part"],
    indexes: &[],
};

/// A text as it is compared: every character in lower case, by itself, so that a part of a text folds to a part of the
/// folded text.
pub(super) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// One searchable text.
#[derive(Serialize)]
struct TextRow<'a> {
    case_id: &'a str,
    part: String,
    text: String,
}

pub(super) async fn project(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    events: &[ProjectedEvent],
) -> Result<(), ProjectionError> {
    replace(transaction, generation, &TABLE, events.iter().flat_map(rows), |row| {
        (row.case_id, row.part.clone())
    })
    .await
}

fn rows(projected: &ProjectedEvent) -> Vec<TextRow<'_>> {
    let ReadEvent::Case(event) = &projected.event else { return Vec::new() };
    // What a customer may not learn of is not found by searching either (R-COMMENT-3).
    if projected.metadata.audience != Audience::Customer {
        return Vec::new();
    }
    let parts = match event {
        CaseEvent::CaseFiled(filed) => {
            vec![("title".to_owned(), &filed.title), ("description".to_owned(), &filed.description)]
        }
        CaseEvent::CaseRenamed(renamed) => vec![("title".to_owned(), &renamed.title)],
        CaseEvent::CommentAdded(comment) => vec![(comment.comment.to_string(), &comment.body)],
        _ => Vec::new(),
    };
    parts
        .into_iter()
        .map(|(part, text)| TextRow {
            case_id: projected.stream.id(),
            part,
            text: text.open().map(|text| fold(text)).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn a_part_of_a_text_folds_to_a_part_of_the_folded_text() {
        for (text, part) in
            [("STRASSE Ämter", "ämt"), ("ΟΔΟΣ", "δος".to_uppercase().as_str()), ("İstanbul", "i")]
        {
            assert!(fold(text).contains(&fold(part)), "{part} in {text}");
        }
    }
}

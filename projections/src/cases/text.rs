//! What free text is searched in: the words of title and description of each case, and of what was said about it.

use std::collections::BTreeMap;

use dossier_domain::case::{CaseEvent, CommentAdded, InformationRequested, SolutionProposed};
use dossier_eventlog::Audience;
use serde::Serialize;

use super::row::CaseRow;
use crate::database::WriteTransaction;
use crate::error::ProjectionError;
use crate::event::{ProjectedEvent, ReadEvent};
use crate::full_text::{self, TextIndex, mark_of_manager, mark_of_organization};
use crate::model::{Column, Generation, Table};
use crate::rows::replace;
use crate::words::indexed;

pub(super) const TABLE: Table = Table {
    name: "case_texts",
    columns: &[Column::integer("sequence"), Column::integer("part"), Column::text("words")],
    key: &["sequence", "part"],
    indexes: &[],
};

pub(super) const INDEX: TextIndex = TextIndex { name: "case_words", table: TABLE.name };

const TITLE: i64 = 0;
const DESCRIPTION: i64 = 1;

/// The words of one text of a case.
#[derive(Serialize)]
struct TextRow {
    /// The case's.
    sequence: i64,
    part: i64,
    words: String,
}

pub(super) async fn project(
    transaction: &mut WriteTransaction<'_>,
    generation: Generation,
    events: &[ProjectedEvent],
    cases: &BTreeMap<String, CaseRow>,
) -> Result<(), ProjectionError> {
    let mut texts: Vec<TextRow> = Vec::new();
    for event in events {
        if let Some(case) = cases.get(event.stream.id()) {
            texts.extend(rows(event, case));
        }
    }
    replace(transaction, generation, &TABLE, texts, |row| (row.sequence, row.part)).await
}

fn rows(projected: &ProjectedEvent, case: &CaseRow) -> Vec<TextRow> {
    let ReadEvent::Case(event) = &projected.event else { return Vec::new() };
    // What a customer may not learn of is not found by searching either (R-COMMENT-3).
    if projected.metadata.audience != Audience::Customer {
        return Vec::new();
    }
    let row = |part: i64, text: Option<&String>| {
        let mut words = indexed(text.map_or("", String::as_str));
        words.push_str(&mark_of_organization(&case.organization));
        words.push(' ');
        if let Some(manager) = &case.manager {
            words.push_str(&mark_of_manager(manager));
            words.push(' ');
        }
        TextRow { sequence: case.sequence, part, words }
    };
    match event {
        CaseEvent::CaseFiled(_) => {
            vec![row(TITLE, case.title.as_ref()), row(DESCRIPTION, case.description.as_ref())]
        }
        CaseEvent::CaseRenamed(_) => vec![row(TITLE, case.title.as_ref())],
        CaseEvent::CommentAdded(CommentAdded { body: text, .. })
        | CaseEvent::InformationRequested(InformationRequested { text, .. })
        | CaseEvent::SolutionProposed(SolutionProposed { text, .. }) => {
            let revision = i64::try_from(projected.revision.0).unwrap_or(i64::MAX);
            // The filing is revision 0.
            vec![row(full_text::part(revision.saturating_add(DESCRIPTION)), text.open())]
        }
        _ => Vec::new(),
    }
}

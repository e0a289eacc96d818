//! Full text with the databases' own engines: FTS5 in SQLite, a `tsvector` with a GIN index in PostgreSQL.
//!
//! Words, not parts of words: an index of trigrams is several times as large, needs three characters (Japanese words have
//! two), and a common text's matches have to be read all. FTS5 reads matches newest first and ends with the page; in
//! PostgreSQL a common word's list is followed instead ([`crate::cases`]).
//!
//! A text is a row with the columns `sequence` (whose place in lists), `part` (which of its texts) and `words`, with the
//! words of [`crate::words`] and marks of whom it may be shown to.

use dossier_domain::{OrganizationId, VisibilityScope};

use crate::sql::{Engine, Sql};
use crate::words::Phrase;

/// Bits of a text's number that tell which of the texts of one sequence it is.
const PART_BITS: u32 = 20;
/// The last number of a text of one sequence.
const LAST_PART: i64 = (1 << PART_BITS) - 1;

/// An index of the words of a table.
#[derive(Clone, Copy, Debug)]
pub struct TextIndex {
    /// Its name before the generation.
    pub name: &'static str,
    /// The table before the generation, with the key `sequence`, `part` and a column `words`.
    pub table: &'static str,
}

/// The number of a text, of those of a case. A case of a million events does not occur.
pub(crate) fn part(number: i64) -> i64 {
    number.clamp(0, LAST_PART)
}

/// A mark for the words of an organization's texts. No word begins with what it begins with.
pub(crate) fn mark_of_organization(organization: &str) -> String {
    format!(":o:{organization}")
}

/// A mark for the words of texts of cases that were filed while a reseller managed their organization.
pub(crate) fn mark_of_manager(manager: &str) -> String {
    format!(":m:{manager}")
}

/// The marks that a text in scope has, so that the engine reads no others. Whether it is in scope is asked of the row.
pub(crate) fn marks(scope: &VisibilityScope, organization: Option<&OrganizationId>) -> Vec<String> {
    let mut marks: Vec<String> = Vec::new();
    let mut add = |mark: String| {
        if !marks.contains(&mark) {
            marks.push(mark);
        }
    };
    if let Some(organization) = organization {
        add(mark_of_organization(organization.as_str()));
    }
    match scope {
        // What an agent sees is asked of the row: it may be routed to their provider at any time.
        VisibilityScope::Nothing
        | VisibilityScope::AllOrganizations
        | VisibilityScope::Provider { organization: None, .. } => {}
        VisibilityScope::Provider { organization: Some(organization), .. }
        | VisibilityScope::Organization { organization, .. } => {
            add(mark_of_organization(organization.as_str()));
        }
        VisibilityScope::Reseller { reseller, customer, .. } => {
            add(mark_of_manager(reseller.as_str()));
            if let Some(customer) = customer {
                add(mark_of_organization(customer.as_str()));
            }
        }
    }
    marks
}

/// The statements that make the index of a generation's table.
pub(crate) fn definition(engine: Engine, name: &str, table: &str) -> String {
    match engine {
        // It holds no texts, only where words stand. The rows of the table are written with INSERT OR REPLACE.
        Engine::Sqlite => format!(
            "CREATE VIRTUAL TABLE {name} USING fts5(words, content='', contentless_delete=1,
                tokenize=\"ascii tokenchars ':-'\");
             CREATE TRIGGER {table}_words AFTER INSERT ON {table} BEGIN
                INSERT OR REPLACE INTO {name} (rowid, words)
                VALUES (new.sequence << {PART_BITS} | new.part, new.words);
             END;"
        ),
        // Without positions, of which a tsvector has few: phrases are looked for in the words.
        Engine::Postgres => format!(
            "ALTER TABLE {table} ADD COLUMN terms TSVECTOR
                GENERATED ALWAYS AS (array_to_tsvector(string_to_array(btrim(words), ' '))) STORED;
             CREATE INDEX {name} ON {table} USING gin (terms) WITH (gin_pending_list_limit = 512);"
        ),
    }
}

/// What SQLite's view of the index shows.
pub(crate) fn sqlite_view(name: &str) -> String {
    format!("SELECT rowid AS text_number, words FROM {name}")
}

/// Appends the condition that a text of SQLite's index has the words and the marks.
pub(crate) fn push_match(query: &mut Sql, phrase: &Phrase, marks: &[String]) {
    let mut expression: Vec<String> = marks.iter().map(|mark| format!("\"{mark}\"")).collect();
    let beginning = if phrase.is_beginning { " *" } else { "" };
    expression.push(format!("\"{}\"{beginning}", phrase.words.join(" ")));
    query.push("words MATCH ").push_bind(expression.join(" AND "));
}

/// Appends the sequence that a text of SQLite's index belongs to.
pub(crate) fn push_sequence(query: &mut Sql) {
    query.push(format!("text_number >> {PART_BITS}"));
}

/// Appends that a text of SQLite's index belongs to an earlier sequence.
pub(crate) fn push_before(query: &mut Sql, sequence: i64) {
    query.push(" AND text_number < ").push_bind(sequence.saturating_mul(1 << PART_BITS));
}

/// Appends the condition that a row of the table has the words and the marks, for PostgreSQL.
pub(crate) fn push_terms(query: &mut Sql, phrase: &Phrase, marks: &[String]) {
    let last = phrase.words.len() - 1;
    let words = phrase.words.iter().enumerate().map(|(number, word)| {
        let beginning = if number == last && phrase.is_beginning { ":*" } else { "" };
        format!("'{word}'{beginning}")
    });
    let terms: Vec<String> = marks.iter().map(|mark| format!("'{mark}'")).chain(words).collect();
    query.push("terms @@ ").push_bind(terms.join(" & ")).push("::tsquery");
    if last > 0 {
        query.push(" AND strpos(words, ").push_bind(phrase.as_indexed()).push(") > 0");
    }
    // How common a word is decides how its rows are best found.
    query.plan_every_time();
}

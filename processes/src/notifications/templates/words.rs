//! The words of a language, as its file holds them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Kinds of messages that every language has words for.
pub(super) const KINDS: [&str; 16] = [
    "case_filed",
    "case_commented",
    "information_requested",
    "solution_proposed",
    "case_closed",
    "case_reopened",
    "case_state_changed",
    "case_priority_changed",
    "case_escalated",
    "escalation_acknowledged",
    "escalation_resolved",
    "closing_announced",
    "case_merged",
    "merge_undone",
    "known_issue_updated",
    "known_issue_resolved",
];
/// Reasons for which somebody is addressed.
pub(super) const REASONS: [&str; 5] =
    ["filer", "product_owner", "subscriber", "known_issue_subscriber", "other"];
/// States of a case.
pub(super) const STATES: [&str; 5] = ["NEW", "IN_PROGRESS", "ACTION_REQUIRED", "SOLUTION_PROVIDED", "CLOSED"];
/// Kinds of solutions.
pub(super) const SOLUTIONS: [&str; 6] =
    ["solved", "missing_feature", "not_reproducible", "third_party", "out_of_scope", "outage"];

/// How somebody with a name is called.
pub(super) const PERSON: &str = "person";
/// The sentences of a kind.
pub(super) const SUBJECT: &str = "subject";
pub(super) const HEADING: &str = "heading";
pub(super) const BODY: &str = "body";
pub(super) const AFTER: &str = "after";

/// The words of a language.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) support: String,
    pub(super) person: String,
    pub(super) open: String,
    pub(super) open_known_issue: String,
    pub(super) rate: String,
    pub(super) not_affected: String,
    pub(super) unsubscribe: String,
    pub(super) no_reply: String,
    pub(super) no_reply_known_issue: String,
    pub(super) label: Labels,
    pub(super) why: BTreeMap<String, String>,
    pub(super) state: BTreeMap<String, String>,
    pub(super) solution: BTreeMap<String, String>,
    pub(super) kind: BTreeMap<String, Sentences>,
}

/// What stands before a fact.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Labels {
    pub(super) case: String,
    pub(super) known_issue: String,
    pub(super) organization: String,
    pub(super) state: String,
    pub(super) priority: String,
    pub(super) partner: String,
}

/// What a kind of message says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sentences {
    pub(super) subject: String,
    pub(super) heading: String,
    pub(super) body: String,
    /// What follows what somebody wrote.
    #[serde(default)]
    pub(super) after: String,
}

impl Words {
    /// Reads a file; the error is one line.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let words: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let line = line.map(|line| format!(" (line {line})")).unwrap_or_default();
            format!("{}{line}", error.message().lines().next().unwrap_or_default())
        })?;
        complete("why", &words.why, &REASONS)?;
        complete("state", &words.state, &STATES)?;
        complete("solution", &words.solution, &SOLUTIONS)?;
        complete("kind", &words.kind, &KINDS)?;
        Ok(words)
    }

    /// The sentences with places to fill in, by their names in the file.
    pub(super) fn sentences(&self) -> Vec<(String, &str)> {
        let mut all = vec![(PERSON.to_owned(), self.person.as_str())];
        all.extend(self.why.keys().map(|reason| (self.why_of(reason), self.why[reason].as_str())));
        for (kind, sentences) in &self.kind {
            let Sentences { subject, heading, body, after } = sentences;
            let parts = [(SUBJECT, subject), (HEADING, heading), (BODY, body), (AFTER, after)];
            all.extend(parts.map(|(part, text)| (format!("{kind}.{part}"), text.as_str())));
        }
        all
    }

    /// The name of the sentence that says why somebody is addressed.
    pub(super) fn why_of(&self, reason: &str) -> String {
        let known = if self.why.contains_key(reason) { reason } else { "other" };
        format!("why.{known}")
    }
}

/// Whether a table has each of its keys, and no other.
fn complete<V>(table: &str, found: &BTreeMap<String, V>, wanted: &[&str]) -> Result<(), String> {
    if let Some(missing) = wanted.iter().find(|key| !found.contains_key(**key)) {
        return Err(format!("{table}.{missing} is missing"));
    }
    if let Some(unknown) = found.keys().find(|key| !wanted.contains(&key.as_str())) {
        return Err(format!("{table}.{unknown} is not known"));
    }
    Ok(())
}

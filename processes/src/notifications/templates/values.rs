//! What a mail is about: what the templates may say of it.

use jiff::Timestamp;
use serde::Serialize;

use super::words::Words;

/// Most characters of a subject.
pub(super) const SUBJECT_CHARACTERS: usize = 200;
/// Most characters of a name or title.
const LINE_CHARACTERS: usize = 300;
/// Most characters of what somebody wrote; the rest is read in the case.
const TEXT_CHARACTERS: usize = 10_000;

/// What a mail is about. Everything that people wrote may be given as they wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values {
    /// Title of the case, summary of the known issue.
    pub title: String,
    /// What one names it by when one asks: its id.
    pub reference: String,
    /// Display name of the organization whose case it is.
    pub organization: Option<String>,
    /// Display name of who did it; `None`: support, without a name.
    pub actor: Option<String>,
    /// What was written: the comment, the request, the solution, the update.
    pub text: Option<String>,
    /// State of the case afterwards, as the domain names it: `IN_PROGRESS`.
    pub state: Option<String>,
    /// State of the case before.
    pub previous_state: Option<String>,
    /// Priority afterwards: `P1`.
    pub priority: Option<String>,
    /// Priority before.
    pub previous_priority: Option<String>,
    /// Kind of the solution, as the domain names it: `not_reproducible`.
    pub solution: Option<String>,
    /// The case that this one was merged into.
    pub other: Option<String>,
    /// When what was announced will happen.
    pub at: Option<Timestamp>,
    /// Whom a customer with a partner turns to (R-KI-7).
    pub partner: Option<String>,
    /// Why this reader is addressed, as the ledger names it.
    pub reason: String,
    /// Where it is read. Like every address here it must be http or https, else it is left out.
    pub url: Option<String>,
    /// Where a closing is rated.
    pub survey_url: Option<String>,
    /// Where one says that a known issue does not affect one.
    pub not_affected_url: Option<String>,
    /// Where one ends these mails.
    pub unsubscribe_url: Option<String>,
}

/// What sentences may name.
#[derive(Serialize)]
pub(super) struct Spoken<'a> {
    title: &'a str,
    reference: &'a str,
    organization: Option<&'a str>,
    actor: &'a str,
    state: &'a str,
    previous_state: Option<&'a str>,
    priority: &'a str,
    previous_priority: Option<&'a str>,
    solution: Option<&'a str>,
    other: &'a str,
    at: Option<String>,
    partner: Option<&'a str>,
    reason: &'a str,
}

impl Values {
    /// Without anything that mail programs could misread.
    pub(super) fn cleaned(self) -> Self {
        let line = |text: String| one_line(&text, LINE_CHARACTERS);
        let some = |text: Option<String>| text.map(line).filter(|text| !text.is_empty());
        Self {
            title: line(self.title),
            reference: line(self.reference),
            organization: some(self.organization),
            actor: some(self.actor),
            text: self.text.map(|text| lines(&text)).filter(|text| !text.is_empty()),
            state: some(self.state),
            previous_state: some(self.previous_state),
            priority: some(self.priority),
            previous_priority: some(self.previous_priority),
            solution: some(self.solution),
            other: some(self.other),
            at: self.at,
            partner: some(self.partner),
            reason: line(self.reason),
            url: self.url.filter(|url| is_address(url)),
            survey_url: self.survey_url.filter(|url| is_address(url)),
            not_affected_url: self.not_affected_url.filter(|url| is_address(url)),
            unsubscribe_url: self.unsubscribe_url.filter(|url| is_address(url)),
        }
    }

    /// What sentences of a language may name. State and priority are always something, else a sentence about them would break.
    pub(super) fn spoken<'a>(&'a self, words: &'a Words, actor: &'a str) -> Spoken<'a> {
        let state = |name: Option<&'a str>| name.and_then(|name| words.state.get(name)).map(String::as_str);
        Spoken {
            title: &self.title,
            reference: &self.reference,
            organization: self.organization.as_deref(),
            actor,
            state: state(self.state.as_deref()).unwrap_or("?"),
            previous_state: state(self.previous_state.as_deref()),
            priority: self.priority.as_deref().unwrap_or("?"),
            previous_priority: self.previous_priority.as_deref(),
            solution: self.solution.as_deref().and_then(|name| words.solution.get(name)).map(String::as_str),
            other: self.other.as_deref().unwrap_or_default(),
            at: self.at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string()),
            partner: self.partner.as_deref(),
            reason: &self.reason,
        }
    }

    /// With everything there is to say, for trying templates.
    pub(super) fn everything() -> Self {
        let some = |text: &str| Some(text.to_owned());
        Self {
            organization: some("Acme"),
            actor: some("Jo Bloggs"),
            text: some("First line\n\nThird line"),
            state: some("IN_PROGRESS"),
            previous_state: some("NEW"),
            priority: some("P1"),
            previous_priority: some("P3"),
            solution: some("solved"),
            other: some("01K00000000000000000000002"),
            at: Some(Timestamp::UNIX_EPOCH),
            partner: some("Partner Ltd, +1 555 0100"),
            url: some("https://support.example/cases/1"),
            survey_url: some("https://support.example/survey/1"),
            not_affected_url: some("https://support.example/not-affected/1"),
            unsubscribe_url: some("https://support.example/unsubscribe/1"),
            ..Self::little()
        }
    }

    /// With next to nothing to say, for trying templates.
    pub(super) fn little() -> Self {
        Self {
            title: "Mail is late".to_owned(),
            reference: "01K00000000000000000000001".to_owned(),
            reason: "filer".to_owned(),
            ..Self::default()
        }
    }
}

fn is_address(url: &str) -> bool {
    let begins = url.starts_with("https://") || url.starts_with("http://");
    begins && url.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"'))
}

/// Characters that change the direction or visibility of others, by which a name could pose as something else.
fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text as one line of at most so many characters.
pub(crate) fn one_line(text: &str, characters: usize) -> String {
    let shown = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let text: String = text.chars().filter(|c| !is_deceptive(*c)).map(shown).collect();
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(words, characters)
}

/// A text with the lines that it has, of at most so many characters.
fn lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let kept = |c: &char| !is_deceptive(*c) && (!c.is_control() || matches!(c, '\n' | '\t'));
    let text: String = text.chars().filter(kept).collect();
    shortened(text.trim_matches('\n').trim_end().to_owned(), TEXT_CHARACTERS)
}

fn shortened(text: String, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text,
        Some((end, _)) => format!("{} …", text[..end].trim_end()),
    }
}

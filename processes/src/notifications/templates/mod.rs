//! What mails say: one layout for HTML and one for plain text, and the words of each language in a file of their own.
//!
//! Both are built in. A folder may hold files of the same names, which take their place, and further languages. Everything is
//! read and tried once at the start, so that a mistake in a file is told then and never in the middle of sending.
//!
//! Words are put together as plain text; the HTML layout escapes every value that it is given, so nothing that anybody wrote
//! is ever read as HTML or as a template.

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

mod values;
mod words;

pub use values::Values;
pub(crate) use values::one_line;
use words::Words;

/// The language that is always there.
const FALLBACK: &str = "en";
const HTML: &str = "layout.html";
const TEXT: &str = "layout.txt";
/// The layouts, by the names of their files.
const LAYOUTS: [(&str, &str); 2] = [(HTML, include_str!("layout.html")), (TEXT, include_str!("layout.txt"))];
/// The words of each language, by the names of their files.
const LANGUAGES: [(&str, &str); 6] = [
    ("en.toml", include_str!("en.toml")),
    ("de.toml", include_str!("de.toml")),
    ("es.toml", include_str!("es.toml")),
    ("fr.toml", include_str!("fr.toml")),
    ("ja.toml", include_str!("ja.toml")),
    ("pt.toml", include_str!("pt.toml")),
];
/// Characters of the first lines that mail programs show beside the subject.
const PREVIEW_CHARACTERS: usize = 140;

/// Why the templates cannot be used; the operator corrects the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A folder or file cannot be read.
    #[error("the folder of mail templates {folder} cannot be read: {why}")]
    Unreadable {
        /// The folder.
        folder: String,
        /// Why.
        why: String,
    },
    /// A file says something that cannot be used.
    #[error(
        "the mail template {file} cannot be used: {why}; correct it, or remove it to use the one built in"
    )]
    Bad {
        /// The file's name.
        file: String,
        /// What is wrong, in one line.
        why: String,
    },
    /// There is no such kind of message.
    #[error("there is no mail of kind {0}")]
    UnknownKind(String),
}

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
    /// The language it is in.
    pub language: String,
}

/// The templates of all mails.
pub struct Templates {
    environment: Environment<'static>,
    languages: BTreeMap<String, Words>,
}

/// What the layouts are given.
#[derive(Serialize)]
struct Page<'a> {
    language: &'a str,
    subject: &'a str,
    preview: String,
    heading: String,
    title: &'a str,
    body: Vec<String>,
    quote: Vec<&'a str>,
    after: Vec<String>,
    facts: Vec<Fact<'a>>,
    button: Option<Link<'a>>,
    links: Vec<Link<'a>>,
    why: String,
    unsubscribe: Option<Link<'a>>,
    no_reply: &'a str,
}

#[derive(Serialize)]
struct Fact<'a> {
    label: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Link<'a> {
    label: &'a str,
    url: &'a str,
}

impl Templates {
    /// Those that are built in.
    pub fn built_in() -> Self {
        Self::of(BTreeMap::new()).expect("what is built in passed its tests")
    }

    /// Those that are built in, with the files of a folder in the place of their namesakes.
    ///
    /// # Errors
    /// [`TemplateError::Unreadable`] or [`TemplateError::Bad`], which names the file.
    pub fn load(folder: &Path) -> Result<Self, TemplateError> {
        let unreadable = |error: std::io::Error| TemplateError::Unreadable {
            folder: folder.display().to_string(),
            why: error.to_string(),
        };
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.strip_suffix(".toml").is_some() || LAYOUTS.iter().any(|(layout, _)| *layout == name) {
                let text = std::fs::read_to_string(entry.path())
                    .map_err(|error| TemplateError::Bad { file: name.clone(), why: error.to_string() })?;
                files.insert(name, text);
            }
        }
        Self::of(files)
    }

    fn of(mut files: BTreeMap<String, String>) -> Result<Self, TemplateError> {
        for (name, text) in LAYOUTS.into_iter().chain(LANGUAGES) {
            files.entry(name.to_owned()).or_insert_with(|| text.to_owned());
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.expect("the usual delimiters"));
        environment.set_auto_escape_callback(
            |name| {
                if name == HTML { AutoEscape::Html } else { AutoEscape::None }
            },
        );
        let mut languages = BTreeMap::new();
        for (name, text) in files {
            if let Some(language) = name.strip_suffix(".toml") {
                let words =
                    Words::read(&text).map_err(|why| TemplateError::Bad { file: name.clone(), why })?;
                for (part, text) in words.sentences() {
                    let template = format!("{language} {part}");
                    environment
                        .add_template_owned(template, text.to_owned())
                        .map_err(|error| bad(&format!("{name}, {part}"), &error))?;
                }
                languages.insert(language.to_owned(), words);
            } else {
                environment.add_template_owned(name.clone(), text).map_err(|error| bad(&name, &error))?;
            }
        }
        let templates = Self { environment, languages };
        templates.try_all()?;
        Ok(templates)
    }

    /// Renders every kind in every language, with everything and with next to nothing to say.
    fn try_all(&self) -> Result<(), TemplateError> {
        for language in self.languages.keys() {
            for kind in words::KINDS {
                for values in [Values::everything(), Values::little()] {
                    self.render(kind, language, &values)?;
                }
            }
        }
        Ok(())
    }

    /// The languages that there are.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The language in which something is said that was asked for in one: `pt-BR` in `pt`, what is not there in English.
    pub fn language(&self, wanted: &str) -> &str {
        let wanted = wanted.to_lowercase();
        let primary = wanted.split(['-', '_']).next().unwrap_or_default();
        let found =
            [wanted.as_str(), primary].into_iter().find_map(|name| self.languages.get_key_value(name));
        found.map_or(FALLBACK, |(name, _)| name)
    }

    /// What a mail of a kind says, in a language or the nearest there is.
    ///
    /// # Errors
    /// [`TemplateError::UnknownKind`]. The others have been met at the start.
    pub fn render(&self, kind: &str, language: &str, values: &Values) -> Result<Rendered, TemplateError> {
        let language = self.language(language);
        let words = &self.languages[language];
        if !words.kind.contains_key(kind) {
            return Err(TemplateError::UnknownKind(kind.to_owned()));
        }
        let values = values.clone().cleaned();
        let rendered = |part: &str, given: Value| {
            let template = self.environment.get_template(&format!("{language} {part}"));
            let rendered = template.and_then(|template| template.render(given));
            rendered.map_err(|error| bad(&format!("{language}.toml, {part}"), &error))
        };
        let actor = match values.actor.as_deref() {
            None => words.support.clone(),
            Some(name) => rendered(words::PERSON, minijinja::context! { name })?,
        };
        let spoken = Value::from(Serde(values.spoken(words, &actor)));
        let say = |part: &str| rendered(&format!("{kind}.{part}"), spoken.clone());
        let subject = values::one_line(&say(words::SUBJECT)?, values::SUBJECT_CHARACTERS);
        let body = paragraphs(&say(words::BODY)?);
        let quote = values.text.as_deref().map(|text| text.lines().collect()).unwrap_or_default();
        let known_issue = kind.starts_with("known_issue");
        let page = Page {
            language,
            subject: &subject,
            preview: preview(&body, values.text.as_deref()),
            heading: say(words::HEADING)?,
            title: &values.title,
            body,
            quote,
            after: paragraphs(&say(words::AFTER)?),
            facts: facts(&values, words, known_issue),
            button: button(&values, words, known_issue),
            links: links(&values, words),
            why: rendered(&words.why_of(&values.reason), spoken.clone())?,
            unsubscribe: values.unsubscribe_url.as_deref().map(|url| Link { label: &words.unsubscribe, url }),
            no_reply: if known_issue { &words.no_reply_known_issue } else { &words.no_reply },
        };
        let page = Value::from(Serde(page));
        let lay_out = |name: &str| {
            let template = self.environment.get_template(name);
            template.and_then(|template| template.render(page.clone())).map_err(|error| bad(name, &error))
        };
        let (text, html) = (lay_out(TEXT)?, lay_out(HTML)?);
        Ok(Rendered { subject, text, html, language: language.to_owned() })
    }
}

/// What is known of the case or issue, in the order shown.
fn facts<'a>(values: &'a Values, words: &'a Words, known_issue: bool) -> Vec<Fact<'a>> {
    let label = &words.label;
    let state = values.state.as_deref().and_then(|state| words.state.get(state)).map(String::as_str);
    let rows = [
        (if known_issue { &label.known_issue } else { &label.case }, Some(values.reference.as_str())),
        (&label.organization, values.organization.as_deref()),
        (&label.state, state),
        (&label.priority, values.priority.as_deref()),
        (&label.partner, values.partner.as_deref()),
    ];
    let given = rows.into_iter().filter_map(|(label, value)| Some(Fact { label, value: value? }));
    given.filter(|fact| !fact.value.is_empty()).collect()
}

/// What the reader is asked to do first: rate what was closed, else open it.
fn button<'a>(values: &'a Values, words: &'a Words, known_issue: bool) -> Option<Link<'a>> {
    let open = if known_issue { &words.open_known_issue } else { &words.open };
    let rate = values.survey_url.as_deref().map(|url| Link { label: &words.rate, url });
    rate.or_else(|| values.url.as_deref().map(|url| Link { label: open, url }))
}

/// What else the reader may do.
fn links<'a>(values: &'a Values, words: &'a Words) -> Vec<Link<'a>> {
    let open = values.survey_url.as_ref().and(values.url.as_deref());
    let open = open.map(|url| Link { label: &words.open, url });
    let not_affected = values.not_affected_url.as_deref();
    open.into_iter().chain(not_affected.map(|url| Link { label: &words.not_affected, url })).collect()
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

fn preview(body: &[String], text: Option<&str>) -> String {
    values::one_line(&format!("{} {}", body.join(" "), text.unwrap_or_default()), PREVIEW_CHARACTERS)
}

/// An error in one line.
fn bad(file: &str, error: &minijinja::Error) -> TemplateError {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    let why = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    TemplateError::Bad { file: file.to_owned(), why: format!("{why}{line}") }
}

#[cfg(test)]
mod tests;

//! What a listed case must fulfil, and how that is said in SQL.

use dossier_domain::Side;
use dossier_domain::case::Status;
use dossier_domain::catalogue::Priority;
use jiff::Timestamp;

use crate::full_text::{push_match, push_sequence, push_terms};
use crate::sql::{Engine, Sql};
use crate::words::Phrase;

/// A moment of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It was filed.
    Filed,
    /// Anything last happened to it, as a side sees it.
    Updated(Side),
    /// Support has promised an answer by then; none is before or after it where nothing is promised.
    ResponseDue,
}

impl Moment {
    fn column(self) -> &'static str {
        match self {
            Self::Filed => "filed_at_micros",
            Self::Updated(Side::Support) => "updated_at_micros",
            Self::Updated(_) => "customer_updated_at_micros",
            Self::ResponseDue => "response_due_micros",
        }
    }
}

/// On which side of an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Strictly earlier.
    Before,
    /// Strictly later.
    After,
}

/// What a listed case must fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseCondition {
    /// All of these; none: anything.
    And(Vec<CaseCondition>),
    /// One of these.
    Or(Vec<CaseCondition>),
    /// Not closed.
    Open,
    /// In this state.
    Status(Status),
    /// Of this priority.
    Priority(Priority),
    /// Of this organization.
    Organization(String),
    /// Filed by whoever has this address.
    FilerEmail(String),
    /// Filed under one of these classifications.
    Classification(Vec<String>),
    /// The words of this stand one after the other in title, description or a comment that customers see, whatever the
    /// case of their letters and without accents; the last may be the beginning of one, of three characters or more,
    /// unless something follows it. Nothing is found by what has neither letters nor digits.
    Text(String),
    /// A moment of it is strictly before or after an instant.
    At(Moment, Compared, Timestamp),
    /// Of this product.
    Product(String),
    /// With this support provider; empty: with none.
    Provider(String),
    /// Had by this agent, named by their account; `None`: by nobody.
    Assignee(Option<String>),
    /// To be answered in this language.
    Language(String),
    /// Come by this channel, by its name in the catalogue; `None`: by the web.
    Channel(Option<String>),
    /// Whether an escalation is active.
    Escalated(bool),
}

impl CaseCondition {
    /// Anything.
    pub fn anything() -> Self {
        Self::And(Vec::new())
    }

    /// Nothing at all.
    pub fn nothing() -> Self {
        Self::Or(Vec::new())
    }

    pub(super) fn push(&self, query: &mut Sql, asked: &Asked) {
        match self {
            Self::And(conditions) => push_joined(query, conditions, asked, " AND ", "TRUE"),
            Self::Or(conditions) => push_joined(query, conditions, asked, " OR ", "FALSE"),
            Self::Open => {
                // Said as the index of open cases says it.
                query.push(format!("status <> '{}'", Status::Closed.as_str()));
            }
            Self::Status(status) => {
                query.push("status = ").push_bind(status.as_str());
            }
            Self::Priority(priority) => {
                query.push("priority = ").push_bind(i64::from(priority.digit()));
            }
            Self::Organization(organization) => {
                query.push("organization = ").push_bind(organization.as_str());
            }
            Self::FilerEmail(email) => {
                query.push("filer_email = ").push_bind(email.to_lowercase());
            }
            Self::Classification(ids) => {
                query.push("classification_id").push_is_one_of(ids);
            }
            Self::Text(text) => match Phrase::of(text) {
                Some(phrase) => asked.push_text(query, &phrase),
                None => {
                    query.push("FALSE");
                }
            },
            Self::At(moment, compared, instant) => {
                query.push(moment.column()).push(match compared {
                    Compared::Before => " < ",
                    Compared::After => " > ",
                });
                query.push_bind(instant.as_microsecond());
            }
            Self::Product(id) => {
                query.push("product = ").push_bind(id.as_str());
            }
            Self::Provider(id) => {
                query.push("provider = ").push_bind(id.as_str());
            }
            Self::Assignee(Some(account)) => {
                query.push("assignee = ").push_bind(account.as_str());
            }
            // These two said as the indexes say them.
            Self::Assignee(None) => {
                query.push("assignee IS NULL");
            }
            Self::Escalated(escalated) => {
                query.push(if *escalated { "escalated" } else { "NOT escalated" });
            }
            Self::Language(code) => {
                query.push("language = ").push_bind(code.as_str());
            }
            Self::Channel(Some(name)) => {
                query.push("channel = ").push_bind(name.as_str());
            }
            Self::Channel(None) => {
                query.push("channel IS NULL");
            }
        }
    }

    /// What every case that fulfils this fulfils, as far as it is said by `AND`.
    fn demands(&self) -> Vec<&Self> {
        match self {
            Self::And(conditions) => conditions.iter().flat_map(Self::demands).collect(),
            one => vec![one],
        }
    }

    /// Whether all that fulfil this are of one organization.
    pub(super) fn is_of_one_organization(&self) -> bool {
        self.demands().iter().any(|one| matches!(one, Self::Organization(_)))
    }

    /// Whether those with a provider (empty: with none) may be among what fulfils this.
    pub(super) fn may_be_with(&self, provider: &str) -> bool {
        !self.demands().iter().any(|one| matches!(one, Self::Provider(other) if other != provider))
    }

    /// A text that every case that fulfils this has, and what else it must fulfil.
    pub(super) fn split_text(&self) -> Option<(Phrase, Self)> {
        match self {
            Self::Text(text) => Some((Phrase::of(text)?, Self::anything())),
            Self::And(conditions) => {
                let mut found = conditions.iter().enumerate();
                let (at, (phrase, rest)) = found.find_map(|(at, one)| Some((at, one.split_text()?)))?;
                let mut others = conditions.clone();
                others[at] = rest;
                Some((phrase, Self::And(others)))
            }
            _ => None,
        }
    }
}

/// What a condition on texts has to know of the whole question.
pub(super) struct Asked {
    pub(super) engine: Engine,
    /// Of the texts in scope.
    pub(super) marks: Vec<String>,
}

impl Asked {
    /// The condition that a case has a text with a phrase.
    fn push_text(&self, query: &mut Sql, phrase: &Phrase) {
        match self.engine {
            Engine::Sqlite => {
                query.push("cases.sequence IN (SELECT ");
                push_sequence(query);
                query.push(" FROM ").push_live("case_words").push(" WHERE ");
                push_match(query, phrase, &self.marks);
            }
            Engine::Postgres => {
                query.push("EXISTS (SELECT 1 FROM ").push_live("case_texts");
                query.push(" WHERE case_texts.sequence = cases.sequence AND ");
                push_terms(query, phrase, &self.marks);
            }
        }
        query.push(")");
    }
}

fn push_joined(
    query: &mut Sql,
    conditions: &[CaseCondition],
    asked: &Asked,
    by: &'static str,
    empty: &'static str,
) {
    if conditions.is_empty() {
        query.push(empty);
        return;
    }
    query.push("(");
    for (number, condition) in conditions.iter().enumerate() {
        if number > 0 {
            query.push(by);
        }
        condition.push(query, asked);
    }
    query.push(")");
}

//! What a filter means on cases: `cases.list` and, with free text and a few fields more, `cases.search`; for
//! support every field that it sees.

use std::fmt;

use dossier_domain::Side;
use jiff::Timestamp;

use super::{Filter, Op, invalid};
use crate::proto_json::format_timestamp;
use crate::status::{ApiError, excerpt};

mod values;

pub use values::{AssigneeName, Order, TimeField};

/// Which call the filter belongs to, and from which side: the customer side has the published fields alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterMode {
    /// `cases.list`, parameter `filter`: state, priority, creator.email.
    List,
    /// `cases.search`, parameter `query`: also free text, update_time, organization, project.
    Search,
    /// `cases.list` for support: every field that support sees, no free text.
    SupportList,
    /// `cases.search` for support.
    SupportSearch,
}

const OF_LISTS: &[&str] = &["state", "priority", "creator.email"];
const OF_SEARCHES: &[&str] = &["update_time", "organization", "project"];
const OF_SUPPORT: &[&str] =
    &["product", "provider", "assignee", "language", "channel", "escalated", "create_time", "response_due"];

impl FilterMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::List, Self::Search, Self::SupportList, Self::SupportSearch];

    /// The same call from a side.
    #[must_use]
    pub fn of_side(self, side: Side) -> Self {
        match (self, side == Side::Support) {
            (Self::List | Self::SupportList, false) => Self::List,
            (Self::List | Self::SupportList, true) => Self::SupportList,
            (Self::Search | Self::SupportSearch, false) => Self::Search,
            (Self::Search | Self::SupportSearch, true) => Self::SupportSearch,
        }
    }

    /// The query parameter that holds the filter.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::List | Self::SupportList => "filter",
            Self::Search | Self::SupportSearch => "query",
        }
    }

    fn takes_text(self) -> bool {
        matches!(self, Self::Search | Self::SupportSearch)
    }

    fn fields(self) -> Vec<&'static str> {
        let (searches, support) = match self {
            Self::List => (&[][..], &[][..]),
            Self::Search => (OF_SEARCHES, &[][..]),
            Self::SupportList | Self::SupportSearch => (OF_SEARCHES, OF_SUPPORT),
        };
        [OF_LISTS, searches, support].concat()
    }
}

/// The states of a case as they are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PublishedState {
    /// Nobody is assigned yet.
    New,
    /// Support works on it.
    InProgress,
    /// Support waits for the customer.
    ActionRequired,
    /// Support proposed a solution.
    SolutionProvided,
    /// Closed.
    Closed,
}

impl PublishedState {
    const ALL: [Self; 5] =
        [Self::New, Self::InProgress, Self::ActionRequired, Self::SolutionProvided, Self::Closed];

    /// The published name.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::InProgress => "IN_PROGRESS_GOOGLE_SUPPORT",
            Self::ActionRequired => "ACTION_REQUIRED",
            Self::SolutionProvided => "SOLUTION_PROVIDED",
            Self::Closed => "CLOSED",
        }
    }
}

/// A parent that a search names by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ParentName<'a> {
    /// The id behind `organizations/`.
    Organization(&'a str),
    /// The id behind `projects/`.
    Project(&'a str),
}

/// A filter on cases whose every field and value is known to make sense.
///
/// Its text form ([`fmt::Display`]) is canonical: equal filters, equal text, whatever the blanks, quotes and
/// superfluous parentheses of the request. It holds what the user typed: bind page tokens to it, do not log it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseFilter {
    /// Every case.
    All,
    /// All of these; at least two, none of them an `And`.
    And(Vec<CaseFilter>),
    /// Any of these; at least two, none of them an `Or`.
    Or(Vec<CaseFilter>),
    /// Any state but CLOSED.
    StateOpen,
    /// Exactly this state.
    StateIs(PublishedState),
    /// The digit of the priority: 0 for P0 to 4 for P4.
    Priority(u8),
    /// The creator's address, in lower case.
    CreatorEmail(String),
    /// A substring of title, description or a comment, without regard to case; no character is special.
    Text(String),
    /// Something happened strictly earlier or later than an instant.
    Time(TimeField, Order, Timestamp),
    /// Under this organization: the id behind `organizations/`.
    Organization(String),
    /// Under this project: the id behind `projects/`.
    Project(String),
    /// Of this product.
    Product(String),
    /// With this support provider; `None`: with none.
    Provider(Option<String>),
    /// Had by this agent.
    Assignee(AssigneeName),
    /// To be answered in this language.
    Language(String),
    /// Come by this channel, as it is published.
    Channel(&'static str),
    /// Whether an escalation is active.
    Escalated(bool),
}

impl CaseFilter {
    /// Reads and checks a filter; an absent or empty one is [`CaseFilter::All`].
    ///
    /// # Errors
    /// 400 with reason INVALID_FILTER naming the offset and what would do.
    pub fn parse(mode: FilterMode, text: Option<&str>) -> Result<Self, ApiError> {
        match Filter::parse(mode.parameter(), text.unwrap_or_default())? {
            None => Ok(Self::All),
            Some(filter) => Self::check(mode, filter),
        }
    }

    /// The parents that the filter names anywhere, in order, each once: the caller must be allowed all of them.
    pub fn parents(&self) -> Vec<ParentName<'_>> {
        let mut found = Vec::new();
        self.collect_parents(&mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The one parent below which every match lies, when the filter demands exactly one by `AND`: what stands in
    /// for a parent in the path.
    pub fn required_parent(&self) -> Option<ParentName<'_>> {
        let conjuncts = match self {
            Self::And(all) => all.as_slice(),
            other => std::slice::from_ref(other),
        };
        let mut demanded = conjuncts.iter().filter_map(Self::as_parent);
        let first = demanded.next()?;
        demanded.all(|other| other == first).then_some(first)
    }

    fn as_parent(&self) -> Option<ParentName<'_>> {
        match self {
            Self::Organization(id) => Some(ParentName::Organization(id)),
            Self::Project(id) => Some(ParentName::Project(id)),
            _ => None,
        }
    }

    fn collect_parents<'a>(&'a self, found: &mut Vec<ParentName<'a>>) {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().for_each(|part| part.collect_parents(found)),
            other => found.extend(other.as_parent()),
        }
    }

    fn check(mode: FilterMode, filter: Filter) -> Result<Self, ApiError> {
        // The recursion is as deep as the parentheses, which the parser bounds.
        let each = |list: Vec<Filter>| list.into_iter().map(|part| Self::check(mode, part));
        match filter {
            Filter::And(list) => {
                let mut all = Vec::new();
                for part in each(list) {
                    match part? {
                        Self::And(inner) => all.extend(inner),
                        other => all.push(other),
                    }
                }
                Ok(Self::And(all))
            }
            Filter::Or(list) => {
                let mut any = Vec::new();
                for part in each(list) {
                    match part? {
                        Self::Or(inner) => any.extend(inner),
                        other => any.push(other),
                    }
                }
                Ok(Self::Or(any))
            }
            Filter::Text { value, offset } if !mode.takes_text() => Err(invalid(
                mode.parameter(),
                offset,
                &format!(
                    "free text ({}) is for cases.search; compare a field: {}",
                    excerpt(&value),
                    mode.fields().join(", ")
                ),
            )),
            Filter::Text { value, offset } if value.trim().is_empty() => {
                Err(invalid(mode.parameter(), offset, "the text to search for is empty"))
            }
            Filter::Text { value, .. } => Ok(Self::Text(value)),
            Filter::Term { field, op, value, offset } => Self::term(mode, &field, op, &value, offset),
        }
    }

    fn term(mode: FilterMode, field: &str, op: Op, value: &str, offset: usize) -> Result<Self, ApiError> {
        let refuse = |what: String| Err(invalid(mode.parameter(), offset, &what));
        let fields = mode.fields();
        if !fields.contains(&field) {
            let fields = fields.join(", ");
            return refuse(format!("unknown field {}; the fields are {fields}", excerpt(field)));
        }
        let wanted = values::operators(mode, field);
        if !wanted.contains(&op) {
            let wanted: Vec<String> = wanted.iter().map(|op| op.symbol().to_string()).collect();
            return refuse(format!(
                "{field} is compared with {} only, not with {}",
                wanted.join(" and "),
                op.symbol()
            ));
        }
        let checked = values::read(field, op, value);
        checked.map_or_else(
            || {
                refuse(format!(
                    "{} is no value for {field}; {} would do",
                    excerpt(value),
                    values::example(field)
                ))
            },
            Ok,
        )
    }
}

/// A value in quotes, as the grammar reads it back.
pub(crate) fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for CaseFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, list: &[Self], word| {
            for (i, part) in list.iter().enumerate() {
                f.write_str(if i == 0 { "" } else { word })?;
                match part {
                    Self::And(_) | Self::Or(_) => write!(f, "({part})")?,
                    simple => write!(f, "{simple}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All => Ok(()),
            Self::And(all) => joined(f, all, " AND "),
            Self::Or(any) => joined(f, any, " OR "),
            Self::StateOpen => f.write_str("state=OPEN"),
            Self::StateIs(state) => write!(f, "state={}", state.name()),
            Self::Priority(digit) => write!(f, "priority=P{digit}"),
            Self::CreatorEmail(address) => write!(f, "creator.email={}", quote(address)),
            Self::Text(text) => f.write_str(&quote(text)),
            Self::Time(field, order, instant) if instant.subsec_nanosecond() % 1000 == 0 => {
                write!(f, "{}{}\"{}\"", field.name(), order.op().symbol(), format_timestamp(*instant))
            }
            Self::Time(field, order, instant) => {
                write!(f, "{}{}\"{instant:.9}\"", field.name(), order.op().symbol())
            }
            Self::Product(id) => write!(f, "product={}", quote(id)),
            Self::Provider(id) => write!(f, "provider={}", quote(id.as_deref().unwrap_or(values::NONE))),
            Self::Assignee(name) => write!(f, "assignee={name}"),
            Self::Language(code) => write!(f, "language={}", quote(code)),
            Self::Channel(name) => write!(f, "channel={name}"),
            Self::Escalated(escalated) => write!(f, "escalated={escalated}"),
            Self::Organization(id) => write!(f, "organization={}", quote(&format!("organizations/{id}"))),
            Self::Project(id) => write!(f, "project={}", quote(&format!("projects/{id}"))),
        }
    }
}

#[cfg(test)]
mod tests;

//! What a filter means on cases: `cases.list` and, with free text and a few fields more, `cases.search`.

use std::fmt;

use jiff::Timestamp;

use super::{Filter, Op, invalid};
use crate::proto_json::{format_timestamp, parse_timestamp};
use crate::status::{ApiError, excerpt};

/// Which call the filter belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterMode {
    /// `cases.list`, parameter `filter`: state, priority, creator.email.
    List,
    /// `cases.search`, parameter `query`: also free text, update_time, organization, project.
    Search,
}

impl FilterMode {
    /// The query parameter that holds the filter.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::List => "filter",
            Self::Search => "query",
        }
    }

    fn fields(self) -> &'static str {
        match self {
            Self::List => "state, priority, creator.email",
            Self::Search => "state, priority, creator.email, update_time, organization, project",
        }
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
    /// Changed strictly later than this instant.
    UpdatedAfter(Timestamp),
    /// Under this organization: the id behind `organizations/`.
    Organization(String),
    /// Under this project: the id behind `projects/`.
    Project(String),
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
            Filter::Text { value, offset } => match mode {
                FilterMode::List => Err(invalid(
                    mode.parameter(),
                    offset,
                    &format!(
                        "free text ({}) is for cases.search; compare a field: {}",
                        excerpt(&value),
                        mode.fields()
                    ),
                )),
                FilterMode::Search if value.trim().is_empty() => {
                    Err(invalid(mode.parameter(), offset, "the text to search for is empty"))
                }
                FilterMode::Search => Ok(Self::Text(value)),
            },
            Filter::Term { field, op, value, offset } => Self::term(mode, &field, op, &value, offset),
        }
    }

    fn term(mode: FilterMode, field: &str, op: Op, value: &str, offset: usize) -> Result<Self, ApiError> {
        let refuse = |what: String| Err(invalid(mode.parameter(), offset, &what));
        let only_in_search = matches!(field, "update_time" | "organization" | "project");
        let known = matches!(field, "state" | "priority" | "creator.email") || only_in_search;
        if !known || (only_in_search && mode == FilterMode::List) {
            return refuse(format!("unknown field {}; the fields are {}", excerpt(field), mode.fields()));
        }
        let wanted = if field == "update_time" { Op::Greater } else { Op::Equals };
        if op != wanted {
            return refuse(format!(
                "{field} is compared with {} only, not with {}",
                wanted.symbol(),
                op.symbol()
            ));
        }
        let checked = match field {
            "state" => state(value),
            "priority" => priority(value),
            "creator.email" => email(value),
            "update_time" => parse_timestamp(value).map(Self::UpdatedAfter),
            "organization" => id_behind("organizations/", value).map(Self::Organization),
            _ => id_behind("projects/", value).map(Self::Project),
        };
        checked.map_or_else(
            || refuse(format!("{} is no value for {field}; {} would do", excerpt(value), example(field))),
            Ok,
        )
    }
}

fn state(value: &str) -> Option<CaseFilter> {
    if value == "OPEN" {
        return Some(CaseFilter::StateOpen);
    }
    PublishedState::ALL.into_iter().find(|state| state.name() == value).map(CaseFilter::StateIs)
}

fn priority(value: &str) -> Option<CaseFilter> {
    match value.as_bytes() {
        [b'P', digit @ b'0'..=b'4'] => Some(CaseFilter::Priority(digit - b'0')),
        _ => None,
    }
}

fn email(value: &str) -> Option<CaseFilter> {
    let address = value.trim().to_lowercase();
    (!address.is_empty()).then_some(CaseFilter::CreatorEmail(address))
}

fn id_behind(prefix: &str, value: &str) -> Option<String> {
    value.strip_prefix(prefix).filter(|id| !id.is_empty() && !id.contains(['/', ':'])).map(str::to_owned)
}

fn example(field: &str) -> &'static str {
    match field {
        "state" => "OPEN, CLOSED, NEW, IN_PROGRESS_GOOGLE_SUPPORT, ACTION_REQUIRED or SOLUTION_PROVIDED",
        "priority" => "P0, P1, P2, P3 or P4",
        "creator.email" => "an address such as \"a@example.com\"",
        "update_time" => "an instant with a zone such as \"2020-01-01T00:00:00-05:00\"",
        "organization" => "\"organizations/ID\"",
        _ => "\"projects/ID\"",
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
            Self::UpdatedAfter(instant) if instant.subsec_nanosecond() % 1000 == 0 => {
                write!(f, "update_time>\"{}\"", format_timestamp(*instant))
            }
            Self::UpdatedAfter(instant) => write!(f, "update_time>\"{instant:.9}\""),
            Self::Organization(id) => write!(f, "organization={}", quote(&format!("organizations/{id}"))),
            Self::Project(id) => write!(f, "project={}", quote(&format!("projects/{id}"))),
        }
    }
}

#[cfg(test)]
mod tests;

//! The values that the fields of a case are compared with.

use std::fmt;

use dossier_domain::AccountId;
use jiff::Timestamp;

use super::{CaseFilter, FilterMode, Op, PublishedState};
use crate::proto_json::parse_timestamp;
use crate::resources::CHANNELS;

/// What nobody has, and what has no provider.
pub(super) const NONE: &str = "none";
/// Whoever asks.
const ME: &str = "me";

/// An instant of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeField {
    /// When it was filed.
    Created,
    /// When anything last happened to it, as the side that asks sees it.
    Updated,
    /// Until when support has promised an answer.
    ResponseDue,
}

impl TimeField {
    /// The name of the field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "create_time",
            Self::Updated => "update_time",
            Self::ResponseDue => "response_due",
        }
    }
}

/// On which side of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Strictly earlier.
    Before,
    /// Strictly later.
    After,
}

impl Order {
    /// How it is written.
    pub(super) fn op(self) -> Op {
        match self {
            Self::Before => Op::Less,
            Self::After => Op::Greater,
        }
    }
}

/// An agent as a filter names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeName {
    /// Whoever asks.
    Me,
    /// Nobody.
    Nobody,
    /// The id behind `agents/`.
    Agent(AccountId),
}

impl fmt::Display for AssigneeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Me => f.write_str(ME),
            Self::Nobody => f.write_str(NONE),
            Self::Agent(account) => write!(f, "\"agents/{account}\""),
        }
    }
}

/// How a field is compared.
pub(super) fn operators(mode: FilterMode, field: &str) -> &'static [Op] {
    match field {
        // As published.
        "update_time" if mode == FilterMode::Search => &[Op::Greater],
        "update_time" | "create_time" | "response_due" => &[Op::Greater, Op::Less],
        _ => &[Op::Equals],
    }
}

/// Reads the value of a known field; `None` for one that makes no sense.
pub(super) fn read(field: &str, op: Op, value: &str) -> Option<CaseFilter> {
    match field {
        "state" => state(value),
        "priority" => priority(value),
        "creator.email" => email(value),
        "update_time" => time(TimeField::Updated, op, value),
        "create_time" => time(TimeField::Created, op, value),
        "response_due" => time(TimeField::ResponseDue, op, value),
        "organization" => id_behind("organizations/", value).map(CaseFilter::Organization),
        "project" => id_behind("projects/", value).map(CaseFilter::Project),
        "product" => word(value).map(CaseFilter::Product),
        "provider" if value == NONE => Some(CaseFilter::Provider(None)),
        "provider" => word(value).map(|id| CaseFilter::Provider(Some(id))),
        "assignee" => assignee(value).map(CaseFilter::Assignee),
        "language" => word(value).map(CaseFilter::Language),
        "channel" => channel(value).map(CaseFilter::Channel),
        "escalated" => value.parse().ok().map(CaseFilter::Escalated),
        _ => None,
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

fn time(field: TimeField, op: Op, value: &str) -> Option<CaseFilter> {
    let order = if op == Op::Less { Order::Before } else { Order::After };
    parse_timestamp(value).map(|instant: Timestamp| CaseFilter::Time(field, order, instant))
}

fn id_behind(prefix: &str, value: &str) -> Option<String> {
    value.strip_prefix(prefix).filter(|id| !id.is_empty() && !id.contains(['/', ':'])).map(str::to_owned)
}

/// An id or a code; which there are, the read model knows.
fn word(value: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    ((1..=63).contains(&value.len()) && value.chars().all(plain)).then(|| value.to_owned())
}

fn assignee(value: &str) -> Option<AssigneeName> {
    match value {
        ME => Some(AssigneeName::Me),
        NONE => Some(AssigneeName::Nobody),
        name => name.strip_prefix("agents/")?.parse().ok().map(AssigneeName::Agent),
    }
}

fn channel(value: &str) -> Option<&'static str> {
    CHANNELS.iter().find(|(name, number)| *number != 0 && *name == value).map(|(name, _)| *name)
}

pub(super) fn example(field: &str) -> &'static str {
    match field {
        "state" => "OPEN, CLOSED, NEW, IN_PROGRESS_GOOGLE_SUPPORT, ACTION_REQUIRED or SOLUTION_PROVIDED",
        "priority" => "P0, P1, P2, P3 or P4",
        "creator.email" => "an address such as \"a@example.com\"",
        "update_time" | "create_time" | "response_due" => {
            "an instant with a zone such as \"2020-01-01T00:00:00-05:00\""
        }
        "organization" => "\"organizations/ID\"",
        "project" => "\"projects/ID\"",
        "assignee" => "me, none or \"agents/ID\"",
        "provider" => "none or the id of a provider",
        "channel" => "WEB, EMAIL, CHAT or PHONE",
        "escalated" => "true or false",
        "language" => "a code such as en",
        _ => "an id such as compute",
    }
}

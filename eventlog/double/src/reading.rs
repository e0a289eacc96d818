//! Reads as the server does them: forwards a position counts itself, backwards it does not.

use regex::Regex;
use tonic::Status;

use crate::log::{Log, Record};
use crate::protocol::event_store::client::streams::read_req::Options;
use crate::protocol::event_store::client::streams::read_req::options::all_options::AllOption;
use crate::protocol::event_store::client::streams::read_req::options::filter_options::{Expression, Filter};
use crate::protocol::event_store::client::streams::read_req::options::stream_options::RevisionOption;
use crate::protocol::event_store::client::streams::read_req::options::{
    AllOptions, FilterOption, StreamOptions,
};

const BACKWARDS: i32 = 1;

/// Selects events of `$all`.
pub(crate) enum Selection {
    Everything,
    Streams(Pattern),
    Types(Pattern),
}

pub(crate) enum Pattern {
    Regex(Regex),
    Prefixes(Vec<String>),
}

impl Pattern {
    fn new(expression: &Expression) -> Result<Self, Status> {
        if expression.regex.is_empty() {
            return Ok(Self::Prefixes(expression.prefix.clone()));
        }
        let regex =
            Regex::new(&expression.regex).map_err(|error| Status::invalid_argument(error.to_string()))?;
        Ok(Self::Regex(regex))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Regex(regex) => regex.is_match(text),
            Self::Prefixes(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix.as_str())),
        }
    }
}

impl Selection {
    pub(crate) fn new(options: &Options) -> Result<Self, Status> {
        let Some(FilterOption::Filter(filter)) = &options.filter_option else { return Ok(Self::Everything) };
        match &filter.filter {
            Some(Filter::StreamIdentifier(expression)) => Ok(Self::Streams(Pattern::new(expression)?)),
            Some(Filter::EventType(expression)) => Ok(Self::Types(Pattern::new(expression)?)),
            None => Err(Status::invalid_argument("a filter without an expression")),
        }
    }

    pub(crate) fn takes(&self, record: &Record) -> bool {
        match self {
            Self::Everything => true,
            Self::Streams(pattern) => pattern.matches(&record.stream),
            Self::Types(pattern) => pattern.matches(&record.event.event_type),
        }
    }
}

/// Events of one stream; `None` when there is no such stream.
pub(crate) fn of_stream(log: &Log, options: &Options, of: &StreamOptions, count: u64) -> Option<Vec<Record>> {
    let mut records = log.stream(&stream_name(of.stream_identifier.as_ref()));
    if records.is_empty() {
        return None;
    }
    let backwards = options.read_direction == BACKWARDS;
    match of.revision_option {
        Some(RevisionOption::Revision(revision)) if backwards => {
            records.retain(|record| record.revision <= revision);
        }
        Some(RevisionOption::Revision(revision)) => records.retain(|record| record.revision >= revision),
        Some(RevisionOption::End(_)) if !backwards => records.clear(),
        Some(RevisionOption::Start(_)) if backwards => records.truncate(1),
        _ => {}
    }
    Some(cut(records, backwards, count))
}

/// Events of `$all`.
pub(crate) fn of_all(
    log: &Log,
    options: &Options,
    of: AllOptions,
    count: u64,
) -> Result<Vec<Record>, Status> {
    let selection = Selection::new(options)?;
    let backwards = options.read_direction == BACKWARDS;
    let mut records = match of.all_option {
        Some(AllOption::Position(position)) => {
            let (index, exact) = log.find(position.commit_position);
            if !exact {
                // Nothing begins there.
                return Err(match selection {
                    Selection::Everything => {
                        Status::invalid_argument("Trying to read from an invalid position.")
                    }
                    _ => Status::unknown("Unexpected FilteredReadAllResult: InvalidPosition"),
                });
            }
            if backwards {
                let mut before = log.beginning_at(0);
                before.truncate(index);
                before
            } else {
                log.beginning_at(index)
            }
        }
        Some(AllOption::End(_)) if !backwards => vec![],
        Some(AllOption::Start(_)) if backwards => vec![],
        _ => log.beginning_at(0),
    };
    records.retain(|record| selection.takes(record));
    Ok(cut(records, backwards, count))
}

fn cut(mut records: Vec<Record>, backwards: bool, count: u64) -> Vec<Record> {
    if backwards {
        records.reverse();
    }
    records.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    records
}

pub(crate) fn stream_name(
    identifier: Option<&crate::protocol::event_store::client::StreamIdentifier>,
) -> String {
    identifier
        .map(|identifier| String::from_utf8_lossy(&identifier.stream_name).into_owned())
        .unwrap_or_default()
}

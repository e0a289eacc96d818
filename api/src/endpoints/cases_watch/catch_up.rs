//! What a stream has missed while it was away: read from the log, which knows the order, up to a bound.

use std::collections::BTreeMap;

use dossier_domain::{CaseId, Side};
use dossier_eventlog::Position;

use crate::call::{Call, Parent};
use crate::refusals;
use crate::status::ApiError;
use crate::watch::{Change, Changed};

/// Events looked at for one who comes again; beyond that listing the cases anew is cheaper for everybody.
const MOST_SCANNED: usize = 10_000;
/// Events read from the log at once.
const BATCH_EVENTS: usize = 256;

/// What was missed.
pub(super) struct Missed {
    /// Cases with their latest change, in the order of these.
    pub(super) cases: Vec<(CaseId, Position)>,
    /// Whether that is not all.
    pub(super) reset: bool,
}

/// The cases of an organization that changed after a position, up to another, as far as the caller's side may know.
pub(super) async fn missed(
    call: &Call,
    parent: &Parent,
    after: Position,
    until: Position,
) -> Result<Missed, ApiError> {
    let mut latest: BTreeMap<CaseId, Position> = BTreeMap::new();
    let (mut position, mut scanned) = (after, 0);
    while position < until && scanned < MOST_SCANNED {
        let batch = call.app.store.read_all(position, BATCH_EVENTS).await;
        let batch = batch.map_err(|error| refusals::history(error.into()))?;
        let Some(last) = batch.last() else { break };
        position = last.position;
        scanned += batch.len();
        for change in batch.iter().filter(|event| event.position <= until).filter_map(Change::of) {
            if let Some(case) = case_of(&change, parent) {
                latest.insert(case, change.position);
            }
        }
    }
    let mut cases: Vec<_> = latest.into_iter().collect();
    cases.sort_by_key(|(_, position)| *position);
    Ok(Missed { cases, reset: position < until })
}

/// The case of the organization that a change is about, where the caller's side may know that something changed
/// (R-COMMENT-3).
pub(super) fn case_of(change: &Change, parent: &Parent) -> Option<CaseId> {
    match &change.changed {
        Changed::Case { organization, case, is_for_customers } => {
            let is_told = *is_for_customers || parent.authority.side() == Side::Support;
            (is_told && *organization == parent.organization.as_str()).then_some(*case)
        }
        Changed::Access { .. } | Changed::Account { .. } => None,
    }
}

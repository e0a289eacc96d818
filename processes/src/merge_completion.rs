//! The other half of a merge: it is decided on the case that goes on elsewhere, and told here to the case in which it goes on.

use async_trait::async_trait;
use dossier_domain::case::{CaseCommand, CaseEvent, ReceiveMergedCase, ReturnMergedCase, UndoMerge};
use dossier_domain::{Actor, StaffRole};
use dossier_eventlog::Sealer;

use crate::reactor::{Begin, Order, ReactError, Reactor, Trigger, system_actor};

/// The reactor's name.
pub const NAME: &str = "merge_completion";

/// Why a target does not take a case over: it was merged itself, in the same instant.
const TARGET_MERGED: &str = "MERGE_TARGET_MERGED";

/// Tells the target of each merge, and of each that was undone. A merge whose target cannot take the case over is undone.
///
/// Whatever is told late, twice or once more after the work store was lost: the commands look where the source goes on by then,
/// so that an old event takes back no later merge.
pub struct MergeCompletion {
    actor: Actor,
}

impl MergeCompletion {
    /// The reactor, with the name of the system's actor made by a sealer.
    pub fn new(sealer: &Sealer) -> Self {
        Self { actor: system_actor(sealer, NAME, [StaffRole::System]) }
    }
}

#[async_trait]
impl Reactor for MergeCompletion {
    fn name(&self) -> &'static str {
        NAME
    }

    /// No merge is older than this reactor, and none may stay half done.
    fn begins(&self) -> Begin {
        Begin::AtBeginning
    }

    fn actor(&self) -> &Actor {
        &self.actor
    }

    async fn react(&self, trigger: &Trigger<'_>) -> Result<Vec<Order>, ReactError> {
        let Some((source, event)) = trigger.case()? else { return Ok(Vec::new()) };
        let order = match event {
            CaseEvent::CaseMerged(merged) => Order::CaseOrElse {
                organization: trigger.organization()?,
                case: merged.target,
                command: Box::new(CaseCommand::ReceiveMergedCase(ReceiveMergedCase {
                    source,
                    goes_on_in: Some(merged.target),
                })),
                reason: TARGET_MERGED,
                other: source,
                instead: Box::new(CaseCommand::UndoMerge(UndoMerge { target: Some(merged.target) })),
            },
            CaseEvent::MergeUndone(undone) => Order::Case {
                organization: trigger.organization()?,
                case: Some(undone.target),
                command: Box::new(CaseCommand::ReturnMergedCase(ReturnMergedCase {
                    source,
                    goes_on_in: None,
                })),
            },
            _ => return Ok(Vec::new()),
        };
        Ok(vec![order])
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! The export aggregate: that somebody read history, one per account, kind, scope and day (UTC). The command's id says
//! those four, so that a consumer who polls all day writes one event.

mod events;

pub use events::{ExportEvent, ExportKind, ExportScope, HistoryExported};

use jiff::Timestamp;
use serde::Serialize;

use crate::authority::{AccessRefusal, Action};
use crate::context::Context;
use crate::event::{Aggregate, EventAudience};
use crate::ids::ExportId;
use crate::personal::{PersonalFields, PersonalSlot};

/// Records that history is about to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordExport {
    /// For what.
    pub kind: ExportKind,
    /// What is read.
    pub scope: ExportScope,
    /// Where the reading begins: after this position of the log, or from this revision of the history.
    pub from: u64,
    /// The instant whose state is asked for.
    pub at: Option<Timestamp>,
}

impl RecordExport {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self.kind {
            ExportKind::Audit => Action::ReadHistory,
            ExportKind::Analytics => Action::ReadEventFeed,
            ExportKind::Explanation => Action::ExplainAccess,
        }
    }
}

/// An export, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Export(Option<HistoryExported>);

impl PersonalFields for Export {
    fn for_each_personal(&mut self, _visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {}
}

impl Aggregate for Export {
    type Event = ExportEvent;

    fn evolve(&mut self, event: &ExportEvent, _at: Timestamp) {
        let ExportEvent::HistoryExported(exported) = event;
        self.0 = Some(exported.clone());
    }

    fn audience(_event: &ExportEvent) -> EventAudience {
        EventAudience::Internal
    }
}

/// Decides whether to record an export; a recorded one is recorded.
///
/// # Errors
/// [`AccessRefusal`] for whoever may not read it.
pub fn decide(
    state: &Export,
    command: &RecordExport,
    context: &Context<'_>,
) -> Result<Vec<ExportEvent>, AccessRefusal> {
    context.authority.open_to(command.action())?;
    if state.0.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![
        HistoryExported {
            export: ExportId::derived(context.command_id),
            account: context.actor.account,
            kind: command.kind,
            scope: command.scope.clone(),
            from: command.from,
            at: command.at,
        }
        .into(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, decide_export};

    fn reading(kind: ExportKind) -> RecordExport {
        RecordExport { kind, scope: ExportScope::default(), from: 7, at: None }
    }

    /// R-AUDIT-1, R-ANALYTICS-1: an export is itself recorded.
    #[test]
    fn r_audit_1_an_export_is_recorded_once_with_who_and_what_for_the_system_alone() {
        let events = decide_export(&Export::default(), &reading(ExportKind::Audit), "auditor").unwrap();
        let [event @ ExportEvent::HistoryExported(exported)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((exported.kind, exported.from), (ExportKind::Audit, 7));
        assert_eq!(Export::audience(event), EventAudience::Internal);
        let mut state = Export::default();
        state.evolve(event, at(0));
        assert_eq!(decide_export(&state, &reading(ExportKind::Audit), "auditor"), Ok(Vec::new()));
    }

    #[test]
    fn nobody_records_an_export_that_they_may_not_make() {
        for (who, kind) in [
            ("auditor", ExportKind::Analytics),
            ("analyst", ExportKind::Audit),
            ("operator", ExportKind::Audit),
            ("analyst", ExportKind::Explanation),
            ("agent-north", ExportKind::Explanation),
            ("alice", ExportKind::Analytics),
        ] {
            let refused = decide_export(&Export::default(), &reading(kind), who).unwrap_err();
            assert_eq!(refused.reason(), "NOT_FOR_YOU", "{who}");
        }
    }
}

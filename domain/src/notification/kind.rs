//! What a message is about: one command is one message, of the most telling of its events.

use crate::case::CaseEvent;
use crate::event::EventAudience;

/// What a message is about. The order is how telling a kind is: of several in one command the greatest is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageKind {
    /// The case moved between open states.
    CaseStateChanged,
    /// Its priority changed.
    CasePriorityChanged,
    /// Somebody commented.
    CaseCommented,
    /// Support took an escalation up.
    EscalationAcknowledged,
    /// Support finished an escalation.
    EscalationResolved,
    /// The customer side escalated.
    CaseEscalated,
    /// Support asked for something.
    InformationRequested,
    /// Support proposed a solution.
    SolutionProposed,
    /// The case will close by itself.
    ClosingAnnounced,
    /// It goes on in another case.
    CaseMerged,
    /// It goes on by itself again.
    MergeUndone,
    /// A comment reopened it.
    CaseReopened,
    /// It was closed; the filer gets the link of the survey along.
    CaseClosed,
    /// It was filed.
    CaseFiled,
    /// There is news of a known issue.
    KnownIssueUpdated,
    /// A known issue is resolved.
    KnownIssueResolved,
}

impl MessageKind {
    /// All of them, the least telling first.
    pub const ALL: [Self; 16] = [
        Self::CaseStateChanged,
        Self::CasePriorityChanged,
        Self::CaseCommented,
        Self::EscalationAcknowledged,
        Self::EscalationResolved,
        Self::CaseEscalated,
        Self::InformationRequested,
        Self::SolutionProposed,
        Self::ClosingAnnounced,
        Self::CaseMerged,
        Self::MergeUndone,
        Self::CaseReopened,
        Self::CaseClosed,
        Self::CaseFiled,
        Self::KnownIssueUpdated,
        Self::KnownIssueResolved,
    ];

    /// The name, of the template and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CaseStateChanged => "case_state_changed",
            Self::CasePriorityChanged => "case_priority_changed",
            Self::CaseCommented => "case_commented",
            Self::EscalationAcknowledged => "escalation_acknowledged",
            Self::EscalationResolved => "escalation_resolved",
            Self::CaseEscalated => "case_escalated",
            Self::InformationRequested => "information_requested",
            Self::SolutionProposed => "solution_proposed",
            Self::ClosingAnnounced => "closing_announced",
            Self::CaseMerged => "case_merged",
            Self::MergeUndone => "merge_undone",
            Self::CaseReopened => "case_reopened",
            Self::CaseClosed => "case_closed",
            Self::CaseFiled => "case_filed",
            Self::KnownIssueUpdated => "known_issue_updated",
            Self::KnownIssueResolved => "known_issue_resolved",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What an event of a case is told as; nothing where nobody is mailed about it, which includes all that only support may
    /// learn of (R-COMMENT-3).
    pub fn of_case_event(event: &CaseEvent) -> Option<Self> {
        if event.audience() != EventAudience::Customer {
            return None;
        }
        match event {
            CaseEvent::CaseFiled(_) => Some(Self::CaseFiled),
            CaseEvent::CommentAdded(_) => Some(Self::CaseCommented),
            CaseEvent::CaseStateChanged(_) => Some(Self::CaseStateChanged),
            CaseEvent::PriorityChanged(_) => Some(Self::CasePriorityChanged),
            CaseEvent::CaseEscalated(_) => Some(Self::CaseEscalated),
            CaseEvent::EscalationAcknowledged(_) => Some(Self::EscalationAcknowledged),
            CaseEvent::EscalationResolved(_) => Some(Self::EscalationResolved),
            CaseEvent::InformationRequested(_) => Some(Self::InformationRequested),
            CaseEvent::SolutionProposed(_) => Some(Self::SolutionProposed),
            CaseEvent::ClosingAnnounced(_) => Some(Self::ClosingAnnounced),
            CaseEvent::CaseClosed(_) => Some(Self::CaseClosed),
            CaseEvent::ReopenedWithin30Days(_) => Some(Self::CaseReopened),
            CaseEvent::CaseMerged(_) => Some(Self::CaseMerged),
            CaseEvent::MergeUndone(_) => Some(Self::MergeUndone),
            _ => None,
        }
    }

    /// What the events of one command are told as (R-NOTIFY-1). A history that was taken over from elsewhere is no news.
    pub fn of_command(events: &[CaseEvent]) -> Option<Self> {
        let imported =
            |event: &CaseEvent| matches!(event, CaseEvent::CaseFiled(filed) if filed.imported_from.is_some());
        if events.iter().any(imported) {
            return None;
        }
        events.iter().filter_map(Self::of_case_event).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_is_found_by_it() {
        for kind in MessageKind::ALL {
            assert_eq!(MessageKind::from_name(kind.as_str()), Some(kind));
        }
        assert!(MessageKind::ALL.is_sorted());
        assert_eq!(MessageKind::from_name("nonsense"), None);
    }
}

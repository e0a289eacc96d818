//! What is written about a case. These structs are the contract with the log: a change of meaning is a new version with an
//! upcaster, and the golden samples of the old one stay for ever.
//!
//! To add one: its struct in the file of its topic, its line in the enum, who may learn of it in [`CaseEvent::audience`],
//! and its place in the fold.

mod changes;
mod conversation;
mod filing;
mod notifications;
mod response;
mod solution;
mod support;

pub use changes::*;
pub use conversation::*;
pub use filing::*;
pub use notifications::*;
pub use response::*;
pub use solution::*;
pub use support::*;

use crate::event::{EventAudience, domain_events};

domain_events! {
    /// Everything that can have happened to a case.
    pub enum CaseEvent {
        /// It was filed.
        CaseFiled @ 1,
        /// Somebody commented.
        CommentAdded @ 2 { 1: CommentAddedV1 },
        /// Somebody attached a file.
        AttachmentAdded @ 1,
        /// It moved between open states.
        CaseStateChanged @ 1,
        /// The title changed.
        CaseRenamed @ 1,
        /// The subscribers changed.
        SubscribersChanged @ 1,
        /// The priority changed.
        PriorityChanged @ 1,
        /// The customer side escalated.
        CaseEscalated @ 1,
        /// Support took the escalation up.
        EscalationAcknowledged @ 1,
        /// Support finished the escalation.
        EscalationResolved @ 1,
        /// Support asked for something.
        InformationRequested @ 1,
        /// Support proposed a solution.
        SolutionProposed @ 1,
        /// It was closed.
        CaseClosed @ 1,
        /// A comment reopened it.
        ReopenedWithin30Days @ 1,
        /// It went to a support provider.
        CaseRouted @ 1,
        /// An agent got it.
        CaseAssigned @ 1,
        /// Nobody in particular has it any more.
        CaseUnassigned @ 1,
        /// Support wrote a note for itself.
        InternalNoteAdded @ 1,
        /// Support attached a file to a note.
        NoteAttachmentAdded @ 1,
        /// Support linked it with another case.
        CasesLinked @ 1,
        /// Support took a link away.
        CasesUnlinked @ 1,
        /// It goes on in another case.
        CaseMerged @ 1,
        /// It goes on by itself again.
        MergeUndone @ 1,
        /// Another case goes on in it.
        MergedCaseReceived @ 1,
        /// That other case goes on by itself again.
        MergedCaseReturned @ 1,
        /// It is about a known issue.
        KnownIssueLinked @ 1,
        /// It is not about that known issue.
        KnownIssueUnlinked @ 1,
        /// The customer side asked for a service credit.
        ServiceCreditRequested @ 1,
        /// The customer side asked for an incident report.
        IncidentReportRequested @ 1,
        /// It was announced that it closes by itself.
        ClosingAnnounced @ 1,
        /// The survey of a closing was answered.
        SurveyAnswered @ 1,
        /// Somebody wants no mails about it any more.
        NotificationsStopped @ 1,
        /// They want them again.
        NotificationsResumed @ 1,
        /// Nothing reopens it any more.
        ReopenWindowEnded @ 1,
        /// Support promised to answer.
        ResponseObjectiveSet @ 1,
        /// How that promise was counted.
        ResponseClockSet @ 1,
        /// A promise is about to be missed.
        ResponseWarned @ 1,
        /// A promise was missed.
        ResponseMissed @ 1,
        /// Support answered what it had promised to answer.
        ResponseGiven @ 1,
    }
}

impl CaseEvent {
    /// Who may ever learn of it: assignment, routing, notes, links and warnings stay with support (R-COMMENT-3).
    pub fn audience(&self) -> EventAudience {
        match self {
            Self::CaseRouted(_)
            | Self::CaseAssigned(_)
            | Self::CaseUnassigned(_)
            | Self::InternalNoteAdded(_)
            | Self::NoteAttachmentAdded(_)
            | Self::CasesLinked(_)
            | Self::CasesUnlinked(_)
            | Self::ReopenWindowEnded(_)
            | Self::ResponseClockSet(_)
            | Self::ResponseWarned(_) => EventAudience::Support,
            Self::CaseFiled(_)
            | Self::CommentAdded(_)
            | Self::AttachmentAdded(_)
            | Self::CaseStateChanged(_)
            | Self::CaseRenamed(_)
            | Self::SubscribersChanged(_)
            | Self::PriorityChanged(_)
            | Self::CaseEscalated(_)
            | Self::EscalationAcknowledged(_)
            | Self::EscalationResolved(_)
            | Self::InformationRequested(_)
            | Self::SolutionProposed(_)
            | Self::CaseClosed(_)
            | Self::ReopenedWithin30Days(_)
            | Self::CaseMerged(_)
            | Self::MergeUndone(_)
            | Self::MergedCaseReceived(_)
            | Self::MergedCaseReturned(_)
            | Self::KnownIssueLinked(_)
            | Self::KnownIssueUnlinked(_)
            | Self::ServiceCreditRequested(_)
            | Self::IncidentReportRequested(_)
            | Self::ClosingAnnounced(_)
            | Self::SurveyAnswered(_)
            | Self::NotificationsStopped(_)
            | Self::NotificationsResumed(_)
            | Self::ResponseObjectiveSet(_)
            | Self::ResponseMissed(_)
            | Self::ResponseGiven(_) => EventAudience::Customer,
        }
    }
}

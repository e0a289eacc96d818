//! What can be asked of a case.

use super::{
    AcknowledgeEscalation, AddComment, AddInternalNote, AnnounceClosing, AnswerSurvey, AssignCase,
    AttachFile, AttachToNote, Case, CaseEvent, CaseRejection, ChangeNotifications, ChangePriority, CloseCase,
    CloseUnanswered, EditCase, EscalateCase, FileCase, FileForKnownIssue, LinkCases, LinkKnownIssue,
    MergeInto, ProposeResolution, ProposeSolution, ReceiveMergedCase, RecordReopenWindowEnd,
    RecordResponseMiss, RecordResponseWarning, RequestIncidentReport, RequestInformation,
    RequestServiceCredit, ResolveEscalation, ReturnMergedCase, RouteCase, UnassignCase, UndoMerge,
    UnlinkCases, UnlinkKnownIssue,
};
use crate::authority::Action;
use crate::context::Context;

/// What can be asked of a case. Taking over a history from elsewhere is asked by [`super::import::import`].
#[derive(Clone, Debug)]
pub enum CaseCommand {
    /// File it.
    File(Box<FileCase>),
    /// Comment on it, which may reopen it.
    Comment(AddComment),
    /// Attach a file to it.
    Attach(AttachFile),
    /// Edit title, priority or subscribers.
    Edit(EditCase),
    /// Close it.
    Close(CloseCase),
    /// Escalate it.
    Escalate(EscalateCase),
    /// Ask for a service credit after an outage.
    RequestServiceCredit(RequestServiceCredit),
    /// Ask for an incident report about an outage.
    RequestIncidentReport(RequestIncidentReport),
    /// Answer the survey of a closing.
    AnswerSurvey(AnswerSurvey),
    /// Stop or resume the mails about it, for somebody.
    ChangeNotifications(ChangeNotifications),
    /// Ask the customer for something.
    RequestInformation(RequestInformation),
    /// Propose a solution.
    ProposeSolution(ProposeSolution),
    /// Take an escalation up.
    AcknowledgeEscalation(AcknowledgeEscalation),
    /// Finish an escalation.
    ResolveEscalation(ResolveEscalation),
    /// Assign it to an agent.
    Assign(AssignCase),
    /// Take it from the agent who has it.
    Unassign(UnassignCase),
    /// Hand it over to a provider.
    Route(RouteCase),
    /// Change its priority, as support.
    ChangePriority(ChangePriority),
    /// Add an internal note.
    AddInternalNote(AddInternalNote),
    /// Attach a file to an internal note.
    AttachToNote(AttachToNote),
    /// Link it with another case.
    LinkCases(LinkCases),
    /// Take a link away.
    UnlinkCases(UnlinkCases),
    /// Merge it into another case.
    MergeInto(Box<MergeInto>),
    /// Undo its merge.
    UndoMerge(UndoMerge),
    /// Another case goes on in it.
    ReceiveMergedCase(ReceiveMergedCase),
    /// That other case goes on by itself again.
    ReturnMergedCase(ReturnMergedCase),
    /// A promise is about to be missed.
    RecordResponseWarning(RecordResponseWarning),
    /// A promise was missed.
    RecordResponseMiss(RecordResponseMiss),
    /// Nothing reopens it any more.
    RecordReopenWindowEnd(RecordReopenWindowEnd),
    /// Announce that it closes by itself.
    AnnounceClosing(AnnounceClosing),
    /// Close it by itself.
    CloseUnanswered(CloseUnanswered),
    /// File it for somebody whom a known issue affects.
    FileForKnownIssue(Box<FileForKnownIssue>),
    /// It is about a known issue.
    LinkKnownIssue(LinkKnownIssue),
    /// It is not about a known issue.
    UnlinkKnownIssue(UnlinkKnownIssue),
    /// Propose the resolution of its known issue.
    ProposeResolution(Box<ProposeResolution>),
}

impl CaseCommand {
    /// What the actor must be allowed to do.
    pub fn action(&self) -> Action {
        match self {
            Self::File(_) => Action::FileCase,
            Self::Comment(_) => Action::CommentOnCase,
            Self::Attach(_) => Action::AttachToCase,
            Self::Edit(_) => Action::EditCase,
            Self::Close(_) => Action::CloseCase,
            Self::Escalate(_) => Action::EscalateCase,
            Self::RequestServiceCredit(_) | Self::RequestIncidentReport(_) => Action::RequestCompensation,
            Self::AnswerSurvey(_) => Action::AnswerSurvey,
            Self::ChangeNotifications(_) => Action::ChangeNotifications,
            Self::RequestInformation(_)
            | Self::ProposeSolution(_)
            | Self::AcknowledgeEscalation(_)
            | Self::ResolveEscalation(_)
            | Self::Assign(_)
            | Self::Unassign(_)
            | Self::Route(_)
            | Self::ChangePriority(_)
            | Self::AddInternalNote(_)
            | Self::AttachToNote(_)
            | Self::LinkCases(_)
            | Self::UnlinkCases(_)
            | Self::MergeInto(_)
            | Self::UndoMerge(_) => Action::WorkOnCase,
            Self::ReceiveMergedCase(_)
            | Self::ReturnMergedCase(_)
            | Self::RecordResponseWarning(_)
            | Self::RecordResponseMiss(_)
            | Self::RecordReopenWindowEnd(_)
            | Self::AnnounceClosing(_)
            | Self::CloseUnanswered(_)
            | Self::FileForKnownIssue(_)
            | Self::LinkKnownIssue(_)
            | Self::UnlinkKnownIssue(_)
            | Self::ProposeResolution(_) => Action::ActAsSystem,
        }
    }

    pub(super) fn decide(&self, case: &Case, context: &Context<'_>) -> Result<Vec<CaseEvent>, CaseRejection> {
        match self {
            Self::File(_) => Err(CaseRejection::AlreadyFiled),
            // What was filed already is what was wanted.
            Self::FileForKnownIssue(_) => Ok(Vec::new()),
            Self::LinkKnownIssue(command) => Ok(command.decide(case)),
            Self::UnlinkKnownIssue(command) => Ok(command.decide(case, context)),
            Self::ProposeResolution(command) => Ok(command.decide(case, context)),
            Self::Comment(command) => command.decide(case, context),
            Self::Attach(command) => command.decide(case, context),
            Self::Edit(command) => command.decide(case, context),
            Self::Close(command) => command.decide(case, context),
            Self::Escalate(command) => command.decide(case, context),
            Self::RequestServiceCredit(command) => command.decide(case, context),
            Self::RequestIncidentReport(command) => command.decide(case, context),
            Self::AnswerSurvey(command) => command.decide(case, context),
            Self::ChangeNotifications(command) => command.decide(case, context),
            Self::RequestInformation(command) => command.decide(case, context),
            Self::ProposeSolution(command) => command.decide(case, context),
            Self::AcknowledgeEscalation(command) => command.decide(case),
            Self::ResolveEscalation(command) => command.decide(case),
            Self::Assign(command) => command.decide(case, context),
            Self::Unassign(command) => command.decide(case),
            Self::Route(command) => command.decide(case, context),
            Self::ChangePriority(command) => command.decide(case, context),
            Self::AddInternalNote(command) => command.decide(context),
            Self::AttachToNote(command) => command.decide(case, context),
            Self::LinkCases(command) => command.decide(case, context),
            Self::UnlinkCases(command) => Ok(command.decide(case)),
            Self::MergeInto(command) => command.decide(case, context),
            Self::UndoMerge(command) => command.decide(case, context),
            Self::ReceiveMergedCase(command) => command.decide(case),
            Self::ReturnMergedCase(command) => Ok(command.decide(case)),
            Self::RecordResponseWarning(command) => Ok(command.decide(case, context)),
            Self::RecordResponseMiss(command) => Ok(command.decide(case, context)),
            Self::RecordReopenWindowEnd(command) => Ok(command.decide(case, context)),
            Self::AnnounceClosing(command) => Ok(command.decide(case, context)),
            Self::CloseUnanswered(command) => Ok(command.decide(case, context)),
        }
    }
}

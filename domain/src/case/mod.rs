//! The case aggregate: filed by the customer side, followed by both, and everything that happens in between.

mod acknowledge_escalation;
mod allowed;
mod assign;
mod attach;
mod automatic_closing;
mod channel;
mod close;
mod command;
mod comment;
mod edit;
mod escalate;
mod events;
mod explain_responses;
mod file;
mod follow_up;
pub mod import;
#[cfg(test)]
mod invariants;
mod known_issue;
#[cfg(test)]
mod life_tests;
mod link;
mod merge;
mod note;
mod notifications;
mod outage;
mod propose_solution;
mod rejection;
mod reopen;
mod request_information;
mod response;
mod route;
mod state;
mod survey;
mod timers;

pub use acknowledge_escalation::{AcknowledgeEscalation, ResolveEscalation};
pub use allowed::{AllowedAction, CaseButton, allowed_actions};
pub use assign::{AssignCase, Assignee, UnassignCase};
pub use attach::{AttachFile, MAX_FILENAME_CHARS, check_filename};
pub use automatic_closing::{AnnounceClosing, CloseUnanswered};
pub use channel::channel_is_open;
pub use close::CloseCase;
pub use command::CaseCommand;
pub use comment::{AddComment, MAX_COMMENT_CHARS};
pub use edit::{ChangePriority, EditCase};
pub use escalate::EscalateCase;
pub use events::*;
pub use explain_responses::{
    ExplainedObjective, ObjectiveEnd, Pause, ResponseExplanation, explain_responses,
};
pub use file::{FileCase, MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS, QualifiedFiling};
pub use follow_up::{FollowUpOf, follow_up};
pub use known_issue::{FileForKnownIssue, LinkKnownIssue, ProposeResolution, UnlinkKnownIssue};
pub use link::{LinkCases, MAX_LINKS, UnlinkCases};
pub use merge::{MergeInto, ReceiveMergedCase, ReturnMergedCase, UndoMerge};
pub use note::{AddInternalNote, AttachToNote};
pub use notifications::ChangeNotifications;
pub use outage::{RequestIncidentReport, RequestServiceCredit};
pub use propose_solution::ProposeSolution;
pub(crate) use propose_solution::is_link;
pub use rejection::{CaseRejection, Kind, MergeRefusal};
pub use reopen::{FollowUpOffer, REOPEN_WINDOW_SECONDS, reopen_window_ends_at};
pub use request_information::RequestInformation;
pub use response::MAX_COUNTED_INTERVALS;
pub use route::RouteCase;
pub use state::{
    Assignment, Case, CaseState, EscalationStatus, FirstResponse, LinkedIssue, OpenObjective,
    ProposedSolution, Status,
};
pub use survey::{AnswerSurvey, MAX_RATING, check as check_survey};
pub use timers::{
    RecordReopenWindowEnd, RecordResponseMiss, RecordResponseWarning, Timer, TimerKind, timers_of,
};

use crate::access::Access;
use crate::authority::{Action, CaseFacts};
use crate::context::Context;

/// Decides a command on a case.
///
/// # Errors
/// [`CaseRejection`] says why nothing happens. A case that the actor may not see is not found, whatever it is asked.
pub fn decide(
    state: &CaseState,
    command: &CaseCommand,
    context: &Context<'_>,
) -> Result<Vec<CaseEvent>, CaseRejection> {
    context.authority.open_to(command.action())?;
    if let CaseCommand::File(command) = command {
        return command.decide(state, context);
    }
    if let (CaseCommand::FileForKnownIssue(command), None) = (command, state.filed()) {
        return command.decide(context);
    }
    let case = state.filed().ok_or(CaseRejection::NotFound)?;
    check_actor(case, command.action(), context)?;
    command.decide(case, context)
}

/// Whether the actor sees the case and may act on it so; who does not see it learns nothing of it.
fn check_actor(case: &Case, action: Action, context: &Context<'_>) -> Result<(), CaseRejection> {
    check_visible(case, context.access, context)?;
    context.authority.require(action, &case.product)?;
    Ok(())
}

/// Whether the actor sees a case of an organization with this access.
fn check_visible(case: &Case, access: &Access, context: &Context<'_>) -> Result<(), CaseRejection> {
    if context.authority.visibility().admits(&CaseFacts::of(case, access.allowed_reseller())) {
        Ok(())
    } else {
        Err(CaseRejection::NotFound)
    }
}

//! The case aggregate: filed by the customer side, followed by both, and everything that happens in between.

mod acknowledge_escalation;
mod allowed;
mod attach;
mod close;
mod comment;
mod edit;
mod escalate;
mod events;
mod file;
#[cfg(test)]
mod invariants;
mod propose_solution;
mod rejection;
mod reopen;
mod request_information;
mod state;

pub use acknowledge_escalation::{AcknowledgeEscalation, ResolveEscalation};
pub use allowed::{AllowedAction, CaseButton, allowed_actions};
pub use attach::{AttachFile, MAX_FILENAME_CHARS, check_filename};
pub use close::CloseCase;
pub use comment::{AddComment, MAX_COMMENT_CHARS};
pub use edit::EditCase;
pub use escalate::EscalateCase;
pub use events::{
    AttachmentAdded, CaseClosed, CaseEscalated, CaseEvent, CaseFiled, CaseRenamed, CaseStateChanged,
    ClassificationRef, CommentAdded, CommentAddedV1, EscalationAcknowledged, EscalationReason,
    EscalationResolved, InformationKind, InformationRequested, PriorityChanged, Problem,
    ReopenedWithin30Days, Reproducible, SolutionKind, SolutionProposed, StateChangeCause, SubscribersChanged,
};
pub use file::{FileCase, MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS};
pub use propose_solution::ProposeSolution;
pub use rejection::{CaseRejection, Kind};
pub use reopen::{FollowUpOffer, REOPEN_WINDOW_SECONDS, reopen_window_ends_at};
pub use request_information::RequestInformation;
pub use state::{Case, CaseState, EscalationStatus, Status};

use crate::authority::{Action, CaseFacts};
use crate::context::Context;

/// What can be asked of a case.
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
    /// Ask the customer for something.
    RequestInformation(RequestInformation),
    /// Propose a solution.
    ProposeSolution(ProposeSolution),
    /// Take an escalation up.
    AcknowledgeEscalation(AcknowledgeEscalation),
    /// Finish an escalation.
    ResolveEscalation(ResolveEscalation),
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
            Self::RequestInformation(_)
            | Self::ProposeSolution(_)
            | Self::AcknowledgeEscalation(_)
            | Self::ResolveEscalation(_) => Action::WorkOnCase,
        }
    }
}

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
    let case = state.filed().ok_or(CaseRejection::NotFound)?;
    check_actor(case, command.action(), context)?;
    match command {
        CaseCommand::File(_) => Err(CaseRejection::AlreadyFiled),
        CaseCommand::Comment(command) => command.decide(case, context),
        CaseCommand::Attach(command) => command.decide(case, context),
        CaseCommand::Edit(command) => command.decide(case, context),
        CaseCommand::Close(command) => command.decide(case, context),
        CaseCommand::Escalate(command) => command.decide(case, context),
        CaseCommand::RequestInformation(command) => command.decide(case, context),
        CaseCommand::ProposeSolution(command) => command.decide(case, context),
        CaseCommand::AcknowledgeEscalation(command) => command.decide(case),
        CaseCommand::ResolveEscalation(command) => command.decide(case),
    }
}

/// Whether the actor sees the case and may act on it so; who does not see it learns nothing of it.
fn check_actor(case: &Case, action: Action, context: &Context<'_>) -> Result<(), CaseRejection> {
    if !context.authority.visibility().admits(&CaseFacts::of(case, context.access.allowed_reseller())) {
        return Err(CaseRejection::NotFound);
    }
    context.authority.require(action, &case.product)?;
    Ok(())
}

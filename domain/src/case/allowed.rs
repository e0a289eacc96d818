//! Which of the buttons of a case are shown, and why not the others (R-ESC-1): each asks the very checks that the decision
//! of its command makes.

use super::rejection::CaseRejection;
use super::state::{Case, CaseState, check_open};
use super::{
    acknowledge_escalation, attach, check_actor, close, comment, edit, escalate, follow_up, outage, survey,
};
use crate::authority::Action;
use crate::context::Context;

/// What somebody may want to do with a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseButton {
    /// Comment, which reopens a closed case within its window.
    Comment,
    /// Attach a file.
    Attach,
    /// Edit title and subscribers.
    Edit,
    /// Redefine the priority.
    ChangePriority,
    /// Close it.
    Close,
    /// Escalate it.
    Escalate,
    /// Ask the customer for something.
    RequestInformation,
    /// Propose a solution.
    ProposeSolution,
    /// Take an escalation up.
    AcknowledgeEscalation,
    /// Finish an escalation.
    ResolveEscalation,
    /// Ask for a service credit after an outage.
    RequestServiceCredit,
    /// Ask for an incident report about an outage.
    RequestIncidentReport,
    /// Follow the closed case up with a new one.
    FollowUp,
    /// Answer the survey of the latest closing.
    AnswerSurvey,
    /// Assign it to an agent.
    Assign,
    /// Take it from the agent who has it.
    Unassign,
    /// Hand it over to another provider.
    Route,
    /// Add an internal note.
    AddInternalNote,
    /// Link it with another case.
    LinkCases,
    /// Merge it into another case.
    MergeInto,
    /// Undo its merge.
    UndoMerge,
}

impl CaseButton {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 21] = [
        Self::Comment,
        Self::Attach,
        Self::Edit,
        Self::ChangePriority,
        Self::Close,
        Self::Escalate,
        Self::RequestInformation,
        Self::ProposeSolution,
        Self::AcknowledgeEscalation,
        Self::ResolveEscalation,
        Self::RequestServiceCredit,
        Self::RequestIncidentReport,
        Self::FollowUp,
        Self::AnswerSurvey,
        Self::Assign,
        Self::Unassign,
        Self::Route,
        Self::AddInternalNote,
        Self::LinkCases,
        Self::MergeInto,
        Self::UndoMerge,
    ];

    /// The name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Attach => "attach",
            Self::Edit => "edit",
            Self::ChangePriority => "changePriority",
            Self::Close => "close",
            Self::Escalate => "escalate",
            Self::RequestInformation => "requestInformation",
            Self::ProposeSolution => "proposeSolution",
            Self::AcknowledgeEscalation => "acknowledgeEscalation",
            Self::ResolveEscalation => "resolveEscalation",
            Self::RequestServiceCredit => "requestServiceCredit",
            Self::RequestIncidentReport => "requestIncidentReport",
            Self::FollowUp => "followUp",
            Self::AnswerSurvey => "answerSurvey",
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::Route => "route",
            Self::AddInternalNote => "addInternalNote",
            Self::LinkCases => "linkCases",
            Self::MergeInto => "mergeInto",
            Self::UndoMerge => "undoMerge",
        }
    }

    /// What the actor must be allowed to do.
    pub fn action(self) -> Action {
        match self {
            Self::Comment => Action::CommentOnCase,
            Self::Attach => Action::AttachToCase,
            Self::Edit | Self::ChangePriority => Action::EditCase,
            Self::Close => Action::CloseCase,
            Self::Escalate => Action::EscalateCase,
            Self::RequestInformation
            | Self::ProposeSolution
            | Self::AcknowledgeEscalation
            | Self::ResolveEscalation
            | Self::Assign
            | Self::Unassign
            | Self::Route
            | Self::AddInternalNote
            | Self::LinkCases
            | Self::MergeInto
            | Self::UndoMerge => Action::WorkOnCase,
            Self::RequestServiceCredit | Self::RequestIncidentReport => Action::RequestCompensation,
            Self::FollowUp => Action::FileCase,
            Self::AnswerSurvey => Action::AnswerSurvey,
        }
    }

    fn check(self, case: &Case, context: &Context<'_>) -> Result<(), CaseRejection> {
        context.authority.require(self.action(), &case.product)?;
        match self {
            Self::Comment => comment::check(case, context),
            Self::Attach => attach::check(case, context),
            Self::Edit | Self::AddInternalNote | Self::LinkCases => Ok(()),
            Self::ChangePriority => edit::check_redefine(case, context),
            Self::Close => close::check(case, context),
            Self::Escalate => escalate::check(case, context),
            Self::RequestInformation
            | Self::ProposeSolution
            | Self::Assign
            | Self::Unassign
            | Self::Route
            | Self::MergeInto => check_open(case),
            Self::UndoMerge => case.merged_into.map_or(Err(CaseRejection::NotMerged), |_| Ok(())),
            Self::RequestServiceCredit => outage::check_credit(case),
            Self::RequestIncidentReport => outage::check_report(case),
            Self::FollowUp => follow_up::check(case, context),
            Self::AnswerSurvey => survey::check_filer(case, context),
            Self::AcknowledgeEscalation => acknowledge_escalation::check_acknowledge(case),
            Self::ResolveEscalation => acknowledge_escalation::check_resolve(case),
        }
    }
}

/// Whether a button is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedAction {
    /// The button.
    pub button: CaseButton,
    /// Why it is not shown; `None`: it is.
    pub refused: Option<CaseRejection>,
}

/// Every button of a case, for the context's actor at its instant.
///
/// # Errors
/// Whoever does not see the case learns nothing of it.
pub fn allowed_actions(
    state: &CaseState,
    context: &Context<'_>,
) -> Result<Vec<AllowedAction>, CaseRejection> {
    context.authority.open_to(Action::ReadCases)?;
    let case = state.filed().ok_or(CaseRejection::NotFound)?;
    check_actor(case, Action::ReadCases, context)?;
    let allowed = |button: CaseButton| AllowedAction { button, refused: button.check(case, context).err() };
    Ok(CaseButton::ALL.into_iter().map(allowed).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::invariants::{PEOPLE, any_history, other_case, supported_case};
    use crate::case::{
        CaseCommand, EditCase, RequestIncidentReport, RequestServiceCredit, Status, UnassignCase, UndoMerge,
    };
    use crate::catalogue::Priority;
    use crate::ids::ProviderId;
    use crate::testing::{
        Given, acknowledge, acme, answer_survey, ask, assign, at, attach, close, comment, escalate,
        hand_over, link, merge, note, people, personal, propose, resolve_escalation,
    };

    fn shown(given: &Given, who: &str, second: i64) -> Result<Vec<AllowedAction>, CaseRejection> {
        let actor = people(who);
        given
            .circumstances(&actor, at(second))
            .decide(|context| allowed_actions(&given.clone().state(), context))
    }

    fn names(given: &Given, who: &str, second: i64) -> Vec<&'static str> {
        let buttons = shown(given, who, second).unwrap();
        buttons
            .iter()
            .filter(|button| button.refused.is_none())
            .map(|button| button.button.as_str())
            .collect()
    }

    /// R-ESC-1: the button is shown, or says why not.
    #[test]
    fn r_esc_1_each_side_sees_its_buttons_and_learns_why_the_others_are_missing() {
        let given = Given::filed();
        assert_eq!(
            names(&given, "bob", 1),
            ["comment", "attach", "edit", "changePriority", "close", "escalate"]
        );
        assert_eq!(names(&given, "carol", 1), [""; 0]);
        assert_eq!(
            names(&given, "agent-north", 1),
            [
                "comment",
                "attach",
                "edit",
                "changePriority",
                "requestInformation",
                "proposeSolution",
                "assign",
                "unassign",
                "route",
                "addInternalNote",
                "linkCases",
                "mergeInto"
            ]
        );
        let closed = given.and("alice", 1, &close());
        let escalate = &shown(&closed, "alice", 2).unwrap()[5];
        assert_eq!(
            (escalate.button, escalate.refused.clone()),
            (CaseButton::Escalate, Some(CaseRejection::CaseClosed))
        );
    }

    #[test]
    fn who_does_not_see_the_case_sees_no_buttons() {
        let given = Given::filed();
        assert_eq!(shown(&given, "peter", 1).unwrap_err().reason(), "NOT_A_MEMBER");
        assert_eq!(shown(&given, "operator", 1).unwrap_err().reason(), "NOT_FOR_YOU");
        let let_in_later = given.in_access(acme().letting_in("nimbus").build());
        assert_eq!(shown(&let_in_later, "nina", 1).unwrap_err().reason(), "CASE_NOT_FOUND");
    }

    fn provider(name: &str) -> Option<ProviderId> {
        ProviderId::new(name).ok()
    }

    /// A command that fits whatever the case is like; following up is no command on it.
    fn command(button: CaseButton, case: &Case, other: &CaseState) -> Option<CaseCommand> {
        Some(match button {
            CaseButton::Comment => comment("hello"),
            CaseButton::Attach => attach(),
            CaseButton::Edit => {
                CaseCommand::Edit(EditCase { title: Some(personal("new")), ..EditCase::default() })
            }
            CaseButton::ChangePriority => CaseCommand::Edit(EditCase {
                priority: Some(if case.priority == Priority::P1 { Priority::P2 } else { Priority::P1 }),
                priority_reason: Some(personal("why")),
                ..EditCase::default()
            }),
            CaseButton::Close => close(),
            CaseButton::Escalate => escalate(),
            CaseButton::RequestInformation => ask(),
            CaseButton::ProposeSolution => propose(),
            CaseButton::AcknowledgeEscalation => acknowledge(),
            CaseButton::ResolveEscalation => resolve_escalation(),
            CaseButton::RequestServiceCredit => CaseCommand::RequestServiceCredit(RequestServiceCredit {}),
            CaseButton::RequestIncidentReport => CaseCommand::RequestIncidentReport(RequestIncidentReport {}),
            CaseButton::FollowUp => return None,
            CaseButton::AnswerSurvey => answer_survey(case.closings),
            CaseButton::Assign => assign(),
            CaseButton::Unassign => CaseCommand::Unassign(UnassignCase {}),
            CaseButton::Route => {
                hand_over(if case.provider == provider("north") { "south" } else { "north" })
            }
            CaseButton::AddInternalNote => note("psst"),
            CaseButton::LinkCases => link(other),
            CaseButton::MergeInto => merge(other),
            CaseButton::UndoMerge => CaseCommand::UndoMerge(UndoMerge { target: None }),
        })
    }

    /// Whether the decision says what the button said.
    fn agrees(given: &Given, who: &str, second: i64, shown: &AllowedAction) -> bool {
        let state = given.clone().state();
        let case = state.filed().unwrap();
        let Some(command) = command(shown.button, case, &other_case(case)) else {
            let actor = people(who);
            let follow =
                |context: &Context<'_>| follow_up::follow_up(&state, actor.contact.subject(), context);
            return given.circumstances(&actor, at(second)).decide(follow).err() == shown.refused;
        };
        let decided = given.clone().when(who, second, &command).result();
        // A client may repeat these: they change nothing then, and the button is gone.
        let repeatable = match shown.button {
            CaseButton::Close => case.status == Status::Closed && case.merged_into.is_none(),
            CaseButton::AcknowledgeEscalation | CaseButton::ResolveEscalation | CaseButton::MergeInto => true,
            _ => false,
        };
        let repeated = repeatable && shown.refused.is_some() && decided == Ok(Vec::new());
        repeated || decided.err() == shown.refused
    }

    proptest! {
        #[test]
        fn a_button_is_shown_exactly_where_its_command_is_accepted(history in any_history()) {
            let mut given = supported_case();
            let mut second = 0;
            for (who, step, act) in history {
                second += step;
                if given.clone().when(PEOPLE[who], second, &act).result().is_ok() {
                    given = given.and(PEOPLE[who], second, &act);
                }
            }
            for who in PEOPLE {
                for button in shown(&given, who, second).unwrap_or_default() {
                    prop_assert!(agrees(&given, who, second, &button), "{:?} for {}", button.button, who);
                }
            }
        }
    }
}

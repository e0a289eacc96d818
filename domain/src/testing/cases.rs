//! Given/when/then for decisions on a case, and the commands that the tests give.

use jiff::Timestamp;

use super::{
    Circumstances, acme, at, catalogue, evolved, people, personal, recognized, reseller, supported_catalogue,
};
use crate::access::Access;
use crate::account::Account;
use crate::case::{
    self, AcknowledgeEscalation, AddComment, AddInternalNote, AnswerSurvey, AssignCase, Assignee, AttachFile,
    CaseCommand, CaseEvent, CaseRejection, CaseState, ChangePriority, CloseCase, EscalateCase,
    EscalationReason, FileCase, InformationKind, LinkCases, LinkKind, MergeInto, ProposeSolution,
    RequestInformation, ResolveEscalation, RouteCase, SolutionKind, SolutionParticulars, SurveyChannel,
};
use crate::catalogue::Priority;
use crate::{Actor, Aggregate, Catalogue, OrganizationId, ProviderId};

/// What happened before.
#[derive(Clone)]
pub(crate) struct Given {
    state: CaseState,
    access: Access,
    /// For whom nina acts; nobody else acts for anybody.
    reseller: Access,
    commands: u128,
    catalogue: Catalogue,
}

impl Given {
    pub(crate) fn nothing() -> Self {
        Self {
            state: CaseState::default(),
            access: acme().build(),
            reseller: reseller("nimbus").build(),
            commands: 0,
            catalogue: catalogue(),
        }
    }

    /// A case that alice filed at second 0.
    pub(crate) fn filed() -> Self {
        Self::nothing().and("alice", 0, &CaseCommand::File(Box::new(file_case())))
    }

    /// The same where the catalogue has providers: routed to `north`, and promised an answer.
    pub(crate) fn supported() -> Self {
        let nothing = Self::nothing().in_catalogue(supported_catalogue());
        nothing.and("alice", 0, &CaseCommand::File(Box::new(file_case())))
    }

    pub(crate) fn in_catalogue(mut self, catalogue: Catalogue) -> Self {
        self.catalogue = catalogue;
        self
    }

    /// What happened to a case is the same, and then something else did.
    pub(crate) fn with_case(mut self, state: CaseState) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn in_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    pub(crate) fn for_reseller(mut self, access: Access) -> Self {
        self.reseller = access;
        self
    }

    /// The circumstances in which somebody does something now.
    pub(crate) fn circumstances<'a>(&'a self, who: &'a Actor, now: Timestamp) -> Circumstances<'a> {
        let nimbus = OrganizationId::new("nimbus").unwrap();
        let acts_for = who.account == people("nina").account;
        Circumstances {
            command_number: self.commands + 1,
            acting_for: acts_for.then(|| (nimbus, self.reseller.clone())),
            catalogue: self.catalogue.clone(),
            ..Circumstances::new(&self.access, who, now)
        }
    }

    /// A command that must have been accepted.
    pub(crate) fn and(mut self, who: &str, second: i64, command: &CaseCommand) -> Self {
        let outcome = self.clone().when(who, second, command);
        outcome.events();
        self.state = outcome.state;
        self.commands += 1;
        self
    }

    pub(crate) fn when(self, who: &str, second: i64, command: &CaseCommand) -> Outcome {
        let now = at(second);
        let result = self
            .circumstances(&people(who), now)
            .decide(|context| case::decide(&self.state, command, context));
        let mut state = self.state;
        for event in result.iter().flatten() {
            state.evolve(event, now);
        }
        Outcome { result, state }
    }

    pub(crate) fn state(self) -> CaseState {
        self.state
    }
}

/// What came of a command.
#[derive(Debug)]
pub(crate) struct Outcome {
    result: Result<Vec<CaseEvent>, CaseRejection>,
    state: CaseState,
}

impl Outcome {
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<CaseEvent> {
        self.result.clone().expect("accepted")
    }

    pub(crate) fn result(&self) -> Result<Vec<CaseEvent>, CaseRejection> {
        self.result.clone()
    }

    pub(crate) fn clone_state(&self) -> CaseState {
        self.state.clone()
    }

    #[track_caller]
    pub(crate) fn rejection(self) -> CaseRejection {
        self.result.expect_err("refused")
    }

    #[track_caller]
    pub(crate) fn state(self) -> CaseState {
        self.events();
        self.state
    }
}

pub(crate) fn file_case() -> FileCase {
    FileCase {
        classification: "compute-vm".to_owned(),
        title: personal("the machine is down"),
        description: personal("since this morning"),
        priority: Some(Priority::P3),
        language: "en".to_owned(),
        time_zone: None,
        contact_email: None,
        subscribers: Vec::new(),
        test_case: false,
        problem: None,
        channel: None,
        follow_up_of: None,
        help: None,
    }
}

pub(crate) fn comment(body: &str) -> CaseCommand {
    CaseCommand::Comment(AddComment { body: personal(body) })
}

pub(crate) fn attach() -> CaseCommand {
    CaseCommand::Attach(AttachFile {
        filename: personal("trace.log"),
        media_type: "text/plain".to_owned(),
        size_bytes: 7,
        sha256: [7; 32],
        blob: "cases/c/b".to_owned(),
    })
}

pub(crate) fn close() -> CaseCommand {
    CaseCommand::Close(CloseCase {})
}

pub(crate) fn escalate() -> CaseCommand {
    CaseCommand::Escalate(EscalateCase {
        reason: Some(EscalationReason::BusinessImpact),
        justification: personal("we lose orders"),
    })
}

pub(crate) fn acknowledge() -> CaseCommand {
    CaseCommand::AcknowledgeEscalation(AcknowledgeEscalation {})
}

pub(crate) fn resolve_escalation() -> CaseCommand {
    CaseCommand::ResolveEscalation(ResolveEscalation {})
}

pub(crate) fn ask() -> CaseCommand {
    CaseCommand::RequestInformation(RequestInformation {
        information: InformationKind::LogsAndHeaders,
        text: personal("please send the logs"),
    })
}

pub(crate) fn propose() -> CaseCommand {
    CaseCommand::ProposeSolution(ProposeSolution {
        solution: SolutionKind::Solved,
        text: personal("restart it"),
        particulars: SolutionParticulars::default(),
    })
}

pub(crate) fn propose_kind(solution: SolutionKind, particulars: SolutionParticulars) -> CaseCommand {
    CaseCommand::ProposeSolution(ProposeSolution { solution, text: personal("see there"), particulars })
}

/// A solution that names an outage.
pub(crate) fn propose_outage() -> CaseCommand {
    let outage_url = Some("https://status.example/incidents/1".to_owned());
    propose_kind(SolutionKind::Outage, SolutionParticulars { outage_url, ..SolutionParticulars::default() })
}

pub(crate) fn assign() -> CaseCommand {
    CaseCommand::Assign(AssignCase { to: None })
}

/// Assigning to somebody of the sample data.
pub(crate) fn assign_to(who: &str) -> CaseCommand {
    let actor = people(who);
    let account = evolved(&Account::default(), &recognized(&Account::default(), &actor));
    CaseCommand::Assign(AssignCase { to: Some(Assignee::of(actor.account, &account)) })
}

pub(crate) fn hand_over(provider: &str) -> CaseCommand {
    let provider = ProviderId::new(provider).unwrap();
    CaseCommand::Route(RouteCase { provider, reason: personal("they know it better") })
}

pub(crate) fn note(body: &str) -> CaseCommand {
    CaseCommand::AddInternalNote(AddInternalNote { body: personal(body) })
}

pub(crate) fn link(other: &CaseState) -> CaseCommand {
    CaseCommand::LinkCases(LinkCases { other: other.clone(), kind: LinkKind::Related })
}

pub(crate) fn merge(target: &CaseState) -> CaseCommand {
    CaseCommand::MergeInto(Box::new(MergeInto { target: target.clone() }))
}

pub(crate) fn answer_survey(closing: u32) -> CaseCommand {
    let via = SurveyChannel::SignedIn;
    CaseCommand::AnswerSurvey(AnswerSurvey { closing, rating: 4, text: Some(personal("fine")), via })
}

pub(crate) fn change_priority(priority: Priority) -> CaseCommand {
    CaseCommand::ChangePriority(ChangePriority { priority, reason: Some(personal("it spreads")) })
}

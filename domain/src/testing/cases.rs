//! Given/when/then for decisions on a case, and the commands that the tests give.

use jiff::Timestamp;

use super::{Circumstances, acme, at, people, personal, reseller};
use crate::access::Access;
use crate::case::{
    self, AcknowledgeEscalation, AddComment, AttachFile, CaseCommand, CaseEvent, CaseRejection, CaseState,
    CloseCase, EscalateCase, EscalationReason, FileCase, InformationKind, ProposeSolution,
    RequestInformation, ResolveEscalation, SolutionKind,
};
use crate::catalogue::Priority;
use crate::{Actor, Aggregate, OrganizationId};

/// What happened before.
#[derive(Clone)]
pub(crate) struct Given {
    state: CaseState,
    access: Access,
    /// For whom nina acts; nobody else acts for anybody.
    reseller: Access,
    commands: u128,
}

impl Given {
    pub(crate) fn nothing() -> Self {
        Self {
            state: CaseState::default(),
            access: acme().build(),
            reseller: reseller("nimbus").build(),
            commands: 0,
        }
    }

    /// A case that alice filed at second 0.
    pub(crate) fn filed() -> Self {
        Self::nothing().and("alice", 0, &CaseCommand::File(Box::new(file_case())))
    }

    pub(crate) fn with_state(state: CaseState, access: Access) -> Self {
        Self { state, access, reseller: reseller("nimbus").build(), commands: 1 }
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
    })
}

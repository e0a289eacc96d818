//! Given/when/then for decisions, and the people and plans that the tests speak of. Only built for tests.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::access::{
    self, Access, AccessCommand, AccessEvent, AccessRejection, Entitlement, Grant, ManagementPeriod, Member,
    Registration,
};
use crate::case::{
    self, AcknowledgeEscalation, AddComment, AttachFile, CaseCommand, CaseEvent, CaseRejection, CaseState,
    CloseCase, EscalateCase, EscalationReason, FileCase, InformationKind, ProposeSolution,
    RequestInformation, ResolveEscalation, SolutionKind,
};
use crate::catalogue::Capability::{Escalate, Phone, RedefinePriority};
use crate::catalogue::{Catalogue, Priority};
use crate::export::{self, Export, ExportEvent, RecordExport};
use crate::{
    AccessRefusal, AccountId, Actor, Aggregate, Authority, CommandId, Contact, Context, OrganizationId,
    Personal, PlanId, ProductId, Role, StaffRole, Subject,
};

/// An instant, in seconds from the start of the tests' time.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap().saturating_add(SignedDuration::from_secs(second)).unwrap()
}

pub(crate) fn personal(text: &str) -> Personal<String> {
    Personal::new(Subject::contact(1), text.to_owned())
}

/// Somebody of the sample data by the local part of their address; staff by theirs.
pub(crate) fn people(name: &str) -> Actor {
    let domain = match name {
        "agent-north" | "agent-south" | "engineer" | "auditor" | "analyst" | "operator" => "support.example",
        "peter" => "initech.example",
        _ => "acme.example",
    };
    let staff =
        name.split('-').next().and_then(StaffRole::from_claim).filter(|_| domain == "support.example");
    let account = AccountId(ulid::Ulid::from(CommandId(Uuid::nil()).derive(name)));
    let contact = Contact { email: format!("{name}@{domain}"), display_name: name.to_owned() };
    Actor {
        account,
        contact: Personal::new(Subject::account(account), contact),
        staff_roles: BTreeSet::from_iter(staff),
    }
}

pub(crate) fn catalogue() -> Catalogue {
    let ids = |names: &[&str]| names.iter().map(|name| PlanId::new(name).unwrap()).collect::<BTreeSet<_>>();
    let plan = |id: &str, priorities: &[Priority], capabilities: &[_]| crate::catalogue::Plan {
        id: PlanId::new(id).unwrap(),
        display_name: id.to_owned(),
        priorities: priorities.iter().copied().collect(),
        capabilities: capabilities.iter().copied().collect(),
    };
    let product = |id: &str, plans: &[&str]| crate::catalogue::Product {
        id: ProductId::new(id).unwrap(),
        display_name: id.to_owned(),
        eligible_plans: ids(plans),
    };
    let classification = |id: &str, product: &str, display_name: &str| crate::catalogue::Classification {
        id: id.to_owned(),
        product: ProductId::new(product).unwrap(),
        display_name: display_name.to_owned(),
        listed: true,
        product_line: 1,
    };
    let common = &Priority::ALL[1..];
    let cloud = ["silver", "gold", "platinum"];
    let catalogue = Catalogue {
        languages: ["en", "fr", "ja"].map(str::to_owned).into(),
        plans: vec![
            plan("silver", common, &[]),
            plan("gold", common, &[Phone, Escalate]),
            plan("platinum", common, &[Phone, Escalate]),
            plan("premium", common, &[]),
            plan("premier", &Priority::ALL, &[RedefinePriority]),
        ],
        products: vec![
            product("compute", &cloud),
            product("storage", &cloud),
            product("identity", &["premium"]),
        ],
        classifications: vec![
            classification("compute-vm", "compute", "Compute > Virtual machines"),
            classification("storage-bucket", "storage", "Storage > Buckets"),
            classification("identity-sso", "identity", "Identity > Single sign-on"),
        ],
    };
    catalogue.validate().unwrap();
    catalogue
}

pub(crate) fn acme_id() -> OrganizationId {
    OrganizationId::new("acme").unwrap()
}

/// The organization acme of the sample data, to be changed before it is built.
#[derive(Clone)]
pub(crate) struct AccessBuilder(Access);

pub(crate) fn acme() -> AccessBuilder {
    let roles = |role| {
        ["compute", "storage"]
            .into_iter()
            .map(|id| (ProductId::new(id).unwrap(), role))
            .collect::<BTreeMap<_, _>>()
    };
    let member = |name: &str, role: Option<Role>| {
        let person = people(name);
        let grant =
            role.map(|role| Grant { roles: roles(role), support_privilege: true, effective_at: at(-1_000) });
        (person.account, Member { contact: person.contact, grant })
    };
    let access = Access {
        registration: Some(Registration {
            display_name: "Acme".to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
        }),
        domains: BTreeSet::from(["acme.example".to_owned()]),
        members: BTreeMap::from([
            member("alice", Some(Role::Owner)),
            member("bob", Some(Role::Editor)),
            member("carol", Some(Role::Viewer)),
            member("dave", None),
        ]),
        ..Access::default()
    };
    ["compute", "storage"].into_iter().fold(AccessBuilder(access), |acme, product| {
        acme.entitled(product, "platinum").entitled(product, "premier")
    })
}

impl AccessBuilder {
    pub(crate) fn pending(mut self, name: &str, effective_at: Timestamp) -> Self {
        let person = people(name);
        let roles = BTreeMap::from([(ProductId::new("compute").unwrap(), Role::Editor)]);
        let grant = Some(Grant { roles, support_privilege: true, effective_at });
        self.0.members.insert(person.account, Member { contact: person.contact, grant });
        self
    }

    pub(crate) fn without_entitlements(mut self) -> Self {
        self.0.entitlements.clear();
        self
    }

    pub(crate) fn entitled(mut self, product: &str, plan: &str) -> Self {
        self.0.entitlements.push(Entitlement {
            product: ProductId::new(product).unwrap(),
            plan: PlanId::new(plan).unwrap(),
            from: at(-1_000),
            until: None,
        });
        self
    }

    pub(crate) fn managed_by(mut self, reseller: &str) -> Self {
        let manager = Some(OrganizationId::new(reseller).unwrap());
        self.0.management.push(ManagementPeriod { manager, from: at(-1_000) });
        self
    }

    pub(crate) fn build(self) -> Access {
        self.0
    }
}

fn in_context<T>(
    access: &Access,
    who: &Actor,
    now: Timestamp,
    command_number: u128,
    decide: impl FnOnce(&Context<'_>) -> T,
) -> T {
    let organization = acme_id();
    let authority = Authority::of(who, &organization, access, now);
    decide(&Context {
        now,
        command_id: CommandId(Uuid::from_u128(command_number)),
        actor: who,
        authority: &authority,
        organization: Some(&organization),
        access,
        access_revision: Some(7),
        catalogue: &catalogue(),
    })
}

pub(crate) fn decide_access(
    access: &Access,
    command: &AccessCommand,
    who: &Actor,
    now: Timestamp,
) -> Result<Vec<AccessEvent>, AccessRejection> {
    in_context(access, who, now, 1, |context| access::decide(access, command, context))
}

pub(crate) fn decide_export(
    state: &Export,
    command: &RecordExport,
    who: &str,
) -> Result<Vec<ExportEvent>, AccessRefusal> {
    in_context(&acme().build(), &people(who), at(0), 1, |context| export::decide(state, command, context))
}

/// What happened before.
#[derive(Clone)]
pub(crate) struct Given {
    state: CaseState,
    access: Access,
    commands: u128,
}

impl Given {
    pub(crate) fn nothing() -> Self {
        Self { state: CaseState::default(), access: acme().build(), commands: 0 }
    }

    /// A case that alice filed at second 0.
    pub(crate) fn filed() -> Self {
        Self::nothing().and("alice", 0, &CaseCommand::File(Box::new(file_case())))
    }

    pub(crate) fn with_state(state: CaseState, access: Access) -> Self {
        Self { state, access, commands: 1 }
    }

    pub(crate) fn in_access(mut self, access: Access) -> Self {
        self.access = access;
        self
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
        let result = in_context(&self.access, &people(who), now, self.commands + 1, |context| {
            case::decide(&self.state, command, context)
        });
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

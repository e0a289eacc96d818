//! Given/when/then for decisions, and the people and plans that the tests speak of. Only built for tests.

mod cases;
mod support;

pub(crate) use cases::*;
pub(crate) use support::*;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::access::{
    self, Access, AccessCommand, AccessEvent, AccessRejection, Entitlement, Grant, ManagementPeriod, Member,
    Registration, ResellerRelation,
};
use crate::account::{
    self, Account, AccountCommand, AccountEvent, AccountOpened, AccountRejection, AccountStatus,
    Provisioning, SignIn,
};
use crate::catalogue::Capability::{Escalate, Phone, RedefinePriority};
use crate::catalogue::{AccessPolicy, Catalogue, ClosingPolicy, Links, Priority, ProductMove, VolumePolicy};
use crate::domain_claim::{self, DomainClaim, DomainClaimCommand, DomainClaimEvent};
use crate::export::{self, Export, ExportEvent, RecordExport};
use crate::{
    AccessRefusal, AccountId, ActingFor, Actor, Aggregate, Authority, CentreAccess, CommandId, Contact,
    Context, EmailKey, OrganizationId, Personal, PlanId, Principal, ProductId, ProviderId, Role, StaffRole,
    Subject,
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
        "agent-north" | "agent-north2" | "agent-south" | "engineer" | "auditor" | "analyst" | "operator"
        | "provisioner" => "support.example",
        "peter" => "initech.example",
        "nina" | "nick" => "nimbus.example",
        "sam" => "stratus.example",
        "mallory" => "mail.example",
        _ => "acme.example",
    };
    let staff =
        name.split('-').next().and_then(StaffRole::from_claim).filter(|_| domain == "support.example");
    let staff = if name == "system" { Some(StaffRole::System) } else { staff };
    let provider = name.strip_prefix("agent-").map(|provider| provider.trim_end_matches(char::is_numeric));
    let account = AccountId(ulid::Ulid::from(CommandId(Uuid::nil()).derive(name)));
    let contact = Contact { email: format!("{name}@{domain}"), display_name: name.to_owned() };
    Actor {
        account,
        contact: Personal::new(Subject::account(account), contact),
        staff_roles: BTreeSet::from_iter(staff),
        bound_to: (staff == Some(StaffRole::Provisioner)).then(acme_id),
        provider: provider.map(|provider| ProviderId::new(provider).unwrap()),
    }
}

pub(crate) fn catalogue() -> Catalogue {
    static PLAIN: LazyLock<Catalogue> = LazyLock::new(plain_catalogue);
    PLAIN.clone()
}

fn plain_catalogue() -> Catalogue {
    let ids = |names: &[&str]| names.iter().map(|name| PlanId::new(name).unwrap()).collect::<BTreeSet<_>>();
    let plan = |id: &str, priorities: &[Priority], capabilities: &[_]| crate::catalogue::Plan {
        id: PlanId::new(id).unwrap(),
        display_name: id.to_owned(),
        priorities: priorities.iter().copied().collect(),
        capabilities: capabilities.iter().copied().collect(),
        channels: BTreeSet::new(),
        responses: BTreeMap::new(),
    };
    let product = |id: &str, plans: &[&str]| crate::catalogue::Product {
        id: ProductId::new(id).unwrap(),
        display_name: id.to_owned(),
        eligible_plans: ids(plans),
        moves: None,
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
    let moves = ProductMove {
        announced_at: at(5_000),
        ends_at: at(6_000),
        successor: "Search Partners".to_owned(),
        url: "https://search.example/support".to_owned(),
        exempting_products: BTreeSet::from([ProductId::new("storage").unwrap()]),
    };
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
            crate::catalogue::Product { moves: Some(moves), ..product("search", &cloud) },
        ],
        classifications: vec![
            classification("compute-vm", "compute", "Compute > Virtual machines"),
            classification("storage-bucket", "storage", "Storage > Buckets"),
            classification("identity-sso", "identity", "Identity > Single sign-on"),
            classification("search-index", "search", "Search > Index"),
        ],
        access: AccessPolicy {
            grant_delay_seconds: 0,
            consumer_mail_domains: BTreeSet::from(["mail.example".to_owned()]),
        },
        regions: BTreeMap::new(),
        calendars: Vec::new(),
        providers: Vec::new(),
        documents: Vec::new(),
        contacts: Vec::new(),
        links: Links::default(),
        closing: ClosingPolicy::default(),
        volume_watch: VolumePolicy::default(),
        problem_kinds: Vec::new(),
        articles: None,
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
    pub(crate) fn pending(self, name: &str, effective_at: Timestamp) -> Self {
        self.pending_as(name, Role::Editor, effective_at)
    }

    pub(crate) fn pending_as(self, name: &str, role: Role, effective_at: Timestamp) -> Self {
        self.member(name, &[("compute", role)], effective_at)
    }

    pub(crate) fn granted(self, name: &str, roles: &[(&str, Role)]) -> Self {
        self.member(name, roles, at(-1_000))
    }

    fn member(mut self, name: &str, roles: &[(&str, Role)], effective_at: Timestamp) -> Self {
        let person = people(name);
        let roles = roles.iter().map(|(product, role)| (ProductId::new(product).unwrap(), *role)).collect();
        let grant = Some(Grant { roles, support_privilege: true, effective_at });
        self.0.members.insert(person.account, Member { contact: person.contact, grant });
        self
    }

    pub(crate) fn listed(mut self, name: &str) -> Self {
        let person = people(name);
        self.0.members.insert(person.account, Member { contact: person.contact, grant: None });
        self
    }

    pub(crate) fn domain(mut self, name: &str) -> Self {
        self.0.domains.insert(name.to_owned());
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
        self.0.management.push(ManagementPeriod { manager: manager.clone(), from: at(-1_000) });
        self.0.relation = ResellerRelation { manager, ..ResellerRelation::default() };
        self
    }

    /// Managed by a reseller that is let in.
    pub(crate) fn letting_in(self, reseller: &str) -> Self {
        let mut managed = self.managed_by(reseller);
        managed.0.relation.allowed_in_centre = true;
        managed
    }

    pub(crate) fn build(self) -> Access {
        self.0
    }
}

/// A reseller of the sample data: nimbus with nina and Gold, stratus with sam and Silver.
pub(crate) fn reseller(name: &str) -> AccessBuilder {
    let (owner, plan) = if name == "nimbus" { ("nina", "gold") } else { ("sam", "silver") };
    let mut access = acme().without_entitlements();
    access.0.members.clear();
    access.0.registration.as_mut().unwrap().reseller = true;
    let both = [("compute", Role::Owner), ("storage", Role::Owner)];
    access.granted(owner, &both).entitled("compute", plan)
}

/// In which circumstances something is decided.
pub(crate) struct Circumstances<'a> {
    pub(crate) organization: OrganizationId,
    pub(crate) access: &'a Access,
    pub(crate) who: &'a Actor,
    pub(crate) now: Timestamp,
    pub(crate) command_number: u128,
    pub(crate) catalogue: Catalogue,
    pub(crate) acting_for: Option<(OrganizationId, Access)>,
}

impl<'a> Circumstances<'a> {
    pub(crate) fn new(access: &'a Access, who: &'a Actor, now: Timestamp) -> Self {
        Self {
            organization: acme_id(),
            access,
            who,
            now,
            command_number: 1,
            catalogue: catalogue(),
            acting_for: None,
        }
    }

    pub(crate) fn decide<T>(&self, decide: impl FnOnce(&Context<'_>) -> T) -> T {
        let acting_for = self.acting_for.as_ref().map(|(organization, access)| ActingFor {
            organization,
            access,
            centre: CentreAccess::of(organization, access, [self.access], &self.catalogue, self.now),
        });
        let principal = Principal { actor: self.who, account: AccountStatus::Active, acting_for };
        let authority = Authority::towards(&principal, &self.organization, self.access, self.now);
        decide(&Context {
            now: self.now,
            command_id: CommandId(Uuid::from_u128(self.command_number)),
            actor: self.who,
            authority: &authority,
            acting_for,
            organization: Some(&self.organization),
            access: self.access,
            access_revision: Some(7),
            catalogue: &self.catalogue,
        })
    }
}

pub(crate) fn decide_access(
    access: &Access,
    command: &AccessCommand,
    who: &Actor,
    now: Timestamp,
) -> Result<Vec<AccessEvent>, AccessRejection> {
    decide_access_with(access, command, who, now, |_| ())
}

pub(crate) fn decide_access_with(
    access: &Access,
    command: &AccessCommand,
    who: &Actor,
    now: Timestamp,
    change: impl FnOnce(&mut Catalogue),
) -> Result<Vec<AccessEvent>, AccessRejection> {
    let mut circumstances = Circumstances::new(access, who, now);
    change(&mut circumstances.catalogue);
    circumstances.decide(|context| access::decide(access, command, context))
}

pub(crate) fn email_key(name: &str) -> EmailKey {
    EmailKey(ulid::Ulid::from(CommandId(Uuid::nil()).derive(&format!("{name}@"))))
}

pub(crate) fn sign_in(name: &str) -> Personal<SignIn> {
    let sign_in = SignIn { issuer: "https://issuer.example".to_owned(), subject: name.to_owned() };
    Personal::new(people(name).contact.subject().clone(), sign_in)
}

/// An account that acme's directory opened at second 0.
pub(crate) fn opened(name: &str) -> Account {
    let person = people(name);
    let event = AccountOpened {
        account: person.account,
        organization: acme_id(),
        provisioning: Provisioning::Directory,
        sign_in: sign_in(name),
        contact: person.contact,
        email: email_key(name),
    };
    evolved(&Account::default(), &[event.into()])
}

pub(crate) fn evolved(account: &Account, events: &[AccountEvent]) -> Account {
    let mut after = account.clone();
    for event in events {
        after.evolve(event, at(0));
    }
    after
}

/// What a sign-in of somebody records on an account.
pub(crate) fn recognized(account: &Account, actor: &Actor) -> Vec<AccountEvent> {
    Circumstances::new(&acme().build(), actor, at(0)).decide(|context| account::recognize(account, context))
}

pub(crate) fn decide_account(
    account: &Account,
    whose: &str,
    command: &AccountCommand,
    who: &str,
    access: &Access,
) -> Result<Vec<AccountEvent>, AccountRejection> {
    decide_account_in(account, whose, command, who, access, "acme")
}

pub(crate) fn decide_account_in(
    account: &Account,
    whose: &str,
    command: &AccountCommand,
    who: &str,
    access: &Access,
    organization: &str,
) -> Result<Vec<AccountEvent>, AccountRejection> {
    let actor = people(who);
    let organization = OrganizationId::new(organization).unwrap();
    let circumstances = Circumstances { organization, ..Circumstances::new(access, &actor, at(0)) };
    circumstances.decide(|context| account::decide(account, people(whose).account, command, context))
}

pub(crate) fn decide_domain_claim(
    claim: &DomainClaim,
    command: &DomainClaimCommand,
    who: &str,
    access: &Access,
    now: Timestamp,
) -> Result<Vec<DomainClaimEvent>, AccessRejection> {
    Circumstances::new(access, &people(who), now)
        .decide(|context| domain_claim::decide(claim, command, context))
}

pub(crate) fn decide_export(
    state: &Export,
    command: &RecordExport,
    who: &str,
) -> Result<Vec<ExportEvent>, AccessRefusal> {
    Circumstances::new(&acme().build(), &people(who), at(0))
        .decide(|context| export::decide(state, command, context))
}

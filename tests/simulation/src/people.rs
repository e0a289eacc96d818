//! Who acts, and the organizations they belong to.

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_commands::identity;
use dossier_domain::access::{
    AccessCommand, AddMember, GrantEntitlement, RegisterOrganization, VerifyDomain,
};
use dossier_domain::account::AccountStatus;
use dossier_domain::catalogue::ClosingPolicy;
use dossier_domain::{
    Actor, Catalogue, Contact, OrganizationId, Personal, PlanId, ProductId, ProviderId, Role, StaffRole,
    Subject,
};
use dossier_eventlog::Sealer;
use jiff::Timestamp;

/// The organizations, each with the local parts of its members' addresses.
pub const ORGANIZATIONS: [(&str, [&str; 2]); 2] = [("acme", ["alice", "bob"]), ("globex", ["hank", "greta"])];
/// Somebody of support.
pub const AGENT: &str = "agent@support.example";
/// The provider for which they work: the organizations' cases are routed to it.
const PROVIDER: &str = "north";
/// Who registers organizations.
pub const OPERATOR: &str = "operator@support.example";

/// The catalogue of the sample data, where cases close by themselves.
pub fn catalogue() -> Arc<Catalogue> {
    let sample: Catalogue = toml::from_str(include_str!("../../../api/catalogue.toml"))
        .expect("the sample catalogue is readable");
    let closing = ClosingPolicy { unanswered_solution_days: Some(2), announced_days_before: 1 };
    Arc::new(Catalogue { closing, ..sample })
}

/// An organization's id.
pub fn organization(name: &str) -> OrganizationId {
    OrganizationId::new(name).expect("a plain name")
}

/// Somebody by their address.
pub fn actor(sealer: &Sealer, email: &str) -> Actor {
    let account = identity::account_id(sealer, "https://issuer.example", email);
    let contact = Contact { email: email.to_owned(), display_name: email.to_owned() };
    let staff = email.split('@').next().and_then(StaffRole::from_claim);
    let actor = Actor::new(account, Personal::new(Subject::account(account), contact), staff);
    Actor { provider: ProviderId::new(PROVIDER).ok().filter(|_| email == AGENT), ..actor }
}

/// What an organization needs before anybody files a case.
pub fn set_up(sealer: &Sealer, name: &'static str, members: &[&str], now: Timestamp) -> Vec<AccessCommand> {
    let product = || ProductId::new("compute").expect("a plain name");
    let entitle = |plan: &str| {
        AccessCommand::GrantEntitlement(GrantEntitlement {
            product: product(),
            plan: PlanId::new(plan).expect("a plain name"),
            from: Timestamp::UNIX_EPOCH,
            until: None,
        })
    };
    let mut commands = vec![
        AccessCommand::RegisterOrganization(RegisterOrganization {
            organization: organization(name),
            display_name: name.to_owned(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: false,
            technical_contact: None,
        }),
        AccessCommand::VerifyDomain(VerifyDomain { domain: format!("{name}.example") }),
        entitle("platinum"),
        entitle("premier"),
    ];
    commands.extend(members.iter().map(|member| {
        let actor = actor(sealer, &format!("{member}@{name}.example"));
        AccessCommand::AddMember(AddMember {
            account: actor.account,
            account_status: AccountStatus::Unknown,
            contact: actor.contact,
            roles: BTreeMap::from([(product(), Role::Owner)]),
            effective_at: Some(now),
        })
    }));
    commands
}

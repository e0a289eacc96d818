//! Organizations, their people and their resellers, that the tests speak of.

use std::collections::BTreeMap;

use dossier_domain::access::{
    AccessEvent, AccessGranted, DomainVerified, EntitlementEnded, EntitlementGranted,
    FirstSignInPolicyChanged, GrantChannel, ManagementTransferred, MemberAccessChanged, MemberListed,
    MemberRemoved, OrganizationChanged, OrganizationRegistered, ResellerAccessAllowed,
    ResellerAccessWithdrawn, TechnicalContactChanged,
};
use dossier_domain::{AccountId, PlanId, ProductId, Role, VisibilityScope};
use ulid::Ulid;

use crate::samples::{Fact, at, contact, organization, product};

pub(crate) const RESELLERS: [&str; 2] = ["nimbus", "stratus"];
pub(crate) const CHANNELS: [GrantChannel; 2] = [GrantChannel::Centre, GrantChannel::AccountManagement];

pub(crate) fn account(number: u64) -> AccountId {
    AccountId(Ulid::from(u128::from(number) + 3_000_000))
}

pub(crate) fn plan(name: &str) -> PlanId {
    PlanId::new(name).unwrap()
}

/// What a reseller's people see.
pub(crate) fn of_reseller(reseller: &str, customer: Option<&str>, products: &[&str]) -> VisibilityScope {
    VisibilityScope::Reseller {
        reseller: organization(reseller),
        customer: customer.map(organization),
        products: products.iter().map(|name| product(name)).collect(),
    }
}

pub(crate) fn registered(name: &str) -> Fact {
    let registered = OrganizationRegistered {
        organization: organization(name),
        display_name: format!("{name} Inc."),
        country: "FR".to_owned(),
        language: "fr".to_owned(),
        reseller: RESELLERS.contains(&name),
    };
    Fact::of_access(name, registered)
}

pub(crate) fn transferred(customer: &str, manager: Option<&str>) -> Fact {
    Fact::of_access(customer, ManagementTransferred { manager: manager.map(organization) })
}

pub(crate) fn allowed(customer: &str, reseller: &str, channel: GrantChannel) -> Fact {
    Fact::of_access(customer, ResellerAccessAllowed { reseller: organization(reseller), channel })
}

pub(crate) fn withdrawn(customer: &str, reseller: &str, channel: GrantChannel) -> Fact {
    Fact::of_access(customer, ResellerAccessWithdrawn { reseller: organization(reseller), channel })
}

pub(crate) fn granted(
    product_name: &str,
    plan_name: &str,
    from: i64,
    until: Option<i64>,
) -> EntitlementGranted {
    let (product, plan) = (product(product_name), plan(plan_name));
    EntitlementGranted { product, plan, from: at(from), until: until.map(at) }
}

/// Entitled for ever.
pub(crate) fn entitled(name: &str, product: &str, plan: &str) -> Fact {
    Fact::of_access(name, granted(product, plan, 0, None))
}

pub(crate) fn listed(number: u64, name: &str) -> MemberListed {
    MemberListed { account: account(number), contact: contact(name) }
}

pub(crate) fn roles(roles: &[(&str, Role)]) -> BTreeMap<ProductId, Role> {
    roles.iter().map(|(name, role)| (product(name), *role)).collect()
}

pub(crate) fn access_granted(number: u64, roles: BTreeMap<ProductId, Role>, second: i64) -> AccessGranted {
    AccessGranted { account: account(number), roles, support_privilege: true, effective_at: at(second) }
}

/// Every kind of event but the registration, by number.
pub(crate) fn access_event(kind: u8, number: u64) -> AccessEvent {
    let pick = |of: u64| usize::try_from(number / 2 % of).unwrap();
    let reseller = organization(RESELLERS[pick(2)]);
    let second = i64::try_from(number).unwrap();
    let (product_name, plan_name) = (["compute", "storage"][pick(2)], ["gold", "silver"][pick(3) % 2]);
    let role = [Role::Viewer, Role::Editor, Role::Owner][pick(3)];
    let who = number % 3;
    match kind % 14 {
        0 => DomainVerified { domain: format!("d{}.example", 20 - number % 20) }.into(),
        1 => granted(product_name, plan_name, second - 9, number.is_multiple_of(2).then_some(second + 9))
            .into(),
        2 => EntitlementEnded {
            product: product(product_name),
            plan: plan(plan_name),
            until: at(second - 5 + 3 * (second % 4)),
        }
        .into(),
        3 => listed(who, if number.is_multiple_of(2) { "alice" } else { "bob" }).into(),
        4 => access_granted(who, roles(&[(product_name, role)]), second + 3).into(),
        5 => MemberAccessChanged {
            account: account(who),
            roles: roles(&[("compute", role), ("storage", Role::Viewer)]),
            support_privilege: number.is_multiple_of(2),
        }
        .into(),
        6 => MemberRemoved { account: account(who) }.into(),
        7 => ManagementTransferred { manager: (!number.is_multiple_of(4)).then_some(reseller) }.into(),
        8 | 13 => ResellerAccessAllowed { reseller, channel: CHANNELS[pick(3) % 2] }.into(),
        9 => ResellerAccessWithdrawn { reseller, channel: CHANNELS[pick(3) % 2] }.into(),
        10 => OrganizationChanged {
            display_name: format!("name {number}"),
            country: "DE".to_owned(),
            language: "de".to_owned(),
        }
        .into(),
        11 => {
            TechnicalContactChanged { contact: (!number.is_multiple_of(3)).then(|| contact("tech")) }.into()
        }
        _ => FirstSignInPolicyChanged { opens_accounts: number.is_multiple_of(2) }.into(),
    }
}

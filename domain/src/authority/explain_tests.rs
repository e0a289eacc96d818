//! Whether each fact names the event that made it so.

use super::explain::{AccessHistory, Explanation, FactKind, Histories, PastEvent, explain_access};
use super::*;
use crate::access::{
    AccessEvent, AccessGranted, EntitlementGranted, GrantChannel, ManagementTransferred, MemberListed,
    MemberRemoved, OrganizationRegistered, ResellerAccessAllowed, ResellerAccessWithdrawn,
};
use crate::account::{AccountDeactivated, AccountEvent};
use crate::case::CaseEvent;
use crate::ids::PlanId;
use crate::testing::{Given, acme, acme_id, at, catalogue, file_case, people};

fn past<E>(events: Vec<(i64, E)>) -> Vec<PastEvent<E>> {
    let numbered = events.into_iter().enumerate();
    numbered
        .map(|(revision, (second, event))| PastEvent {
            revision: revision as u64,
            recorded_at: at(second),
            occurred_at: at(second),
            event,
        })
        .collect()
}

fn registered(name: &str, reseller: bool) -> AccessEvent {
    OrganizationRegistered {
        organization: OrganizationId::new(name).unwrap(),
        display_name: name.to_owned(),
        country: "FR".to_owned(),
        language: "fr".to_owned(),
        reseller,
    }
    .into()
}

fn granted(name: &str) -> [AccessEvent; 2] {
    let person = people(name);
    let roles = BTreeMap::from([(ProductId::new("compute").unwrap(), Role::Owner)]);
    [
        MemberListed { account: person.account, contact: person.contact }.into(),
        AccessGranted { account: person.account, roles, support_privilege: true, effective_at: at(2) }.into(),
    ]
}

/// A case that nina filed for acme at second 5, and the histories around it; acme withdraws at second 8.
struct World {
    case: Vec<PastEvent<CaseEvent>>,
    acme: Vec<PastEvent<AccessEvent>>,
    nimbus: Vec<PastEvent<AccessEvent>>,
}

impl World {
    fn new() -> Self {
        let nimbus = OrganizationId::new("nimbus").unwrap();
        let plan = EntitlementGranted {
            product: ProductId::new("compute").unwrap(),
            plan: PlanId::new("gold").unwrap(),
            from: at(0),
            until: None,
        };
        let [listed, granted_then] = granted("alice");
        let [nina_listed, nina_granted] = granted("nina");
        let filed = Given::nothing().in_access(acme().letting_in("nimbus").build());
        let command = crate::case::CaseCommand::File(Box::new(file_case()));
        let filed = filed.when("nina", 5, &command).events();
        let channel = GrantChannel::Centre;
        Self {
            case: past(filed.into_iter().map(|event| (5, event)).collect()),
            acme: past(vec![
                (0, registered("acme", false)),
                (0, listed),
                (0, granted_then),
                (1, plan.into()),
                (3, ManagementTransferred { manager: Some(nimbus.clone()) }.into()),
                (4, ResellerAccessAllowed { reseller: nimbus.clone(), channel }.into()),
                (8, ResellerAccessWithdrawn { reseller: nimbus, channel }.into()),
                (9, MemberRemoved { account: people("alice").account }.into()),
            ]),
            nimbus: past(vec![(0, registered("nimbus", true)), (0, nina_listed), (0, nina_granted)]),
        }
    }

    fn explain(&self, who: &str, second: i64, account: &[PastEvent<AccountEvent>]) -> Explanation {
        let (acme, nimbus) = (acme_id(), OrganizationId::new("nimbus").unwrap());
        let acting = AccessHistory { organization: &nimbus, events: &self.nimbus };
        let histories = Histories {
            case: &self.case,
            organization: AccessHistory { organization: &acme, events: &self.acme },
            account,
            acting_for: (who == "nina").then_some(acting),
            other_customers: &[],
        };
        explain_access(&people(who), &histories, &catalogue(), at(second))
    }
}

/// What an explanation says of each fact: its name, whether it holds, and the event as `stream@revision`.
fn told(explanation: &Explanation) -> Vec<(String, bool, String)> {
    let facts = explanation.facts.iter();
    facts
        .map(|fact| {
            let name = format!("{:?}", fact.kind);
            let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
            let because = fact.because.as_ref().map(|event| {
                let category = event.stream.split('-').next().unwrap_or_default();
                let of = if category == "access" { event.stream.as_str() } else { category };
                format!("{of}@{} {}", event.revision, event.event_type)
            });
            (name, fact.holds, because.unwrap_or_default())
        })
        .collect()
}

/// R-RES-5.
#[test]
fn r_res_5_each_fact_of_a_resellers_view_names_its_event_and_a_withdrawal_is_the_one_that_ended_it() {
    let world = World::new();
    let seen = world.explain("nina", 7, &[]);
    assert!(seen.visible, "{seen:?}");
    let expected = [
        ("CaseFiled", true, "case@0 CaseFiled"),
        ("AccountNotDeactivated", true, ""),
        ("GrantInForce", true, "access-nimbus@2 AccessGranted"),
        ("RoleOnProduct", true, "access-nimbus@2 AccessGranted"),
        ("IsReseller", true, "access-nimbus@0 OrganizationRegistered"),
        ("ManagesNow", true, "access-acme@4 ManagementTransferred"),
        ("LetIn", true, "access-acme@5 ResellerAccessAllowed"),
        ("FiledUnderManagement", true, "case@0 CaseFiled"),
        ("CentreOpen", true, "access-acme@3 EntitlementGranted"),
    ];
    let owned = |(name, holds, because): (&str, bool, &str)| (name.to_owned(), holds, because.to_owned());
    assert_eq!(told(&seen), expected.map(owned));
    let withdrawn = world.explain("nina", 8, &[]);
    assert!(!withdrawn.visible);
    assert_eq!(withdrawn.refusal.as_ref().map(AccessRefusal::reason), Some("RESELLER_NOT_ALLOWED"));
    let missing: Vec<_> = told(&withdrawn).into_iter().filter(|(_, holds, _)| !holds).collect();
    assert_eq!(missing, [owned(("LetIn", false, "access-acme@6 ResellerAccessWithdrawn"))]);
}

/// R-RES-5.
#[test]
fn r_res_5_a_members_view_at_each_instant() {
    let world = World::new();
    let missing = |second| -> Vec<_> {
        let explanation = world.explain("alice", second, &[]);
        let missing: Vec<_> = told(&explanation).into_iter().filter(|(_, holds, _)| !holds).collect();
        assert_eq!(explanation.visible, missing.is_empty());
        missing.into_iter().map(|(name, _, because)| (name, because)).collect()
    };
    let pair = |name: &str, because: &str| (name.to_owned(), because.to_owned());
    assert_eq!(
        missing(1),
        [pair("CaseFiled", ""), pair("GrantInForce", "access-acme@2 AccessGranted")],
        "the grant is pending and nothing is filed"
    );
    assert_eq!(missing(4), [pair("CaseFiled", "")]);
    assert_eq!(missing(5), []);
    let removed = "access-acme@7 MemberRemoved";
    assert_eq!(missing(9), [pair("GrantInForce", removed), pair("RoleOnProduct", removed)]);
}

/// R-RES-5.
#[test]
fn r_res_5_a_deactivated_account_and_staff_are_explained_too() {
    let world = World::new();
    let account = past(vec![(6, AccountEvent::from(AccountDeactivated {}))]);
    assert!(world.explain("alice", 6, &[]).visible);
    // An account that was never opened is not deactivated either: the event needs one before it.
    let opened = crate::account::AccountOpened {
        account: people("alice").account,
        organization: acme_id(),
        provisioning: crate::account::Provisioning::Directory,
        sign_in: crate::testing::sign_in("alice"),
        contact: people("alice").contact,
        email: crate::testing::email_key("alice"),
    };
    let account = [past(vec![(0, AccountEvent::from(opened))]), account].concat();
    let out = world.explain("alice", 6, &account);
    assert!(!out.visible);
    assert!(told(&out).contains(&(
        "AccountNotDeactivated".to_owned(),
        false,
        "account@0 AccountDeactivated".to_owned()
    )));
    assert!(world.explain("agent-north", 6, &[]).visible);
    let operator = world.explain("operator", 6, &[]);
    assert!(
        !operator.visible
            && operator.facts[2].kind == FactKind::StaffRoleReadsCases
            && !operator.facts[2].holds
    );
}

/// R-ROUTE-1, R-RES-5.
#[test]
fn r_route_1_an_agent_learns_that_the_routing_is_why_they_see_a_case_or_do_not() {
    let mut world = World::new();
    let routed = crate::case::CaseRouted {
        provider: ProviderId::new("south").unwrap(),
        from: None,
        cause: crate::case::RoutingCause::HandOver,
        default_queue: false,
        routing: None,
        reason: None,
    };
    world.case.push(PastEvent { revision: 1, recorded_at: at(6), occurred_at: at(6), event: routed.into() });
    let says = |who: &str, second| {
        let explanation = world.explain(who, second, &[]);
        (explanation.visible, told(&explanation).pop().unwrap())
    };
    let routed = |holds, because: &str| ("RoutedToTheirProvider".to_owned(), holds, because.to_owned());
    assert_eq!(says("agent-north", 5), (true, routed(true, "")), "nobody had it yet");
    assert_eq!(says("agent-north", 6), (false, routed(false, "case@1 CaseRouted")));
    assert_eq!(says("agent-south", 6), (true, routed(true, "case@1 CaseRouted")));
    let engineer = world.explain("engineer", 6, &[]);
    assert!(engineer.visible && told(&engineer).iter().all(|(name, ..)| name != "RoutedToTheirProvider"));
}

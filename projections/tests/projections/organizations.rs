//! What is shown of organizations is the fold of their events (R-ORG-1, R-ACCESS-4).

use std::collections::{BTreeMap, BTreeSet};

use dossier_domain::access::{
    Access, EntitlementEnded, MemberAccessChanged, MemberListed, MemberRemoved, TechnicalContactChanged,
};
use dossier_domain::personal::{Contact, Personal};
use dossier_domain::{Aggregate, OrganizationId, PlanId, ProductId, Role, Subject};
use dossier_projections::organizations::{
    EntitlementRow, MemberRow, MembershipRow, OrganizationQueries, OrganizationRow,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::access::*;
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn queries(running: &Running) -> OrganizationQueries {
    OrganizationQueries::new(running.models.database().clone())
}

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

/// An organization as the domain folds it.
#[derive(Default)]
struct Folded {
    access: Access,
    registered_at: i64,
    updated_at: i64,
    revision: i64,
    /// Revisions of grants, in the order of the folded entitlements.
    granted: BTreeSet<i64>,
}

fn folded(facts: &[Fact]) -> BTreeMap<String, Folded> {
    let mut all: BTreeMap<String, Folded> = BTreeMap::new();
    for (fact, second) in facts.iter().zip(0..) {
        let FactEvent::Access(event) = &fact.event else { continue };
        let known = all.contains_key(fact.stream.id());
        let one = all
            .entry(fact.stream.id().to_owned())
            .or_insert_with(|| Folded { registered_at: micros(second), ..Folded::default() });
        one.access.evolve(event, at(second));
        one.updated_at = micros(second);
        one.revision += i64::from(known);
        one.granted.insert(one.revision);
    }
    all
}

fn email(contact: &Personal<Contact>) -> Option<String> {
    contact.open().map(|contact| contact.email.clone())
}

fn display_name(contact: &Personal<Contact>) -> Option<String> {
    contact.open().map(|contact| contact.display_name.clone())
}

fn row_of(organization: &str, folded: &Folded) -> OrganizationRow {
    let access = &folded.access;
    let registration = access.registration.clone().expect("registered first");
    OrganizationRow {
        organization: organization.to_owned(),
        display_name: registration.display_name,
        country: registration.country,
        language: registration.language,
        reseller: registration.reseller,
        manager: access.manager().map(ToString::to_string),
        manager_since_micros: access.management.last().map(|period| period.from.as_microsecond()),
        allowed_reseller: access.allowed_reseller().map(ToString::to_string),
        allowed_in_centre: access.relation.allowed_in_centre,
        allowed_in_account_management: access.relation.allowed_in_account_management,
        domains: serde_json::to_string(&access.domains).unwrap(),
        technical_contact_email: access.technical_contact.as_ref().and_then(email),
        technical_contact_name: access.technical_contact.as_ref().and_then(display_name),
        first_sign_in_opens_accounts: access.first_sign_in_opens_accounts,
        registered_at_micros: folded.registered_at,
        updated_at_micros: folded.updated_at,
        revision: folded.revision,
    }
}

fn members_of(organization: &str, access: &Access) -> Vec<MemberRow> {
    let members = access.members.iter().map(|(account, member)| {
        let grant = member.grant.as_ref();
        MemberRow {
            organization: organization.to_owned(),
            account: account.to_string(),
            email: email(&member.contact),
            display_name: display_name(&member.contact),
            roles: grant.map_or("{}".to_owned(), |grant| serde_json::to_string(&grant.roles).unwrap()),
            support_privilege: grant.is_some_and(|grant| grant.support_privilege),
            effective_at_micros: grant.map(|grant| grant.effective_at.as_microsecond()),
        }
    });
    members.collect()
}

type Period<'a> = (&'a str, &'a str, i64, Option<i64>);

fn period(row: &EntitlementRow) -> Period<'_> {
    (&row.product, &row.plan, row.from_micros, row.until_micros)
}

fn holds_one_of(access: &Access, pairs: &[(ProductId, PlanId)], now: Timestamp) -> bool {
    access.entitlements.iter().any(|entitlement| {
        entitlement.holds_at(now) && pairs.contains(&(entitlement.product.clone(), entitlement.plan.clone()))
    })
}

async fn rows_are_the_fold(running: &Running, facts: &[Fact]) {
    let (queries, folded) = (queries(running), folded(facts));
    let rows: Vec<OrganizationRow> = folded.iter().map(|(name, folded)| row_of(name, folded)).collect();
    assert_eq!(queries.list(None, 99).await.unwrap().organizations, rows);
    for (row, (name, Folded { access, granted, .. })) in rows.iter().zip(&folded) {
        let id = organization(name);
        assert_eq!(queries.get(&id).await.unwrap().as_ref(), Some(row));
        let members = members_of(name, access);
        assert_eq!(queries.members(&id, None, 99).await.unwrap().members, members);
        for number in 0..4 {
            let key = account(number).to_string();
            let member = queries.member(&id, account(number)).await.unwrap();
            assert_eq!(member.as_ref(), members.iter().find(|member| member.account == key));
        }
        let entitlements = queries.entitlements(&id).await.unwrap();
        let told: Vec<_> = access
            .entitlements
            .iter()
            .map(|of| {
                let until = of.until.map(Timestamp::as_microsecond);
                (of.product.as_str(), of.plan.as_str(), of.from.as_microsecond(), until)
            })
            .collect();
        assert_eq!(entitlements.iter().map(period).collect::<Vec<_>>(), told);
        assert!(entitlements.iter().all(|row| granted.contains(&row.ordinal)));
    }
    for number in 0..4 {
        let memberships = queries.of_member(account(number)).await.unwrap();
        let told = rows.iter().zip(folded.values()).flat_map(|(row, folded)| {
            let members = members_of(&row.organization, &folded.access).into_iter();
            let own = members.filter(|member| member.account == account(number).to_string());
            own.map(|member| MembershipRow {
                organization_name: row.display_name.clone(),
                organization_is_reseller: row.reseller,
                member,
            })
        });
        assert_eq!(memberships, told.collect::<Vec<_>>());
    }
    let pairs =
        |names: &[(&str, &str)]| names.iter().map(|(of, with)| (product(of), plan(with))).collect::<Vec<_>>();
    let some =
        [pairs(&[]), pairs(&[("compute", "gold")]), pairs(&[("storage", "gold"), ("compute", "silver")])];
    for reseller in RESELLERS.map(organization) {
        let managed = rows.iter().filter(|row| row.manager.as_deref() == Some(reseller.as_str()));
        let managed: Vec<OrganizationRow> = managed.cloned().collect();
        assert_eq!(queries.managed_by(&reseller, None, 99).await.unwrap().organizations, managed);
        for pairs in &some {
            for now in (-12..60).step_by(3).map(at) {
                let wanted =
                    managed.iter().filter(|row| holds_one_of(&folded[&row.organization].access, pairs, now));
                let entitled = queries.entitled_customers(&reseller, pairs, now, 99).await.unwrap();
                assert_eq!(entitled, wanted.cloned().collect::<Vec<_>>(), "{reseller} {pairs:?} {now}");
            }
        }
    }
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn rows_of_organizations_are_the_fold_of_their_events_and_a_rebuild_changes_nothing(
        told in prop::collection::vec((any::<bool>(), 0..14_u8), 1..60),
    ) {
        let names = ["acme", "globex"];
        let mut facts: Vec<Fact> = names.map(registered).into();
        facts.extend(told.iter().zip(2..).map(|((second, kind), number)| {
            Fact::of_access(names[usize::from(*second)], access_event(*kind, number))
        }));
        block_on_each_engine(async || {
            let (world, running) = running_with(&facts).await;
            rows_are_the_fold(&running, &facts).await;
            assert!(running.models.rebuild("organizations", &|_| {}).await.unwrap());
            rows_are_the_fold(&running, &facts).await;
            assert_eq!(running.dump().await, world.expected_dump().await);
        });
    }
}

/// R-ACCESS-4: users, roles and pending grants.
async fn r_access_4_members_are_shown_with_their_roles_and_from_when_they_hold() {
    let facts = [
        registered("acme"),
        Fact::of_access("acme", listed(1, "alice")),
        Fact::of_access("acme", access_granted(1, roles(&[("compute", Role::Owner)]), 90)),
        Fact::of_access("acme", listed(2, "bob")),
        // A grant stays when the contact changes.
        Fact::of_access("acme", listed(1, "alicia")),
        Fact::of_access(
            "acme",
            MemberAccessChanged {
                account: account(2),
                roles: roles(&[("compute", Role::Owner)]),
                support_privilege: true,
            },
        ),
        Fact::of_access("acme", listed(3, "carol")),
        Fact::of_access("acme", MemberRemoved { account: account(3) }),
        Fact::of_access("acme", access_granted(3, roles(&[("compute", Role::Owner)]), 0)),
    ];
    let (_world, running) = running_with(&facts).await;
    let page = queries(&running).members(&acme(), None, 9).await.unwrap();
    let [alice, bob] = &page.members[..] else { panic!("{page:?}") };
    assert_eq!(alice.display_name.as_deref(), Some("alicia"));
    assert_eq!(alice.roles(), roles(&[("compute", Role::Owner)]));
    assert_eq!((alice.support_privilege, alice.effective_at_micros), (true, Some(micros(90))));
    assert_eq!(bob.email.as_deref(), Some("bob@acme.example"));
    assert_eq!((bob.roles(), bob.support_privilege, bob.effective_at_micros), (BTreeMap::new(), false, None));
}

async fn pages_of_organizations_and_members_neither_repeat_nor_drop() {
    let mut facts = Vec::new();
    for number in 0..7 {
        let name = format!("customer{number}");
        facts.extend([registered(&name), transferred(&name, (number != 3).then_some("nimbus"))]);
        facts.push(Fact::of_access("customer0", listed(number, "somebody")));
    }
    let (_world, running) = running_with(&facts).await;
    let queries = queries(&running);
    let names = |without: Option<u32>| -> Vec<String> {
        (0..7).filter(|number| Some(*number) != without).map(|number| format!("customer{number}")).collect()
    };
    for size in 1..9 {
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let page = queries.list(after.as_deref(), size).await.unwrap();
            all.extend(page.organizations.into_iter().map(|row| row.organization));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(all, names(None), "{size}");
        let (mut after, mut managed) = (None, Vec::new());
        loop {
            let page = queries.managed_by(&organization("nimbus"), after.as_deref(), size).await.unwrap();
            managed.extend(page.organizations.into_iter().map(|row| row.organization));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(managed, names(Some(3)), "{size}");
        let (mut after, mut members) = (None, Vec::new());
        loop {
            let page = queries.members(&organization("customer0"), after.as_deref(), size).await.unwrap();
            members.extend(page.members.into_iter().map(|row| row.account));
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(members, (0..7).map(|number| account(number).to_string()).collect::<Vec<_>>(), "{size}");
    }
}

/// R-RES-6: [from, until), and one that has ended or never begins entitles nobody.
async fn r_res_6_a_customer_entitles_its_reseller_while_a_plan_is_in_force() {
    let facts = [
        registered("acme"),
        transferred("acme", Some("nimbus")),
        Fact::of_access("acme", granted("compute", "gold", 10, Some(20))),
        Fact::of_access("acme", granted("compute", "gold", 40, None)),
        Fact::of_access(
            "acme",
            EntitlementEnded { product: product("compute"), plan: plan("gold"), until: at(15) },
        ),
    ];
    let (_world, running) = running_with(&facts).await;
    let gold = [(product("compute"), plan("gold"))];
    let entitled = async |reseller: &str, pairs: &[(ProductId, PlanId)], second: i64| {
        let of: OrganizationId = organization(reseller);
        !queries(&running).entitled_customers(&of, pairs, at(second), 1).await.unwrap().is_empty()
    };
    for (second, wanted) in [(9, false), (10, true), (14, true), (15, false), (19, false), (50, false)] {
        assert_eq!(entitled("nimbus", &gold, second).await, wanted, "{second}");
    }
    assert!(!entitled("stratus", &gold, 12).await);
    assert!(!entitled("nimbus", &[(product("compute"), plan("silver"))], 12).await);
    assert_eq!(queries(&running).entitlements(&acme()).await.unwrap().len(), 1);
}

async fn erased_people_have_no_names_and_stay_members() {
    let erased = Subject::contact(7);
    let contact = Personal::new(
        erased.clone(),
        Contact { email: "secret@acme.example".to_owned(), display_name: "secret".to_owned() },
    );
    let facts = [
        registered("acme"),
        Fact::of_access("acme", MemberListed { account: account(1), contact: contact.clone() }),
        Fact::of_access("acme", TechnicalContactChanged { contact: Some(contact) }),
    ];
    let (world, running) = running_with(&facts).await;
    assert!(running.dump().await.iter().any(|row| row.contains("secret")));
    world.sealer.erase(erased.as_str()).await.unwrap();
    assert!(running.models.rebuild("organizations", &|_| {}).await.unwrap());
    let member = queries(&running).member(&acme(), account(1)).await.unwrap().expect("still a member");
    assert_eq!((member.email, member.display_name), (None, None));
    let row = queries(&running).get(&acme()).await.unwrap().unwrap();
    assert_eq!((row.technical_contact_email, row.technical_contact_name), (None, None));
    assert!(!running.dump().await.iter().any(|row| row.contains("secret")));
}

/// No command leads to it.
async fn what_comes_before_the_registration_is_not_shown() {
    let (_world, running) = running_with(&[entitled("acme", "compute", "gold")]).await;
    assert_eq!(queries(&running).get(&acme()).await.unwrap(), None);
    assert_eq!(queries(&running).entitlements(&acme()).await.unwrap(), []);
}

on_each_engine!(
    r_access_4_members_are_shown_with_their_roles_and_from_when_they_hold,
    pages_of_organizations_and_members_neither_repeat_nor_drop,
    r_res_6_a_customer_entitles_its_reseller_while_a_plan_is_in_force,
    erased_people_have_no_names_and_stay_members,
    what_comes_before_the_registration_is_not_shown,
);

//! Whatever happened, in whatever access: who must never be told is not.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::tests::{Scene, subscriber};
use super::*;
use crate::access::ResellerRelation;
use crate::account::AccountDeactivated;
use crate::address::EmailAddress;
use crate::authority::{CentreAccess, Role};
use crate::case::{CaseEvent, Status};
use crate::event::EventAudience;
use crate::testing::{
    Given, ask, assign, at, attach, close, comment, email_key, escalate, evolved, file_case, note, opened,
    people, propose,
};
use crate::{OrganizationId, ProductId, Side};

const PEOPLE: [&str; 5] = ["alice", "bob", "carol", "dave", "nina"];
const ADDRESSES: [&str; 9] = [
    "alice@acme.example",
    "Bob+x@acme.example",
    "bob@acme.example",
    "ops@acme.example",
    "OPS+2@acme.example",
    "desk@nimbus.example",
    "nina@nimbus.example",
    "spy@elsewhere.example",
    "spy@notacme.example",
];

/// One event of every kind that a case in use has.
fn events() -> Vec<CaseEvent> {
    let given = Given::filed();
    let closed = given.clone().and("alice", 1, &close());
    let mut events =
        Given::nothing().when("alice", 0, &crate::case::CaseCommand::File(file_case().into())).events();
    for (who, command) in [
        ("agent-north", comment("words")),
        ("alice", attach()),
        ("agent-north", ask()),
        ("agent-north", propose()),
        ("agent-north", assign()),
        ("agent-north", note("words")),
        ("alice", escalate()),
        ("alice", close()),
    ] {
        events.extend(given.clone().when(who, 2, &command).events());
    }
    events.extend(closed.when("alice", 2, &comment("again")).events());
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// R-NOTIFY-1, R-NOTIFY-3, R-COMMENT-3, R-RES-7.
    #[test]
    fn r_notify_1_nobody_is_told_who_must_not_be(
        happened in subsequence(events(), 0..4),
        actor in select(&["alice", "bob", "carol", "dave", "nina", "agent-north", "system"][..]),
        subscribers in subsequence(ADDRESSES.to_vec(), 0..9),
        members in subsequence(PEOPLE[..4].to_vec(), 0..5),
        deactivated in subsequence(PEOPLE.to_vec(), 0..3),
        stopped in subsequence(ADDRESSES[..4].to_vec(), 0..2),
        (managed, let_in, at_filing) in any::<(bool, bool, bool)>(),
        (by_reseller, centre, open) in any::<(bool, bool, bool)>(),
    ) {
        let mut scene = Scene::filed(&[]);
        let nimbus = OrganizationId::new("nimbus").unwrap();
        let compute = ProductId::new("compute").unwrap();
        scene.access.members.retain(|account, _| members.iter().any(|name| people(name).account == *account));
        scene.access.relation = ResellerRelation {
            manager: managed.then(|| nimbus.clone()),
            allowed_in_centre: let_in,
            allowed_in_account_management: false,
        };
        scene.centre = if centre { CentreAccess::Open } else { CentreAccess::Closed };
        for address in ADDRESSES {
            let canonical = EmailAddress::parse(address).unwrap().canonical().to_owned();
            let key = scene.directory.addresses.get(&canonical).copied();
            let key = key.unwrap_or_else(|| email_key(&canonical));
            scene.directory.addresses.insert(canonical, key);
        }
        for name in &deactivated {
            let out = evolved(&opened(name), &[AccountDeactivated {}.into()]);
            scene.directory.accounts.insert(people(name).account, out.into());
        }
        let mut case = scene.given.clone().state().filed().unwrap().clone();
        case.subscribers = subscribers.iter().map(|address| subscriber(address)).collect();
        case.manager = at_filing.then(|| nimbus.clone());
        if by_reseller {
            case.side = Side::Reseller;
            case.manager = Some(nimbus.clone());
            case.filer = people("nina").contact;
        }
        case.status = if open { Status::InProgress } else { Status::Closed };
        let key_of = |address: &str| {
            scene.directory.addresses[EmailAddress::parse(address).unwrap().canonical()]
        };
        case.notifications_stopped = stopped.iter().map(|address| RecipientKey::Address(key_of(address))).collect();
        let reseller = scene.access.manager().map(|organization| Reseller {
            organization, access: &scene.reseller, centre: scene.centre,
        });
        let circle = Circle { case: &case, access: &scene.access, reseller, at: at(5) };
        let deed = Deed { before: Some(&case), events: &happened, actor: people(actor).account, told_elsewhere: &BTreeSet::new() };
        let told = intended(&deed, &circle, &scene.directory);

        let public = happened.iter().any(|event| {
            event.audience() == EventAudience::Customer && MessageKind::of_case_event(event).is_some()
        });
        let filed = happened.iter().any(|event| matches!(event, CaseEvent::CaseFiled(_)));
        prop_assert!(public || told.is_empty(), "only what the customer side may learn of is told");
        let reseller_sees = managed && let_in && centre && case.manager.as_ref() == Some(&nimbus);
        let mut by_key = BTreeMap::<_, u32>::new();
        for message in &told {
            *by_key.entry(message.key).or_default() += 1;
            if let RecipientKey::Account(account) = message.key {
                let own = filed || Circle::brings_survey(message.kind, message.reason);
                prop_assert!(own || account != people(actor).account, "nobody of their own act");
                prop_assert!(!deactivated.iter().any(|name| people(name).account == account));
            }
            prop_assert!(!case.notifications_stopped.contains(&message.key));
            match &message.recipient {
                Recipient::Account(account) if *account == people("nina").account => prop_assert!(reseller_sees),
                Recipient::Account(account) => {
                    let grant = scene.access.members[account].grant.as_ref().unwrap();
                    let role = grant.roles.get(&compute);
                    prop_assert!(role.is_some());
                    let owner_only = message.reason == Reason::ProductOwner;
                    prop_assert!(!owner_only || (role == Some(&Role::Owner) && by_reseller && open));
                }
                Recipient::Address(address) => {
                    let address = EmailAddress::parse(address.open().unwrap()).unwrap();
                    match address.domain().as_str() {
                        "acme.example" => {}
                        "nimbus.example" => prop_assert!(reseller_sees),
                        other => prop_assert!(false, "told at {}", other),
                    }
                }
            }
        }
        prop_assert!(by_key.values().all(|count| *count == 1), "once each");
        prop_assert_eq!(told.iter().map(|message| message.kind).collect::<BTreeSet<_>>().len(), usize::from(!told.is_empty()));
    }
}

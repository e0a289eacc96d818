//! Known issues and the volume, as read models show them.

use std::collections::{BTreeMap, BTreeSet};

use dossier_domain::access::Entitlement;
use dossier_domain::case::{CaseFiled, ClassificationRef};
use dossier_domain::catalogue::Priority;
use dossier_domain::known_issue::{
    AffectedUserJoined, AffectedUserLeft, AffectedUserRejoined, AffectedUserResubscribed,
    AffectedUserUnsubscribed, CustomerImpact, KnownIssueConfirmed, KnownIssueDismissed, KnownIssueEvent,
    KnownIssuePublished, KnownIssueResolved, KnownIssueStatus, KnownIssueSuspected, KnownIssueUpdatePosted,
    SaidVia, SuspicionSource,
};
use dossier_domain::phone_call::PhoneCallRecorded;
use dossier_domain::volume_watch::{VolumeFigures, hour_of};
use dossier_domain::{AccountId, KnownIssueId, PhoneCallId, PlanId, Side};
use dossier_eventlog::Position;
use dossier_projections::known_issues::{KnownIssueQueries, KnownIssueWanted};
use dossier_projections::volume::VolumeQueries;
use ulid::Ulid;

use crate::samples::*;
use crate::world::{Running, World};

pub(crate) fn issue(number: u8) -> KnownIssueId {
    KnownIssueId(Ulid::from(u128::from(number) + 77))
}

fn user(number: u64) -> AccountId {
    AccountId(Ulid::from(u128::from(number) + 900))
}

fn fact(number: u8, event: impl Into<KnownIssueEvent>) -> Fact {
    Fact::of_known_issue(issue(number), event)
}

fn suspected(number: u8, of: &str) -> Fact {
    let figures = VolumeFigures { hour: hour_of(at(0)), count: 9, threshold: 8, weeks_before: [1, 2, 3, 4] };
    fact(
        number,
        KnownIssueSuspected {
            issue: issue(number),
            product: product(of),
            title: text(&format!("suspicion {number}")),
            source: SuspicionSource::Volume,
            details: None,
            figures: Some(figures),
        },
    )
}

fn published(number: u8) -> Fact {
    fact(number, KnownIssuePublished { summary: text("Machines do not start"), outage_url: None })
}

fn joined(number: u8, name: &str, account: u64) -> Fact {
    fact(
        number,
        AffectedUserJoined {
            account: user(account),
            organization: organization(name),
            case: case(3),
            contact: contact("alice"),
            side: Side::Customer,
            classification: ClassificationRef { id: "compute-vm".to_owned(), display_name: "VM".to_owned() },
            priority: Priority::P3,
            language: "en".to_owned(),
            time_zone: None,
            description: Some(text("me too")),
            manager: None,
            access_revision: None,
            entitlement: Entitlement {
                product: product("compute"),
                plan: PlanId::new("gold").unwrap(),
                from: at(0),
                until: None,
            },
        },
    )
}

fn left(number: u8, name: &str, account: u64) -> Fact {
    let (organization, via) = (organization(name), SaidVia::MailLink);
    fact(number, AffectedUserLeft { account: user(account), organization, case: case(3), via })
}

/// Something that happened to one of two issues, by number; only the suspicion comes first.
pub(crate) fn issue_fact(kind: u8, number: u64, first: bool) -> Fact {
    let which = kind % 2;
    if first {
        return suspected(which, "compute");
    }
    let account = number % 3;
    let (organization, case) =
        (organization(if number.is_multiple_of(2) { "acme" } else { "globex" }), case(3));
    let said = text(&format!("said {number}"));
    let account_id = user(account);
    let via = SaidVia::SignedIn;
    match kind / 2 % 10 {
        0 => joined(which, organization.as_str(), account),
        1 => fact(which, AffectedUserRejoined { account: account_id, organization, case }),
        2 => left(which, organization.as_str(), account),
        3 => fact(which, AffectedUserUnsubscribed { account: account_id, organization, case, via }),
        4 => fact(which, AffectedUserResubscribed { account: account_id, organization, case }),
        5 => fact(which, KnownIssueUpdatePosted { update: u32::try_from(number).unwrap(), text: said }),
        6 => fact(which, KnownIssueConfirmed { impact: CustomerImpact::High, statement: said }),
        7 => published(which),
        8 => fact(which, KnownIssueDismissed { reason: said }),
        _ => {
            let (organizations_affected, users_affected) = (1, 2);
            let author = contact("engineer");
            let resolved = KnownIssueResolved { text: said, author, organizations_affected, users_affected };
            fact(which, resolved)
        }
    }
}

/// A call about something.
pub(crate) fn call_fact(number: u64) -> Fact {
    let call = PhoneCallId(Ulid::from(u128::from(number) + 5_000));
    let of = if number.is_multiple_of(2) { "compute" } else { "storage" };
    let at = at(i64::try_from(number).unwrap() * 700);
    Fact::of_phone_call(call, PhoneCallRecorded { call, product: product(of), at, organization: None })
}

fn queries(running: &Running) -> KnownIssueQueries {
    KnownIssueQueries::new(running.models.database().clone())
}

fn compute() -> BTreeSet<dossier_domain::ProductId> {
    BTreeSet::from([product("compute")])
}

/// R-KI-3.
async fn r_ki_3_customers_see_what_is_published_of_their_products_and_support_sees_all() {
    let world = World::given(&[
        suspected(0, "compute"),
        suspected(1, "compute"),
        published(1),
        suspected(2, "storage"),
        published(2),
        fact(1, KnownIssueUpdatePosted { update: 1, text: text("we look") }),
    ])
    .await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let queries = queries(&running);
    let seen = queries.published(&compute(), true, None, 10).await.unwrap();
    let ids: Vec<_> = seen.issues.iter().map(|row| row.issue.issue.clone()).collect();
    assert_eq!(ids, [issue(1).to_string()]);
    let updates = queries.updates(&seen.issues).await.unwrap();
    assert_eq!(updates.iter().map(|update| update.text.as_deref()).collect::<Vec<_>>(), [Some("we look")]);
    assert_eq!(queries.published(&BTreeSet::new(), false, None, 10).await.unwrap().issues, []);
    let all = queries.list(&KnownIssueWanted::default(), None, 2).await.unwrap();
    assert_eq!((all.issues.len(), all.next_before), (2, Some(all.issues[1].issue.suspected_position)));
    let rest = queries.list(&KnownIssueWanted::default(), all.next_before, 2).await.unwrap();
    assert_eq!((rest.issues.len(), rest.next_before), (1, None));
    let figures = rest.issues[0].issue.figures().unwrap();
    assert_eq!((figures.count, figures.weeks_before), (9, [1, 2, 3, 4]));
    let suspicions = KnownIssueWanted { status: Some(KnownIssueStatus::Suspected), product: None };
    assert_eq!(queries.list(&suspicions, None, 9).await.unwrap().issues.len(), 1);
    let of_storage = KnownIssueWanted { status: None, product: Some(product("storage")) };
    assert_eq!(queries.list(&of_storage, None, 9).await.unwrap().issues.len(), 1);
    let (author, said) = (contact("engineer"), text("start them again"));
    let (organizations_affected, users_affected) = (0, 0);
    let resolved = KnownIssueResolved { text: said, author, organizations_affected, users_affected };
    running.caught_up(world.append(&[fact(1, resolved)]).await).await;
    assert_eq!(queries.published(&compute(), true, None, 10).await.unwrap().issues, [], "no banner");
    let section = queries.published(&compute(), false, None, 10).await.unwrap();
    assert_eq!(section.issues[0].issue.resolution.as_deref(), Some("start them again"));
}

/// R-KI-4.
async fn r_ki_4_organizations_and_users_affected_are_counted_once_each() {
    let world = World::given(&[suspected(0, "compute"), published(0)]).await;
    world.append(&[joined(0, "acme", 1), joined(0, "acme", 2), joined(0, "globex", 1)]).await;
    world.append(&[joined(0, "initech", 3), left(0, "initech", 3)]).await;
    let unsubscribed = AffectedUserUnsubscribed {
        account: user(2),
        organization: acme(),
        case: case(3),
        via: SaidVia::MailLink,
    };
    world.append(&[fact(0, unsubscribed)]).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let row = queries(&running).get(issue(0)).await.unwrap().expect("suspected");
    assert_eq!((row.organizations_affected, row.users_affected), (2, 2));
    let said = queries(&running).said(&acme(), user(2), std::slice::from_ref(&row)).await.unwrap();
    assert_eq!(said.len(), 1);
    assert!(said[0].affected && !said[0].subscribed);
    assert_eq!(queries(&running).get(issue(5)).await.unwrap(), None);
}

/// R-KI-2.
async fn r_ki_2_the_volume_is_counted_by_product_and_hour_up_to_any_place_of_the_log() {
    let test_case = CaseFiled { test_case: true, ..filing(2) };
    let known = CaseFiled { known_issue: Some(issue(0)), ..filing(3) };
    let facts = [filed(0), call_fact(0), Fact::of_case(2, test_case), Fact::of_case(3, known), call_fact(12)];
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let queries = VolumeQueries::new(running.models.database().clone());
    let (first, later) = (hour_of(at(0)), hour_of(at(8_400)));
    let until = async |position| {
        queries.counts_until(&product("compute"), &[first, later], Position(position)).await.unwrap()
    };
    assert_eq!(until(1).await, BTreeMap::from([(first, 1)]));
    assert_eq!(until(4).await, BTreeMap::from([(first, 2)]));
    assert_eq!(until(9).await, BTreeMap::from([(first, 2), (later, 1)]));
    let hourly = queries.hourly(None, first, later).await.unwrap();
    assert_eq!(hourly, BTreeMap::from([("compute".to_owned(), BTreeMap::from([(first, 2)]))]));
    let just_begun = later.saturating_add(jiff::SignedDuration::from_millis(1)).unwrap();
    assert_eq!(queries.hourly(None, later, just_begun).await.unwrap()["compute"][&later], 1);
    assert_eq!(queries.hourly(Some(&product("storage")), first, at(99_999)).await.unwrap(), BTreeMap::new());
}

on_each_engine!(
    r_ki_3_customers_see_what_is_published_of_their_products_and_support_sees_all,
    r_ki_4_organizations_and_users_affected_are_counted_once_each,
    r_ki_2_the_volume_is_counted_by_product_and_hour_up_to_any_place_of_the_log,
);

//! What is shown of accounts is the fold of their events.

use std::collections::BTreeMap;

use dossier_domain::account::{
    Account, AccountDeactivated, AccountDeleted, AccountEmailChanged, AccountEvent, AccountOpened,
    AccountReactivated, AccountRenamed, Provisioning, SignIn,
};
use dossier_domain::address::EmailAddress;
use dossier_domain::personal::{Contact, Personal};
use dossier_domain::{AccountId, Aggregate, EmailKey, Subject};
use dossier_projections::accounts::{AccountFilter, AccountQueries, AccountRow};
use proptest::prelude::*;
use ulid::Ulid;

use crate::access::account;
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn subject_of(account: AccountId) -> Subject {
    Subject::account(account)
}

fn contact_of(account: AccountId, email: &str, name: &str) -> Personal<Contact> {
    Personal::new(subject_of(account), Contact { email: email.to_owned(), display_name: name.to_owned() })
}

/// An account of an organization, called `person{number}` by the identity provider.
fn opened(number: u64, of: &str, email: &str) -> Fact {
    let account = account(number);
    let sign_in = SignIn { issuer: "https://id.acme.example".to_owned(), subject: format!("person{number}") };
    let opened = AccountOpened {
        account,
        organization: organization(of),
        provisioning: Provisioning::Directory,
        sign_in: Personal::new(subject_of(account), sign_in),
        contact: contact_of(account, email, email),
        email: EmailKey(Ulid::from(u128::from(number))),
    };
    Fact::of_account(account, opened)
}

/// Anything that happens to one of a few accounts; what comes before the opening means nothing.
pub(crate) fn account_fact(kind: u8, number: u64) -> Fact {
    let of = number % 3;
    let contact =
        contact_of(account(of), &format!("Person{number}+x@ACME.example"), &format!("name {number}"));
    let event: AccountEvent = match kind % 7 {
        0 | 1 => {
            let organization = if of == 2 { "globex" } else { "acme" };
            return opened(of, organization, &format!("p{number}@acme.example"));
        }
        2 => AccountEmailChanged { email: EmailKey(Ulid::from(u128::from(number))), contact }.into(),
        3 => AccountRenamed { contact }.into(),
        4 => AccountDeactivated {}.into(),
        5 => AccountReactivated {}.into(),
        _ => AccountDeleted {}.into(),
    };
    Fact::of_account(account(of), event)
}

fn queries(running: &Running) -> AccountQueries {
    AccountQueries::new(running.models.database().clone())
}

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

async fn listed(running: &Running, of: &str, filter: AccountFilter) -> Vec<AccountRow> {
    let page = queries(running).list(&organization(of), &filter, 0, 99).await.unwrap();
    assert_eq!(page.total, page.accounts.len() as u64);
    page.accounts
}

fn by_email(email: &str) -> AccountFilter {
    AccountFilter::Email(EmailAddress::parse(email).unwrap())
}

/// The rows of the accounts that are not deleted, as the domain folds them.
fn folded(facts: &[Fact]) -> Vec<AccountRow> {
    let mut all: BTreeMap<String, (Account, i64)> = BTreeMap::new();
    for (fact, second) in facts.iter().zip(0..) {
        let FactEvent::Account(event) = &fact.event else { continue };
        let (account, revision) =
            all.entry(fact.stream.id().to_owned()).or_insert_with(|| (Account::default(), -1));
        account.evolve(event, at(second));
        *revision += 1;
    }
    let rows = all.into_iter().filter_map(|(id, (account, revision))| {
        let opened = account.opened().filter(|opened| !opened.deleted)?.clone();
        let contact = opened.contact.open().unwrap().clone();
        Some(AccountRow {
            account: id,
            organization: opened.organization.to_string(),
            subject: opened.sign_in.open().map(|sign_in| sign_in.subject.clone()),
            canonical_email: Some(EmailAddress::parse(&contact.email).unwrap().canonical().to_owned()),
            email: Some(contact.email),
            display_name: Some(contact.display_name),
            active: opened.active,
            deleted: false,
            opened_at_micros: opened.opened_at.as_microsecond(),
            updated_at_micros: opened.changed_at.as_microsecond(),
            revision,
        })
    });
    rows.collect()
}

async fn rows_are_the_fold(running: &Running, facts: &[Fact]) {
    for of in ["acme", "globex"] {
        let mut rows = folded(facts);
        rows.retain(|row| row.organization == of);
        assert_eq!(listed(running, of, AccountFilter::All).await, rows);
        for row in &rows {
            let same_address: Vec<AccountRow> =
                rows.iter().filter(|other| other.canonical_email == row.canonical_email).cloned().collect();
            assert_eq!(listed(running, of, by_email(row.email.as_ref().unwrap())).await, same_address);
            let subject = AccountFilter::Subject(row.subject.clone().unwrap());
            assert_eq!(listed(running, of, subject).await, std::slice::from_ref(row));
        }
    }
}

proptest! {
    #![proptest_config(few(12))]

    #[test]
    fn rows_of_accounts_are_the_fold_of_their_events_and_a_rebuild_changes_nothing(
        told in prop::collection::vec((0..7_u8, 0..9_u64), 1..60),
    ) {
        let facts: Vec<Fact> = told.iter().map(|(kind, number)| account_fact(*kind, *number)).collect();
        block_on_each_engine(async || {
            let (world, running) = running_with(&facts).await;
            rows_are_the_fold(&running, &facts).await;
            assert!(running.models.rebuild("accounts", &|_| {}).await.unwrap());
            rows_are_the_fold(&running, &facts).await;
            assert_eq!(running.dump().await, world.expected_dump().await);
        });
    }
}

async fn an_account_is_found_by_its_address_however_written_and_by_its_subject_in_its_organization_only() {
    let facts = [
        opened(1, "acme", "Erin+news@ACME.example"),
        opened(2, "globex", "frank@globex.example"),
        opened(3, "acme", "grace@acme.example"),
    ];
    let (_world, running) = running_with(&facts).await;
    for email in ["erin@acme.example", "ERIN+other@acme.EXAMPLE"] {
        let [erin] = &listed(&running, "acme", by_email(email)).await[..] else { panic!("{email}") };
        assert_eq!(erin.email.as_deref(), Some("Erin+news@ACME.example"), "shown as it was given");
        assert_eq!(listed(&running, "globex", by_email(email)).await, []);
    }
    let frank = AccountFilter::Subject("person2".to_owned());
    assert_eq!(listed(&running, "acme", frank.clone()).await, []);
    assert_eq!(listed(&running, "globex", frank).await.len(), 1);
    assert_eq!(listed(&running, "acme", AccountFilter::Subject("PERSON1".to_owned())).await, []);
}

async fn a_deleted_account_is_in_no_list_until_it_is_opened_again() {
    let mut facts =
        vec![opened(1, "acme", "erin@acme.example"), Fact::of_account(account(1), AccountDeleted {})];
    let (_world, running) = running_with(&facts).await;
    assert_eq!(listed(&running, "acme", AccountFilter::All).await, []);
    facts.push(opened(1, "acme", "erin@acme.example"));
    let (_world, running) = running_with(&facts).await;
    let [erin] = &listed(&running, "acme", AccountFilter::All).await[..] else { panic!("one account") };
    assert_eq!((erin.active, erin.opened_at_micros, erin.revision), (true, micros(2), 2));
}

async fn pages_of_accounts_neither_repeat_nor_drop_and_tell_how_many_there_are() {
    let facts: Vec<Fact> = (0..7).map(|number| opened(number, "acme", "x@acme.example")).collect();
    let (_world, running) = running_with(&facts).await;
    for size in 1..9 {
        let mut all = Vec::new();
        for skip in (0..9).step_by(size as usize) {
            let page = queries(&running).list(&acme(), &AccountFilter::All, skip, size).await.unwrap();
            assert_eq!(page.total, 7);
            all.extend(page.accounts.into_iter().map(|row| row.account));
        }
        assert_eq!(all, (0..7).map(|number| account(number).to_string()).collect::<Vec<_>>(), "{size}");
    }
    let beyond = queries(&running).list(&acme(), &AccountFilter::All, u64::MAX, 5).await.unwrap();
    assert_eq!((beyond.total, beyond.accounts.len()), (7, 0));
}

async fn an_erased_person_is_still_counted_and_not_named() {
    let (world, running) = running_with(&[opened(1, "acme", "secret@acme.example")]).await;
    assert!(running.dump().await.iter().any(|row| row.contains("secret")));
    world.sealer.erase(subject_of(account(1)).as_str()).await.unwrap();
    assert!(running.models.rebuild("accounts", &|_| {}).await.unwrap());
    let [row] = &listed(&running, "acme", AccountFilter::All).await[..] else { panic!("still there") };
    assert_eq!(
        (&row.email, &row.canonical_email, &row.subject, &row.display_name),
        (&None, &None, &None, &None)
    );
    assert!(!running.dump().await.iter().any(|row| row.contains("secret")));
}

on_each_engine!(
    an_account_is_found_by_its_address_however_written_and_by_its_subject_in_its_organization_only,
    a_deleted_account_is_in_no_list_until_it_is_opened_again,
    pages_of_accounts_neither_repeat_nor_drop_and_tell_how_many_there_are,
    an_erased_person_is_still_counted_and_not_named,
);

//! What queries answer: within the scope, in order, page by page.

use std::cmp::Ordering;
use std::sync::Arc;

use dossier_domain::case::{CaseFiled, CaseRenamed, Status};
use dossier_domain::catalogue::Priority;
use dossier_domain::{OrganizationId, ProviderId, Side, VisibilityScope};
use dossier_projections::case_history::{AttachmentQueries, FeedItem, FeedOrder, FeedQueries};
use dossier_projections::cases::{CaseCondition, CaseRow, Compared, CurrentCases, Moment};
use proptest::prelude::*;

use crate::buses::ScriptedBus;
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn filed_for(number: u8, organization: &str, of_product: &str) -> Fact {
    let (organization, product) = (crate::samples::organization(organization), product(of_product));
    Fact::of_case(number, CaseFiled { organization, product, ..filing(number) })
}

async fn running_with(facts: &[Fact]) -> (World, Running) {
    let world = World::given(facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    (world, running)
}

/// R-ACCESS-3, R-ACCESS-7: a scope of nothing, which a pending grant and a mere listing have, shows nothing.
async fn only_what_the_scope_shows_is_there_however_it_is_asked_for() {
    let facts = [
        filed_for(0, "acme", "compute"),
        filed_for(1, "acme", "storage"),
        filed_for(2, "globex", "compute"),
        commented(0, 0),
        commented(1, 1),
        commented(2, 2),
    ];
    let (_world, running) = running_with(&facts).await;
    let scopes = [
        VisibilityScope::Nothing,
        all_of("acme"),
        all_of("globex"),
        products_of("acme", &[]),
        products_of("acme", &["compute"]),
        products_of("acme", &["compute", "storage", "identity"]),
        products_of("globex", &["storage"]),
    ];
    let (cases, comments) = (running.cases(), running.comments());
    for scope in &scopes {
        for asked in ["acme", "globex", "initech"].map(organization) {
            let mut listed = Vec::new();
            for (number, of_organization, of_product) in
                [(2, "globex", "compute"), (1, "acme", "storage"), (0, "acme", "compute")]
            {
                let of = organization(of_organization);
                let visible = asked == of && scope.contains(&of, &product(of_product));
                let told = format!("{scope:?} {asked:?} {number}");
                let row = cases.get(scope, &asked, case(number)).await.unwrap();
                assert_eq!(row.is_some(), visible, "{told}");
                let page = comments.list(scope, &asked, case(number), None, 9).await.unwrap();
                assert_eq!(page.map(|page| page.comments.len()), visible.then_some(1), "{told}");
                let id = comment_id(u64::from(number));
                let comment = comments.get(scope, &asked, case(number), id).await.unwrap();
                assert_eq!(comment.is_some(), visible, "{told}");
                if visible {
                    listed.push(case(number).to_string());
                }
            }
            let page = cases.list(scope, Some(&asked), &CaseCondition::anything(), None, 9).await.unwrap();
            let ids: Vec<String> = page.cases.into_iter().map(|row| row.case_id).collect();
            assert_eq!(ids, listed, "{scope:?} {asked:?}");
        }
    }
    let of_another_case = comments.get(&all_of("acme"), &acme(), case(0), comment_id(1)).await.unwrap();
    assert_eq!(of_another_case, None, "a comment is addressed under its case");
}

async fn comments_come_oldest_first_page_by_page() {
    let facts: Vec<Fact> = [filed(0), filed(1)]
        .into_iter()
        .chain((0..7).flat_map(|n| [commented(0, n), commented(1, 100 + n)]))
        .collect();
    let (_world, running) = running_with(&facts).await;
    for size in 1..9 {
        let (mut after, mut seen, mut pages) = (None, Vec::new(), 0);
        loop {
            let page = running
                .comments()
                .list(&all_of("acme"), &acme(), case(0), after, size)
                .await
                .unwrap()
                .unwrap();
            assert!(page.comments.len() <= size as usize);
            seen.extend(page.comments.into_iter().map(|row| row.body.unwrap()));
            pages += 1;
            after = page.next_after;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, (0..7).map(|n| format!("comment {n}")).collect::<Vec<_>>());
        assert_eq!(pages, 7_u32.div_ceil(size), "no page is empty");
    }
}

/// R-ATTACH-1: whoever sees the case sees its attachments, and nobody else.
async fn r_attach_1_attachments_and_the_feed_are_seen_by_whoever_sees_the_case_and_in_order() {
    let attached = |number, n| Fact::of_case(number, attachment(n));
    let facts = [
        filed(0),
        filed(1),
        commented(0, 1),
        attached(0, 2),
        attached(1, 3),
        commented(0, 4),
        attached(0, 5),
    ];
    let (_world, running) = running_with(&facts).await;
    let database = running.models.database().clone();
    let (attachments, feeds) = (AttachmentQueries::new(database.clone()), FeedQueries::new(database));
    let foreign = [
        (VisibilityScope::Nothing, acme()),
        (all_of("globex"), acme()),
        (all_of("acme"), organization("globex")),
    ];
    for (scope, asked) in foreign {
        assert_eq!(attachments.list(&scope, &asked, case(0), None, 9).await.unwrap(), None);
        assert_eq!(attachments.get(&scope, &asked, case(0), attachment_id(2)).await.unwrap(), None);
        let feed = feeds.read(&scope, &asked, case(0), FeedOrder::OldestFirst, None, 9).await.unwrap();
        assert_eq!(feed, None);
    }
    let own = all_of("acme");
    let got = attachments.get(&own, &acme(), case(0), attachment_id(2)).await.unwrap().unwrap();
    assert_eq!((got.filename.as_deref(), got.size_bytes), (Some("file 2.log"), 2));
    assert_eq!(
        attachments.get(&own, &acme(), case(1), attachment_id(2)).await.unwrap(),
        None,
        "another case"
    );
    let page = attachments.list(&own, &acme(), case(0), None, 1).await.unwrap().unwrap();
    assert_eq!(page.attachments, [got]);
    let rest = attachments.list(&own, &acme(), case(0), page.next_after, 9).await.unwrap().unwrap();
    assert_eq!((rest.attachments.len(), rest.next_after), (1, None));

    for (order, expected) in [(FeedOrder::OldestFirst, [3, 4, 6, 7]), (FeedOrder::NewestFirst, [7, 6, 4, 3])]
    {
        for size in 1..6 {
            let (mut beyond, mut seen) = (None, Vec::new());
            loop {
                let page = feeds.read(&own, &acme(), case(0), order, beyond, size).await.unwrap().unwrap();
                assert!(page.items.len() <= size as usize);
                seen.extend(page.items.iter().map(FeedItem::sequence));
                beyond = page.next;
                if beyond.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{order:?} by {size}");
        }
    }
}

async fn a_case_from_memory_is_never_older_than_the_log_and_never_another_ones() {
    let (world, running) = running_with(&[filed(0), filed_for(1, "globex", "compute")]).await;
    let current = CurrentCases::new(running.cases(), world.store.clone());
    let own = all_of("acme");
    for _ in 0..2 {
        let row = current.get(&own, &acme(), case(0)).await.unwrap().expect("there is one");
        assert_eq!(Some(&*row), running.cases().get(&own, &acme(), case(0)).await.unwrap().as_ref());
        // In memory or not, what the scope does not show is not there.
        for (scope, asked) in [
            (VisibilityScope::Nothing, acme()),
            (products_of("acme", &["storage"]), acme()),
            (all_of("globex"), organization("globex")),
            (all_of("acme"), organization("globex")),
        ] {
            assert_eq!(current.get(&scope, &asked, case(0)).await.unwrap(), None, "{scope:?} {asked:?}");
        }
    }
    for number in 0..3 {
        world
            .append(&[Fact::of_case(
                0,
                CaseRenamed { title: crate::samples::text(&format!("title {number}")) },
            )])
            .await;
        running.caught_up(world.store_head().await).await;
        let row = current.get(&own, &acme(), case(0)).await.unwrap().expect("there is one");
        assert_eq!(row.title, Some(format!("title {number}")));
    }
}

async fn filters_by_address_do_not_mind_capitals() {
    let (_world, running) = running_with(&[filed(0)]).await;
    for (address, count) in [("alice@acme.example", 1), ("Alice@ACME.example", 1), ("bob@acme.example", 0)] {
        let condition = CaseCondition::FilerEmail(address.to_owned());
        let page = running.cases().list(&all_of("acme"), Some(&acme()), &condition, None, 9).await.unwrap();
        assert_eq!(page.cases.len(), count, "{address}");
    }
}

/// Whether a row fulfils a condition: the whole of the filter, told once more.
fn fulfils(condition: &CaseCondition, row: &CaseRow) -> bool {
    match condition {
        CaseCondition::And(all) => all.iter().all(|one| fulfils(one, row)),
        CaseCondition::Or(some) => some.iter().any(|one| fulfils(one, row)),
        CaseCondition::Open => row.status != "CLOSED",
        CaseCondition::Status(status) => row.status == status.as_str(),
        CaseCondition::Priority(priority) => row.priority() == Some(*priority),
        CaseCondition::Organization(organization) => row.organization == *organization,
        CaseCondition::FilerEmail(email) => row.filer_email.as_deref() == Some(email.to_lowercase().as_str()),
        CaseCondition::At(moment, compared, instant) => {
            let micros = match moment {
                Moment::Filed => Some(row.filed_at_micros),
                Moment::Updated(Side::Support) => Some(row.updated_at_micros),
                Moment::Updated(_) => Some(row.customer_updated_at_micros),
                Moment::ResponseDue => row.response_due_micros,
            };
            let wanted = if *compared == Compared::Before { Ordering::Less } else { Ordering::Greater };
            micros.is_some_and(|micros| micros.cmp(&instant.as_microsecond()) == wanted)
        }
        CaseCondition::Product(product) => row.product == *product,
        CaseCondition::Provider(provider) => row.provider.as_deref().unwrap_or_default() == provider,
        CaseCondition::Assignee(assignee) => row.assignee == *assignee,
        CaseCondition::Language(language) => row.language == *language,
        CaseCondition::Channel(channel) => row.channel == *channel,
        CaseCondition::Escalated(escalated) => row.escalated == *escalated,
        CaseCondition::Classification(ids) => ids.contains(&row.classification_id),
        CaseCondition::Text(text) => unreachable!("a row does not show all that is searched for {text}"),
    }
}

fn any_condition() -> impl Strategy<Value = CaseCondition> {
    let leaf = prop_oneof![
        Just(CaseCondition::Open),
        prop::sample::select(Status::ALL.to_vec()).prop_map(CaseCondition::Status),
        prop::sample::select(Priority::ALL.to_vec()).prop_map(CaseCondition::Priority),
        prop::sample::select(vec!["alice", "Bob"])
            .prop_map(|name| CaseCondition::FilerEmail(format!("{name}@acme.example"))),
        prop::sample::select(vec!["acme", "globex"])
            .prop_map(|name| CaseCondition::Organization(name.to_owned())),
        prop::sample::subsequence(vec!["compute-vm", "other"], 0..=2)
            .prop_map(|ids| CaseCondition::Classification(ids.into_iter().map(str::to_owned).collect())),
        (0..60_i64, 0..4_usize, prop::bool::ANY).prop_map(|(second, moment, before)| {
            let sides = [Side::Support, Side::Customer].map(Moment::Updated);
            let moment = [sides[0], sides[1], Moment::Filed, Moment::ResponseDue][moment];
            CaseCondition::At(moment, if before { Compared::Before } else { Compared::After }, at(second))
        }),
        prop::sample::select(vec!["compute", "storage"])
            .prop_map(|product| CaseCondition::Product(product.to_owned())),
        prop::sample::select(vec!["", "north", "south"])
            .prop_map(|provider| CaseCondition::Provider(provider.to_owned())),
        prop::bool::ANY.prop_map(CaseCondition::Escalated),
        Just(CaseCondition::Assignee(None)),
        Just(CaseCondition::Language("en".to_owned())),
        prop::sample::select(vec![None, Some("phone")])
            .prop_map(|channel| CaseCondition::Channel(channel.map(str::to_owned))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(CaseCondition::And),
            prop::collection::vec(inner, 0..4).prop_map(CaseCondition::Or),
        ]
    })
}

fn agents(provider: Option<&str>) -> VisibilityScope {
    let provider = provider.map(|name| ProviderId::new(name).unwrap());
    VisibilityScope::Provider { provider, organization: None }
}

/// Whether an agent of a provider sees a case (R-ROUTE-1).
fn is_agents(provider: Option<&str>, row: &CaseRow) -> bool {
    row.provider.is_none() || row.provider.as_deref() == provider
}

/// Cases by filer and what happened to them; `None` files the next.
fn cases_with(events: &[(Option<u8>, u8)]) -> Vec<Fact> {
    let mut filed_so_far = 0_u8;
    events
        .iter()
        .zip(0_u64..)
        .map(|((number, kind), index)| match number {
            Some(number) if filed_so_far > 0 => {
                Fact::of_case(number % filed_so_far, case_event(*kind, index))
            }
            _ => {
                let filer = contact(if kind % 2 == 0 { "alice" } else { "bob" });
                filed_so_far += 1;
                Fact::of_case(filed_so_far - 1, CaseFiled { filer, ..filing(filed_so_far - 1) })
            }
        })
        .collect()
}

fn any_cases(longest: usize) -> impl Strategy<Value = Vec<Fact>> {
    let number = prop::option::weighted(0.6, 0..60_u8);
    prop::collection::vec((number, 0..CASE_EVENTS), 1..longest).prop_map(|events| cases_with(&events))
}

async fn pages(
    running: &Running,
    organization: &OrganizationId,
    condition: &CaseCondition,
    size: u32,
) -> Vec<CaseRow> {
    pages_of(running, &all_of("acme"), Some(organization), condition, size).await
}

async fn pages_of(
    running: &Running,
    scope: &VisibilityScope,
    organization: Option<&OrganizationId>,
    condition: &CaseCondition,
    size: u32,
) -> Vec<CaseRow> {
    let (mut before, mut rows) = (None, Vec::new());
    loop {
        let page = running.cases().list(scope, organization, condition, before, size).await.unwrap();
        assert!(page.cases.len() <= size as usize);
        assert!(
            page.next_before.is_none() || page.cases.len() == size as usize,
            "only the last page is short"
        );
        rows.extend(page.cases);
        before = page.next_before;
        if before.is_none() {
            return rows;
        }
    }
}

proptest! {
    #![proptest_config(few(16))]

    #[test]
    fn a_filter_picks_what_it_says_newest_first(
        facts in any_cases(50),
        conditions in prop::collection::vec((any_condition(), 1..6_u32), 20),
    ) {
        block_on_each_engine(async || {
            let (_world, running) = running_with(&facts).await;
            let all = pages(&running, &acme(), &CaseCondition::anything(), 1_000).await;
            assert!(all.windows(2).all(|pair| pair[0].sequence > pair[1].sequence), "newest first");
            assert_eq!(all.len(), facts.iter().filter(|fact| is_filing(fact)).count());
            for (condition, size) in &conditions {
                let wanted: Vec<CaseRow> = all.iter().filter(|row| fulfils(condition, row)).cloned().collect();
                assert_eq!(pages(&running, &acme(), condition, *size).await, wanted, "{condition:?}");
                for provider in [Some("north"), None] {
                    let scope = agents(provider);
                    let wanted: Vec<CaseRow> =
                        wanted.iter().filter(|row| is_agents(provider, row)).cloned().collect();
                    let across = pages_of(&running, &scope, None, condition, *size).await;
                    assert_eq!(across, wanted, "{provider:?} {condition:?}");
                    let of_one = pages_of(&running, &scope, Some(&acme()), condition, *size).await;
                    assert_eq!(of_one, wanted, "{provider:?} {condition:?}");
                }
            }
        });
    }

    /// R-ROUTE-1: queues are the same cases again, counted and, where they await an answer, the most urgent first.
    #[test]
    fn r_route_1_queues_count_and_show_what_a_filter_of_all_cases_finds(
        facts in any_cases(60),
        second in 0..200_000_i64,
        size in 1..5_u32,
    ) {
        block_on_each_engine(async || {
            let (_world, running) = running_with(&facts).await;
            let all = pages_of(&running, &VisibilityScope::AllOrganizations, None, &CaseCondition::anything(), 1_000).await;
            let agent = all.iter().find_map(|row| row.assignee.clone()).unwrap_or_default();
            for provider in [Some("north"), None] {
                let seen: Vec<&CaseRow> = all.iter().filter(|row| is_agents(provider, row)).collect();
                let open: Vec<&&CaseRow> = seen.iter().filter(|row| row.status != "CLOSED").collect();
                let is_due = |row: &&&CaseRow| row.response_due_micros.is_some_and(|due| due < at(second).as_microsecond());
                let mut due: Vec<&CaseRow> = seen.iter().filter(is_due).copied().collect();
                due.sort_by_key(|row| (row.response_due_micros, row.sequence));
                let counts = running.cases().queue_counts(&agents(provider), &agent, at(second)).await.unwrap();
                let wanted = [
                    open.iter().filter(|row| row.assignee.as_ref() == Some(&agent)).count(),
                    open.len(),
                    open.iter().filter(|row| row.assignee.is_none()).count(),
                    due.len(),
                ];
                let counted = [counts.mine, counts.open, counts.unassigned, counts.due];
                assert_eq!(counted.map(|count| usize::try_from(count.cases).unwrap()), wanted);
                assert!(counted.iter().all(|count| !count.more));
                let (mut after, mut shown) = (None, Vec::new());
                loop {
                    let anything = CaseCondition::anything();
                    let page = running.cases().due(&agents(provider), &anything, at(second), after, size).await.unwrap();
                    shown.extend(page.cases);
                    after = page.next_after;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(shown.iter().collect::<Vec<_>>(), due);
            }
        });
    }

    #[test]
    fn paging_neither_repeats_nor_drops_a_case_while_others_come_and_change(
        before in any_cases(30),
        after in prop::collection::vec((0..60_u8, 0..CASE_EVENTS), 0..20),
        size in 1..5_u32,
    ) {
        block_on_each_engine(async || {
            let world = World::given(&before).await;
            let bus = Arc::new(ScriptedBus::default());
            let running = world.run_on(bus.clone()).await;
            running.caught_up(world.store_head().await).await;
            let anything = CaseCondition::anything();
            let there: Vec<String> =
                pages(&running, &acme(), &anything, 1_000).await.into_iter().map(|row| row.case_id).collect();
            let count = u8::try_from(there.len()).unwrap();
            let (mut seen, mut cursor, mut news) = (Vec::new(), None, after.iter().copied().zip(0_u8..));
            loop {
                let page = running.cases().list(&all_of("acme"), Some(&acme()), &anything, cursor, size).await.unwrap();
                seen.extend(page.cases.into_iter().map(|row| row.case_id));
                cursor = page.next_before;
                if cursor.is_none() {
                    break;
                }
                // Between two pages a case changes and another is filed.
                if let Some(((number, kind), new)) = news.next() {
                    let changed = Fact::of_case(number % count, case_event(kind, 500 + u64::from(new)));
                    let before = world.store_head().await;
                    let head = world.append(&[changed, filed(100 + new)]).await;
                    bus.deliver(&world.messages_after(before).await);
                    running.caught_up(head).await;
                }
            }
            assert_eq!(seen, there);
        });
    }
}

fn is_filing(fact: &Fact) -> bool {
    matches!(&fact.event, FactEvent::Case(event) if matches!(**event, dossier_domain::case::CaseEvent::CaseFiled(_)))
}

on_each_engine!(
    only_what_the_scope_shows_is_there_however_it_is_asked_for,
    comments_come_oldest_first_page_by_page,
    r_attach_1_attachments_and_the_feed_are_seen_by_whoever_sees_the_case_and_in_order,
    a_case_from_memory_is_never_older_than_the_log_and_never_another_ones,
    filters_by_address_do_not_mind_capitals,
);

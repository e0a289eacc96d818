//! What a reseller sees, and that it is what the domain says: the scope in SQL beside the scope on folded state (R-RES-3).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dossier_domain::access::{AccessEvent, GrantChannel, ResellerRelation};
use dossier_domain::case::{CaseEvent, CaseFiled};
use dossier_domain::{CaseFacts, OrganizationId, ProviderId, VisibilityScope};
use dossier_eventlog::Position;
use dossier_projections::case_history::{AttachmentQueries, CaseHistory, FeedOrder, FeedQueries};
use dossier_projections::cases::{CaseCondition, CaseQueries, Cases, CurrentCases};
use dossier_projections::organizations::Organizations;
use dossier_projections::reseller_visibility::ResellerVisibility;
use dossier_projections::{
    Generation, ProjectedEvent, ProjectionError, ReadModel, Table, WaitError, WriteTransaction,
};
use proptest::prelude::*;
use tokio::sync::Mutex;

use crate::access::*;
use crate::buses::SilentBus;
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{CASE_MODELS, PATIENCE, Running, World};

const CUSTOMERS: [&str; 2] = ["acme", "globex"];
const PRODUCTS: [&str; 2] = ["compute", "storage"];

/// A case under a manager, with a comment and an attachment of the case's number.
fn filed_under(number: u8, customer: &str, product_name: &str, manager: Option<&str>) -> [Fact; 3] {
    let filing = CaseFiled {
        organization: organization(customer),
        product: product(product_name),
        manager: manager.map(organization),
        ..filing(number)
    };
    let id = u64::from(number);
    [Fact::of_case(number, filing), commented(number, id), Fact::of_case(number, attachment(id))]
}

/// What the log tells of cases and relations.
#[derive(Default)]
struct Told {
    /// By number.
    cases: BTreeMap<u8, CaseFiled>,
    /// Where each case was last routed to.
    providers: BTreeMap<String, ProviderId>,
    relations: BTreeMap<String, ResellerRelation>,
}

impl Told {
    fn by(facts: &[Fact]) -> Self {
        let mut told = Self::default();
        for fact in facts {
            match &fact.event {
                FactEvent::Case(event) => match &**event {
                    CaseEvent::CaseFiled(filed) => {
                        told.cases.insert(u8::try_from(told.cases.len()).unwrap(), filed.clone());
                    }
                    CaseEvent::CaseRouted(routed) => {
                        told.providers.insert(fact.stream.id().to_owned(), routed.provider.clone());
                    }
                    _ => {}
                },
                FactEvent::Access(event) => told.evolve(fact.stream.id(), event),
                _ => {}
            }
        }
        told
    }

    fn evolve(&mut self, customer: &str, event: &AccessEvent) {
        self.relations.entry(customer.to_owned()).or_default().evolve(event);
    }

    fn manager(&self, customer: &str) -> Option<&OrganizationId> {
        self.relations.get(customer)?.manager.as_ref()
    }

    fn admitted(&self, scope: &VisibilityScope, number: u8) -> bool {
        let filed = &self.cases[&number];
        let relation = self.relations.get(filed.organization.as_str());
        scope.admits(&CaseFacts {
            organization: &filed.organization,
            product: &filed.product,
            manager_at_filing: filed.manager.as_ref(),
            allowed_reseller: relation.and_then(ResellerRelation::allowed),
            provider: self.providers.get(&case(number).to_string()),
        })
    }
}

fn all_scopes() -> Vec<VisibilityScope> {
    let mut scopes =
        vec![VisibilityScope::Nothing, VisibilityScope::AllOrganizations, products_of("acme", &["compute"])];
    scopes.extend(CUSTOMERS.map(all_of));
    for name in [None, Some("north"), Some("south"), Some("nowhere")] {
        scopes.extend([None, Some("acme"), Some("globex")].map(|of| of_provider(name, of)));
    }
    for reseller in RESELLERS {
        for customer in [None, Some("acme"), Some("globex")] {
            for products in [&["compute"][..], &PRODUCTS] {
                scopes.push(of_reseller(reseller, customer, products));
            }
        }
    }
    scopes
}

/// Asks for everything in every way, and compares with what the domain admits. How many of the asked-for cases were seen by a
/// reseller.
async fn sql_agrees_with_the_domain(world: &World, running: &Running, told: &Told) -> usize {
    let database = running.models.database();
    let (cases, comments) = (running.cases(), running.comments());
    let (attachments, feeds) = (AttachmentQueries::new(database.clone()), FeedQueries::new(database.clone()));
    let current = CurrentCases::new(CaseQueries::new(database.clone()), world.store.clone());
    for (number, filed) in &told.cases {
        // From now on it is in memory, for whoever owns it.
        let own = all_of(filed.organization.as_str());
        assert!(current.get(&own, &filed.organization, case(*number)).await.unwrap().is_some());
    }
    let mut seen = 0;
    for scope in all_scopes() {
        let mut listed = BTreeMap::new();
        for (&number, filed) in told.cases.iter().rev() {
            let (of, id, item) = (&filed.organization, case(number), u64::from(number));
            let admitted = told.admitted(&scope, number);
            let said = format!("{scope:?} {number} {filed:?} {:?}", told.relations);
            assert_eq!(current.get(&scope, of, id).await.unwrap().is_some(), admitted, "{said}");
            assert_eq!(cases.get(&scope, of, id).await.unwrap().is_some(), admitted, "{said}");
            let comment = comments.get(&scope, of, id, comment_id(item)).await.unwrap();
            assert_eq!(comment.is_some(), admitted, "{said}");
            let page = comments.list(&scope, of, id, None, 9).await.unwrap();
            assert_eq!(page.map(|page| page.comments.len()), admitted.then_some(1), "{said}");
            let attachment = attachments.get(&scope, of, id, attachment_id(item)).await.unwrap();
            assert_eq!(attachment.is_some(), admitted, "{said}");
            let page = attachments.list(&scope, of, id, None, 9).await.unwrap();
            assert_eq!(page.map(|page| page.attachments.len()), admitted.then_some(1), "{said}");
            let feed = feeds.read(&scope, of, id, FeedOrder::NewestFirst, None, 9).await.unwrap();
            assert_eq!(feed.map(|page| page.items.len()), admitted.then_some(2), "{said}");
            if admitted {
                listed.entry(of.as_str()).or_insert_with(Vec::new).push(id.to_string());
                seen += usize::from(matches!(scope, VisibilityScope::Reseller { .. }));
            }
        }
        let searched = CaseCondition::Text("COMMENT".to_owned());
        for condition in [CaseCondition::anything(), searched] {
            for customer in [None, Some("acme"), Some("globex")] {
                let organization = customer.map(organization);
                let page = cases.list(&scope, organization.as_ref(), &condition, None, 99).await.unwrap();
                let ids: Vec<String> = page.cases.into_iter().map(|row| row.case_id).collect();
                let mut wanted: Vec<String> = match customer {
                    Some(customer) => listed.get(customer).cloned().unwrap_or_default(),
                    None => listed.values().flatten().cloned().collect(),
                };
                // The later a case was filed, the greater its number.
                wanted.sort_unstable_by(|one, other| other.cmp(one));
                assert_eq!(ids, wanted, "{scope:?} {customer:?} {condition:?}");
            }
        }
    }
    seen
}

/// Turns steps told by numbers into facts; a filing fixes the manager that the domain knows then.
fn told_by(steps: &[(u8, bool, bool, bool)]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    for &(kind, second_customer, second_reseller, second) in steps {
        let told = Told::by(&facts);
        let customer = CUSTOMERS[usize::from(second_customer)];
        let reseller = RESELLERS[usize::from(second_reseller)];
        let manager = told.manager(customer).map(OrganizationId::as_str);
        let channel = CHANNELS[usize::from(second)];
        match kind {
            0..=3 => facts.extend(filed_under(
                u8::try_from(told.cases.len()).unwrap(),
                customer,
                PRODUCTS[usize::from(second)],
                manager,
            )),
            4 | 5 => facts.push(transferred(customer, Some(reseller))),
            6 => facts.push(transferred(customer, None)),
            // Mostly for whom it means something.
            7..=9 => facts.push(allowed(customer, manager.unwrap_or(reseller), channel)),
            10 => facts.push(allowed(customer, reseller, channel)),
            // A hand-over of the newest case, or of the first.
            13.. => {
                let newest = u8::try_from(told.cases.len()).unwrap().checked_sub(1);
                let number = newest.map(|newest| if second_customer { newest } else { 0 });
                let to = PROVIDERS[usize::from(second_reseller)];
                facts.extend(number.map(|number| Fact::of_case(number, routed(to)).for_support()));
            }
            11 => facts.push(withdrawn(customer, manager.unwrap_or(reseller), channel)),
            _ => facts.push(withdrawn(customer, reseller, channel)),
        }
    }
    facts
}

proptest! {
    #![proptest_config(few(12))]

    /// R-RES-3.
    #[test]
    fn r_res_3_the_scope_in_sql_shows_what_the_domain_admits(
        early in prop::collection::vec((0..16_u8, any::<bool>(), any::<bool>(), any::<bool>()), 1..14),
        late in prop::collection::vec((0..16_u8, any::<bool>(), any::<bool>(), any::<bool>()), 1..14),
    ) {
        let steps: Vec<_> = early.iter().chain(&late).copied().collect();
        let (early, all) = (told_by(&early), told_by(&steps));
        block_on_each_engine(async || {
            let world = World::given(&early).await;
            let running = world.run().await;
            running.caught_up(world.store_head().await).await;
            sql_agrees_with_the_domain(&world, &running, &Told::by(&early)).await;
            let head = world.append(&all[early.len()..]).await;
            running.caught_up(head).await;
            sql_agrees_with_the_domain(&world, &running, &Told::by(&all)).await;
        });
    }
}

/// R-RES-3: what was filed while it managed the customer, while it is let in; a reseller that comes back sees its own earlier
/// period, and nobody sees what was filed under another.
async fn r_res_3_a_reseller_sees_its_own_periods_while_it_manages_and_is_let_in() {
    use GrantChannel::{AccountManagement, Centre};
    let world = World::new();
    let running = world.run().await;
    let mut facts = Vec::new();
    let steps: [(Vec<Fact>, [&[u8]; 2]); 10] = [
        (filed_under(0, "acme", "compute", None).into(), [&[], &[]]),
        (vec![transferred("acme", Some("nimbus"))], [&[], &[]]),
        (filed_under(1, "acme", "compute", Some("nimbus")).into(), [&[], &[]]),
        (vec![allowed("acme", "nimbus", Centre), allowed("acme", "nimbus", AccountManagement)], [&[1], &[]]),
        (filed_under(2, "acme", "storage", Some("nimbus")).into(), [&[2, 1], &[]]),
        (vec![withdrawn("acme", "nimbus", Centre)], [&[], &[]]),
        (vec![transferred("acme", Some("stratus")), allowed("acme", "stratus", Centre)], [&[], &[]]),
        (filed_under(3, "acme", "compute", Some("stratus")).into(), [&[], &[3]]),
        (vec![transferred("acme", Some("nimbus"))], [&[], &[]]),
        (vec![allowed("acme", "nimbus", AccountManagement)], [&[2, 1], &[]]),
    ];
    for (number, (step, seen)) in steps.into_iter().enumerate() {
        let head = world.append(&step).await;
        facts.extend(step);
        running.caught_up(head).await;
        for (reseller, seen) in RESELLERS.into_iter().zip(seen) {
            let scope = of_reseller(reseller, None, &PRODUCTS);
            let page = running.cases().list(&scope, None, &CaseCondition::anything(), None, 9).await.unwrap();
            let ids: Vec<String> = page.cases.into_iter().map(|row| row.case_id).collect();
            let wanted: Vec<String> = seen.iter().map(|number| case(*number).to_string()).collect();
            assert_eq!(ids, wanted, "{reseller} after step {number}");
        }
        sql_agrees_with_the_domain(&world, &running, &Told::by(&facts)).await;
    }
    assert!(sql_agrees_with_the_domain(&world, &running, &Told::by(&facts)).await > 0, "some is seen");
}

/// R-ROUTE-1: by whom a case is seen moves with it, also where it is answered from memory.
async fn r_route_1_after_a_hand_over_the_agents_of_the_other_provider_see_a_case_and_the_first_no_more() {
    let world = World::new();
    let running = world.run().await;
    let current = CurrentCases::new(running.cases(), world.store.clone());
    let mut facts: Vec<Fact> = filed_under(0, "acme", "compute", None).into();
    world.append(&facts).await;
    for (to, seen) in [
        (None, [true, true, true]),
        (Some("north"), [true, false, false]),
        (Some("south"), [false, true, false]),
        (Some("north"), [true, false, false]),
    ] {
        let hand_over: Vec<Fact> =
            to.map(|to| Fact::of_case(0, routed(to)).for_support()).into_iter().collect();
        world.append(&hand_over).await;
        facts.extend(hand_over);
        running.caught_up(world.store_head().await).await;
        // The second time it is in memory, asked for by somebody else.
        for _ in 0..2 {
            for (name, seen) in [Some("north"), Some("south"), None].into_iter().zip(seen) {
                let row = current.get(&of_provider(name, None), &acme(), case(0)).await.unwrap();
                assert_eq!(row.is_some(), seen, "{name:?} after {to:?}");
            }
            assert!(current.get(&all_of("acme"), &acme(), case(0)).await.unwrap().is_some());
        }
        sql_agrees_with_the_domain(&world, &running, &Told::by(&facts)).await;
    }
}

/// One list across customers, page by page in one order.
async fn a_resellers_list_runs_across_its_customers_in_the_order_of_filing() {
    let mut facts = Vec::new();
    for customer in CUSTOMERS {
        facts.extend([transferred(customer, Some("nimbus")), allowed(customer, "nimbus", CHANNELS[0])]);
    }
    for number in 0..7 {
        let customer = CUSTOMERS[usize::from(number % 3 == 0)];
        facts.extend(filed_under(number, customer, "compute", Some("nimbus")));
    }
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let scope = of_reseller("nimbus", None, &PRODUCTS);
    let (mut before, mut ids) = (None, Vec::new());
    loop {
        let anything = CaseCondition::anything();
        let page = running.cases().list(&scope, None, &anything, before, 2).await.unwrap();
        ids.extend(page.cases.into_iter().map(|row| row.case_id));
        before = page.next_before;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(ids, (0..7).rev().map(|number| case(number).to_string()).collect::<Vec<_>>());
}

/// R-RES-2, R-RES-3: periods, each from the event that let a reseller in to the one that ended it.
async fn who_was_let_in_is_kept_as_intervals() {
    use GrantChannel::{AccountManagement, Centre};
    let facts = [
        registered("acme"),
        transferred("acme", Some("nimbus")),
        allowed("acme", "stratus", Centre),
        allowed("acme", "nimbus", AccountManagement),
        allowed("acme", "nimbus", Centre),
        withdrawn("acme", "nimbus", AccountManagement),
        withdrawn("acme", "nimbus", Centre),
        allowed("acme", "nimbus", Centre),
        transferred("acme", Some("stratus")),
        allowed("globex", "nimbus", Centre),
        allowed("acme", "stratus", AccountManagement),
    ];
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let ended = |reseller, from: i64, until: i64| {
        let (from_micros, until_micros) = (micros(from - 1), micros(until - 1));
        format!(
            "reseller_visibility: 'acme' | '{reseller}' | {from} | {until} | {from_micros} | {until_micros}"
        )
    };
    let dump = running.models.dump("reseller_visibility").await.unwrap();
    let intervals: Vec<&String> =
        dump.iter().filter(|row| row.starts_with("reseller_visibility: ")).collect();
    let open = format!("reseller_visibility: 'acme' | 'stratus' | 11 | NULL | {} | NULL", micros(10));
    let mut wanted = [ended("nimbus", 4, 7), ended("nimbus", 8, 9), open];
    wanted.sort();
    assert_eq!(intervals, wanted.iter().collect::<Vec<_>>());
}

/// A model to which each batch comes twice, and everything before it once more.
struct Again<M> {
    model: M,
    seen: Mutex<Vec<ProjectedEvent>>,
}

#[async_trait]
impl<M: ReadModel> ReadModel for Again<M> {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn schema_version(&self) -> i64 {
        self.model.schema_version()
    }

    fn categories(&self) -> &'static [&'static str] {
        self.model.categories()
    }

    fn tables(&self) -> &'static [Table] {
        self.model.tables()
    }

    async fn project(
        &self,
        transaction: &mut WriteTransaction<'_>,
        generation: Generation,
        events: &[ProjectedEvent],
    ) -> Result<(), ProjectionError> {
        let mut seen = self.seen.lock().await;
        self.model.project(transaction, generation, events).await?;
        seen.extend(events.iter().cloned());
        self.model.project(transaction, generation, &seen).await?;
        // Last, so that nothing puts right what it did.
        let backwards: Vec<ProjectedEvent> = seen.iter().rev().cloned().collect();
        self.model.project(transaction, generation, &backwards).await
    }
}

async fn delivered_again(world: &World, facts: &[Fact], model: impl ReadModel) -> Vec<String> {
    let running = world.run_with(Arc::new(SilentBus), Again { model, seen: Mutex::default() }).await;
    for batch in facts.chunks(facts.len().div_ceil(3)) {
        let head = world.append(batch).await;
        running.caught_up(head).await;
    }
    let dump = running.dump().await;
    running.stop().await;
    dump
}

proptest! {
    #![proptest_config(few(8))]

    #[test]
    fn events_of_access_delivered_twice_late_and_backwards_change_nothing(
        told in prop::collection::vec((prop::sample::select(vec![0, 6]), 0..14_u8), 1..40),
    ) {
        let facts = history(&told);
        block_on_each_engine(async || {
            let world = World::new();
            let visibility = delivered_again(&world, &facts, ResellerVisibility).await;
            let expected = world.expected_dump().await;
            let world = World::new();
            let organizations = delivered_again(&world, &facts, Organizations).await;
            let wanted: Vec<&String> = expected
                .iter()
                .filter(|row| row.starts_with("reseller_") || row.starts_with("organization"))
                .collect();
            assert_eq!(visibility.iter().chain(&organizations).collect::<Vec<_>>(), wanted);
        });
    }
}

/// R-ROUTE-1: who sees a case's history is of the last hand-over, in whichever order they come.
async fn r_route_1_hand_overs_delivered_twice_and_backwards_change_nothing() {
    let facts = [
        filed(0),
        Fact::of_case(0, routed("north")).for_support(),
        Fact::of_case(0, routed("south")).for_support(),
    ];
    let world = World::new();
    let dump = delivered_again(&world, &facts, CaseHistory).await;
    let expected = world.expected_dump().await;
    let wanted: Vec<&String> = expected.iter().filter(|row| row.starts_with("case_history_cases")).collect();
    assert_eq!((wanted.len(), dump.iter().collect::<Vec<_>>()), (1, wanted));
}

/// R-RES-2: whoever reads by somebody's leave waits for the one model that knows it, and is told when it cannot.
async fn r_res_2_waiting_for_visibility_waits_for_it_alone_and_says_that_it_is_late_or_halted() {
    let world = World::given(&[registered("acme"), transferred("acme", Some("nimbus"))]).await;
    let running = world.run().await;
    let soon = Duration::from_millis(20);
    running.models.wait_for_visibility(Position(2), PATIENCE).await.unwrap();
    let model = "reseller_visibility";
    let late = running.models.wait_for_visibility(Position(3), soon).await;
    assert_eq!(late, Err(WaitError::TimedOut { model }));
    // A case that nobody can read halts others.
    let head = world.append(&[Fact::raw("case-1", "CaseSung", 1, b"{}")]).await;
    for model in CASE_MODELS {
        running.halted(model).await;
    }
    running.models.wait_for_visibility(head, PATIENCE).await.unwrap();
    let head = world.append(&[Fact::raw("access-acme", "ResellerSung", 1, b"{}")]).await;
    let Err(WaitError::Halted { model: halted, why }) =
        running.models.wait_for_visibility(head, PATIENCE).await
    else {
        panic!("it cannot have passed it");
    };
    assert_eq!(halted, model);
    assert!(why.contains("ResellerSung"), "{why}");
    // What it had taken in before holds.
    running.models.wait_for_visibility(Position(3), soon).await.unwrap();
}

async fn where_visibility_is_not_kept_nobody_is_told_that_it_is_there() {
    let world = World::given(&[registered("acme")]).await;
    let running = world.run_with(Arc::new(SilentBus), Cases).await;
    running.caught_up(Position(1)).await;
    let waited = running.models.wait_for_visibility(Position(1), PATIENCE).await;
    assert!(matches!(waited, Err(WaitError::Halted { .. })), "{waited:?}");
}

/// A rebuild shows a reseller neither more nor less, and neither does one of the cases.
async fn a_rebuild_of_either_side_shows_a_reseller_the_same() {
    let mut facts = vec![transferred("acme", Some("nimbus")), allowed("acme", "nimbus", CHANNELS[0])];
    facts.extend(filed_under(0, "acme", "compute", Some("nimbus")));
    facts.extend(filed_under(1, "globex", "compute", Some("nimbus")));
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let told = Told::by(&facts);
    for model in crate::world::MODELS {
        assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
        assert!(sql_agrees_with_the_domain(&world, &running, &told).await > 0, "{model}");
    }
    assert_eq!(running.dump().await, world.expected_dump().await);
}

on_each_engine!(
    r_res_3_a_reseller_sees_its_own_periods_while_it_manages_and_is_let_in,
    r_route_1_after_a_hand_over_the_agents_of_the_other_provider_see_a_case_and_the_first_no_more,
    a_resellers_list_runs_across_its_customers_in_the_order_of_filing,
    who_was_let_in_is_kept_as_intervals,
    r_route_1_hand_overs_delivered_twice_and_backwards_change_nothing,
    r_res_2_waiting_for_visibility_waits_for_it_alone_and_says_that_it_is_late_or_halted,
    where_visibility_is_not_kept_nobody_is_told_that_it_is_there,
    a_rebuild_of_either_side_shows_a_reseller_the_same,
);

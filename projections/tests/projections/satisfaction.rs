//! How content people are: every answer counted once, in its month, under the product and the provider of then.

use dossier_domain::VisibilityScope;
use dossier_domain::case::{CaseEvent, CaseFiled, SurveyAnswered, SurveyChannel};
use dossier_projections::satisfaction::{SatisfactionFilter, SatisfactionRow};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World, metadata_of_then};

fn answered(of_case: u8, closing: u32, rating: u8) -> Fact {
    let via = SurveyChannel::Link;
    Fact::of_case(of_case, SurveyAnswered { closing, rating, text: None, via })
}

fn in_month(fact: Fact, instant: &str) -> Fact {
    let at: Timestamp = instant.parse().unwrap();
    fact.with_metadata(&metadata_of_then(9, at))
}

async fn rows(running: &Running, scope: &VisibilityScope, filter: &SatisfactionFilter) -> Vec<String> {
    let rows = running.satisfaction().rows(scope, filter).await.unwrap();
    let shown = |row: SatisfactionRow| {
        format!("{} {} {:?} {:?}", row.month, row.product, row.provider, row.ratings())
    };
    rows.into_iter().map(shown).collect()
}

async fn answers_are_counted_by_month_product_and_provider_of_then() {
    let storage =
        CaseFiled { product: product("storage"), organization: organization("globex"), ..filing(1) };
    let world = World::given(&[
        filed(0),
        Fact::of_case(1, storage),
        Fact::of_case(0, routed("north")),
        answered(0, 1, 4),
        in_month(answered(0, 2, 5), "2023-10-31T23:59:59.999Z"),
        in_month(answered(0, 3, 1), "2023-11-01T00:00:00Z"),
        Fact::of_case(0, routed("south")),
        answered(0, 4, 4),
        answered(1, 1, 2),
    ])
    .await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let all = VisibilityScope::AllOrganizations;
    let any = SatisfactionFilter::default();
    assert_eq!(
        rows(&running, &all, &any).await,
        [
            "2023-11 compute \"north\" [1, 0, 0, 1, 0]",
            "2023-11 compute \"south\" [0, 0, 0, 1, 0]",
            "2023-11 storage \"\" [0, 1, 0, 0, 0]",
            "2023-10 compute \"north\" [0, 0, 0, 0, 1]",
        ]
    );
    let month = SatisfactionFilter { month: Some("2023-10".to_owned()), ..any.clone() };
    assert_eq!(rows(&running, &all, &month).await, ["2023-10 compute \"north\" [0, 0, 0, 0, 1]"]);
    let product = SatisfactionFilter { product: Some("storage".to_owned()), ..any.clone() };
    assert_eq!(rows(&running, &all, &product).await, ["2023-11 storage \"\" [0, 1, 0, 0, 0]"]);
    let provider = SatisfactionFilter { provider: Some("south".to_owned()), ..any.clone() };
    assert_eq!(rows(&running, &all, &provider).await, ["2023-11 compute \"south\" [0, 0, 0, 1, 0]"]);
    assert_eq!(rows(&running, &of_provider(Some("north"), None), &provider).await, [] as [&str; 0]);
    assert_eq!(
        rows(&running, &of_provider(Some("south"), None), &any).await,
        ["2023-11 compute \"south\" [0, 0, 0, 1, 0]", "2023-11 storage \"\" [0, 1, 0, 0, 0]"]
    );
    assert_eq!(
        rows(&running, &of_provider(Some("south"), Some("acme")), &any).await,
        ["2023-11 compute \"south\" [0, 0, 0, 1, 0]"]
    );
    assert_eq!(rows(&running, &VisibilityScope::Nothing, &any).await, [] as [&str; 0]);
}

on_each_engine! {
    answers_are_counted_by_month_product_and_provider_of_then,
}

proptest! {
    #![proptest_config(few(24))]

    #[test]
    fn as_many_answers_are_counted_as_were_given(facts in any_history(80)) {
        block_on_each_engine(async || {
            let world = World::given(&facts).await;
            let running = world.run().await;
            running.caught_up(world.store_head().await).await;
            let mut given = [0_i64; 5];
            for fact in &facts {
                if let FactEvent::Case(event) = &fact.event
                    && let CaseEvent::SurveyAnswered(answer) = &**event
                {
                    given[usize::from(answer.rating) - 1] += 1;
                }
            }
            let all = VisibilityScope::AllOrganizations;
            let rows = running.satisfaction().rows(&all, &SatisfactionFilter::default()).await.unwrap();
            let mut counted = [0; 5];
            for row in rows {
                for (sum, answers) in counted.iter_mut().zip(row.ratings()) {
                    *sum += answers;
                }
            }
            assert_eq!(counted, given);
        });
    }
}

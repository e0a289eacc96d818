//! How many cases there are: as many as a list shows.

use std::collections::BTreeMap;

use dossier_domain::{OrganizationId, VisibilityScope};
use dossier_projections::cases::{CaseCondition, CaseCount, CaseRow, CountBy};
use proptest::prelude::*;

use crate::access::{CHANNELS, allowed, transferred};
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::world::{Running, World};

fn reseller(customer: Option<&str>) -> VisibilityScope {
    VisibilityScope::Reseller {
        reseller: organization("nimbus"),
        customer: customer.map(organization),
        products: [product("compute"), product("storage")].into(),
    }
}

async fn counted(
    running: &Running,
    scope: &VisibilityScope,
    asked: Option<&OrganizationId>,
    by: CountBy,
) -> Vec<CaseCount> {
    running.cases().counts(scope, asked).await.unwrap().by(by)
}

/// By listing the cases.
async fn listed(
    running: &Running,
    scope: &VisibilityScope,
    asked: Option<&OrganizationId>,
    value: impl Fn(&CaseRow) -> String,
) -> Vec<CaseCount> {
    let page = running.cases().list(scope, asked, &CaseCondition::anything(), None, 1_000).await.unwrap();
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for row in &page.cases {
        *counts.entry(value(row)).or_default() += 1;
    }
    counts.into_iter().map(|(value, cases)| CaseCount { value, cases }).collect()
}

proptest! {
    #![proptest_config(few(24))]

    #[test]
    fn counts_are_the_lengths_of_lists_in_every_scope(facts in any_history(80)) {
        block_on_each_engine(async || {
            let world = World::given(&facts).await;
            let let_in = [transferred("globex", Some("nimbus")), allowed("globex", "nimbus", CHANNELS[0])];
            world.append(&let_in).await;
            let running = world.run().await;
            running.caught_up(world.store_head().await).await;
            for (scope, asked) in [
                (all_of("acme"), Some(acme())),
                (all_of("globex"), None),
                (all_of("acme"), Some(organization("globex"))),
                (products_of("acme", &["storage"]), Some(acme())),
                (reseller(None), None),
                (reseller(Some("acme")), None),
                (reseller(None), Some(organization("globex"))),
                (VisibilityScope::Nothing, None),
                (VisibilityScope::AllOrganizations, None),
                (VisibilityScope::AllOrganizations, Some(organization("globex"))),
                (of_provider(Some("north"), None), None),
                (of_provider(Some("south"), None), Some(acme())),
                (of_provider(None, Some("globex")), None),
            ] {
                let asked = asked.as_ref();
                let by_state = listed(&running, &scope, asked, |row| row.status.clone()).await;
                assert_eq!(counted(&running, &scope, asked, CountBy::State).await, by_state, "{scope:?}");
                let by_priority = listed(&running, &scope, asked, |row| row.priority.to_string()).await;
                assert_eq!(counted(&running, &scope, asked, CountBy::Priority).await, by_priority, "{scope:?}");
                let by_product = listed(&running, &scope, asked, |row| row.product.clone()).await;
                assert_eq!(counted(&running, &scope, asked, CountBy::Product).await, by_product, "{scope:?}");
                let by_provider = listed(&running, &scope, asked, |row| row.provider.clone().unwrap_or_default());
                let by_provider = by_provider.await;
                assert_eq!(counted(&running, &scope, asked, CountBy::Provider).await, by_provider, "{scope:?}");
            }
        });
    }
}

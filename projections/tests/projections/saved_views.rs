//! Filters of cases that support's people keep: who sees which, and what is left of one that is gone.

use dossier_domain::saved_view::{SavedViewEvent, ViewChanged, ViewDeleted, ViewSaved};
use dossier_domain::{ProviderId, SavedViewId};
use dossier_projections::saved_views::{SavedViewQueries, SavedViewRow};
use ulid::Ulid;

use crate::samples::*;
use crate::world::World;

fn view(number: u128) -> SavedViewId {
    SavedViewId(Ulid::from(number))
}

fn saved(number: u128, shared_with: Option<ProviderId>) -> Fact {
    let event = ViewSaved {
        view: view(number),
        owner: agent(1),
        title: text(&format!("view {number}")),
        filter: text("assignee=none"),
        shared_with,
    };
    Fact::of_saved_view(view(number), event)
}

fn changed(number: u128, title: &str, shared_with: Option<ProviderId>) -> Fact {
    let event = ViewChanged { title: text(title), filter: text("priority=P1"), shared_with };
    Fact::of_saved_view(view(number), event)
}

/// Something that happens to one of two views, whatever came before.
pub(crate) fn view_fact(kind: u8, number: u64) -> Fact {
    let id = u128::from(kind % 2) + 1;
    match kind % 5 {
        0 | 1 => saved(id, (kind.is_multiple_of(3)).then(|| provider("north"))),
        2 | 3 => changed(id, &format!("title {number}"), (kind.is_multiple_of(3)).then(|| provider("south"))),
        _ => Fact::of_saved_view(view(id), SavedViewEvent::from(ViewDeleted {})),
    }
}

on_each_engine!(
    a_view_is_listed_for_its_owner_and_whom_it_is_shared_with_and_nothing_is_left_when_it_is_gone,
);

fn titles(views: &[SavedViewRow]) -> Vec<&str> {
    views.iter().map(|row| row.title.as_deref().unwrap()).collect()
}

async fn a_view_is_listed_for_its_owner_and_whom_it_is_shared_with_and_nothing_is_left_when_it_is_gone() {
    let (north, south) = (provider("north"), provider("south"));
    let facts = [saved(1, None), saved(2, Some(north.clone())), saved(3, Some(north.clone()))];
    let world = World::given(&facts).await;
    let running = world.run().await;
    running.caught_up(world.store_head().await).await;
    let queries = SavedViewQueries::new(running.models.database().clone());

    let page = queries.list(agent(1), None, None, 2).await.unwrap();
    assert_eq!(titles(&page.views), ["view 3", "view 2"]);
    let rest = queries.list(agent(1), None, page.next_before, 2).await.unwrap();
    assert_eq!((titles(&rest.views), rest.next_before), (vec!["view 1"], None));
    let colleague = queries.list(agent(2), Some(&north), None, 9).await.unwrap();
    assert_eq!(titles(&colleague.views), ["view 3", "view 2"], "what is shared, and no more");
    assert_eq!(queries.list(agent(2), Some(&south), None, 9).await.unwrap().views, []);
    assert_eq!(queries.get(agent(2), Some(&north), view(1)).await.unwrap(), None);
    assert_eq!(queries.get(agent(2), None, view(2)).await.unwrap(), None);

    let gone = Fact::of_saved_view(view(3), SavedViewEvent::from(ViewDeleted {}));
    let head = world.append(&[changed(2, "renamed", None), gone]).await;
    running.caught_up(head).await;
    assert_eq!(queries.list(agent(2), Some(&north), None, 9).await.unwrap().views, []);
    let own = queries.list(agent(1), Some(&north), None, 9).await.unwrap();
    assert_eq!(titles(&own.views), ["renamed", "view 1"]);
    let one = queries.get(agent(1), None, view(2)).await.unwrap().unwrap();
    assert_eq!((one.filter.as_deref(), one.saved_at_micros), (Some("priority=P1"), micros(1)));
    assert_eq!((one.updated_at_micros, one.revision), (micros(3), 1));
    assert_eq!(queries.get(agent(1), None, view(3)).await.unwrap(), None);
    running.stop().await;
}

//! Where reactors begin: new ones, and those whose place is not known.

use super::*;
use crate::reactor::testing::World;
use crate::reactor::{Begin, ReactorState};

fn refused() -> StartError {
    StartError::EmptyWorkStore { reactors: vec!["echo"] }
}

#[tokio::test]
async fn a_reactor_that_begins_at_the_head_does_not_act_on_history() {
    let world = World::new().await;
    world.extend(3).await;
    let node = world.start(Begin::AtHead).await;
    world.extend(2).await;
    node.caught_up(5).await;
    assert_eq!(world.orders.events(), ["4", "5"]);
    node.stop().await;
}

#[tokio::test]
async fn a_reactor_that_begins_at_the_beginning_acts_on_all_of_history() {
    let world = World::new().await;
    world.extend(3).await;
    let node = world.start(Begin::AtBeginning).await;
    node.caught_up(3).await;
    assert_eq!(world.orders.events(), ["1", "2", "3"]);
    node.stop().await;
}

#[tokio::test]
async fn a_reactor_goes_on_where_it_was_whatever_it_declares() {
    let world = World::new().await;
    let node = world.start(Begin::AtHead).await;
    node.stop().await;
    world.extend(2).await;
    let node = world.start(Begin::AtHead).await;
    node.caught_up(2).await;
    assert_eq!(world.orders.events(), ["1", "2"]);
    node.stop().await;
}

#[tokio::test]
async fn an_empty_work_store_beside_a_log_with_events_is_not_started_until_the_operator_chooses() {
    for (choice, acted_on) in [(Begin::AtHead, vec!["4"]), (Begin::AtBeginning, vec!["1", "2", "3", "4"])] {
        let world = World::of_events(3).await;
        for _ in 0..2 {
            let error = world.try_start("a", Begin::AtHead, None).await.err();
            assert_eq!(error, Some(refused()));
        }
        assert!(refused().to_string().contains("lost_work_store=begin-at-head"));
        let node = world.try_start("a", Begin::AtHead, Some(choice)).await.unwrap();
        world.extend(1).await;
        node.caught_up(4).await;
        assert_eq!(world.orders.events(), acted_on);
        node.stop().await;
        // The choice was made once and for all.
        let node = world.start(Begin::AtHead).await;
        node.is(ReactorState::Active).await;
        node.stop().await;
    }
}

#[tokio::test]
async fn a_reactor_that_acts_on_all_of_history_needs_no_choice() {
    let world = World::of_events(2).await;
    let node = world.start(Begin::AtBeginning).await;
    node.caught_up(2).await;
    assert_eq!(world.orders.events(), ["1", "2"]);
    node.stop().await;
}

#[tokio::test]
async fn a_system_that_had_no_reactor_yet_asks_nothing_of_the_first() {
    let world = World::of_events(2).await;
    let none = Reactors::new(
        world.store.clone(),
        world.work.clone(),
        world.orders.clone(),
        Arc::new(jiff::Timestamp::default),
        "a",
    );
    none.start(None, &CancellationToken::new()).await.unwrap();
    let node = world.start(Begin::AtHead).await;
    world.extend(1).await;
    node.caught_up(3).await;
    assert_eq!(world.orders.events(), ["3"]);
    node.stop().await;
}

#[tokio::test]
async fn a_choice_changes_nothing_for_a_reactor_whose_place_is_known() {
    let world = World::new().await;
    let node = world.start(Begin::AtHead).await;
    world.extend(2).await;
    node.caught_up(2).await;
    node.stop().await;
    let node = world.try_start("a", Begin::AtHead, Some(Begin::AtBeginning)).await.unwrap();
    world.extend(1).await;
    node.caught_up(3).await;
    assert_eq!(world.orders.events(), ["1", "2", "3"]);
    node.stop().await;
}

#[tokio::test]
async fn a_restored_or_another_log_halts_the_reactor_until_the_operator_chooses() {
    // Shorter than the checkpoint says, and another one of the same length.
    for (log, events) in [(1, 2), (2, 3)] {
        let mut world = World::new().await;
        let node = world.start(Begin::AtHead).await;
        world.extend(3).await;
        node.caught_up(3).await;
        node.stop().await;
        world.restored_to(log, events).await;
        let node = world.start(Begin::AtHead).await;
        let halted = node.is(ReactorState::Halted).await.halted.unwrap();
        assert!(halted.contains("was restored") && halted.contains("choose where"), "{halted}");
        node.stop().await;
        let node = world.try_start("a", Begin::AtHead, Some(Begin::AtHead)).await.unwrap();
        world.extend(1).await;
        node.caught_up(events + 1).await;
        assert_eq!(world.orders.events().len(), 4);
        node.stop().await;
    }
}

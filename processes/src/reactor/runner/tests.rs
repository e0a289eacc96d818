//! Acting once for each event, through crashes, refusals, trouble and twins.

use super::*;
use crate::reactor::testing::{World, event_at};
use crate::reactor::{Begin, Issued, ReactorState};

#[tokio::test]
async fn each_event_is_acted_on_in_order_under_an_id_of_its_own() {
    let world = World::new().await;
    let node = world.start(Begin::AtHead).await;
    world.extend(3).await;
    node.caught_up(3).await;
    assert_eq!(world.orders.events(), ["1", "2", "3"]);
    let mut ids = Vec::new();
    for position in 1..=3 {
        ids.push(command_id("echo", event_at(&world, position).await, 0).0);
    }
    assert_eq!(world.orders.ids(), ids);
    assert_eq!(node.status().state, ReactorState::Active);
    assert_eq!(world.position().await, Some(3));
    node.stop().await;
}

#[test]
fn the_id_of_a_command_depends_on_reactor_event_and_place() {
    let (one, other) = (
        dossier_eventlog::EventId(uuid::Uuid::from_u128(1)),
        dossier_eventlog::EventId(uuid::Uuid::from_u128(2)),
    );
    let id = command_id("echo", one, 0);
    assert_eq!(id, command_id("echo", one, 0));
    for different in [command_id("mailer", one, 0), command_id("echo", other, 0), command_id("echo", one, 1)]
    {
        assert_ne!(id, different);
    }
}

#[tokio::test]
async fn a_crash_between_command_and_checkpoint_repeats_the_command_under_its_id() {
    let world = World::new().await;
    let held = world.orders.hold();
    let node = world.start(Begin::AtHead).await;
    world.extend(1).await;
    world.orders.count(1).await;
    node.kill().await;
    assert_eq!(world.position().await, Some(0), "the checkpoint moves after the command");
    world.orders.release();
    drop(held);
    world.pass(11);
    world.orders.answer([Ok(Issued::Repeated)]);
    let node = world.start(Begin::AtHead).await;
    node.caught_up(1).await;
    let ids = world.orders.ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    node.stop().await;
}

#[tokio::test]
async fn a_refusal_is_shown_and_passed_over() {
    let world = World::new().await;
    world.orders.answer([Err(IssueError::Refused("the case is closed".to_owned()))]);
    let node = world.start(Begin::AtHead).await;
    world.extend(2).await;
    node.caught_up(2).await;
    assert_eq!(world.orders.events(), ["1", "2"]);
    let refusal = node.status().last_refusal.unwrap();
    assert!(refusal.contains("position 1") && refusal.contains("the case is closed"), "{refusal}");
    node.stop().await;
}

#[tokio::test]
async fn what_cannot_be_executed_now_is_repeated_under_the_same_id_and_nothing_overtakes_it() {
    let world = World::new().await;
    world.orders.answer([
        Err(IssueError::Unavailable("down".to_owned())),
        Err(IssueError::Unavailable("still down".to_owned())),
    ]);
    let node = world.start(Begin::AtHead).await;
    world.extend(2).await;
    node.caught_up(2).await;
    assert_eq!(world.orders.events(), ["1", "1", "1", "2"]);
    assert_eq!(node.status().last_error, None);
    node.stop().await;
}

#[tokio::test]
async fn an_unreadable_event_halts_the_reactor_before_it() {
    let world = World::new().await;
    world.extend(1).await;
    world.append_unreadable().await;
    world.extend(1).await;
    let node = world.start(Begin::AtBeginning).await;
    let halted = node.is(ReactorState::Halted).await.halted.unwrap();
    assert!(halted.contains("at position 2"), "{halted}");
    assert_eq!((world.position().await, world.orders.events()), (Some(1), vec!["1".to_owned()]));
    // A later release that can read it need not wait for the lease.
    let other = world.try_start("b", Begin::AtBeginning, None).await.unwrap();
    other.is(ReactorState::Halted).await;
    node.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn damage_halts_the_reactor() {
    let world = World::new().await;
    world.orders.answer([Err(IssueError::Damaged("no key".to_owned()))]);
    let node = world.start(Begin::AtHead).await;
    world.extend(1).await;
    assert_eq!(node.is(ReactorState::Halted).await.halted.as_deref(), Some("no key"));
    assert_eq!(world.position().await, Some(0));
    node.stop().await;
}

#[tokio::test]
async fn of_two_processes_one_acts_and_the_other_takes_over_when_it_stops() {
    let world = World::new().await;
    let one = world.start(Begin::AtHead).await;
    one.is(ReactorState::Active).await;
    let two = world.try_start("b", Begin::AtHead, None).await.unwrap();
    two.is(ReactorState::StandingBy).await;
    world.extend(2).await;
    one.caught_up(2).await;
    // Whoever stands by knows how far it is.
    two.caught_up(2).await;
    assert_eq!(two.status().state, ReactorState::StandingBy);
    one.stop().await;
    two.is(ReactorState::Active).await;
    world.extend(1).await;
    two.caught_up(3).await;
    assert_eq!(world.orders.events(), ["1", "2", "3"]);
    two.stop().await;
}

#[tokio::test]
async fn the_lease_of_a_process_that_was_killed_ends() {
    let world = World::new().await;
    let one = world.start(Begin::AtHead).await;
    one.is(ReactorState::Active).await;
    one.kill().await;
    let two = world.try_start("b", Begin::AtHead, None).await.unwrap();
    two.is(ReactorState::StandingBy).await;
    world.pass(11);
    two.is(ReactorState::Active).await;
    two.stop().await;
}

#[tokio::test]
async fn a_process_that_was_overtaken_stands_by() {
    let world = World::new().await;
    let held = world.orders.hold();
    let one = world.start(Begin::AtHead).await;
    world.extend(1).await;
    world.orders.count(1).await;
    // While the first one hangs its lease ends, and the second does its work.
    world.pass(11);
    world.orders.release();
    let two = world.try_start("b", Begin::AtHead, None).await.unwrap();
    two.caught_up(1).await;
    held.add_permits(1);
    one.is(ReactorState::StandingBy).await;
    assert_eq!(world.position().await, Some(1));
    world.extend(1).await;
    two.caught_up(2).await;
    assert_eq!(world.orders.events(), ["1", "1", "2"]);
    one.stop().await;
    two.stop().await;
}

//! Each timer once and at its instant: over stops, with twins, for what has moved, and through trouble.

use dossier_domain::case::TimerKind::{ReopenWindowEnd, ResponseMiss, ResponseWarning};
use dossier_domain::case::{AddComment, CaseCommand, ChangePriority, CloseCase};
use dossier_domain::catalogue::Priority;
use dossier_domain::{CommandId, Personal, Subject};

use super::testing::{LEASE, World};
use super::*;
use crate::reactor::ReactorState;
use crate::work_store::TimerStore;

fn text(text: &str) -> Personal<String> {
    Personal::new(Subject::contact(7), text.to_owned())
}

fn answer() -> CaseCommand {
    CaseCommand::Comment(AddComment { body: text("we look into it") })
}

fn priority(priority: Priority) -> CaseCommand {
    CaseCommand::ChangePriority(ChangePriority { priority, reason: Some(text("urgent")) })
}

fn micros(count: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_micros(count)
}

/// R-RESPONSE-1.
#[tokio::test]
async fn r_response_1_a_timer_goes_off_at_its_instant_and_not_before() {
    let world = World::new().await;
    let earlier = world.filed(Priority::P1).await;
    world.pass(micros(1));
    let later = world.filed(Priority::P1).await;
    let node = world.start("a").await;
    for (kind, before) in [(ResponseWarning, 0), (ResponseMiss, 2)] {
        node.caught_up().await;
        let due = world.due(later, kind).await;
        assert_eq!(world.due(earlier, kind).await, due - micros(1));
        // What makes the earlier one go off shows that the later one would have.
        world.set(due - micros(1));
        world.recorded(kind, &[earlier]).await;
        node.caught_up().await;
        assert_eq!((world.waiting(kind, later).await, world.cases.issued().len()), (1, before + 1));
        world.set(due);
        world.recorded(kind, &[earlier, later]).await;
    }
    node.caught_up().await;
    assert_eq!(world.work.count_timers().await, Ok(0));
    assert_eq!(world.actor_of_last_event().await, Timers::actor(&world.sealer).account.to_string());
    node.stop().await;
}

/// R-RESPONSE-1.
#[tokio::test]
async fn r_response_1_what_was_due_while_nothing_ran_goes_off_at_the_start_the_earliest_first() {
    let world = World::new().await;
    let slow = world.filed(Priority::P2).await;
    let urgent = world.filed(Priority::P1).await;
    let node = world.start("a").await;
    node.caught_up().await;
    node.stop().await;
    world.set(world.due(slow, ResponseMiss).await);
    let node = world.start("a").await;
    world.recorded(ResponseMiss, &[urgent, slow]).await;
    node.caught_up().await;
    world.recorded(ResponseWarning, &[]).await;
    assert_eq!(world.work.count_timers().await, Ok(0));
    node.stop().await;
}

#[tokio::test]
async fn a_log_with_years_of_history_gets_what_is_open_now_and_nothing_else() {
    let world = World::new().await;
    let answered = world.filed(Priority::P1).await;
    world.act("agent", answered, answer()).await;
    let closed = world.filed(Priority::P1).await;
    world.act("alice", closed, CaseCommand::Close(CloseCase {})).await;
    let forgotten = world.filed(Priority::P1).await;
    world.pass(jiff::SignedDuration::from_hours(24 * 1_000));
    let fresh = world.filed(Priority::P1).await;
    let node = world.start("a").await;
    world.recorded(ReopenWindowEnd, &[closed]).await;
    world.recorded(ResponseMiss, &[forgotten]).await;
    node.caught_up().await;
    world.recorded(ResponseWarning, &[]).await;
    assert_eq!(world.waiting(ResponseMiss, fresh).await, 1);
    node.stop().await;
}

#[tokio::test]
async fn of_two_processes_one_acts_and_the_other_takes_over() {
    let world = World::new().await;
    let (first, second) = (world.filed(Priority::P1).await, world.filed(Priority::P2).await);
    let one = world.start("a").await;
    one.is(ReactorState::Active).await;
    let two = world.start("b").await;
    two.is(ReactorState::StandingBy).await;
    one.caught_up().await;
    world.set(world.due(first, ResponseMiss).await);
    world.recorded(ResponseMiss, &[first]).await;
    one.caught_up().await;
    one.kill().await;
    world.pass(LEASE);
    two.is(ReactorState::Active).await;
    world.recorded(ResponseMiss, &[first, second]).await;
    two.stop().await;
    let issued = world.cases.issued();
    let ids: HashSet<_> = issued.iter().collect();
    assert_eq!((ids.len(), issued.len()), (4, 4), "a warning and a miss of each, tried once");
}

#[tokio::test]
async fn two_that_act_at_once_record_it_once() {
    let (world, other) = World::twins().await;
    let case = world.filed(Priority::P1).await;
    let (one, two) = (world.start("a").await, other.start("a").await);
    one.caught_up().await;
    two.caught_up().await;
    world.set(world.due(case, ResponseMiss).await);
    world.recorded(ResponseMiss, &[case]).await;
    one.caught_up().await;
    two.caught_up().await;
    world.emptied().await;
    other.emptied().await;
    world.recorded(ResponseMiss, &[case]).await;
    one.stop().await;
    two.stop().await;
}

/// R-PRIO-1.
#[tokio::test]
async fn r_prio_1_a_timer_that_moved_goes_off_at_the_new_instant_only() {
    let world = World::new().await;
    let (moved, stays) = (world.filed(Priority::P2).await, world.filed(Priority::P2).await);
    let node = world.start("a").await;
    node.caught_up().await;
    let before = world.due(moved, ResponseMiss).await;
    world.act("agent", moved, priority(Priority::P1)).await;
    node.caught_up().await;
    let after = world.due(moved, ResponseMiss).await;
    assert!(after < before);
    world.set(after);
    world.recorded(ResponseMiss, &[moved]).await;
    node.caught_up().await;
    assert_eq!(world.waiting(ResponseMiss, moved).await, 0);
    world.set(before);
    world.recorded(ResponseMiss, &[moved, stays]).await;
    node.caught_up().await;
    world.recorded(ResponseMiss, &[moved, stays]).await;
    let issued = world.cases.issued();
    assert_eq!(issued.len(), 4, "a warning and a miss of each");
    node.stop().await;
}

/// R-RESPONSE-1.
#[tokio::test]
async fn r_response_1_what_was_answered_meanwhile_is_not_missed_whether_or_not_the_timer_knows() {
    let world = World::new().await;
    let (known, unknown) = (world.filed(Priority::P1).await, world.filed(Priority::P1).await);
    let node = world.start("a").await;
    node.caught_up().await;
    let due = world.due(unknown, ResponseMiss).await;
    world.act("agent", known, answer()).await;
    node.caught_up().await;
    assert_eq!(world.waiting(ResponseMiss, known).await, 0);
    node.stop().await;
    // The timer of this one stays in the work store, and is due before the log is looked at.
    world.act("agent", unknown, answer()).await;
    assert_eq!(world.waiting(ResponseMiss, unknown).await, 1);
    world.set(due);
    let node = world.start("a").await;
    node.caught_up().await;
    world.emptied().await;
    assert_eq!(world.cases.issued().len(), 2, "warning and miss of the one");
    world.recorded(ResponseMiss, &[]).await;
    node.stop().await;
}

#[tokio::test]
async fn what_cannot_be_recorded_now_is_tried_again_and_holds_up_no_other() {
    let world = World::new().await;
    let (held, other) = (world.filed(Priority::P1).await, world.filed(Priority::P1).await);
    let node = world.start("a").await;
    node.caught_up().await;
    world.cases.answer(held, IssueError::Unavailable("down".to_owned()));
    world.set(world.due(held, ResponseMiss).await);
    world.recorded(ResponseMiss, &[other]).await;
    let trouble = node.until(|status| status.last_error.is_some()).await.last_error;
    assert_eq!(trouble.as_deref(), Some("down"));
    assert_eq!(world.waiting(ResponseMiss, held).await, 1);
    // Meanwhile the log is followed.
    let third = world.filed(Priority::P1).await;
    node.caught_up().await;
    assert_eq!(world.waiting(ResponseMiss, third).await, 1);
    world.cases.recover();
    world.recorded(ResponseMiss, &[other, held]).await;
    node.until(|status| status.last_error.is_none()).await;
    node.stop().await;
}

#[tokio::test]
async fn a_timer_that_the_business_refuses_is_shown_and_not_tried_again() {
    let world = World::new().await;
    let case = world.filed(Priority::P1).await;
    let node = world.start("a").await;
    node.caught_up().await;
    world.cases.answer(case, IssueError::Refused("not for you".to_owned()));
    world.set(world.due(case, ResponseMiss).await);
    world.emptied().await;
    let refusal = node.until(|status| status.last_refusal.is_some()).await.last_refusal.unwrap();
    assert!(refusal.contains("not for you") && refusal.contains(&case.to_string()), "{refusal}");
    node.stop().await;
}

#[tokio::test]
async fn timers_of_another_log_are_made_anew() {
    let world = World::new().await;
    world.filed(Priority::P1).await;
    let node = world.start("a").await;
    node.caught_up().await;
    node.stop().await;
    let stale = CaseTimers {
        case: CaseId::derived(CommandId(uuid::Uuid::from_u128(9))),
        organization: OrganizationId::new("acme").unwrap(),
        timers: vec![Timer {
            kind: ReopenWindowEnd,
            due: Timestamp::MAX,
            promised: Timestamp::UNIX_EPOCH,
            number: 1,
        }],
    };
    let found = world.work.checkpoint(NAME).await.unwrap().unwrap();
    let elsewhere = WorkCheckpoint { log_id: uuid::Uuid::from_u128(2), ..found };
    world.work.set_timers(NAME, &found, &elsewhere, &[stale]).await.unwrap();
    assert_eq!(world.work.count_timers().await, Ok(3));
    let node = world.start("a").await;
    node.caught_up().await;
    assert_eq!(world.work.count_timers().await, Ok(2));
    node.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_timer_vanish() {
    let world = World::new().await;
    let case = world.filed(Priority::P1).await;
    let node = world.start("a").await;
    node.caught_up().await;
    let due = world.due(case, ResponseWarning).await;
    world.cases.set_back_before_next_command(due - micros(1));
    world.set(due);
    node.until(|status| status.last_error.is_some()).await;
    assert_eq!(world.waiting(ResponseWarning, case).await, 1);
    world.set(due);
    world.recorded(ResponseWarning, &[case]).await;
    node.stop().await;
}

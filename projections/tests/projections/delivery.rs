//! However the events come, twice, shuffled, late or not at all, each is taken in once and the rows are the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dossier_eventlog::{BusMessage, InProcessBus, Position, Relay, RelayOptions};
use proptest::prelude::*;
use proptest::sample::Index;
use tokio_util::sync::CancellationToken;

use crate::buses::{AwayBus, ScriptedBus, SilentBus};
use crate::engines::block_on_each_engine;
use crate::samples::*;
use crate::tally::Tally;
use crate::world::{MODELS, PATIENCE, World};

/// What a bus does to some messages on their way.
#[derive(Clone, Debug)]
enum Trouble {
    None,
    Lost(Index),
    Twice(Index),
    Swapped(Index, Index),
    AllBackwards,
    OldOnesAgain,
}

fn any_trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::None),
        any::<Index>().prop_map(Trouble::Lost),
        any::<Index>().prop_map(Trouble::Twice),
        any::<(Index, Index)>().prop_map(|(one, other)| Trouble::Swapped(one, other)),
        Just(Trouble::AllBackwards),
        Just(Trouble::OldOnesAgain),
    ]
}

impl Trouble {
    fn befall(&self, messages: &mut Vec<BusMessage>, old: &[BusMessage]) {
        match self {
            Self::None => {}
            Self::Lost(index) => drop(messages.remove(index.index(messages.len()))),
            Self::Twice(index) => {
                let message = messages[index.index(messages.len())].clone();
                messages.push(message);
            }
            Self::Swapped(one, other) => {
                let count = messages.len();
                messages.swap(one.index(count), other.index(count));
            }
            Self::AllBackwards => messages.reverse(),
            Self::OldOnesAgain => messages.splice(0..0, old.iter().cloned()).for_each(drop),
        }
    }
}

proptest! {
    #![proptest_config(few(24))]

    #[test]
    fn any_batches_with_any_trouble_give_the_rows_of_all_at_once_in_order(
        facts in any_history(40),
        batches in prop::collection::vec((1..8_usize, any_trouble()), 1..20),
    ) {
        block_on_each_engine(async || {
            let world = World::new();
            let bus = Arc::new(ScriptedBus::default());
            let running = world.run_on(bus.clone()).await;
            bus.subscribed(MODELS.len()).await;
            let mut rest = &facts[..];
            let mut delivered = Vec::new();
            for (size, trouble) in batches.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (batch, later) = rest.split_at((*size).min(rest.len()));
                rest = later;
                let before = world.store_head().await;
                let head = world.append(batch).await;
                let mut messages = world.messages_after(before).await;
                let arrived = messages.clone();
                trouble.befall(&mut messages, &delivered);
                bus.deliver(&messages);
                delivered.extend(arrived);
                // Sometimes the next batch comes before this one is taken in.
                if size % 2 == 0 {
                    running.caught_up(head).await;
                }
            }
            running.caught_up(world.store_head().await).await;
            assert_eq!(running.dump().await, world.expected_dump().await);
        });
    }

    #[test]
    fn any_trouble_has_each_event_counted_once(
        count in 1..30_u64,
        batches in prop::collection::vec((1..8_u64, any_trouble()), 1..10),
    ) {
        block_on_each_engine(async || {
            let world = World::given(&[filed(0)]).await;
            let bus = Arc::new(ScriptedBus::default());
            let running = world.run_with(bus.clone(), Tally::default()).await;
            running.caught_up(Position(1)).await;
            let mut delivered = world.messages_after(Position::START).await;
            let mut number = 0;
            for (size, trouble) in batches.iter().cycle() {
                if number == count {
                    break;
                }
                let before = world.store_head().await;
                for _ in 0..*size.min(&(count - number)) {
                    number += 1;
                    world.append(&[commented(0, number)]).await;
                }
                let mut messages = world.messages_after(before).await;
                let arrived = messages.clone();
                trouble.befall(&mut messages, &delivered);
                bus.deliver(&messages);
                delivered.extend(arrived);
            }
            running.caught_up(world.store_head().await).await;
            let positions: Vec<String> = (1..=count + 1).map(|position| position.to_string()).collect();
            let expected = format!(
                "tally: 'case-{}' | {} | '{}'", case(0), count + 1, positions.join(" ")
            );
            assert_eq!(running.dump().await, [expected]);
        });
    }
}

async fn messages_that_follow_each_other_are_taken_in_without_reading_the_log() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let running = world.run_on(bus.clone()).await;
    running.caught_up(Position(1)).await;
    bus.subscribed(MODELS.len()).await;
    let mut head = world.append(&[commented(0, 1), commented(0, 2)]).await;
    let messages = world.messages_after(Position(1)).await;
    world.store.reads.lock().unwrap().clear();
    bus.deliver(&messages);
    running.caught_up(head).await;
    assert_eq!(*world.store.reads.lock().unwrap(), []);
    // Those that were seen before are dropped, and what follows them is taken in.
    head = world.append(&[commented(0, 5)]).await;
    let messages = world.messages_after(Position::START).await;
    world.store.reads.lock().unwrap().clear();
    bus.deliver(&messages);
    running.caught_up(head).await;
    assert_eq!(*world.store.reads.lock().unwrap(), []);
    // A gap is noticed at once, not when patience ends.
    head = world.append(&[commented(0, 3), commented(0, 4)]).await;
    let messages = world.messages_after(Position(5)).await;
    world.store.reads.lock().unwrap().clear();
    bus.deliver(&messages);
    running.caught_up(head).await;
    assert_eq!(world.store.reads.lock().unwrap().first(), Some(&Position(4)));
    assert_eq!(running.dump().await, world.expected_dump().await);
}

async fn the_last_message_lost_is_read_from_the_log() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let running = world.run_on(bus.clone()).await;
    running.caught_up(Position(1)).await;
    let head = world.append(&[commented(0, 1), commented(0, 2)]).await;
    bus.deliver(&world.messages_after(Position(1)).await[..1]);
    // Long before the log is looked at anyway.
    running.models.wait_for(head, Duration::from_millis(1_500)).await.expect("soon");
    assert_eq!(running.dump().await, world.expected_dump().await);
}

async fn old_messages_that_keep_coming_do_not_put_off_reading_the_log() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let running = world.run_on(bus.clone()).await;
    running.caught_up(Position(1)).await;
    let old = world.messages_after(Position::START).await;
    let chatter = tokio::spawn(async move {
        loop {
            bus.deliver(&old);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let head = world.append(&[commented(0, 1)]).await;
    running.models.wait_for(head, Duration::from_secs(5)).await.expect("read from the log");
    chatter.abort();
}

async fn without_bus_and_hint_the_log_is_looked_at_now_and_then() {
    let world = World::given(&[filed(0)]).await;
    world.store.without_hint.store(true, Ordering::Relaxed);
    let running = world.run_on(Arc::new(SilentBus)).await;
    running.caught_up(Position(1)).await;
    let head = world.append(&[commented(0, 1)]).await;
    running.caught_up(head).await;
}

async fn a_subscription_that_ends_is_taken_up_again() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(ScriptedBus::default());
    let running = world.run_on(bus.clone()).await;
    running.caught_up(Position(1)).await;
    bus.subscribed(MODELS.len()).await;
    bus.hang_up();
    let status = running.until("cases", |status| status.last_error.is_some()).await;
    assert!(status.last_error.unwrap().contains("ended") && status.halted.is_none());
    running.until("cases", |status| status.last_error.is_none()).await;
    let head = world.append(&[commented(0, 1)]).await;
    running.caught_up(head).await;
}

async fn a_follower_that_falls_out_of_the_ring_catches_up() {
    let world = World::given(&[filed(0)]).await;
    let bus = Arc::new(InProcessBus::new(2));
    let running = world.run_on(bus.clone()).await;
    let stop = CancellationToken::new();
    let relay = Relay::new(world.store.clone(), bus, RelayOptions::default());
    let relaying = tokio::spawn(relay.run(stop.clone()));
    for round in 0..20 {
        let facts: Vec<_> = (0..25).map(|number| commented(0, round * 25 + number)).collect();
        world.append(&facts).await;
        tokio::task::yield_now().await;
    }
    running.caught_up(world.store_head().await).await;
    assert_eq!(running.dump().await, world.expected_dump().await);
    stop.cancel();
    relaying.await.unwrap().unwrap();
}

async fn waiting_ends_when_time_is_up_and_says_for_whom() {
    let world = World::given(&[filed(0)]).await;
    let running = world.run().await;
    let waited = running.models.wait_for(Position(9), Duration::from_millis(20)).await;
    assert!(waited.unwrap_err().to_string().contains("cases"));
    running.models.wait_for(Position(1), PATIENCE).await.unwrap();
}

on_each_engine!(
    messages_that_follow_each_other_are_taken_in_without_reading_the_log,
    the_last_message_lost_is_read_from_the_log,
    old_messages_that_keep_coming_do_not_put_off_reading_the_log,
    without_bus_and_hint_the_log_is_looked_at_now_and_then,
    a_subscription_that_ends_is_taken_up_again,
    waiting_ends_when_time_is_up_and_says_for_whom,
);

on_each_engine!(
    multi_thread:
    a_follower_that_falls_out_of_the_ring_catches_up,
);

#[test]
fn without_a_bus_the_log_is_followed_all_the_same() {
    block_on_each_engine(async || {
        let world = World::given(&[filed(0)]).await;
        let running = world.run_on(Arc::new(AwayBus)).await;
        for number in 1..4 {
            running.caught_up(world.append(&[commented(0, number)]).await).await;
        }
        running
            .until("cases", |status| {
                status.last_error.as_ref().is_some_and(|why| why.contains("nobody listens"))
            })
            .await;
        assert_eq!(running.dump().await, world.expected_dump().await);
    });
}

#[test]
fn a_bus_that_outlived_a_restore_of_the_log_is_not_believed() {
    block_on_each_engine(async || {
        let lost = World::given(&[filed(0), commented(0, 7)]).await;
        let never_happened = lost.messages_after(Position(1)).await;
        let bus = Arc::new(ScriptedBus::default());
        let last = &never_happened[0].event;
        *bus.last.lock().unwrap() = Some((last.position, last.event_id));
        let world = World::given(&[filed(0)]).await;
        let running = world.run_on(bus.clone()).await;
        for model in MODELS {
            running
                .until(model, |status| {
                    status.last_error.as_ref().is_some_and(|why| why.contains("empty the bus"))
                })
                .await;
        }
        bus.deliver(&never_happened);
        running.caught_up(world.append(&[commented(0, 8)]).await).await;
        assert_eq!(running.dump().await, world.expected_dump().await);

        // Emptied, it is listened to again.
        *bus.last.lock().unwrap() = None;
        bus.subscribed(MODELS.len()).await;
        running.until("cases", |status| status.last_error.is_none()).await;
    });
}

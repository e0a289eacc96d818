//! An event that cannot be read stops the projector at that very event, visibly.

use std::time::{Duration, Instant};

use dossier_domain::case::CaseEvent;
use dossier_eventlog::{Position, RecordedEvent};
use dossier_projections::WaitError;
use uuid::Uuid;

use crate::samples::*;
use crate::world::{CASE_MODELS, PATIENCE, World, sealer};

/// Two facts, then the bad one at position 3, then two more: the projectors stand at 2 and say why.
async fn stops_before_the_third(world: &World, why: &str) {
    let before = World::given(&[filed(0), commented(0, 1)]).await.expected_dump().await;
    let bad = world.recorded().await[2].clone();
    let running = world.run().await;
    for model in CASE_MODELS {
        let halted = running.halted(model).await;
        assert!(halted.contains(why), "{halted}");
        assert!(halted.contains(&format!("event {} at position 3", bad.event_id)), "{halted}");
        assert_eq!(running.status(model).position, Position(2), "{why}");
    }
    assert_eq!(running.dump().await, before, "{why}");
    assert!(running.cases().get(&all_of("acme"), &acme(), case(0)).await.unwrap().is_some());
    let page = running.comments().list(&all_of("acme"), &acme(), case(0), None, 10).await.unwrap().unwrap();
    assert_eq!(page.comments.len(), 1);
    let began = Instant::now();
    let waited = running.models.wait_for(Position(3), PATIENCE).await;
    assert!(
        matches!(waited, Err(WaitError::Halted { why: ref said, .. }) if said.contains(why)),
        "{waited:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(2), "a halted model is not waited for");
    running.models.wait_for(Position(2), PATIENCE).await.expect("what came before is there");
    // Started again, it stops at the same place.
    running.stop().await;
    let running = world.run().await;
    assert!(running.halted("cases").await.contains(why));
    assert_eq!(running.dump().await, before, "{why}");
}

fn bad(event_type: &str, version: u16, payload: &[u8]) -> Fact {
    Fact::raw(&format!("case-{}", case(0)), event_type, version, payload)
}

async fn world_with(bad: Fact) -> World {
    World::given(&[filed(0), commented(0, 1), bad, commented(0, 2), filed(1)]).await
}

async fn an_event_of_an_unknown_type_or_version_halts() {
    stops_before_the_third(&world_with(bad("CaseSung", 1, b"{}")).await, "CaseSung version 1").await;
    stops_before_the_third(&world_with(bad("CaseClosed", 7, b"{}")).await, "CaseClosed version 7").await;
}

async fn a_damaged_payload_halts() {
    for payload in [&b"{}"[..], b"", b"\xff", b"[1"] {
        stops_before_the_third(&world_with(bad("CaseClosed", 1, payload)).await, "CaseClosed version 1")
            .await;
    }
}

async fn damaged_metadata_halts() {
    let fact = commented(0, 9).with_metadata(b"{\"audience\":\"everybody\"}");
    stops_before_the_third(&world_with(fact).await, "metadata").await;
}

async fn world_sealed_elsewhere(fact: Fact) -> World {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    // Draws other keys than the world's own.
    let elsewhere = sealer(Uuid::from_u128(2));
    elsewhere.prepare_seal(&["account-x".to_owned(), "account-y".to_owned()]).await.unwrap();
    world.append_sealed_by(&elsewhere, &[fact]).await;
    world.append(&[commented(0, 2), filed(1)]).await;
    world
}

async fn a_missing_key_halts() {
    let mut comment = comment(9, "sealed elsewhere");
    comment.author = contact("stranger");
    comment.body = dossier_domain::Personal::new(contact("stranger").subject().clone(), "hello".to_owned());
    let world = world_sealed_elsewhere(Fact::of_case(0, comment)).await;
    stops_before_the_third(&world, "no key for subject").await;
}

async fn a_value_that_does_not_open_halts() {
    let world = world_sealed_elsewhere(commented(0, 9)).await;
    stops_before_the_third(&world, "does not open").await;
}

async fn a_value_of_another_form_halts() {
    let world = World::given(&[filed(0), commented(0, 1)]).await;
    let mut event = CaseEvent::from(comment(9, "x"));
    dossier_domain::personal::seal_all::<dossier_eventlog::SealError>(&mut event, |subject, _| {
        world.sealer.seal(subject, b"\x09 no such form")
    })
    .unwrap();
    world.append(&[Fact::of_case(0, event), commented(0, 2)]).await;
    stops_before_the_third(&world, "unknown form").await;
}

async fn events_of_categories_that_a_model_does_not_take_in_need_not_be_readable() {
    let odd = Fact::raw("note-1", "NoteNobodyKnows", 9, b"no json").with_metadata(b"no json either");
    let world = world_with(odd).await;
    let running = world.run().await;
    running.caught_up(Position(5)).await;
    assert!(running.models.statuses().iter().all(|(_, status)| status.halted.is_none()));
}

async fn once_it_is_readable_a_rebuild_takes_it_in() {
    let world = World::given(&[filed(0), commented(0, 1), commented(0, 2), commented(0, 3)]).await;
    let good = world.recorded().await[2].clone();
    world.store.replace(RecordedEvent { event_type: "CommentSung".into(), ..good });
    let running = world.run().await;
    running.halted("case_history").await;
    let refused = running.models.rebuild("case_history", &|_| {}).await;
    assert!(refused.unwrap_err().to_string().contains("CommentSung"));
    assert!(running.halted("case_history").await.contains("CommentSung"), "as before");
    world.store.restore();
    for model in CASE_MODELS {
        running.halted(model).await;
        assert!(running.models.rebuild(model, &|_| {}).await.unwrap());
    }
    running.caught_up(Position(4)).await;
    let head = world.append(&[commented(0, 4)]).await;
    running.caught_up(head).await;
    assert_eq!(running.dump().await, world.expected_dump().await);
}

on_each_engine!(
    an_event_of_an_unknown_type_or_version_halts,
    a_damaged_payload_halts,
    damaged_metadata_halts,
    a_missing_key_halts,
    a_value_that_does_not_open_halts,
    a_value_of_another_form_halts,
    events_of_categories_that_a_model_does_not_take_in_need_not_be_readable,
    once_it_is_readable_a_rebuild_takes_it_in,
);

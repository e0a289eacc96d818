//! The watch on a log: once per burst, and the same answer on replay, however much of the log is there by then.

use std::collections::BTreeMap;
use std::sync::Arc;

use dossier_domain::case::CaseEvent;
use dossier_domain::catalogue::VolumeFactor;
use dossier_domain::known_issue::KnownIssueEvent;
use dossier_domain::phone_call::RecordPhoneCall;
use dossier_domain::{DomainEvent, ProductId};
use dossier_eventlog::{EventStore, MemoryStore};

use super::*;
use crate::merge_completion::tests::World;
use crate::reactor::Reactors;

/// What lies in a log up to a position, counted anew each time.
struct InLog(Arc<MemoryStore>);

#[async_trait]
impl VolumeCounts for InLog {
    async fn counts(
        &self,
        product: &ProductId,
        hours: &[Timestamp],
        until: Position,
    ) -> Result<BTreeMap<Timestamp, u32>, ReactError> {
        let mut counts = BTreeMap::new();
        for recorded in self.0.read_all(Position::START, 10_000).await.unwrap() {
            let trigger = Trigger { event: &recorded };
            let act = match (trigger.case()?, trigger.phone_call()?) {
                (Some((_, event)), _) => CountedAct::of_case(&event, None),
                (_, Some(event)) => Some(CountedAct::of_phone_call(&event)),
                _ => None,
            };
            let hour = act.filter(|act| act.product == *product).map(|act| act.hour(recorded.recorded_at));
            if let Some(hour) = hour.filter(|hour| recorded.position <= until && hours.contains(hour)) {
                *counts.entry(hour).or_default() += 1;
            }
        }
        Ok(counts)
    }
}

fn watch(world: &World) -> impl FnOnce(Reactors) -> Reactors {
    let policy = VolumePolicy { minimum: 3, factor: VolumeFactor::of_hundredths(200) };
    let watch = VolumeWatch::new(&world.sealer, Arc::new(InLog(world.store.clone())), policy);
    |reactors| reactors.with(watch)
}

/// Figures of all suspicions in the log.
async fn raised(world: &World) -> Vec<u32> {
    let events = world.store.read_all(Position::START, 10_000).await.unwrap();
    let suspected = events.iter().filter(|event| &*event.event_type == "KnownIssueSuspected");
    suspected
        .map(|event| {
            let event = KnownIssueEvent::decode("KnownIssueSuspected", 1, &event.payload).unwrap();
            let KnownIssueEvent::KnownIssueSuspected(suspected) = event else { panic!("{event:?}") };
            suspected.figures.expect("from the volume").count
        })
        .collect()
}

async fn call(world: &World) {
    let product = ProductId::new("compute").unwrap();
    let command = RecordPhoneCall { product, at: None, organization: None };
    world.commands.phone_call(&world.request("agent"), &command).await.expect("recorded");
}

/// R-KI-2.
#[tokio::test]
async fn r_ki_2_cases_and_calls_together_raise_one_suspicion_and_a_replay_raises_no_other() {
    let world = World::new().await;
    world.filed().await;
    call(&world).await;
    world.complete_by(watch(&world)).await;
    assert!(raised(&world).await.is_empty());
    world.filed().await;
    // More of the burst is there before the watch looks at it: it answers as it would have.
    call(&world).await;
    world.filed().await;
    world.complete_by(watch(&world)).await;
    assert_eq!(raised(&world).await, [3]);
    let head = world.store.head().await.unwrap();
    world.complete_by(watch(&world)).await;
    assert_eq!(world.store.head().await.unwrap(), head, "all of history once more adds nothing");
    call(&world).await;
    world.complete_by(watch(&world)).await;
    assert_eq!(raised(&world).await, [3], "the burst goes on");
    let filed = world.store.read_all(Position::START, 10_000).await.unwrap();
    let filed = filed.iter().filter(|event| &*event.event_type == "CaseFiled").count();
    assert_eq!(filed, 3);
    assert!(matches!(CaseEvent::schemas().len(), 1..));
}

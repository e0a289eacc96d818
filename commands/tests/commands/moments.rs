//! A case as it stood around one command is the same whoever asks, in whichever order, and whatever was asked before.

use dossier_eventlog::Revision;
use proptest::prelude::*;

use super::meddled::Meddled;
use super::*;

const ALICE: &str = "alice@acme.example";

/// A case with some comments.
async fn commented(world: &World, comments: u128) -> CaseId {
    let case = world.filed().await;
    for number in 0..comments {
        let request = world.request(ALICE, 10 + number);
        let comment = world.comment(&format!("comment {number}"));
        world.commands.case(&request, &acme(), Some(case), &comment).await.unwrap();
    }
    case
}

fn process(world: &World) -> (Commands, Arc<Meddled>) {
    let store = Arc::new(Meddled::with(&world.store, None));
    let clock = Arc::new(|| Timestamp::from_second(1_700_000_000).unwrap());
    (Commands::new(store.clone(), world.sealer.clone(), catalogue(), clock, 1_000), store)
}

async fn told(commands: &Commands, case: CaseId, revision: u64) -> String {
    format!("{:?}", commands.case_moment(case, Revision(revision)).await.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_moment_is_the_same_whatever_was_asked_before(asked in prop::collection::vec(0..16_u64, 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new().await;
            let case = commented(&world, 9).await;
            let (follower, _) = process(&world);
            for revision in asked {
                assert_eq!(
                    told(&follower, case, revision).await,
                    told(&world.restarted(), case, revision).await,
                    "{revision}"
                );
            }
        });
    }
}

#[tokio::test]
async fn who_follows_a_long_case_does_not_fold_it_anew_for_each_command() {
    let world = World::new().await;
    let case = commented(&world, 200).await;
    let (follower, store) = process(&world);
    for (revision, most) in [(150, 160), (150, 5), (151, 5), (152, 5), (151, 160)] {
        let moment = follower.case_moment(case, Revision(revision)).await.unwrap().unwrap();
        assert_eq!(moment.last_revision, Revision(revision));
        let read = store.read();
        assert!(read <= most, "{read} events were read for the one at {revision}");
    }
}

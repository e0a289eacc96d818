//! What a reseller is told while nobody can know whether it is still let in.

use dossier_tests::fleet::{Fleet, PATIENCE};
use dossier_tests::people::{HANK, NINA};
use dossier_tests::server::file_case;
use tokio::time::{Instant, sleep};

/// R-RES-2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_res_2_while_the_event_store_is_away_members_read_on_and_a_reseller_is_refused() {
    let mut fleet = Fleet::start();
    let node = fleet.node("all", "all").await;
    let hank = fleet.client(&node, HANK).await;
    let nina = fleet.client(&node, NINA).await.acting_for("nimbus");
    let case = file_case(&hank, "globex").await;
    let ways = [
        case.clone(),
        format!("{case}/comments"),
        format!("{case}/attachments"),
        format!("{}:showFeed", case.replace("/v2/", "/v2beta/")),
        "/v2/organizations/globex/cases".to_owned(),
        "/v2/organizations/globex/cases:search?query=%22machines%22".to_owned(),
    ];
    let across = ["/v2/organizations/-/cases", "/v2/organizations/-/cases:search?query=%22machines%22"];
    let ways_across = ways.iter().map(String::as_str).chain(across);
    for way in &ways {
        hank.get(way).await.ok();
    }
    for way in ways_across.clone() {
        nina.get(way).await.ok();
    }
    fleet.log.kill();
    for way in &ways {
        hank.get(way).await.ok();
    }
    for way in ways_across.clone() {
        nina.get(way).await.refused(503, "STORE_UNAVAILABLE");
    }
    fleet.log.restart();
    let deadline = Instant::now() + PATIENCE;
    while nina.get(&case).await.status != 200 {
        assert!(Instant::now() < deadline, "the reseller is not shown it again");
        sleep(std::time::Duration::from_millis(50)).await;
    }
    for way in ways_across {
        nina.get(way).await.ok();
    }
    node.stop().await;
}

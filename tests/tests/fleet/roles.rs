//! Several processes, each of some roles, on engines that they share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dossier_tests::fleet::{Fleet, readiness, until};
use dossier_tests::people::{ALICE, BOB};
use dossier_tests::server::{case_path, file_case, sample_case};
use dossier_tests::{Process, process};
use serde_json::{Value, json};

/// What members of the fleet say of a part: their names by the part's state.
fn nodes_with(said: &Value, part: &str, state: &str) -> BTreeSet<String> {
    let members = said["fleet"].as_array().unwrap();
    let of = members
        .iter()
        .filter(|member| member["parts"].pointer(part).is_some_and(|part| part["state"] == state));
    of.map(|member| member["node"].as_str().unwrap().to_owned()).collect()
}

struct Nodes {
    fleet: Fleet,
    api: [Process; 2],
    relays: Vec<(String, Process)>,
    projectors: Vec<(String, Process)>,
    processes: Process,
}

impl Nodes {
    async fn start() -> Self {
        let fleet = Fleet::start();
        let mut relays = Vec::new();
        let mut projectors = Vec::new();
        for number in 1..=2 {
            let name = format!("relay-{number}");
            relays.push((name.clone(), fleet.node(&name, "relay").await));
            let name = format!("projectors-{number}");
            projectors.push((name.clone(), fleet.node(&name, "projectors").await));
        }
        let processes = fleet.node("processes-1", "processes").await;
        let api = [fleet.node("api-1", "api").await, fleet.node("api-2", "api").await];
        Self { fleet, api, relays, projectors, processes }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_part_runs_in_processes_of_its_own_and_a_dead_one_is_stood_in_for() {
    let mut nodes = Nodes::start().await;
    let said = until(&nodes.api[0], "one of each at work, the others standing by", |said| {
        said["ready"] == true
            && said["fleet"].as_array().is_some_and(|fleet| fleet.len() == 7)
            && ["/relay", "/analyticsRelay", "/readModels/cases", "/readModels/case_history"].iter().all(
                |part| {
                    nodes_with(said, part, "active").len() == 1
                        && nodes_with(said, part, "standing by").len() == 1
                },
            )
    })
    .await;
    assert_eq!(said["roles"], json!(["api"]));
    assert_eq!(nodes_with(&said, "/readModels/cases", "observing").len(), 2, "{said:#}");
    // Who does not answer requests says who does.
    nodes.processes.anonymous().get("/v2/organizations/acme/cases").await.refused(404, "NO_API_ROLE");
    assert_eq!(readiness(&nodes.processes).await["ready"], true);

    // What one node has written the other shows at once.
    let alice = nodes.fleet.client(&nodes.api[0], ALICE).await;
    let bob = nodes.fleet.client(&nodes.api[1], BOB).await;
    for _ in 0..20 {
        let case = file_case(&alice, "acme").await;
        bob.get(&case).await.ok();
        let listed = bob.get("/v2/organizations/acme/cases?pageSize=1").await.ok();
        assert_eq!(format!("/v2/{}", listed["cases"][0]["name"].as_str().unwrap()), case);
    }

    for part in ["/relay", "/readModels/cases"] {
        let parts = if part == "/relay" { &mut nodes.relays } else { &mut nodes.projectors };
        let active = nodes_with(&readiness(&nodes.api[0]).await, part, "active");
        let place = parts.iter().position(|(name, _)| active.contains(name)).expect("an active one");
        let (killed, process) = parts.remove(place);
        process.kill().await;
        // A relay is missed when there is something to publish.
        file_case(&alice, "acme").await;
        until(&nodes.api[0], "another at work", |said| {
            nodes_with(said, part, "active").iter().any(|name| *name != killed)
        })
        .await;
        let filed = alice.post("/v2/organizations/acme/cases", &sample_case()).await;
        let call = bob.call(reqwest::Method::GET, &case_path(&filed));
        let call = call.header("dossier-min-position", filed.position().to_string());
        call.header("dossier-max-wait", "30").send().await.ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_model_is_rebuilt_under_load_by_a_process_that_stands_by() {
    let nodes = Nodes::start().await;
    until(&nodes.api[0], "projectors at work", |said| {
        nodes_with(said, "/readModels/cases", "active").len() == 1
    })
    .await;
    let alice = nodes.fleet.client(&nodes.api[0], ALICE).await;
    let mut cases = BTreeSet::new();
    for _ in 0..30 {
        cases.insert(file_case(&alice, "acme").await);
    }
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (bob, done, cases) = (nodes.fleet.client(&nodes.api[1], BOB).await, done.clone(), cases.clone());
        tokio::spawn(async move {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let listed = bob.get("/v2/organizations/acme/cases?pageSize=100").await.ok();
                let names: BTreeSet<String> = listed["cases"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|case| format!("/v2/{}", case["name"].as_str().unwrap()))
                    .collect();
                assert!(cases.is_subset(&names), "a list without cases that were there before");
                reads += 1;
            }
            reads
        })
    };
    let said = readiness(&nodes.api[0]).await;
    for model in ["cases", "case_history"] {
        let standing_by = nodes_with(&said, &format!("/readModels/{model}"), "standing by");
        let node = standing_by.first().expect("one that stands by");
        let data = nodes.fleet.data(node).display().to_string();
        let rebuilt = process::run(&["rebuild", model, "--data", &data]).await;
        assert!(rebuilt.success, "{rebuilt:?}");
        let case = file_case(&alice, "acme").await;
        alice.get(&case).await.ok();
    }
    done.store(true, Ordering::Relaxed);
    assert!(reader.await.unwrap() > 0);
}

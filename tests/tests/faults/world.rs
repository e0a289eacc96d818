//! The fleet under load.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dossier_tests::fleet::{Fleet, PATIENCE, readiness, until};
use dossier_tests::people::{ALICE, BOB};
use dossier_tests::server::{file_case, sample_case};
use dossier_tests::{Client as Http, Process};
use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::fault::Fault;
use crate::job::Job;
use crate::load::{Chance, Client, Done, Effect};
use crate::proxy::Proxy;
use crate::verdict::{Verdict, judge};
use crate::worker::{Shared, work};

const CLIENTS: usize = 6;
/// How long one request may take while the fleet recovers.
const REQUEST_PATIENCE: Duration = Duration::from_secs(8);
const NODES: [(&str, &str); 7] = [
    ("api-1", "api"),
    ("api-2", "api"),
    ("relay-1", "relay"),
    ("relay-2", "relay"),
    ("projectors-1", "projectors"),
    ("projectors-2", "projectors"),
    ("processes-1", "processes"),
];

pub(crate) struct World {
    pub(crate) fleet: Fleet,
    pub(crate) job: Job,
    pub(crate) proxy: Proxy,
    nodes: BTreeMap<String, Process>,
    tokens: [String; 2],
    shared: Arc<Shared>,
    shared_case: String,
    /// Events that were there before the load.
    events_before: usize,
    /// The writes that showed that a fault is over.
    probes: Vec<Done>,
    clients: Vec<JoinHandle<Vec<Done>>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) acknowledged: usize,
    pub(crate) refused: usize,
}

impl World {
    pub(crate) async fn start(seed: u64) -> Self {
        let fleet = Fleet::start();
        let proxy = Proxy::start(fleet.log.folder());
        let tokens = [fleet.token(ALICE).await, fleet.token(BOB).await];
        let mut world = Self {
            job: Job::start(&fleet.nats.url()).await,
            fleet,
            proxy,
            nodes: BTreeMap::new(),
            tokens,
            shared: Arc::default(),
            shared_case: String::new(),
            events_before: 0,
            probes: Vec::new(),
            clients: Vec::new(),
        };
        for (node, _) in NODES {
            world.start_node(node).await;
        }
        world.shared_case = file_case(&world.http("api-1", 0), "acme").await;
        world.events_before = crate::verdict::events(&world.fleet).await.len();
        let mut chance = Chance::new(seed);
        for number in 0..CLIENTS {
            let client = Client::new(number, chance.next(), &world.shared_case);
            world.clients.push(tokio::spawn(work(client, number, world.shared.clone())));
        }
        world
    }

    pub(crate) fn node(&self, name: &str) -> &Process {
        &self.nodes[name]
    }

    pub(crate) async fn kill(&mut self, name: &str) {
        self.nodes.remove(name).expect("a node that runs").kill().await;
    }

    /// Starts a node, anew where it was killed. The log of the first api node is behind the proxy.
    pub(crate) async fn start_node(&mut self, name: &str) {
        let roles = NODES.iter().find(|(node, _)| *node == name).expect("a node of this fleet").1;
        let direct = self.fleet.log_database().to_owned();
        let log = if name == "api-1" { self.proxy.url(&direct) } else { direct };
        self.nodes.insert(name.to_owned(), self.fleet.node_on(name, roles, &log).await);
        // A key is one person's: who repeats a command at another node is the same.
        let nodes = ["api-1", "api-2"].into_iter().filter(|name| self.nodes.contains_key(*name));
        let nodes = nodes.map(|name| self.http(name, 0));
        *self.shared.nodes.write().unwrap() = nodes.collect();
    }

    fn http(&self, node: &str, person: usize) -> Http {
        self.node(node).anonymous().with_token(Some(self.tokens[person].clone()))
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            acknowledged: self.shared.acknowledged.load(Ordering::Relaxed),
            refused: self.shared.refused.load(Ordering::Relaxed),
        }
    }

    /// The node that does the work of a part.
    pub(crate) async fn active(&self, part: &str) -> String {
        let is_active =
            |member: &&Value| member["parts"].pointer(part).is_some_and(|part| part["state"] == "active");
        let members = |said: &Value| said["fleet"].as_array().cloned().unwrap_or_default();
        let said =
            until(self.node("api-2"), part, |said| members(said).iter().filter(is_active).count() == 1).await;
        let active = members(&said).iter().find(is_active).map(|member| member["node"].clone());
        active.and_then(|node| node.as_str().map(str::to_owned)).expect("an active one")
    }

    /// While the event store is away commands are refused, and reads go on.
    pub(crate) async fn reads_go_on(&self) {
        for node in ["api-1", "api-2"] {
            let http = self.http(node, 0);
            http.get(&self.shared_case).await.ok();
            http.get("/v2/organizations/acme/cases?pageSize=5").await.ok();
            let refused = http.post("/v2/organizations/acme/cases", &sample_case()).await;
            assert_eq!(refused.status, 503, "{}", refused.text());
            assert!(refused.header("retry-after").is_some());
        }
    }

    /// Waits until every api node acknowledges a write that every other shows, and the followers are at work.
    pub(crate) async fn recovered(&mut self, fault: Fault) {
        let deadline = Instant::now() + PATIENCE;
        for (writer, reader) in [("api-1", "api-2"), ("api-2", "api-1")] {
            let key = uuid::Uuid::from_u64_pair(u64::MAX, self.probes.len() as u64).to_string();
            let filed = loop {
                let call = self.http(writer, 0).call(Method::POST, &format!("{}/comments", self.shared_case));
                let call =
                    call.header("idempotency-key", &key).json(&serde_json::json!({"body": "after a fault"}));
                let answered = tokio::time::timeout(REQUEST_PATIENCE, call.try_send()).await;
                match answered {
                    Ok(Ok(answer)) if answer.status == 200 => break answer,
                    other => assert!(Instant::now() < deadline, "{fault:?}: no write at {writer}: {other:?}"),
                }
                sleep(Duration::from_millis(50)).await;
            };
            self.shared.acknowledged.fetch_add(1, Ordering::Relaxed);
            let position = filed.position();
            self.probes.push(Done {
                effect: Effect::Commented { on_closed: false },
                case: self.shared_case.clone(),
                answer: filed.json(),
                position,
                replayed: filed.header("idempotent-replay") == Some("true"),
            });
            loop {
                let call = self.http(reader, 1).call(Method::GET, &self.shared_case);
                let call = call.header("dossier-min-position", position.to_string());
                let answered =
                    tokio::time::timeout(REQUEST_PATIENCE, call.header("dossier-max-wait", "5").try_send());
                match answered.await {
                    Ok(Ok(answer)) if answer.status == 200 => break,
                    other => {
                        assert!(Instant::now() < deadline, "{fault:?}: not shown at {reader}: {other:?}");
                    }
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
        let position = self.probes.last().map_or(0, |probe| probe.position);
        for part in ["/relay", "/analyticsRelay"] {
            self.relayed(part, position, fault).await;
        }
    }

    /// Waits until one of the relays has published up to a position.
    async fn relayed(&self, part: &str, position: u64, fault: Fault) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut said = Vec::new();
            for node in ["relay-1", "relay-2"] {
                said.push(readiness(self.node(node)).await);
            }
            let done = |said: &Value| {
                said.pointer(part).is_some_and(|relay| {
                    relay["state"] == "active" && relay["position"].as_u64().is_some_and(|at| at >= position)
                })
            };
            if said.iter().any(done) {
                return;
            }
            assert!(Instant::now() < deadline, "{fault:?}: {part} is not at {position}: {said:#?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends the load and the nodes, and judges what is left.
    pub(crate) async fn end(mut self) -> Verdict {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut done = std::mem::take(&mut self.probes);
        for client in std::mem::take(&mut self.clients) {
            done.extend(client.await.expect("a client that goes on whatever happens"));
        }
        let head = done.iter().map(|done| done.position).max().unwrap_or(0);
        for part in ["/relay", "/analyticsRelay"] {
            self.relayed(part, head, Fault::KillApi).await;
        }
        for (_, node) in std::mem::take(&mut self.nodes) {
            node.stop().await;
        }
        judge(&self.fleet, &self.job, &self.shared, &done, self.events_before).await
    }
}

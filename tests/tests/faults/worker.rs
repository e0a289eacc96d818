//! Clients that go on whatever happens: what is not answered, or refused for now, is sent again with the same key, to the next
//! node.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use dossier_tests::Client as Http;

use crate::load::{Client, Done};

/// How long a client waits for an answer before it asks another node: longer than any node needs to refuse.
const PATIENCE: Duration = Duration::from_secs(8);
/// Between two attempts, so that a fault is not answered with a storm.
const PAUSE: Duration = Duration::from_millis(100);

/// What the clients share.
#[derive(Default)]
pub(crate) struct Shared {
    /// The api nodes, signed in; a node that was started again has a new address.
    pub(crate) nodes: RwLock<Vec<Http>>,
    pub(crate) stop: AtomicBool,
    pub(crate) acknowledged: AtomicUsize,
    /// Answers 503.
    pub(crate) refused: AtomicUsize,
    /// Answers that left the outcome open.
    pub(crate) unknown: AtomicUsize,
    pub(crate) slowest_refusal_micros: AtomicU64,
    pub(crate) violations: RwLock<Vec<String>>,
}

impl Shared {
    fn violated(&self, what: String) {
        self.violations.write().unwrap().push(what);
    }
}

/// Sends one command after another until told to stop, and the last one until it is answered.
pub(crate) async fn work(mut client: Client, number: usize, shared: Arc<Shared>) -> Vec<Done> {
    let mut turn = number;
    while !shared.stop.load(Ordering::Relaxed) {
        let intention = client.intend();
        // In turn, so that every node has load.
        turn += 1;
        // Whether an attempt may have been stored although nobody said so.
        let mut in_doubt = false;
        loop {
            let node = {
                let nodes = shared.nodes.read().unwrap();
                nodes[turn % nodes.len()].clone()
            };
            let call = node.call(intention.method.clone(), &intention.path);
            let call = call.header("idempotency-key", &intention.key).json(&intention.body);
            let started = Instant::now();
            let answered = tokio::time::timeout(PATIENCE, call.try_send()).await;
            match answered {
                Ok(Ok(answer)) if answer.status == 200 => {
                    if !in_doubt && answer.header("idempotent-replay") == Some("true") {
                        shared.violated(format!("{} was stored although it was refused", intention.key));
                    }
                    client.take_in(&intention, &answer);
                    shared.acknowledged.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(Ok(answer)) if answer.status == 503 => {
                    shared.refused.fetch_add(1, Ordering::Relaxed);
                    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
                    shared.slowest_refusal_micros.fetch_max(micros, Ordering::Relaxed);
                    if answer.header("retry-after").is_none() {
                        shared.violated(format!("a 503 without Retry-After: {}", answer.text()));
                    }
                }
                Ok(Ok(answer)) if answer.status == 500 && answer.reason() == "OUTCOME_UNKNOWN" => {
                    shared.unknown.fetch_add(1, Ordering::Relaxed);
                    in_doubt = true;
                }
                Ok(Ok(answer)) => {
                    shared.violated(format!("{}: {} {}", intention.path, answer.status, answer.text()));
                    return client.done;
                }
                Ok(Err(_)) | Err(_) => in_doubt = true,
            }
            turn += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
    client.done
}

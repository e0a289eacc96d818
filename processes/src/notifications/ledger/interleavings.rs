//! Several nodes that claim, hand over, finish, crash and are slow in any order: what the ledger promises all the same.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;

use super::contract::{at, intend, mail};
use super::{Channel, Claimed, LedgerFilter, LedgerPage, MessageId, MessageState, Outcome};
use crate::work_store::WorkStore;

const MESSAGES: u64 = 6;
const NODES: usize = 3;
const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A node takes messages.
    Claim { node: usize, limit: u32 },
    /// A node goes on with one that it holds: it marks it, hands it over, and the server does this with it.
    Send { node: usize, pick: usize, server: Server },
    /// A node marks one and is slow or dies before it goes on.
    Mark { node: usize, pick: usize },
    /// A node gives one up before it was marked.
    Refuse { node: usize, pick: usize },
    /// A node is gone, with all that it knows.
    Crash { node: usize },
    /// Time passes.
    Wait { seconds: i64 },
    /// Somebody looks after what gone nodes held.
    Recover,
    /// The operator asks for a message again.
    Retry { number: u64 },
}

/// What the server does with a message, and whether the node hears of it.
#[derive(Clone, Copy, Debug)]
enum Server {
    Accepts { heard: bool },
    RefusesForNow { heard: bool },
    RefusesForGood { heard: bool },
}

fn step() -> impl Strategy<Value = Step> {
    let (node, pick) = (0..NODES, 0..4_usize);
    let server = (0..3, any::<bool>()).prop_map(|(which, heard)| match which {
        0 => Server::Accepts { heard },
        1 => Server::RefusesForNow { heard },
        _ => Server::RefusesForGood { heard },
    });
    prop_oneof![
        3 => (node.clone(), 1..4_u32).prop_map(|(node, limit)| Step::Claim { node, limit }),
        4 => (node.clone(), pick.clone(), server).prop_map(|(node, pick, server)| Step::Send { node, pick, server }),
        1 => (node.clone(), pick.clone()).prop_map(|(node, pick)| Step::Mark { node, pick }),
        1 => (node.clone(), pick).prop_map(|(node, pick)| Step::Refuse { node, pick }),
        1 => node.prop_map(|node| Step::Crash { node }),
        2 => (1..15_i64).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::Recover),
        1 => (1..=MESSAGES).prop_map(|number| Step::Retry { number }),
    ]
}

/// What really happened to a message.
#[derive(Default)]
struct Truth {
    handed_over: u32,
    accepted: u32,
    /// Definite refusals of what had been handed over, and retries by the operator: each allows one more handover.
    allowances: u32,
    /// Retries by the operator of what was unknown: each allows one more acceptance.
    risked: u32,
}

struct Held {
    claimed: Claimed,
    marked: bool,
}

struct Model<'a> {
    store: &'a dyn WorkStore,
    now: Timestamp,
    nodes: Vec<Vec<Held>>,
    truth: BTreeMap<MessageId, Truth>,
}

impl Model<'_> {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Claim { node, limit } => {
                let name = format!("node-{node}");
                let lease_until = self.now + LEASE;
                let claimed =
                    self.store.claim(Channel::Email, &name, self.now, lease_until, limit, &[]).await;
                let held = claimed.unwrap().into_iter().map(|claimed| Held { claimed, marked: false });
                self.nodes[node].extend(held);
            }
            Step::Send { node, pick, server } => {
                if let Some(held) = self.pick(node, pick) {
                    self.send(held, server).await;
                }
            }
            Step::Mark { node, pick } => {
                if let Some(mut held) = self.pick(node, pick) {
                    held.marked = held.marked || self.mark(&held.claimed).await;
                    if held.marked {
                        self.nodes[node].push(held);
                    }
                }
            }
            Step::Refuse { node, pick } => {
                if let Some(held) = self.pick(node, pick) {
                    if held.marked {
                        self.of(&held.claimed).allowances += 1;
                    }
                    self.finish(&held.claimed, &self.later()).await;
                }
            }
            Step::Crash { node } => self.nodes[node].clear(),
            Step::Wait { seconds } => self.now += SignedDuration::from_secs(seconds),
            Step::Recover => drop(self.store.recover(self.now).await.unwrap()),
            Step::Retry { number } => {
                let id = mail(number).id;
                let before = self.store.message(id).await.unwrap().unwrap().state;
                if self.store.retry(id, self.now).await.unwrap() {
                    let truth = self.truth.entry(id).or_default();
                    truth.allowances += 1;
                    truth.risked += u32::from(before == MessageState::Unknown);
                }
            }
        }
    }

    fn pick(&mut self, node: usize, pick: usize) -> Option<Held> {
        let held = &mut self.nodes[node];
        (!held.is_empty()).then(|| held.swap_remove(pick % held.len()))
    }

    fn of(&mut self, claimed: &Claimed) -> &mut Truth {
        self.truth.entry(claimed.message.id).or_default()
    }

    fn later(&self) -> Outcome {
        Outcome::Retry { detail: "later".to_owned(), at: self.now + SignedDuration::from_secs(3) }
    }

    async fn mark(&mut self, claimed: &Claimed) -> bool {
        let marked = self.store.hand_over(claimed.message.id, claimed.attempt).await.unwrap();
        self.of(claimed).handed_over += u32::from(marked);
        marked
    }

    async fn finish(&self, claimed: &Claimed, outcome: &Outcome) {
        self.store.finish(claimed.message.id, claimed.attempt, self.now, outcome).await.unwrap();
    }

    async fn send(&mut self, held: Held, server: Server) {
        let Held { claimed, marked } = held;
        if !marked && !self.mark(&claimed).await {
            return;
        }
        let detail = "the server's words".to_owned();
        let (heard, outcome) = match server {
            Server::Accepts { heard } => {
                self.of(&claimed).accepted += 1;
                (heard, Outcome::Sent { detail })
            }
            Server::RefusesForNow { heard } => (heard, self.later()),
            Server::RefusesForGood { heard } => (heard, Outcome::Failed { detail }),
        };
        if heard && matches!(server, Server::RefusesForNow { .. }) {
            self.of(&claimed).allowances += 1;
        }
        let unheard = Outcome::Unknown { detail: "no answer".to_owned() };
        self.finish(&claimed, if heard { &outcome } else { &unheard }).await;
    }

    /// What must hold whenever one looks.
    async fn check(&self) {
        let page = LedgerPage { after: None, limit: 100 };
        let entries = self.store.messages_in(&LedgerFilter::default(), page).await.unwrap();
        assert_eq!(entries.len(), usize::try_from(MESSAGES).unwrap(), "none is lost");
        for entry in entries {
            let Some(truth) = self.truth.get(&entry.message.id) else {
                assert!(entry.state != MessageState::Sent, "nothing of it ever left");
                continue;
            };
            assert!(truth.handed_over <= 1 + truth.allowances, "handed over again by itself: {entry:?}");
            assert!(truth.accepted <= 1 + truth.risked, "accepted twice by itself: {entry:?}");
            assert!(entry.state != MessageState::Sent || truth.accepted > 0, "never accepted: {entry:?}");
            let open = matches!(entry.state, MessageState::Intended | MessageState::Failed);
            assert!(!open || truth.accepted <= truth.risked, "accepted, and to be sent again: {entry:?}");
        }
    }

    /// The nodes that are left send what there is, to a server that takes all.
    async fn drain(&mut self) {
        for node in 0..NODES {
            self.take(Step::Crash { node }).await;
        }
        for _ in 0..2 {
            self.take(Step::Wait { seconds: 20 }).await;
            self.take(Step::Recover).await;
            self.take(Step::Claim { node: 0, limit: 100 }).await;
            while let Some(held) = self.pick(0, 0) {
                self.send(held, Server::Accepts { heard: true }).await;
            }
        }
        let filter = LedgerFilter::default();
        for entry in self.store.messages_in(&filter, LedgerPage { after: None, limit: 100 }).await.unwrap() {
            let settled =
                matches!(entry.state, MessageState::Sent | MessageState::Failed | MessageState::Unknown);
            assert!(settled, "it is forgotten: {entry:?}");
        }
    }
}

/// Runs many interleavings, each on a work store of its own.
pub(crate) fn check<S, K, F>(runtime: &Runtime, fresh: impl Fn() -> F)
where
    S: WorkStore,
    F: Future<Output = (S, K)>,
{
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(48) });
    let steps = proptest::collection::vec(step(), 1..60);
    let passed = runner.run(&steps, |steps| {
        runtime.block_on(async {
            let (store, _keep) = fresh().await;
            let mails: Vec<_> = (1..=MESSAGES).map(mail).collect();
            intend(&store, &mails).await;
            let nodes = (0..NODES).map(|_| Vec::new()).collect();
            let mut model = Model { store: &store, now: at(0), nodes, truth: BTreeMap::new() };
            for step in steps {
                model.take(step).await;
                model.check().await;
            }
            model.drain().await;
            model.check().await;
            store.close().await;
        });
        Ok(())
    });
    passed.unwrap();
}

//! A simulated sender: takes messages from the ledger step by step as the real ones do, hands them to a simulated server, and
//! may be held or killed between any two steps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dossier_commands::Clock;
use dossier_processes::notifications::ledger::{Channel, Claimed, MessageId, Outcome};
use dossier_processes::work_store::WorkStore;
use jiff::SignedDuration;
use tokio::task::JoinHandle;

use crate::nodes::{Free, Ground};
use crate::part::{Fate, Part};

/// How long a sender that is gone keeps its messages waiting.
const LEASE: SignedDuration = SignedDuration::from_secs(10);
/// How long a sender waits that has nothing to do or met trouble.
const PAUSE: Duration = Duration::from_millis(250);

/// What the other side has accepted, and how often.
#[derive(Default)]
pub struct Server {
    accepted: Mutex<BTreeMap<MessageId, usize>>,
}

impl Server {
    fn accept(&self, id: MessageId) {
        *self.accepted.lock().expect("no holder of the lock panics").entry(id).or_default() += 1;
    }

    /// How often it has accepted a message.
    pub fn accepted(&self, id: MessageId) -> usize {
        self.accepted.lock().expect("no holder of the lock panics").get(&id).copied().unwrap_or(0)
    }
}

/// A process that sends.
pub struct SenderNode {
    /// Its part.
    pub part: Arc<Part>,
    task: JoinHandle<()>,
}

impl SenderNode {
    /// A process that has just started.
    pub fn start(ground: &Ground, server: &Arc<Server>, free: &Free, name: &str) -> Self {
        let part = Part::new(&ground.world, name);
        let (work, clock) = (ground.work.seen_by(&part), ground.clock(&part));
        let sender = Sender { part: part.clone(), work, clock, server: server.clone() };
        Self { part, task: free.spawn(sender.run()) }
    }
}

impl Drop for SenderNode {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Sender {
    part: Arc<Part>,
    work: Arc<dyn WorkStore>,
    clock: Clock,
    server: Arc<Server>,
}

impl Sender {
    async fn run(self) {
        loop {
            let now = (self.clock)();
            let recovered = self.work.recover(now).await.is_ok();
            let limit = self.part.random(|random| random.u32(1..6));
            let claimed =
                self.work.claim(Channel::Email, &self.part.name, now, now + LEASE, limit, &[]).await;
            let claimed = claimed.unwrap_or_default();
            if !recovered || claimed.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
            for message in claimed {
                self.send(&message).await;
            }
        }
    }

    async fn send(&self, Claimed { message, attempt, .. }: &Claimed) {
        let id = message.id;
        let later = || (self.clock)() + SignedDuration::from_secs(2);
        if self.part.chance(10) {
            return self
                .finish(id, *attempt, Outcome::Retry { detail: "not reached".to_owned(), at: later() })
                .await;
        }
        if self.work.hand_over(id, *attempt).await != Ok(true) {
            return;
        }
        self.part.point().await;
        let outcome = match self.part.fate() {
            Fate::Fine => {
                self.server.accept(id);
                Outcome::Sent { detail: String::new() }
            }
            Fate::Refused if self.part.chance(20) => Outcome::Failed { detail: "refused".to_owned() },
            Fate::Refused => Outcome::Retry { detail: "refused for now".to_owned(), at: later() },
            Fate::AnswerLost => {
                if self.part.chance(50) {
                    self.server.accept(id);
                }
                Outcome::Unknown { detail: "no answer".to_owned() }
            }
        };
        self.part.says(&format!("{id}, attempt {attempt}: {outcome:?}"));
        self.part.point().await;
        self.finish(id, *attempt, outcome).await;
    }

    /// Writes an outcome down, until that is answered.
    async fn finish(&self, id: MessageId, attempt: u32, outcome: Outcome) {
        while self.work.finish(id, attempt, (self.clock)(), &outcome).await.is_err() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

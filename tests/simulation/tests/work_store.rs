//! The simulated work store answers as the one in SQLite does, whatever is asked of it in whatever order.

use std::sync::Arc;
use std::time::Duration;

use dossier_domain::case::{Timer, TimerKind};
use dossier_domain::{AccountId, CaseId, CommandId, OrganizationId};
use dossier_eventlog::{EventId, Position, Revision};
use dossier_processes::notifications::ledger::{
    Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage, MessageId, MessageState,
    Outcome, Recipient,
};
use dossier_processes::work_store::{CaseTimers, SetTimer, SqliteWorkStore, WorkCheckpoint, WorkStore};
use dossier_simulation::part::Part;
use dossier_simulation::work::Work;
use dossier_simulation::world::World;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

const SEEDS: u64 = 8;
const STEPS: u32 = 150;
const PROCESSES: [&str; 2] = ["timers", "notifications"];
const CHANNELS: [Channel; 2] = [Channel::Email, Channel::Webhook];

fn checkpoint(position: u64) -> WorkCheckpoint {
    let event_id = (position > 0).then(|| EventId(Uuid::from_u128(u128::from(position))));
    WorkCheckpoint { log_id: Uuid::from_u128(1), position: Position(position), event_id }
}

/// What both stores are asked, drawn from one seed.
struct Questions {
    random: fastrand::Rng,
    now: Timestamp,
    stands_at: [u64; 2],
}

impl Questions {
    fn process(&mut self) -> (&'static str, WorkCheckpoint, WorkCheckpoint) {
        let index = self.random.usize(0..2);
        let from = self.stands_at[index];
        if self.random.u32(0..10) == 0 {
            // It was overtaken.
            return (PROCESSES[index], checkpoint(from + 1_000), checkpoint(from + 1));
        }
        self.stands_at[index] += 1;
        (PROCESSES[index], checkpoint(from), checkpoint(from + 1))
    }

    fn soon(&mut self) -> Timestamp {
        self.now
            + SignedDuration::from_nanos(self.random.i64(-20..20) * 1_000_000_000 + self.random.i64(0..2))
    }

    fn timers(&mut self) -> CaseTimers {
        let case = CaseId::derived(CommandId(Uuid::from_u128(self.random.u128(0..4))));
        let kinds = [TimerKind::ResponseMiss, TimerKind::ReopenWindowEnd, TimerKind::AutomaticClosing];
        let timers = kinds[..self.random.usize(0..=3)].iter().map(|kind| {
            let due = self.soon();
            Timer { kind: *kind, due, promised: due, number: self.random.u32(0..3) }
        });
        let timers = timers.collect();
        CaseTimers { case, organization: OrganizationId::new("acme").expect("a plain name"), timers }
    }

    fn message(&mut self) -> IntendedMessage {
        let command_id = CommandId(Uuid::from_u128(self.random.u128(0..200)));
        let channel = CHANNELS[self.random.usize(0..2)];
        let endpoint = format!("hook-{}", self.random.u32(0..2));
        let stream = format!("case-{}", self.random.u32(0..3));
        let by_mail = channel == Channel::Email;
        IntendedMessage {
            id: MessageId::derived(command_id, &stream, &endpoint, channel),
            channel,
            organization: self.random.bool().then(|| "acme".to_owned()),
            command_id,
            first_revision: Revision(1),
            last_revision: Revision(2),
            position: Position(self.random.u64(1..30)),
            kind: "case_commented".to_owned(),
            reason: "filer".to_owned(),
            recipient: if by_mail {
                Recipient::Account(AccountId::derived(command_id))
            } else {
                Recipient::Endpoint(endpoint.clone())
            },
            language: "en".to_owned(),
            ordering_key: (!by_mail).then(|| format!("{endpoint}/{stream}")),
            intended_at: self.now,
            stream,
        }
    }

    fn outcome(&mut self) -> Outcome {
        let detail = "said".to_owned();
        match self.random.u32(0..5) {
            0 => Outcome::Sent { detail },
            1 => Outcome::Retry { detail, at: self.now + SignedDuration::from_secs(2) },
            2 => Outcome::Failed { detail },
            3 => Outcome::Unknown { detail },
            _ => Outcome::Withheld { detail },
        }
    }
}

/// The words that are noted of an attempt that was given up are the store's own.
fn told(entry: &LedgerEntry) -> String {
    let attempts = entry.attempts.iter().map(|attempt| (attempt.number, attempt.at, attempt.outcome));
    format!("{:?} {:?} {:?} {:?}", entry.message, entry.state, entry.due, attempts.collect::<Vec<_>>())
}

/// Asks one question; answers what came back, and what was claimed.
async fn ask(
    store: &dyn WorkStore,
    seed: u64,
    stands_at: [u64; 2],
    now: Timestamp,
    held: &[Claimed],
) -> Asked {
    let mut questions = Questions { random: fastrand::Rng::with_seed(seed), now, stands_at };
    let mut claimed = Vec::new();
    let which = questions.random.u32(0..17);
    let some = questions.random.usize(0..held.len().max(1));
    let of_held = held.get(some).map(|claimed| (claimed.message.id, claimed.attempt));
    let (id, attempt) = of_held.unwrap_or((MessageId(Uuid::nil()), 1));
    let channel = CHANNELS[questions.random.usize(0..2)];
    let answer = match which {
        0 => {
            let (process, from, to) = questions.process();
            format!("{:?}", store.advance(process, Some(&from), &to).await)
        }
        1 | 2 => {
            let (process, from, to) = questions.process();
            let cases = [questions.timers(), questions.timers()];
            format!("{:?}", store.set_timers(process, &from, &to, &cases).await)
        }
        3 if questions.random.u32(0..4) == 0 => {
            let (process, from, to) = questions.process();
            format!("{:?}", store.forget_timers(process, Some(&from), &to).await)
        }
        3 | 4 => format!("{:?}", store.due_timers(now, questions.random.u32(1..5)).await),
        5 => match store.due_timers(Timestamp::MAX, 3).await.unwrap_or_default().pop() {
            Some(SetTimer { case, organization, timer }) => {
                format!("{:?}", store.remove_timer(&SetTimer { case, organization, timer }).await)
            }
            None => String::new(),
        },
        6 => format!("{:?} {:?}", store.next_due().await, store.count_timers().await),
        7 => {
            let holder = ["a", "b"][questions.random.usize(0..2)];
            let ttl = SignedDuration::from_secs(questions.random.i64(1..6));
            format!("{holder} {:?}", store.take_lease("lease", holder, now, ttl).await)
        }
        8 => format!("{:?}", store.release_lease("lease", ["a", "b"][questions.random.usize(0..2)]).await),
        9 | 10 => {
            let (process, from, to) = questions.process();
            let messages: Vec<_> = (0..4).map(|_| questions.message()).collect();
            format!("{:?}", store.intend(process, &from, &to, &messages).await)
        }
        11 | 12 => {
            let except = if questions.random.bool() { vec!["hook-1".to_owned()] } else { Vec::new() };
            let until = now + SignedDuration::from_secs(questions.random.i64(1..8));
            let limit = questions.random.u32(1..4);
            claimed = store.claim(channel, "node", now, until, limit, &except).await.unwrap_or_default();
            format!("{claimed:?}")
        }
        13 => format!("{:?}", store.hand_over(id, attempt).await),
        14 => format!("{:?}", store.finish(id, attempt, now, &questions.outcome()).await),
        15 => format!("{:?}", store.recover(now).await),
        _ => format!("{:?} {:?}", store.retry(id, now).await, store.next_message_due(channel).await),
    };
    Asked { which, answer, claimed, stands_at: questions.stands_at }
}

struct Asked {
    which: u32,
    answer: String,
    claimed: Vec<Claimed>,
    stands_at: [u64; 2],
}

async fn everything(store: &dyn WorkStore) -> Vec<String> {
    let mut all = vec![
        format!("{:?}", store.due_timers(Timestamp::MAX, 100).await),
        format!("{:?}", store.message_counts().await),
    ];
    for process in PROCESSES {
        all.push(format!("{:?}", store.checkpoint(process).await));
    }
    for filter in [
        LedgerFilter::default(),
        LedgerFilter { stream: Some("case-1".to_owned()), ..LedgerFilter::default() },
        LedgerFilter { state: Some(MessageState::Unknown), ..LedgerFilter::default() },
        LedgerFilter { channel: Some(Channel::Email), ..LedgerFilter::default() },
        LedgerFilter { endpoint: Some("hook-1".to_owned()), ..LedgerFilter::default() },
    ] {
        let page = LedgerPage { after: Some((Position(2), MessageId(Uuid::nil()))), limit: 100 };
        all.extend(store.messages_in(&filter, page).await.iter().flatten().map(told));
    }
    all
}

async fn compare(seed: u64, sqlite: &dyn WorkStore, simulated: &dyn WorkStore) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut now = Timestamp::from_second(1_800_000_000).expect("an instant");
    let mut stands_at = [0, 0];
    let mut held: Vec<Claimed> = Vec::new();
    for process in PROCESSES {
        for store in [sqlite, simulated] {
            store.advance(process, None, &checkpoint(0)).await.expect("the first one");
        }
    }
    for step in 0..STEPS {
        let question = random.u64(..);
        let one = ask(sqlite, question, stands_at, now, &held).await;
        let other = ask(simulated, question, stands_at, now, &held).await;
        assert_eq!(one.answer, other.answer, "seed {seed}, step {step}, question {}", one.which);
        stands_at = one.stands_at;
        held.extend(one.claimed);
        held.drain(..held.len().saturating_sub(6));
        now += SignedDuration::from_millis(random.i64(0..2_000));
        if step % 10 == 0 {
            assert_eq!(everything(sqlite).await, everything(simulated).await, "seed {seed}, step {step}");
        }
    }
    let messages =
        simulated.messages_in(&LedgerFilter::default(), LedgerPage { after: None, limit: 1 }).await;
    assert!(!messages.expect("it answers").is_empty(), "there was something to compare");
}

#[test]
fn the_simulated_work_store_answers_as_sqlite_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for seed in 0..SEEDS {
            let folder = tempfile::tempdir().expect("a folder");
            let sqlite = SqliteWorkStore::open(&folder.path().join("work.db")).await.expect("a file");
            let simulated = Arc::new(Work::default());
            let part = Part::new(&Arc::new(World::new(seed, Duration::ZERO)), "asks");
            compare(seed, &sqlite, &*simulated.seen_by(&part)).await;
            sqlite.close().await;
        }
    });
}

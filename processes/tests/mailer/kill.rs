//! A mailer in a process of its own that is killed at every step of sending (R-NOTIFY-2).

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::Stdio;

use dossier_processes::notifications::ledger::{AttemptOutcome, MessageState};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::rig::{self, StoppedClock, Words, address, settled, wait_until};
use crate::smtp::MailServer;

const MESSAGES: u64 = 1_000;
const CONNECTIONS: usize = 3;
/// Seconds by which each process's clock is ahead of the one before it: all its leases have ended.
const LATER: i64 = 600;
/// Steps after which the first processes are killed, each at the first time.
const STEPS: [&str; 6] = ["CONNECT", "MAIL", "RCPT", "DATA", "CONTENT", "ACCEPTED"];
/// Processes killed at random besides.
const RANDOM_ROUNDS: u64 = 24;
/// Steps within which such a process is killed.
const MOST_STEPS: u64 = 240;
/// What the killed process is told by: its ledger, its server and its clock.
const TOLD: [&str; 3] = ["DOSSIER_MAIL_CHILD_LEDGER", "DOSSIER_MAIL_CHILD_SERVER", "DOSSIER_MAIL_CHILD_NOW"];

/// The process that is killed: this test, told to be one. Told nothing, it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_process() {
    let [Ok(ledger), Ok(server), Ok(now)] = TOLD.map(std::env::var) else { return };
    let work = rig::store(Path::new(&ledger)).await;
    let clock = StoppedClock::at(now.parse().unwrap());
    let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
    rig::keep(work.clone(), &clock, &cancel, &mut tasks);
    let mut mailer = rig::mailer(work, &server, Words::default(), &clock);
    mailer.pace.connections = NonZeroUsize::new(CONNECTIONS).unwrap();
    mailer.start(&cancel, &mut tasks);
    while tasks.join_next().await.is_some() {}
}

/// A mailer in a process of its own, on a ledger, with this address of a server.
pub(crate) fn mailer(ledger: &Path, url: &str, now: i64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "kill::killed_process"]).stdout(Stdio::null()).kill_on_drop(true);
    command.env(TOLD[0], ledger).env(TOLD[1], url).env(TOLD[2], now.to_string());
    command
}

fn start(ledger: &Path, server: &MailServer, now: i64) -> Child {
    mailer(ledger, &server.url(), now).spawn().unwrap()
}

/// Numbers that look random, the same for a seed.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_of_a_mailer_killed_at_every_step_no_mail_is_lost_and_none_is_sent_twice() {
    let seed = std::env::var("DOSSIER_MAIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("DOSSIER_MAIL_SEED={seed}");
    let mut numbers = Numbers(seed | 1);
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("work.db");
    let work = rig::store(&ledger).await;
    rig::intend(&*work, MESSAGES).await;
    let mut server = MailServer::start().await;
    let mut now = 0;
    for step in STEPS {
        let mut child = start(&ledger, &server, now);
        while !server.next_step().await.starts_with(step) {}
        child.kill().await.unwrap();
        now += LATER;
        server.steps();
    }
    for _ in 0..RANDOM_ROUNDS {
        let mut child = start(&ledger, &server, now);
        for _ in 0..=numbers.below(MOST_STEPS) {
            server.next_step().await;
        }
        child.kill().await.unwrap();
        now += LATER;
        server.steps();
    }
    let before = rig::entries(&*work).await;
    assert!(before.iter().any(|entry| !settled(entry)), "there was something left to lose");
    let mut last = start(&ledger, &server, now);
    let entries = wait_until(&*work, |entries| entries.iter().all(settled)).await;
    last.kill().await.unwrap();

    let mut accepted: BTreeMap<String, u32> = BTreeMap::new();
    for mail in server.mails() {
        *accepted.entry(mail.to().to_owned()).or_default() += 1;
    }
    assert_eq!(entries.len(), usize::try_from(MESSAGES).unwrap());
    let (mut unknown, mut interrupted) = (0, 0);
    for entry in &entries {
        let reader = address(entry.message.position.0);
        let times = accepted.get(&reader).copied().unwrap_or(0);
        interrupted +=
            entry.attempts.iter().filter(|made| made.outcome == AttemptOutcome::Interrupted).count();
        match entry.state {
            MessageState::Sent => assert_eq!(times, 1, "{reader}: {entry:?}"),
            MessageState::Unknown => {
                assert!(times <= 1, "{reader}: {entry:?}");
                unknown += 1;
            }
            _ => panic!("{reader}: {entry:?}"),
        }
    }
    let kills = STEPS.len() + usize::try_from(RANDOM_ROUNDS).unwrap();
    println!("{kills} kills: {unknown} unknown, {interrupted} interrupted before they were handed over");
    assert!(unknown > 0 && interrupted > 0, "the kills hit both sides of the mark");
    // Of each connection one that was under way, and one before it whose outcome was being written down.
    assert!(unknown <= kills * CONNECTIONS * 2, "no more than were under way");
}

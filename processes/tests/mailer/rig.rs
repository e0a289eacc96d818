//! A ledger, a mailer on it and what it may say, on a clock that the tests set.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use dossier_domain::{AccountId, CommandId};
use dossier_eventlog::{Entropy, EventId, Position, Revision};
use dossier_processes::notifications::keeper;
use dossier_processes::notifications::ledger::{
    AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage, MessageId,
    MessageState, Recipient,
};
use dossier_processes::notifications::mailer::{
    Compose, ComposeError, Composed, MailPace, Mailer, MailerStatus, OutgoingMail, SmtpServer,
};
use dossier_processes::notifications::templates::{Templates, Values};
use dossier_processes::work_store::{SqliteWorkStore, WorkCheckpoint, WorkStore};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How a mailer gets on.
pub(crate) type Status = MailerStatus;

const PROCESS: &str = "fan-out";
/// How long something may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A mail about the event at a position, to an address that has this number.
pub(crate) fn message(number: u64) -> IntendedMessage {
    let command_id = CommandId(Uuid::from_u128(u128::from(number)));
    let account = AccountId::derived(command_id);
    IntendedMessage {
        id: MessageId::derived(command_id, "case-1", &account.to_string(), Channel::Email),
        channel: Channel::Email,
        stream: "case-1".to_owned(),
        organization: Some("acme".to_owned()),
        command_id,
        first_revision: Revision(1),
        last_revision: Revision(1),
        position: Position(number),
        kind: "case_commented".to_owned(),
        reason: "filer".to_owned(),
        recipient: Recipient::Account(account),
        language: "en".to_owned(),
        ordering_key: None,
        intended_at: Timestamp::UNIX_EPOCH,
    }
}

/// The address of the message of a number.
pub(crate) fn address(number: u64) -> String {
    format!("reader-{number}@acme.example")
}

/// What the mails of the tests say; some are told to fail by their numbers.
pub(crate) struct Words {
    pub(crate) templates: Templates,
    pub(crate) values: Values,
    pub(crate) name: Option<String>,
    /// Number of a message whose reader may no longer see it.
    pub(crate) withheld: u64,
    /// Number of one that cannot be put into words.
    pub(crate) damaged: u64,
    /// How often the read models are away before each message can be put into words.
    pub(crate) away: AtomicU64,
}

impl Default for Words {
    fn default() -> Self {
        let values = Values {
            title: "Mail is late".to_owned(),
            reference: "1".to_owned(),
            reason: "filer".to_owned(),
            ..Values::default()
        };
        let (withheld, damaged) = (u64::MAX, u64::MAX);
        let templates = Templates::built_in();
        Self { templates, values, name: None, withheld, damaged, away: AtomicU64::new(0) }
    }
}

#[async_trait]
impl Compose for Words {
    async fn compose(&self, claimed: &Claimed) -> Result<Composed, ComposeError> {
        let number = claimed.message.position.0;
        if number == self.withheld {
            return Ok(Composed::Withheld("not_visible"));
        }
        if number == self.damaged {
            return Err(ComposeError::Damaged("of jo@acme.example nothing is left".to_owned()));
        }
        let left = self.away.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() {
            return Err(ComposeError::Unavailable("the log is away".to_owned()));
        }
        let rendered = self.templates.render(&claimed.message.kind, &claimed.message.language, &self.values);
        Ok(Composed::Mail(Box::new(OutgoingMail {
            to: address(number),
            to_name: self.name.clone(),
            rendered: rendered.map_err(|error| ComposeError::Damaged(error.to_string()))?,
            unsubscribe_url: Some("https://support.example/unsubscribe/1".to_owned()),
        })))
    }
}

/// A clock that stands still unless it is moved.
#[derive(Clone)]
pub(crate) struct StoppedClock(Arc<AtomicI64>);

impl StoppedClock {
    pub(crate) fn at(second: i64) -> Self {
        Self(Arc::new(AtomicI64::new(second)))
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn forward(&self, by: SignedDuration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

/// The pace of the tests: as fast as it goes.
pub(crate) fn fast() -> MailPace {
    MailPace {
        per_second: NonZeroU32::new(100_000).unwrap(),
        connections: NonZeroUsize::new(1).unwrap(),
        poll: Duration::from_millis(5),
        shortest_pause: SignedDuration::from_millis(1),
        longest_pause: SignedDuration::from_millis(10),
        grace: Duration::from_millis(50),
        ..MailPace::default()
    }
}

/// A mailer on a store, with this address of a server.
pub(crate) fn mailer(work: Arc<dyn WorkStore>, url: &str, words: Words, clock: &StoppedClock) -> Mailer {
    let clock = clock.clone();
    let entropy: Entropy = Arc::new(|bytes| bytes.fill(7));
    Mailer {
        work,
        compose: Arc::new(words),
        server: SmtpServer::parse(url).unwrap(),
        from: "Support <support@dossier.example>".parse().unwrap(),
        clock: Arc::new(move || clock.now()),
        entropy,
        node: "node-1".to_owned(),
        pace: fast(),
    }
}

/// Opens a store at a path.
pub(crate) async fn store(path: &Path) -> Arc<dyn WorkStore> {
    Arc::new(SqliteWorkStore::open(path).await.unwrap())
}

/// Intends messages from 1 to a number.
pub(crate) async fn intend(work: &dyn WorkStore, last: u64) {
    let checkpoint = |position: u64| WorkCheckpoint {
        log_id: Uuid::from_u128(1),
        position: Position(position),
        event_id: Some(EventId(Uuid::from_u128(1))),
    };
    work.advance(PROCESS, None, &checkpoint(0)).await.unwrap();
    let messages: Vec<_> = (1..=last).map(message).collect();
    work.intend(PROCESS, &checkpoint(0), &checkpoint(1), &messages).await.unwrap();
}

/// All messages, in order.
pub(crate) async fn entries(work: &dyn WorkStore) -> Vec<LedgerEntry> {
    let all = LedgerPage { after: None, limit: u32::MAX };
    work.messages_in(&LedgerFilter::default(), all).await.unwrap()
}

/// Waits until the ledger is as wanted; answers it.
pub(crate) async fn wait_until(
    work: &dyn WorkStore,
    wanted: impl Fn(&[LedgerEntry]) -> bool,
) -> Vec<LedgerEntry> {
    let waiting = async {
        loop {
            let entries = entries(work).await;
            if wanted(&entries) {
                return entries;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if let Ok(entries) = tokio::time::timeout(PATIENCE, waiting).await {
        return entries;
    }
    panic!("the ledger stays as it is: {:#?}", entries(work).await)
}

/// Whether nothing is under way or due.
pub(crate) fn settled(entry: &LedgerEntry) -> bool {
    !matches!(entry.state, MessageState::Intended | MessageState::Sending)
}

/// A ledger with a running mailer.
pub(crate) struct Rig {
    pub(crate) work: Arc<dyn WorkStore>,
    pub(crate) clock: StoppedClock,
    pub(crate) status: watch::Receiver<MailerStatus>,
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    _folder: TempDir,
}

impl Rig {
    /// So many messages, and a mailer that is changed before it starts.
    pub(crate) async fn start(
        url: &str,
        messages: u64,
        words: Words,
        change: impl FnOnce(&mut Mailer),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let work = store(&folder.path().join("work.db")).await;
        intend(&*work, messages).await;
        let clock = StoppedClock::at(0);
        let (cancel, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let mut mailer = mailer(work.clone(), url, words, &clock);
        change(&mut mailer);
        let status = mailer.start(&cancel, &mut tasks);
        Self { work, clock, status, cancel, tasks, _folder: folder }
    }

    /// Waits until everything is settled.
    pub(crate) async fn settled(&self) -> Vec<LedgerEntry> {
        wait_until(&*self.work, |entries| entries.iter().all(settled)).await
    }

    /// Waits until the message of a number had so many attempts.
    pub(crate) async fn tried(&self, number: u64, attempts: usize) -> LedgerEntry {
        let id = message(number).id;
        let has = |entry: &LedgerEntry| entry.message.id == id && entry.attempts.len() >= attempts;
        let entries = wait_until(&*self.work, |entries| entries.iter().any(has)).await;
        entries.into_iter().find(|entry| entry.message.id == id).unwrap()
    }

    /// Stops the mailer as a process does.
    pub(crate) async fn stop(&mut self) {
        self.cancel.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }

    /// Looks after what gone nodes held, at a time when all leases have ended.
    pub(crate) async fn recover(&self) {
        self.clock.forward(SignedDuration::from_hours(1));
        self.work.recover(self.clock.now()).await.unwrap();
    }
}

/// How attempts ended, and with which words.
pub(crate) fn attempts(entry: &LedgerEntry) -> Vec<(AttemptOutcome, &str)> {
    entry.attempts.iter().map(|attempt| (attempt.outcome, attempt.detail.as_str())).collect()
}

/// Starts the keeper of a ledger.
pub(crate) fn keep(
    work: Arc<dyn WorkStore>,
    clock: &StoppedClock,
    cancel: &CancellationToken,
    tasks: &mut JoinSet<()>,
) {
    let clock = clock.clone();
    keeper::start(work, Arc::new(move || clock.now()), cancel, tasks);
}

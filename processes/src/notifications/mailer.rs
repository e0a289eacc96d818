//! Sends mails (R-NOTIFY-2): takes what is intended from the ledger, has it put into words, and hands it over step by step.
//!
//! What makes it once: the ledger marks a message between RCPT and DATA, durably. Whatever is lost before the mark is tried
//! again; what is lost after the mark and before the server's answer is written down is unknown, and an operator decides. A
//! server's refusal of a recipient (5xx) fails that message and no other; every other trouble is tried again, for two days.
//!
//! Each process sends by a few connections, paced together; any number of processes may share a ledger.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dossier_commands::Clock;
use dossier_eventlog::Entropy;
use jiff::SignedDuration;
use lettre::message::Mailbox;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::ledger::Claimed;
use crate::work_store::WorkStore;

mod connection;
mod mail;
mod pace;
mod worker;

pub use connection::{BadSmtpUrl, SmtpServer};
pub use mail::OutgoingMail;
use pace::Pacer;
use worker::Worker;

/// What becomes of a message when it is put into words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Composed {
    /// It is sent.
    Mail(Box<OutgoingMail>),
    /// It is not: its reader may no longer see what it is about, wants no mails, or is gone (R-NOTIFY-3).
    Withheld(&'static str),
}

/// Why a message was not put into words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// What it is about cannot be read now; it is tried again.
    #[error("{0}")]
    Unavailable(String),
    /// It never can; the message fails.
    #[error("{0}")]
    Damaged(String),
}

/// Puts a message into words, when it is about to be sent.
#[async_trait]
pub trait Compose: Send + Sync + 'static {
    /// Looks up at once what putting each of some messages into words would look up one by one. Nothing depends on it.
    async fn prepare(&self, _claimed: &[Claimed]) {}

    /// The mail, unless it must not be sent any more.
    ///
    /// # Errors
    /// [`ComposeError`] says whether it is worth trying again.
    async fn compose(&self, claimed: &Claimed) -> Result<Composed, ComposeError>;
}

/// The times and amounts by which mails are sent.
#[derive(Clone, Copy, Debug)]
pub struct MailPace {
    /// Most messages a second, of this process.
    pub per_second: NonZeroU32,
    /// Connections to the server, of this process.
    pub connections: NonZeroUsize,
    /// How long a process that is gone keeps its messages waiting.
    pub lease: SignedDuration,
    /// How often the ledger is looked at while there is nothing to do.
    pub poll: Duration,
    /// First pause when the server cannot be reached; it doubles.
    pub shortest_pause: SignedDuration,
    /// Longest such pause.
    pub longest_pause: SignedDuration,
    /// How long a connection is kept that has nothing to do.
    pub idle: Duration,
    /// How long a message is tried before it is given up.
    pub give_up: SignedDuration,
    /// How long a message that is on its way may take when the process stops.
    pub grace: Duration,
}

impl Default for MailPace {
    fn default() -> Self {
        Self {
            per_second: NonZeroU32::new(20).expect("not zero"),
            connections: NonZeroUsize::new(2).expect("not zero"),
            lease: SignedDuration::from_mins(2),
            poll: Duration::from_millis(250),
            shortest_pause: SignedDuration::from_secs(1),
            longest_pause: SignedDuration::from_mins(1),
            idle: Duration::from_secs(20),
            give_up: SignedDuration::from_hours(48),
            grace: Duration::from_secs(5),
        }
    }
}

/// How sending gets on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailerStatus {
    /// The last trouble with the server or the work store that it is trying to get over; `None` once it has. Not what became
    /// of single messages: the ledger keeps that.
    pub last_error: Option<String>,
}

/// Sends the mails that a ledger holds.
pub struct Mailer {
    /// The ledger.
    pub work: Arc<dyn WorkStore>,
    /// Puts them into words.
    pub compose: Arc<dyn Compose>,
    /// The mail server.
    pub server: SmtpServer,
    /// As whom they are sent; its domain is that of the messages' ids.
    pub from: Mailbox,
    /// Now.
    pub clock: Clock,
    /// Randomness, for pauses.
    pub entropy: Entropy,
    /// This process among those that share the ledger.
    pub node: String,
    /// How fast.
    pub pace: MailPace,
}

impl Mailer {
    /// Starts it among other tasks; it runs until cancelled. The status tells how it gets on.
    pub fn start(self, cancel: &CancellationToken, tasks: &mut JoinSet<()>) -> watch::Receiver<MailerStatus> {
        let (sender, status) = watch::channel(MailerStatus::default());
        let shared = Arc::new(Shared {
            pacer: Mutex::new(Pacer::new(self.pace.per_second)),
            status: sender,
            cancel: cancel.clone(),
            mailer: self,
        });
        for _ in 0..shared.mailer.pace.connections.get() {
            tasks.spawn(Worker::new(shared.clone()).run());
        }
        status
    }
}

/// What the connections of a mailer share.
struct Shared {
    mailer: Mailer,
    pacer: Mutex<Pacer>,
    status: watch::Sender<MailerStatus>,
    cancel: CancellationToken,
}

//! One connection's work: claim, put into words, hand over, write down.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::connection::{Connection, Refusal, without_addresses};
use super::mail::{Letter, letter};
use super::pace::{backoff, doubled, jittered};
use super::{ComposeError, Composed, MailPace, Mailer, Shared};
use crate::notifications::ledger::{Channel, Claimed, MessageId, Outcome};
use crate::work_store::WorkStoreError;

/// Seconds of sending that are claimed at once, so that the lease lasts.
const CLAIMED_SECONDS: usize = 5;
/// Most messages claimed at once.
const MAX_CLAIMED: usize = 50;
/// Pause before an outcome that could not be written down is written again.
const NOTE_AGAIN: Duration = Duration::from_millis(250);

/// How an attempt ended.
enum Ended {
    /// With this outcome.
    With(Outcome),
    /// Nowhere: the message is no longer this node's.
    NotOurs,
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    connection: Option<Connection>,
    last_used: Instant,
    /// Troubles in a row.
    troubles: u32,
    /// The outcome that is being written down while the next message is under way.
    noting: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, connection: None, last_used: Instant::now(), troubles: 0, noting: None }
    }

    fn mailer(&self) -> &Mailer {
        &self.shared.mailer
    }

    fn pace(&self) -> MailPace {
        self.mailer().pace
    }

    fn now(&self) -> Timestamp {
        (self.mailer().clock)()
    }

    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.mailer().entropy)(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// Runs until cancelled.
    pub(super) async fn run(mut self) {
        while !self.shared.cancel.is_cancelled() {
            let pause = match self.work().await {
                Ok(pause) => pause,
                Err(why) => Some(self.trouble(why)),
            };
            if let Some(pause) = pause {
                let cancel = self.shared.cancel.clone();
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
        self.noted().await;
        if let Some(connection) = self.connection.take() {
            connection.quit().await;
        }
    }

    /// Sends what is due; answers how long to wait before looking again.
    async fn work(&mut self) -> Result<Option<Duration>, String> {
        let poll = self.pace().poll;
        let due =
            self.mailer().work.next_message_due(Channel::Email).await.map_err(|error| error.to_string())?;
        if due.is_none_or(|due| due > self.now()) {
            if self.last_used.elapsed() > self.pace().idle
                && let Some(connection) = self.connection.take()
            {
                connection.quit().await;
            }
            return Ok(Some(poll));
        }
        // First: a server that cannot be reached costs no message an attempt.
        self.connect().await?;
        let now = self.now();
        let MailPace { per_second, connections, lease, .. } = self.pace();
        let share = usize::try_from(per_second.get()).unwrap_or(MAX_CLAIMED) * CLAIMED_SECONDS / connections;
        let limit = u32::try_from(share.clamp(1, MAX_CLAIMED)).unwrap_or(1);
        let node = &self.mailer().node;
        let claim = self.mailer().work.claim(Channel::Email, node, now, now + lease, limit, &[]);
        let claimed = claim.await.map_err(|error| error.to_string())?;
        let pause = claimed.is_empty().then_some(poll);
        self.mailer().compose.prepare(&claimed).await;
        for claimed in claimed {
            self.attempt(&claimed).await?;
        }
        self.noted().await;
        Ok(pause)
    }

    /// Notes trouble that is nobody's message's; answers how long to pause.
    fn trouble(&mut self, why: String) -> Duration {
        tracing::warn!(server = self.mailer().server.place(), why, "mails wait");
        self.shared.status.send_modify(|status| status.last_error = Some(why));
        let pause = jittered(self.pause(), self.random());
        self.troubles = self.troubles.saturating_add(1);
        pause.unsigned_abs()
    }

    fn pause(&self) -> SignedDuration {
        doubled(self.pace().shortest_pause, self.troubles, self.pace().longest_pause)
    }

    async fn connect(&mut self) -> Result<(), String> {
        if self.connection.is_none() {
            let Mailer { server, from, .. } = self.mailer();
            let place = server.place();
            let connected = server.connect(from.email.domain()).await;
            self.connection = Some(connected.map_err(|why| format!("the mail server {place}: {why}"))?);
        }
        if self.troubles > 0 {
            self.troubles = 0;
            self.shared.status.send_modify(|status| status.last_error = None);
        }
        Ok(())
    }

    /// Tries one message and writes down what it came to.
    async fn attempt(&mut self, claimed: &Claimed) -> Result<(), String> {
        let cancel = self.shared.cancel.clone();
        let grace = self.pace().grace;
        let late = async {
            cancel.cancelled().await;
            tokio::time::sleep(grace).await;
        };
        // Whatever is abandoned here is found by the end of its lease: unknown, if it was handed over.
        let ended = tokio::select! {
            ended = self.deliver(claimed) => ended,
            () = late => {
                self.connection = None;
                return Ok(());
            }
        };
        match ended.map_err(|error| error.to_string())? {
            Ended::With(outcome) => {
                // One at a time: what a crash leaves unknown stays two messages of a connection at most.
                self.noted().await;
                let (shared, id) = (self.shared.clone(), claimed.message.id);
                self.noting = Some(tokio::spawn(note(shared, id, claimed.attempt, outcome)));
            }
            Ended::NotOurs => tracing::debug!(message = %claimed.message.id, "another node has it by now"),
        }
        Ok(())
    }

    async fn deliver(&mut self, claimed: &Claimed) -> Result<Ended, WorkStoreError> {
        if !self.wait_for_slot().await {
            return Ok(Ended::With(
                self.again_after(SignedDuration::ZERO, "not tried: the node was stopped"),
            ));
        }
        let letter = match self.written(claimed).await {
            Ok(letter) => letter,
            Err(outcome) => return Ok(Ended::With(outcome)),
        };
        if let Err(outcome) = self.address(claimed, &letter).await {
            return Ok(Ended::With(outcome));
        }
        let id = claimed.message.id;
        match self.mailer().work.hand_over(id, claimed.attempt).await {
            Ok(true) => {}
            Ok(false) => {
                self.reset().await;
                return Ok(Ended::NotOurs);
            }
            Err(error) => {
                // Nothing has left, whether the mark was set or not.
                self.reset().await;
                return Ok(Ended::With(self.again_after(self.pause(), &error.to_string())));
            }
        }
        self.last_used = Instant::now();
        let outcome = self.hand_over(claimed, &letter).await;
        Ok(Ended::With(outcome))
    }

    /// Waits until another message may leave; answers false when the process is stopped meanwhile.
    async fn wait_for_slot(&self) -> bool {
        let slot = self.shared.pacer.lock().expect("no holder of the lock panics").slot(Instant::now());
        // A timer ends with the next millisecond, however little is asked for.
        if slot <= Instant::now() {
            return !self.shared.cancel.is_cancelled();
        }
        tokio::select! {
            biased;
            () = self.shared.cancel.cancelled() => false,
            () = tokio::time::sleep_until(slot) => true,
        }
    }

    /// The mail, in its form.
    async fn written(&self, claimed: &Claimed) -> Result<Letter, Outcome> {
        let failed = |detail: &str| Outcome::Failed { detail: without_addresses(detail) };
        match self.mailer().compose.compose(claimed).await {
            Ok(Composed::Mail(mail)) => {
                letter(&claimed.message, &mail, &self.mailer().from, self.now()).map_err(|why| failed(&why))
            }
            Ok(Composed::Withheld(why)) => Err(Outcome::Withheld { detail: why.to_owned() }),
            Err(ComposeError::Unavailable(why)) => Err(self.again(claimed, &why)),
            Err(ComposeError::Damaged(why)) => Err(failed(&why)),
        }
    }

    /// Everything before the mark. A connection that ended while it was not used is replaced at once.
    async fn address(&mut self, claimed: &Claimed, letter: &Letter) -> Result<(), Outcome> {
        loop {
            if let Err(why) = self.connect().await {
                return Err(self.again_after(self.pause(), &why));
            }
            let connection = self.connection.as_mut().expect("just connected");
            let used = connection.used;
            let refusal = match connection.sender(&letter.envelope).await {
                Ok(()) => match connection.recipient(&letter.to).await {
                    Ok(()) => return Ok(()),
                    Err(Refusal::ForGood(words)) => {
                        let refusal = Refusal::ForGood(words.clone());
                        self.recover_from(&refusal).await;
                        return Err(Outcome::Failed { detail: words });
                    }
                    Err(refusal) => refusal,
                },
                Err(refusal) => refusal,
            };
            self.recover_from(&refusal).await;
            match refusal {
                Refusal::Lost(_) if used => {}
                // What is wrong with the sender is wrong with the server's or this node's settings, not with the message.
                Refusal::Lost(words) | Refusal::ForNow(words) | Refusal::ForGood(words) => {
                    return Err(self.again(claimed, &words));
                }
            }
        }
    }

    /// Everything after the mark.
    async fn hand_over(&mut self, claimed: &Claimed, letter: &Letter) -> Outcome {
        let connection = self.connection.as_mut().expect("it was addressed over it");
        let asked = connection.ask_for_content().await;
        let (refusal, left) = match asked {
            Ok(()) => match connection.content(&letter.content).await {
                Ok(detail) => return Outcome::Sent { detail },
                Err(refusal) => (refusal, true),
            },
            Err(refusal) => (refusal, false),
        };
        // A refused content ends the message; one refused before it is still the server's current one.
        if !left || refusal.ends_connection() {
            self.recover_from(&refusal).await;
        }
        match refusal {
            Refusal::ForGood(detail) => Outcome::Failed { detail },
            Refusal::Lost(words) if left => {
                Outcome::Unknown { detail: format!("the content was sent, and no answer came: {words}") }
            }
            Refusal::ForNow(words) | Refusal::Lost(words) => self.again(claimed, &words),
        }
    }

    /// Makes the connection ready for another message, or gives it up.
    async fn recover_from(&mut self, refusal: &Refusal) {
        if refusal.ends_connection() {
            self.connection = None;
        } else {
            self.reset().await;
        }
    }

    async fn reset(&mut self) {
        if let Some(connection) = &mut self.connection
            && connection.reset().await.is_err()
        {
            self.connection = None;
        }
    }

    /// Later, unless it was tried for too long.
    fn again(&self, claimed: &Claimed, why: &str) -> Outcome {
        let pause = backoff(claimed.tries, self.random());
        let give_up = self.pace().give_up;
        if self.now().duration_since(claimed.trying_since) + pause > give_up {
            let detail =
                format!("given up after {} tries in {} hours: {why}", claimed.tries, give_up.as_hours());
            return Outcome::Failed { detail };
        }
        self.again_after(pause, why)
    }

    fn again_after(&self, pause: SignedDuration, why: &str) -> Outcome {
        Outcome::Retry { detail: without_addresses(why), at: self.now() + pause }
    }

    /// Waits until the last outcome is written down.
    async fn noted(&mut self) {
        if let Some(noting) = self.noting.take()
            && noting.await.is_err()
        {
            tracing::warn!("what became of a mail was not written down; it is found by the end of its lease");
        }
    }
}

/// Writes an outcome down, however long the work store is away: what is not written down would be unknown.
async fn note(shared: Arc<Shared>, id: MessageId, attempt: u32, outcome: Outcome) {
    let word = match &outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Withheld { .. } => "withheld",
    };
    metrics::counter!("dossier_mail_attempts_total", "outcome" => word).increment(1);
    if let Outcome::Failed { detail } | Outcome::Unknown { detail } = &outcome {
        tracing::warn!(message = %id, outcome = word, detail, "a mail needs an operator");
    }
    let mailer = &shared.mailer;
    let until = Instant::now() + mailer.pace.lease.unsigned_abs();
    loop {
        let Err(error) = mailer.work.finish(id, attempt, (mailer.clock)(), &outcome).await else { return };
        tracing::warn!(message = %id, %error, "what became of a mail is not written down yet");
        shared.status.send_modify(|status| status.last_error = Some(error.to_string()));
        if shared.cancel.is_cancelled() || Instant::now() > until {
            return;
        }
        tokio::time::sleep(NOTE_AGAIN).await;
    }
}

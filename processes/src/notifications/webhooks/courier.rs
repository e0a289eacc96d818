//! The courier: takes messages to machines from the ledger, sends each, and writes down what came of it. Any number of
//! processes may do so beside each other: the ledger gives each message to one of them at a time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dossier_commands::{Clock, Commands};
use dossier_domain::event_subscription::deliver::Receiver;
use dossier_domain::event_subscription::{ReportDelivery, Topic};
use dossier_domain::webhook::DisableCause;
use dossier_domain::{AccountId, Actor, CaseId, EventSubscriptionId, OrganizationId, WebhookId};
use dossier_eventlog::{BusError, Entropy, EventStore, StreamName, SubjectMessage, Subjects};
use dossier_projections::event_delivery::{EventDeliveryQueries, EventSubscriptionRow};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backoff::{BASE, pause_after};
use super::payload;
use super::reports::{Reports, purpose};
use super::send::{Answer, Post, WebhookSender};
use super::slots::{Room, Slots};
use super::verdict::{Verdict, verdict_of_answer, verdict_of_bus};
use crate::notifications::circles::{AsOf, Circles, Surroundings};
use crate::notifications::ledger::{Channel, Claimed, Outcome, Recipient};
use crate::reactor::lead::Setback;
use crate::work_store::{WorkStore, WorkStoreError};

/// How long another process leaves a message alone that this one holds: longer than an attempt takes.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// How often the ledger is looked at while nothing is due.
const POLL: Duration = Duration::from_millis(250);
/// How often messages of processes that are gone are looked for.
const RECOVERY: Duration = Duration::from_secs(10);
/// Pause after trouble with the ledger.
const TROUBLE: Duration = Duration::from_secs(1);

/// Sends to machines what the ledger holds for them.
pub struct Courier {
    /// The log, which holds what the messages say.
    pub store: Arc<dyn EventStore>,
    /// Where the ledger is kept.
    pub work: Arc<dyn WorkStore>,
    /// The webhooks, and what the system reports.
    pub commands: Arc<Commands>,
    /// As whom it reports; see [`super::actor`].
    pub actor: Actor,
    /// Who is subscribed to a topic.
    pub queries: EventDeliveryQueries,
    /// Sends to webhooks.
    pub sender: Arc<WebhookSender>,
    /// Publishes on subjects; `None` where the bus has none.
    pub subjects: Option<Arc<dyn Subjects>>,
    /// Now.
    pub clock: Clock,
    /// Spreads attempts.
    pub entropy: Entropy,
    /// This process among those that share the work store.
    pub node: String,
}

impl Courier {
    /// Starts it among other tasks; it runs until cancelled. What is on its way then is given up and tried again. Answers why
    /// the ledger did not answer last, while it does not.
    pub fn start(
        self,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> watch::Receiver<Option<String>> {
        let (trouble, status) = watch::channel(None);
        let courier = Arc::new(self);
        for channel in [Channel::Webhook, Channel::Subject] {
            if channel == Channel::Subject && courier.subjects.is_none() {
                continue;
            }
            let (courier, cancel, trouble) = (courier.clone(), cancel.clone(), trouble.clone());
            tasks.spawn(async move {
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = courier.run(channel, &trouble) => {}
                }
            });
        }
        status
    }

    async fn run(self: Arc<Self>, channel: Channel, trouble: &watch::Sender<Option<String>>) {
        let mut on_their_way = Slots::default();
        let mut recover_at = Instant::now();
        loop {
            on_their_way.settle();
            let claimed = self.claim(channel, &on_their_way.room(), &mut recover_at).await;
            let why = claimed.as_ref().err().map(ToString::to_string);
            trouble.send_if_modified(|told| std::mem::replace(told, why.clone()) != why);
            let pause = match claimed {
                Ok(claimed) if !claimed.is_empty() => {
                    for message in claimed {
                        let (courier, endpoint) = (self.clone(), endpoint_of(&message));
                        on_their_way.send(endpoint, async move { courier.carry(message).await });
                    }
                    continue;
                }
                Ok(_) => POLL,
                Err(error) => {
                    tracing::warn!(channel = channel.as_str(), %error, "the ledger does not answer");
                    TROUBLE
                }
            };
            // Whoever arrives makes room, and may let the next of its order go.
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Some(()) = on_their_way.next() => {}
            }
        }
    }

    async fn claim(
        &self,
        channel: Channel,
        room: &Room,
        recover_at: &mut Instant,
    ) -> Result<Vec<Claimed>, WorkStoreError> {
        let now = (self.clock)();
        if room.limit == 0 {
            return Ok(Vec::new());
        }
        if *recover_at <= Instant::now() {
            self.work.recover(now).await?;
            *recover_at = Instant::now() + RECOVERY;
        }
        // Looked at before anything is written: as a rule nothing is due.
        if self.work.next_message_due(channel).await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
        self.work.claim(channel, &self.node, now, until, room.limit, &room.except).await
    }

    /// Sends one message, and writes down what came of it.
    pub(super) async fn carry(&self, claimed: Claimed) {
        let (id, attempt) = (claimed.message.id, claimed.attempt);
        let outcome = match self.attempt(&claimed).await {
            Ok(outcome) => outcome,
            Err(Setback::Overtaken) => return,
            // Neither the receiver's fault nor an attempt that it would know of.
            Err(Setback::Passing(why) | Setback::Halted(why)) => {
                let at = (self.clock)().saturating_add(LEASE).unwrap_or(Timestamp::MAX);
                Outcome::Retry { detail: why, at }
            }
        };
        let labels = [("channel", claimed.message.channel.as_str()), ("outcome", word(&outcome))];
        metrics::counter!("dossier_event_deliveries_total", &labels).increment(1);
        // One that is not written down is tried again when the lease has ended: the receiver tells the repeat.
        if let Err(error) = self.work.finish(id, attempt, (self.clock)(), &outcome).await {
            tracing::warn!(message = %id, %error, "what came of a message is not written down");
        }
    }

    async fn attempt(&self, claimed: &Claimed) -> Result<Outcome, Setback> {
        let message = &claimed.message;
        let (Recipient::Endpoint(endpoint), Some(organization)) = (&message.recipient, &message.organization)
        else {
            return Ok(withheld("it is addressed to no machine"));
        };
        let organization = OrganizationId::new(organization).map_err(|error| halted(&error))?;
        let subscribed = self.queries.subscribed_to(&organization, &message.reason).await;
        let subscribed = subscribed.map_err(|error| Setback::Passing(error.to_string()))?;
        if subscribed.is_empty() {
            return Ok(withheld("nobody is subscribed to its topic any more"));
        }
        if !self.may_be_told(claimed, &organization, &subscribed).await? {
            return Ok(withheld(
                "whoever made or last changed its webhook or subscription does not see the case",
            ));
        }
        let Some(body) = self.body(claimed).await? else {
            return Ok(withheld("it is not for customers"));
        };
        let (receiver, verdict) = match message.channel {
            Channel::Webhook => {
                let webhook: WebhookId = endpoint.parse().map_err(|error| halted(&error))?;
                match self.post(webhook, &organization, claimed, body).await? {
                    Ok(verdict) => (Receiver::Webhook(webhook), verdict),
                    Err(why) => return Ok(withheld(why)),
                }
            }
            Channel::Subject => {
                let subscription: EventSubscriptionId = endpoint.parse().map_err(|error| halted(&error))?;
                (Receiver::Subject(subscription), self.publish(&organization, claimed, body).await)
            }
            Channel::Email => return Ok(withheld("it is a mail")),
        };
        let outcome = self.outcome(claimed, &verdict);
        if verdict.is_told(claimed.tries, matches!(outcome, Outcome::Failed { .. })) {
            self.report(claimed, &organization, &subscribed, receiver, &verdict).await?;
        }
        Ok(outcome)
    }

    /// Whether those see the case now who made or last changed what it is sent for (R-NOTIFY-3).
    async fn may_be_told(
        &self,
        claimed: &Claimed,
        organization: &OrganizationId,
        subscribed: &[EventSubscriptionRow],
    ) -> Result<bool, Setback> {
        let message = &claimed.message;
        let stream = StreamName::new(&message.stream).map_err(|error| halted(&error))?;
        let case: CaseId = stream.id().parse().map_err(|error| halted(&error))?;
        let setback = super::follower::setback;
        let current = self.commands.current_case(case).await.map_err(setback)?;
        let circles = Circles::new(self.commands.clone(), None);
        let around = circles.around(&current, AsOf::Now, (self.clock)()).await.map_err(setback)?;
        let Some(around) = around else { return Ok(false) };
        if let (Channel::Webhook, Recipient::Endpoint(webhook)) = (message.channel, &message.recipient) {
            let webhook: WebhookId = webhook.parse().map_err(|error| halted(&error))?;
            let row = self.queries.webhook(organization, webhook).await;
            let row = row.map_err(|error| Setback::Passing(error.to_string()))?;
            // One that is gone has its own words.
            let Some(row) = row else { return Ok(true) };
            if !sees(&circles, &around, &row.person).await? {
                return Ok(false);
            }
        }
        for row in subscribed {
            if sees(&circles, &around, &row.person).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the message says, from the log.
    async fn body(&self, claimed: &Claimed) -> Result<Option<Vec<u8>>, Setback> {
        let message = &claimed.message;
        let stream = StreamName::new(&message.stream).map_err(|error| halted(&error))?;
        let events = self.store.read_stream(&stream, message.first_revision, 1).await?;
        match events.first().filter(|event| event.revision == message.first_revision) {
            Some(event) => payload::body(event).map_err(Setback::Halted),
            None => Ok(None),
        }
    }

    /// Sends it to a webhook; the inner error says why it is not sent.
    async fn post(
        &self,
        webhook: WebhookId,
        organization: &OrganizationId,
        claimed: &Claimed,
        body: Vec<u8>,
    ) -> Result<Result<Verdict, &'static str>, Setback> {
        let view = self.commands.webhook_view(webhook).await.map_err(super::follower::setback)?;
        let Some(hook) = view.hook().filter(|hook| hook.organization == *organization) else {
            return Ok(Err("there is no such webhook any more"));
        };
        match hook.disabled {
            Some(DisableCause::Owner) => return Ok(Err("the webhook is switched off")),
            Some(DisableCause::Gone) => return Ok(Err("the webhook answered that it is gone")),
            None => {}
        }
        if hook.topic.as_str() != claimed.message.reason {
            return Ok(Err("the webhook serves another topic now"));
        }
        let Some(url) = hook.url.open() else { return Ok(Err("its address was erased")) };
        let now = (self.clock)();
        let id = claimed.message.id.to_string();
        let post = Post { id, url: url.clone(), keys: hook.signing_keys(now), body };
        let answer = self.sender.send(&post, now).await;
        if answer == Answer::Gone {
            let command = purpose(claimed.message.id.0, &format!("{}/gone", claimed.attempt));
            self.reports().gone(command, organization, webhook).await?;
        }
        Ok(Ok(verdict_of_answer(&answer)))
    }

    /// Publishes it on its subject.
    async fn publish(&self, organization: &OrganizationId, claimed: &Claimed, body: Vec<u8>) -> Verdict {
        let Some(subjects) = &self.subjects else {
            return verdict_of_bus(&Err(BusError::Unavailable("this process has no bus".to_owned())));
        };
        let topic = claimed.message.reason.parse::<Topic>();
        let (project, name) = topic.as_ref().map(Topic::parts).unwrap_or_default();
        let message = SubjectMessage {
            id: claimed.message.id.to_string(),
            subject: [organization.as_str(), project, name].map(str::to_owned).into(),
            headers: vec![("content-type", payload::CONTENT_TYPE.to_owned())],
            body: body.into(),
        };
        verdict_of_bus(&subjects.publish(&message).await)
    }

    fn outcome(&self, claimed: &Claimed, verdict: &Verdict) -> Outcome {
        let detail = verdict.detail.clone();
        if verdict.accepted {
            return Outcome::Sent { detail };
        }
        let mut bytes = [0; 4];
        (self.entropy)(&mut bytes);
        let random = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        let pause = pause_after(claimed.tries, BASE, random, verdict.retry_after);
        match pause.filter(|_| !verdict.is_final) {
            Some(pause) => {
                let at = (self.clock)().saturating_add(pause).unwrap_or(Timestamp::MAX);
                Outcome::Retry { detail, at }
            }
            None => Outcome::Failed { detail },
        }
    }

    /// Says to the topic's subscriptions that a receiver takes messages, or does not.
    async fn report(
        &self,
        claimed: &Claimed,
        organization: &OrganizationId,
        subscribed: &[EventSubscriptionRow],
        receiver: Receiver,
        verdict: &Verdict,
    ) -> Result<(), Setback> {
        let told: Vec<_> =
            subscribed.iter().filter(|row| !verdict.accepted || row.failure_reason.is_some()).collect();
        if told.is_empty() {
            return Ok(());
        }
        let report = if verdict.accepted {
            let serving = self.serving(organization, &claimed.message.reason, subscribed, receiver).await?;
            ReportDelivery::Accepted { receiver, serving }
        } else {
            ReportDelivery::Failed { receiver: Some(receiver), reason: verdict.reason }
        };
        for row in told {
            let id: EventSubscriptionId = row.subscription.parse().map_err(|error| halted(&error))?;
            let command = purpose(claimed.message.id.0, &format!("{}/{id}", claimed.attempt));
            self.reports().subscription(command, organization, id, &report).await?;
        }
        Ok(())
    }

    /// Who serves a topic beside a receiver: the webhooks that are enabled, and where the bus has subjects the topic's one,
    /// under the name of whichever subscription.
    async fn serving(
        &self,
        organization: &OrganizationId,
        topic: &str,
        subscribed: &[EventSubscriptionRow],
        receiver: Receiver,
    ) -> Result<BTreeSet<Receiver>, Setback> {
        let live = self.queries.live(organization).await;
        let (_, webhooks) = live.map_err(|error| Setback::Passing(error.to_string()))?;
        let webhooks = webhooks.iter().filter(|webhook| webhook.topic.as_str() == topic);
        let mut serving: BTreeSet<_> = webhooks.map(|webhook| Receiver::Webhook(webhook.webhook)).collect();
        if self.subjects.is_some() && matches!(receiver, Receiver::Webhook(_)) {
            serving.extend(
                subscribed.iter().filter_map(|row| row.subscription.parse().ok()).map(Receiver::Subject),
            );
        }
        Ok(serving)
    }

    fn reports(&self) -> Reports {
        Reports { commands: self.commands.clone(), actor: self.actor.clone() }
    }
}

/// Whom a message is for, as slots are shared by.
fn endpoint_of(claimed: &Claimed) -> String {
    match &claimed.message.recipient {
        Recipient::Endpoint(endpoint) => endpoint.clone(),
        Recipient::Account(_) | Recipient::Address(_) => String::new(),
    }
}

async fn sees(circles: &Circles, around: &Surroundings, person: &str) -> Result<bool, Setback> {
    let Ok(person) = person.parse::<AccountId>() else { return Ok(false) };
    let checked = circles.check_machine_of(around, person).await;
    Ok(checked.map_err(super::follower::setback)?.is_ok())
}

fn withheld(why: &str) -> Outcome {
    Outcome::Withheld { detail: why.to_owned() }
}

fn halted(error: &dyn std::fmt::Display) -> Setback {
    Setback::Halted(error.to_string())
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Sent { .. } => "sent",
        Outcome::Retry { .. } => "retry",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
        Outcome::Withheld { .. } => "withheld",
    }
}

//! Follows the log and writes down the messages that each event of a case calls for, for the organization's webhooks and
//! subjects. Apart from the mails' fan-out: this one waits for a read model, and mails wait for nobody.
//!
//! Whoever made or last changed a webhook or subscription must see the case, here and again at sending (R-NOTIFY-3).
//!
//! It begins at the log's head: what happened before it was there is told to nobody. Messages and checkpoint are written in
//! one transaction, and a message's id is made of event and receiver.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dossier_commands::{Clock, Commands, LoadError};
use dossier_domain::event_subscription::{FailureReason, ReportDelivery};
use dossier_domain::{AccountId, Actor, CaseId};
use dossier_eventlog::{EventStore, RecordedEvent};
use dossier_projections::ReadModels;
use dossier_projections::event_delivery::{EventDeliveryQueries, NAME as MODEL};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::intended::{Called, called_for, organization_of};
use super::reports::{Reports, purpose};
use crate::notifications::circles::{AsOf, Circles};
use crate::reactor::ReactorStatus;
use crate::reactor::lead::{self, Act, Following, Lead, Pace, Setback};
use crate::work_store::WorkStore;

/// The name of the checkpoint and the lease, for ever.
pub const NAME: &str = "event_delivery";

/// How long the read model may take to follow before that is trouble.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who writes down what machines are to be told.
pub struct EventFollower {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Where the ledger is kept.
    pub work: Arc<dyn WorkStore>,
    /// For what the system reports.
    pub commands: Arc<Commands>,
    /// As whom it reports; see [`super::actor`].
    pub actor: Actor,
    /// What organizations subscribed to.
    pub read_models: Arc<ReadModels>,
    /// Whether the bus has subjects for readers outside.
    pub has_subjects: bool,
    /// Now.
    pub clock: Clock,
    /// This process among those that share the work store.
    pub node: String,
}

impl EventFollower {
    /// Starts it among other tasks; it runs until cancelled. The status tells how it gets on. Its first checkpoint is given by
    /// [`crate::Reactors::beside`].
    pub fn start(
        self,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> watch::Receiver<ReactorStatus> {
        let Self { store, work, commands, actor, read_models, has_subjects, clock, node } = self;
        let (sender, status) = watch::channel(ReactorStatus::default());
        let lead = Lead { name: NAME, store, work, clock, node, pace: Pace::default(), status: sender };
        let queries = EventDeliveryQueries::new(read_models.database().clone());
        let circles = Circles::new(commands.clone(), None);
        let reports = Reports { commands, actor };
        let runner = Runner { lead, read_models, queries, circles, reports, has_subjects };
        tasks.spawn(lead::run(runner, cancel.clone()));
        status
    }
}

struct Runner {
    lead: Lead,
    read_models: Arc<ReadModels>,
    queries: EventDeliveryQueries,
    circles: Circles,
    reports: Reports,
    has_subjects: bool,
}

impl Act for Runner {
    fn lead(&self) -> &Lead {
        &self.lead
    }

    async fn act(&self) -> Result<Infallible, Setback> {
        let mut following = self.lead.follow().await?;
        loop {
            let events = following.next().await?;
            self.take(&events, &mut following).await?;
        }
    }
}

impl Runner {
    /// Writes down what a batch of events calls for, together with how far that is.
    async fn take(&self, events: &[RecordedEvent], following: &mut Following<'_>) -> Result<(), Setback> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut messages = Vec::new();
        if events.iter().any(|event| event.stream.category() == "case") {
            let behind = self.read_models.wait_for_one(MODEL, last.position, PATIENCE).await;
            behind.map_err(|error| Setback::Passing(error.to_string()))?;
        }
        for event in events {
            let called = self.called(event).await?;
            for subscription in &called.without_receiver {
                let (Some(organization), id) = (&called.organization, *subscription) else { continue };
                let reason = FailureReason::TopicNotFound;
                let report = ReportDelivery::Failed { receiver: None, reason };
                let command = purpose(event.event_id.0, &format!("no receiver/{id}"));
                self.reports.subscription(command, organization, id, &report).await?;
            }
            messages.extend(called.messages);
        }
        let (from, to) = following.checkpoints(last);
        self.lead.work.intend(NAME, from, &to, &messages).await?;
        for message in &messages {
            let labels = [("kind", message.kind.clone()), ("reason", message.channel.as_str().to_owned())];
            metrics::counter!("dossier_notifications_intended_total", &labels).increment(1);
        }
        following.stored(to);
        Ok(())
    }

    async fn called(&self, event: &RecordedEvent) -> Result<Called, Setback> {
        let Some(organization) = organization_of(event).map_err(setback)? else {
            return Ok(Called::default());
        };
        let live = self.queries.live(&organization).await;
        let (subscriptions, webhooks) = live.map_err(|error| Setback::Passing(error.to_string()))?;
        // As a rule nobody subscribed: then there is nothing to read.
        if subscriptions.is_empty() {
            return Ok(Called::default());
        }
        let people = subscriptions.iter().map(|one| one.person).chain(webhooks.iter().map(|one| one.person));
        let may_see = self.who_may_see(event, people.flatten().collect()).await?;
        let now = (self.lead.clock)();
        called_for(event, &subscriptions, &webhooks, self.has_subjects, &may_see, now).map_err(setback)
    }

    /// Those of some people who may see a case as it stood at an event (R-NOTIFY-3).
    async fn who_may_see(
        &self,
        event: &RecordedEvent,
        mut people: BTreeSet<AccountId>,
    ) -> Result<BTreeSet<AccountId>, Setback> {
        let unreadable =
            |error: &dyn std::fmt::Display| Setback::Halted(format!("{}: {error}", event.stream));
        let case: CaseId = event.stream.id().parse().map_err(|error| unreadable(&error))?;
        let moment = self.circles.commands().case_moment(case, event.revision).await.map_err(setback)?;
        let Some(moment) = moment else {
            return Err(Setback::Passing(format!("event {} is not in its stream yet", event.event_id)));
        };
        let as_of = AsOf::Position(event.position);
        let around = self.circles.around(&moment.after, as_of, moment.at).await.map_err(setback)?;
        let Some(around) = around else { return Ok(BTreeSet::new()) };
        for person in people.clone() {
            if self.circles.check_machine_of(&around, person).await.map_err(setback)?.is_err() {
                people.remove(&person);
            }
        }
        Ok(people)
    }
}

pub(super) fn setback(error: LoadError) -> Setback {
    match error {
        LoadError::Unavailable(why) => Setback::Passing(why),
        LoadError::Damaged(why) => Setback::Halted(why),
    }
}

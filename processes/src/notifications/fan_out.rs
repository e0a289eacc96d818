//! The fan-out: follows the log and writes down, for each command, the mails that it calls for (R-NOTIFY-1, R-NOTIFY-2). Who is
//! told is a pure function of the domain ([`dossier_domain::notification`]), asked on the states at that very event; what is
//! written down here is sent by the mailer, whenever that is.
//!
//! What makes it once: messages and checkpoint are written in one transaction, and a message's id is made of command, stream
//! and recipient. It begins at the log's head, whatever else: what happened before it was there is told to nobody, and neither
//! a rebuild nor a lost work store sends history again.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;

use dossier_commands::{Clock, Commands, LoadError};
use dossier_domain::case::CaseEvent;
use dossier_domain::notification::{
    Deed, ISSUE_LANGUAGE, Intended, Reason, Recipient as Told, RecipientKey, intended, issue_news,
    issue_subscribers,
};
use dossier_domain::{AccountId, CaseId, CommandId, KnownIssueId, OrganizationId};
use dossier_eventlog::{EventStore, RecordedEvent, Revision, SealError};
use dossier_projections::organizations::OrganizationQueries;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::circles::{AsOf, Circles, Surroundings};
use super::ledger::{Channel, IntendedMessage, MessageId, Recipient, SealedAddress};
use crate::reactor::lead::{self, Act, Following, Lead, Pace, Setback};
use crate::reactor::{ReactorStatus, Trigger};
use crate::work_store::WorkStore;

/// The name of the checkpoint and the lease, for ever.
pub const NAME: &str = "notifications";
/// Accounts of an issue's subscribers that are looked up at the same time.
const ACCOUNTS_AT_ONCE: usize = 16;

/// The fan-out of a log.
pub struct FanOut {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Where the ledger is kept.
    pub work: Arc<dyn WorkStore>,
    /// The states of the log.
    pub commands: Arc<Commands>,
    /// Knows customers of a reseller (R-RES-6); without it only the case's own organization counts.
    pub organizations: Option<OrganizationQueries>,
    /// Now.
    pub clock: Clock,
    /// This process among those that share the work store.
    pub node: String,
}

impl FanOut {
    /// Starts it among other tasks; it runs until cancelled. The status tells how it gets on. Its first checkpoint is given by
    /// [`crate::Reactors::beside`].
    pub fn start(
        self,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> watch::Receiver<ReactorStatus> {
        self.start_at(Pace::default(), cancel, tasks)
    }

    pub(super) fn start_at(
        self,
        pace: Pace,
        cancel: &CancellationToken,
        tasks: &mut JoinSet<()>,
    ) -> watch::Receiver<ReactorStatus> {
        let Self { store, work, commands, organizations, clock, node } = self;
        let (sender, status) = watch::channel(ReactorStatus::default());
        let lead = Lead { name: NAME, store, work, clock, node, pace, status: sender };
        let circles = Circles::new(commands, organizations);
        tasks.spawn(lead::run(Runner { lead, circles }, cancel.clone()));
        status
    }
}

/// The fan-out at work.
struct Runner {
    lead: Lead,
    circles: Circles,
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
        for event in events {
            messages.extend(self.messages(event).await?);
        }
        let (from, to) = following.checkpoints(last);
        self.lead.work.intend(NAME, from, &to, &messages).await?;
        for message in &messages {
            let labels = [("kind", message.kind.clone()), ("reason", message.reason.clone())];
            metrics::counter!("dossier_notifications_intended_total", &labels).increment(1);
        }
        following.stored(to);
        Ok(())
    }

    /// The messages that an event calls for, where it is the first one of its command in its stream: an append is atomic, so
    /// the command's other events are in the stream by now.
    async fn messages(&self, event: &RecordedEvent) -> Result<Vec<IntendedMessage>, Setback> {
        let category = event.stream.category();
        if category != "case" && category != "known_issue" {
            return Ok(Vec::new());
        }
        let metadata = Trigger { event }.metadata()?;
        let is_first = CommandId(metadata.command_id).event_id(0) == event.event_id.0;
        // What occurred elsewhere is history, not news.
        if !is_first || metadata.occurred_at.is_some() {
            return Ok(Vec::new());
        }
        if category == "case" { self.of_case(event).await } else { self.of_known_issue(event).await }
    }

    async fn of_case(&self, event: &RecordedEvent) -> Result<Vec<IntendedMessage>, Setback> {
        let case: CaseId = read(event, event.stream.id())?;
        let commands = self.circles.commands();
        let moment = commands.case_moment(case, event.revision).await.map_err(setback)?;
        let moment = moment.ok_or_else(|| not_there(event))?;
        let actor: AccountId = read(event, &moment.actor)?;
        let as_of = AsOf::Position(event.position);
        let around = self.circles.around(&moment.after, as_of, moment.at).await.map_err(setback)?;
        let Some(around) = around else { return Ok(Vec::new()) };
        let directory = self.circles.directory(&around).await.map_err(setback)?;
        let told_elsewhere = self.told_by_known_issue(event, &moment.events, &around).await?;
        let (before, events) = (moment.before.filed(), &moment.events);
        let deed = Deed { before, events, actor, told_elsewhere: &told_elsewhere };
        let mut messages = Vec::new();
        for found in intended(&deed, &around.circle(), &directory) {
            let organization = &around.whose.organization;
            messages.push(self.written(event, moment.last_revision, organization, found).await?);
        }
        Ok(messages)
    }

    /// Who is told by a known issue of the resolution that events propose on a case (R-KI-6).
    async fn told_by_known_issue(
        &self,
        event: &RecordedEvent,
        events: &[CaseEvent],
        around: &Surroundings,
    ) -> Result<BTreeSet<AccountId>, Setback> {
        let proposed = events.iter().find_map(|event| match event {
            CaseEvent::SolutionProposed(proposed) => proposed.known_issue,
            _ => None,
        });
        let Some(issue) = proposed else { return Ok(BTreeSet::new()) };
        let commands = self.circles.commands();
        let issue = commands.known_issue_until(issue, event.position).await.map_err(setback)?;
        let organization = &around.whose.organization;
        let subscribers = issue.suspected().into_iter().flat_map(|issue| issue.affected.subscribers());
        let theirs = subscribers.filter(|subscriber| subscriber.organization == organization);
        Ok(theirs.map(|subscriber| subscriber.account).collect())
    }

    /// News of a known issue goes to everybody who said that it affects them and wants mails, once.
    async fn of_known_issue(&self, event: &RecordedEvent) -> Result<Vec<IntendedMessage>, Setback> {
        let issue: KnownIssueId = read(event, event.stream.id())?;
        let commands = self.circles.commands();
        let moment = commands.known_issue_moment(issue, event.revision).await.map_err(setback)?;
        let moment = moment.ok_or_else(|| not_there(event))?;
        let (Some(kind), Some(issue)) = (issue_news(&moment.events), moment.after.suspected()) else {
            return Ok(Vec::new());
        };
        let as_of = AsOf::Position(event.position);
        let mut told = BTreeSet::new();
        let mut messages = Vec::new();
        for (organization, accounts) in issue_subscribers(issue) {
            let whose = self.circles.organization(organization, as_of, moment.at).await.map_err(setback)?;
            let circle = self.circles.issue_circle(issue, &whose);
            let looked_up = accounts.into_iter().map(async |account| {
                let known = self.circles.account(account, as_of).await.map_err(setback)?;
                Ok::<_, Setback>((account, known))
            });
            let mut looked_up = stream::iter(looked_up).buffered(ACCOUNTS_AT_ONCE);
            while let Some((account, known)) = looked_up.try_next().await? {
                if circle.check(account, &known).is_ok() && told.insert(account) {
                    let found = Intended {
                        recipient: Told::Account(account),
                        reason: Reason::KnownIssueSubscriber,
                        key: RecipientKey::Account(account),
                        kind,
                        language: ISSUE_LANGUAGE.to_owned(),
                    };
                    messages.push(self.written(event, moment.last_revision, organization, found).await?);
                }
            }
        }
        Ok(messages)
    }

    /// A message as the ledger keeps it: no address in the clear.
    async fn written(
        &self,
        first: &RecordedEvent,
        last_revision: Revision,
        organization: &OrganizationId,
        found: Intended,
    ) -> Result<IntendedMessage, Setback> {
        let Intended { recipient, reason, key, kind, language } = found;
        let command_id = CommandId(Trigger { event: first }.metadata()?.command_id);
        let stream = first.stream.to_string();
        Ok(IntendedMessage {
            id: MessageId::derived(command_id, &stream, &key_name(key), Channel::Email),
            channel: Channel::Email,
            stream,
            organization: Some(organization.to_string()),
            command_id,
            first_revision: first.revision,
            last_revision,
            position: first.position,
            kind: kind.as_str().to_owned(),
            reason: reason.as_str().to_owned(),
            recipient: self.sealed(&recipient).await?,
            language,
            ordering_key: None,
            intended_at: (self.lead.clock)(),
        })
    }

    async fn sealed(&self, recipient: &Told) -> Result<Recipient, Setback> {
        let (subject, address) = match recipient {
            Told::Account(account) => return Ok(Recipient::Account(*account)),
            Told::Address(address) => {
                (address.subject().as_str(), address.open().map(String::as_str).unwrap_or_default())
            }
        };
        let sealer = self.circles.commands().sealer();
        let sealed = async {
            sealer.prepare_seal(&[subject.to_owned()]).await?;
            SealedAddress::seal(sealer, subject, address)
        };
        let sealed: Result<SealedAddress, SealError> = sealed.await;
        sealed.map(Recipient::Address).map_err(|error| setback(error.into()))
    }
}

/// What stands for a recipient in a message's id.
pub(super) fn key_name(key: RecipientKey) -> String {
    match key {
        RecipientKey::Account(account) => format!("account-{account}"),
        RecipientKey::Address(address) => format!("address-{address}"),
    }
}

/// A part of an event that must be an id.
fn read<T: FromStr<Err: std::fmt::Display>>(event: &RecordedEvent, text: &str) -> Result<T, Setback> {
    let unreadable = |why| format!("event {} at position {}: {why}", event.event_id, event.position);
    text.parse().map_err(|why| Setback::Halted(unreadable(why)))
}

/// The log has it and its stream does not show it yet.
fn not_there(event: &RecordedEvent) -> Setback {
    Setback::Passing(format!("event {} is not in its stream yet", event.event_id))
}

fn setback(error: LoadError) -> Setback {
    match error {
        LoadError::Unavailable(why) => Setback::Passing(why),
        LoadError::Damaged(why) => Setback::Halted(why),
    }
}

#[cfg(test)]
mod tests;

//! Puts a message into words when it is about to leave, from the log as it is then: what was said is read from the command's own
//! events, who may be told is asked again (R-NOTIFY-3), and what was erased since is not sent. Nothing of it is kept.

mod values;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dossier_commands::signed_link::{LinkRecipient, SignedLink, sign};
use dossier_commands::{Commands, KnownIssueMoment, LoadError, identity};
use dossier_domain::address::EmailAddress;
use dossier_domain::known_issue::KnownIssueState;
use dossier_domain::notification::{Circle, MessageKind, Reason, Recipient as Told};
use dossier_domain::{CaseId, Contact, KnownIssueId, Subject};
use dossier_eventlog::Revision;
use dossier_projections::organizations::OrganizationQueries;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lettre::message::Mailbox;
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::values::{of_case, of_issue};
use super::circles::{AsOf, Circles, Surroundings};
use super::ledger::{Claimed, IntendedMessage, Recipient};
use super::mailer::{Compose, ComposeError, Composed, OutgoingMail};
use super::templates::{Templates, Values};

/// Why a message is withheld whose words, or whose reader's address, were erased.
const ERASED: &str = "erased";

/// After so long it is no news any more: whoever sets a mail server up late, or restores an older work store, floods nobody. An
/// operator who asks for a message again gets it sent all the same.
const NEWS_FOR: SignedDuration = SignedDuration::from_hours(48);

/// So long the words of one news are used for all its readers, before they are read again: an issue has at least as many events
/// as readers. What is erased meanwhile is sent for so long at most.
const WORDS_FOR: Duration = Duration::from_secs(1);

/// Where the links of mails lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLinks {
    /// Where this server is reached, without a slash at its end: its own pages need no sign-in.
    pub public_url: String,
    /// Where people read cases, without a slash at its end; without it mails have no such link.
    pub frontend_url: Option<String>,
}

/// Puts messages into words, over the log.
pub struct Composer {
    circles: Circles,
    templates: Arc<Templates>,
    links: MailLinks,
    news: Mutex<Option<News>>,
}

/// The news of a known issue that was read last.
struct News {
    issue: KnownIssueId,
    first: Revision,
    read_at: Instant,
    moment: Arc<KnownIssueMoment>,
}

/// What stops a message from being put into words.
enum Stop {
    Withheld(&'static str),
    Failed(ComposeError),
}

impl From<LoadError> for Stop {
    fn from(error: LoadError) -> Self {
        Self::Failed(match error {
            LoadError::Unavailable(why) => ComposeError::Unavailable(why),
            LoadError::Damaged(why) => ComposeError::Damaged(why),
        })
    }
}

fn damaged(why: impl Into<String>) -> Stop {
    Stop::Failed(ComposeError::Damaged(why.into()))
}

/// Reads as whom mails are sent: an address, or a name and an address as in `Support <support@acme.example>`.
pub fn sender(text: &str) -> Option<Mailbox> {
    text.parse().ok()
}

impl Composer {
    /// Composes over commands on the log. `organizations` knows customers of a reseller (R-RES-6).
    pub fn new(
        commands: Arc<Commands>,
        organizations: Option<OrganizationQueries>,
        templates: Arc<Templates>,
        links: MailLinks,
    ) -> Self {
        Self { circles: Circles::new(commands, organizations), templates, links, news: Mutex::default() }
    }

    /// Whether what happened is still news; what an operator asked for is.
    fn check_age(&self, claimed: &Claimed, happened_at: Timestamp) -> Result<(), Stop> {
        let asked_for = claimed.trying_since > claimed.message.intended_at;
        let age = self.circles.commands().now().duration_since(happened_at);
        if asked_for || age <= NEWS_FOR { Ok(()) } else { Err(Stop::Withheld("too_late")) }
    }

    async fn composed(&self, claimed: &Claimed) -> Result<OutgoingMail, Stop> {
        let message = &claimed.message;
        let kind = MessageKind::from_name(&message.kind)
            .ok_or_else(|| damaged(format!("there is no message of kind {}", message.kind)))?;
        match message.stream.split_once('-') {
            Some(("case", id)) => {
                let case = id.parse().map_err(|error| damaged(format!("{}: {error}", message.stream)))?;
                self.about_case(claimed, kind, case).await
            }
            Some(("known_issue", id)) => {
                let issue = id.parse().map_err(|error| damaged(format!("{}: {error}", message.stream)))?;
                self.about_issue(claimed, issue).await
            }
            _ => Err(damaged(format!("nobody is mailed about {}", message.stream))),
        }
    }

    async fn about_case(
        &self,
        claimed: &Claimed,
        kind: MessageKind,
        case: CaseId,
    ) -> Result<OutgoingMail, Stop> {
        let message = &claimed.message;
        let commands = self.circles.commands();
        let reason = Reason::from_name(&message.reason)
            .ok_or_else(|| damaged(format!("nobody is told because of {}", message.reason)))?;
        let current = commands.current_case(case).await?;
        let around = self.circles.around(&current, AsOf::Now, commands.now()).await?;
        let around = around.ok_or(Stop::Withheld("not_visible"))?;
        let recipient = recipient(message, &around)?;
        let allowed = self.circles.check(&around, &recipient, reason).await?;
        allowed.map_err(|withheld| Stop::Withheld(withheld.as_str()))?;
        let contact = self.contact(&recipient, &around).await?.ok_or(Stop::Withheld(ERASED))?;
        let moment = commands.case_moment(case, message.first_revision).await?;
        let moment = moment.ok_or_else(|| damaged(format!("{} has lost its events", message.stream)))?;
        self.check_age(claimed, moment.at)?;
        let actor = self.circles.person(&moment.actor, &around.whose).await?;
        let values = of_case(&moment, &around, actor.as_ref()).ok_or(Stop::Withheld(ERASED))?;
        let organization = &around.whose.organization;
        let survey = Circle::brings_survey(kind, reason);
        let closing = values::closing(&moment.events).filter(|_| survey);
        let survey_url = closing.map(|closing| {
            let organization = organization.clone();
            self.signed("survey", &SignedLink::Survey { organization, case, closing })
        });
        let stop = SignedLink::StopCaseMails {
            organization: organization.clone(),
            case,
            recipient: self.link_recipient(&recipient, &contact)?,
        };
        let values = Values {
            reason: message.reason.clone(),
            url: self.read_at(&format!("organizations/{organization}/cases/{case}")),
            survey_url,
            unsubscribe_url: Some(self.signed("unsubscribe", &stop)),
            ..values
        };
        self.mail(message, contact, &values)
    }

    async fn about_issue(&self, claimed: &Claimed, issue: KnownIssueId) -> Result<OutgoingMail, Stop> {
        let message = &claimed.message;
        let commands = self.circles.commands();
        let Recipient::Account(account) = message.recipient else {
            return Err(damaged("news of a known issue goes to accounts only"));
        };
        let organization = message.organization.as_deref().unwrap_or_default().parse();
        let organization = organization.map_err(|error| damaged(format!("{error}")))?;
        let (current, moment) = self.news(issue, message.first_revision).await?;
        let current = current.suspected().ok_or(Stop::Withheld("not_visible"))?;
        let whose = self.circles.organization(&organization, AsOf::Now, commands.now()).await?;
        let known = self.circles.account(account, AsOf::Now).await?;
        let allowed = self.circles.issue_circle(current, &whose).check(account, &known);
        allowed.map_err(|withheld| Stop::Withheld(withheld.as_str()))?;
        let contact = self.circles.sign_in_address(account, &known, &whose).await?;
        let contact = contact.ok_or(Stop::Withheld(ERASED))?;
        let moment = moment.ok_or_else(|| damaged(format!("{} has lost its events", message.stream)))?;
        self.check_age(claimed, moment.at)?;
        let partner = self.circles.partner(&whose).await?;
        let values = of_issue(&moment, current, partner).ok_or(Stop::Withheld(ERASED))?;
        let stop = SignedLink::StopIssueMails { issue: issue.0, account };
        let not_affected = SignedLink::NotAffected { issue: issue.0, account };
        let values = Values {
            reason: message.reason.clone(),
            url: self.read_at(&format!("organizations/{organization}/knownIssues/{issue}")),
            not_affected_url: Some(self.signed("not-affected", &not_affected)),
            unsubscribe_url: Some(self.signed("unsubscribe", &stop)),
            ..values
        };
        self.mail(message, contact, &values)
    }

    /// A known issue as it is now, and the news of it that begins with an event. One reads at a time: who finds the issue in
    /// another's hands folds all its events anew.
    async fn news(
        &self,
        issue: KnownIssueId,
        first: Revision,
    ) -> Result<(Arc<KnownIssueState>, Option<Arc<KnownIssueMoment>>), LoadError> {
        let commands = self.circles.commands();
        let mut last = self.news.lock().await;
        let current = commands.known_issue_view(issue).await?;
        if let Some(last) = &*last
            && (last.issue, last.first) == (issue, first)
            && last.read_at.elapsed() < WORDS_FOR
        {
            return Ok((current, Some(last.moment.clone())));
        }
        let read_at = Instant::now();
        let moment = commands.known_issue_moment(issue, first).await?.map(Arc::new);
        *last = moment.clone().map(|moment| News { issue, first, read_at, moment });
        Ok((current, moment))
    }

    /// The address that a message goes to, as it is now.
    async fn contact(&self, recipient: &Told, around: &Surroundings) -> Result<Option<Contact>, LoadError> {
        match recipient {
            Told::Account(account) => {
                let known = self.circles.account(*account, AsOf::Now).await?;
                self.circles.sign_in_address(*account, &known, &around.whose).await
            }
            Told::Address(address) => Ok(address
                .open()
                .map(|address| Contact { email: address.clone(), display_name: String::new() })),
        }
    }

    fn link_recipient(&self, recipient: &Told, contact: &Contact) -> Result<LinkRecipient, Stop> {
        match recipient {
            Told::Account(account) => Ok(LinkRecipient::Account(*account)),
            Told::Address(_) => {
                let address =
                    EmailAddress::parse(&contact.email).map_err(|_| Stop::Withheld("unverified_address"))?;
                Ok(LinkRecipient::Address(identity::email_key(self.circles.commands().sealer(), &address)))
            }
        }
    }

    fn mail(&self, message: &IntendedMessage, to: Contact, values: &Values) -> Result<OutgoingMail, Stop> {
        let unsubscribe_url = values.unsubscribe_url.clone();
        let rendered = self.templates.render(&message.kind, &message.language, values);
        let rendered = rendered.map_err(|error| damaged(error.to_string()))?;
        let named = !to.display_name.is_empty() && to.display_name != to.email;
        let to_name = named.then_some(to.display_name);
        Ok(OutgoingMail { to: to.email, to_name, rendered, unsubscribe_url })
    }

    fn read_at(&self, path: &str) -> Option<String> {
        self.links.frontend_url.as_ref().map(|frontend| format!("{frontend}/{path}"))
    }

    /// The address of a page of this server's that a link opens.
    fn signed(&self, page: &str, link: &SignedLink) -> String {
        let token = sign(self.circles.commands().sealer(), link);
        format!("{}/{page}/{token}", self.links.public_url)
    }
}

/// Whom a message is for, as the case names them now.
fn recipient(message: &IntendedMessage, around: &Surroundings) -> Result<Told, Stop> {
    match &message.recipient {
        Recipient::Account(account) => Ok(Told::Account(*account)),
        Recipient::Address(sealed) => {
            let mut subscribers = around.case.subscribers.iter();
            let named = subscribers.find(|named| named.subject().as_str() == sealed.subject);
            let named = named.ok_or(Stop::Withheld("not_concerned"))?;
            named.open().ok_or(Stop::Withheld(ERASED))?;
            Ok(Told::Address(named.clone()))
        }
        Recipient::Endpoint(_) => Err(damaged("no mail goes to a subscription")),
    }
}

#[async_trait]
impl Compose for Composer {
    /// The keys of the readers' addresses, each a person's own, and their accounts.
    async fn prepare(&self, claimed: &[Claimed]) {
        let (mut keys, mut accounts) = (Vec::new(), BTreeSet::new());
        for claimed in claimed {
            match &claimed.message.recipient {
                Recipient::Account(account) => {
                    if accounts.insert(*account) {
                        keys.push(Subject::account(*account).as_str().to_owned());
                    }
                }
                Recipient::Address(sealed) => keys.push(sealed.subject.clone()),
                Recipient::Endpoint(_) => {}
            }
        }
        let keys =
            self.circles.commands().sealer().prepare_open(&keys).await.err().map(|error| error.to_string());
        let known =
            join_all(accounts.into_iter().map(|account| self.circles.account(account, AsOf::Now))).await;
        let mut failed = known.into_iter().filter_map(|known| known.err().map(|error| error.to_string()));
        if let Some(why) = keys.or_else(|| failed.next()) {
            tracing::debug!(why, "readers are looked up one by one");
        }
    }

    async fn compose(&self, claimed: &Claimed) -> Result<Composed, ComposeError> {
        match self.composed(claimed).await {
            Ok(mail) => Ok(Composed::Mail(Box::new(mail))),
            Err(Stop::Withheld(why)) => Ok(Composed::Withheld(why)),
            Err(Stop::Failed(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;

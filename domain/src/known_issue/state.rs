//! The fold of a known issue's events.

use jiff::Timestamp;
use serde::Serialize;

use super::affected::{AffectedUser, AffectedUsers};
use super::events::{CustomerImpact, KnownIssueEvent, SuspicionSource};
use crate::event::{Aggregate, EventAudience};
use crate::ids::{KnownIssueId, ProductId};
use crate::personal::{Contact, Personal, PersonalFields, PersonalSlot};
use crate::volume_watch::VolumeFigures;

/// Where a known issue stands (R-KI-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KnownIssueStatus {
    /// Somebody suspects it.
    Suspected,
    /// Support confirmed it.
    Confirmed,
    /// Support dismissed it.
    Dismissed,
    /// Customers see it.
    Published,
    /// It is resolved.
    Resolved,
}

impl KnownIssueStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Suspected, Self::Confirmed, Self::Dismissed, Self::Published, Self::Resolved];

    /// The name in read models and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "SUSPECTED",
            Self::Confirmed => "CONFIRMED",
            Self::Dismissed => "DISMISSED",
            Self::Published => "PUBLISHED",
            Self::Resolved => "RESOLVED",
        }
    }

    /// The status of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// What support stated about the impact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatedImpact {
    /// What it means to customers.
    pub impact: CustomerImpact,
    /// The same in words.
    pub statement: Personal<String>,
}

/// What customers see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Publication {
    /// What it is about.
    pub summary: Personal<String>,
    /// The outage on the status dashboard.
    pub outage_url: Option<String>,
    /// When it was published.
    pub at: Timestamp,
}

/// An update.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssueUpdate {
    /// Which one, from 1.
    pub number: u32,
    /// The text.
    pub text: Personal<String>,
    /// When it was posted.
    pub at: Timestamp,
}

/// How it was resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolution {
    /// The solution.
    pub text: Personal<String>,
    /// Who resolved it.
    pub author: Personal<Contact>,
    /// When.
    pub at: Timestamp,
}

/// A known issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownIssue {
    /// Its id.
    pub id: KnownIssueId,
    /// The product.
    pub product: ProductId,
    /// What it is about, for support.
    pub title: Personal<String>,
    /// What made somebody suspect it.
    pub source: SuspicionSource,
    /// Where it was seen, and more about it.
    pub details: Option<Personal<String>>,
    /// What a suspicion from the volume rests on.
    pub figures: Option<VolumeFigures>,
    /// When it was first suspected.
    pub suspected_at: Timestamp,
    /// Where it stands.
    pub status: KnownIssueStatus,
    /// What support stated about the impact.
    pub impact: Option<StatedImpact>,
    /// Why it was dismissed.
    pub dismissal: Option<Personal<String>>,
    /// What customers see of it; stays when it is resolved.
    pub publication: Option<Publication>,
    /// Updates, in order.
    pub updates: Vec<IssueUpdate>,
    /// How it was resolved.
    pub resolution: Option<Resolution>,
    /// Who is affected, and who wants mails.
    pub affected: AffectedUsers,
}

impl KnownIssue {
    /// Whether a user's 'me too' counts: it was published, and is not resolved.
    pub fn is_open_to_users(&self) -> bool {
        self.status == KnownIssueStatus::Published
    }
}

/// A known issue, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct KnownIssueState(Option<Box<KnownIssue>>);

impl KnownIssueState {
    /// The issue, once it is suspected.
    pub fn suspected(&self) -> Option<&KnownIssue> {
        self.0.as_deref()
    }

    /// The issue, once it was published, also when it is resolved: what users may know.
    pub fn published(&self) -> Option<&KnownIssue> {
        self.suspected().filter(|issue| issue.publication.is_some())
    }
}

impl PersonalFields for KnownIssueState {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        let Some(issue) = &mut self.0 else { return };
        issue.title.for_each_personal(visit);
        issue.details.for_each_personal(visit);
        issue.dismissal.for_each_personal(visit);
        if let Some(impact) = &mut issue.impact {
            impact.statement.for_each_personal(visit);
        }
        if let Some(publication) = &mut issue.publication {
            publication.summary.for_each_personal(visit);
        }
        for update in &mut issue.updates {
            update.text.for_each_personal(visit);
        }
        if let Some(resolution) = &mut issue.resolution {
            resolution.text.for_each_personal(visit);
            resolution.author.for_each_personal(visit);
        }
    }
}

impl Aggregate for KnownIssueState {
    type Event = KnownIssueEvent;

    fn evolve(&mut self, event: &KnownIssueEvent, at: Timestamp) {
        if let KnownIssueEvent::KnownIssueSuspected(event) = event {
            self.0 = Some(Box::new(KnownIssue {
                id: event.issue,
                product: event.product.clone(),
                title: event.title.clone(),
                source: event.source,
                details: event.details.clone(),
                figures: event.figures.clone(),
                suspected_at: at,
                status: KnownIssueStatus::Suspected,
                impact: None,
                dismissal: None,
                publication: None,
                updates: Vec::new(),
                resolution: None,
                affected: AffectedUsers::default(),
            }));
        } else if let Some(issue) = self.0.as_deref_mut() {
            issue.evolve(event, at);
        }
    }

    fn audience(event: &KnownIssueEvent) -> EventAudience {
        event.audience()
    }
}

impl KnownIssue {
    fn evolve(&mut self, event: &KnownIssueEvent, at: Timestamp) {
        let users = &mut self.affected;
        match event {
            KnownIssueEvent::KnownIssueSuspected(_) => {}
            KnownIssueEvent::KnownIssueConfirmed(event) => {
                self.status = KnownIssueStatus::Confirmed;
                self.impact = Some(StatedImpact { impact: event.impact, statement: event.statement.clone() });
            }
            KnownIssueEvent::KnownIssueDismissed(event) => {
                self.status = KnownIssueStatus::Dismissed;
                self.dismissal = Some(event.reason.clone());
            }
            KnownIssueEvent::KnownIssuePublished(event) => {
                self.status = KnownIssueStatus::Published;
                let (summary, outage_url) = (event.summary.clone(), event.outage_url.clone());
                self.publication = Some(Publication { summary, outage_url, at });
            }
            KnownIssueEvent::KnownIssueUpdatePosted(event) => {
                self.updates.push(IssueUpdate { number: event.update, text: event.text.clone(), at });
            }
            KnownIssueEvent::KnownIssueResolved(event) => {
                self.status = KnownIssueStatus::Resolved;
                let (text, author) = (event.text.clone(), event.author.clone());
                self.resolution = Some(Resolution { text, author, at });
            }
            KnownIssueEvent::AffectedUserJoined(event) => {
                let user = AffectedUser { case: event.case, affected: true, subscribed: true };
                users.set(&event.organization, event.account, user);
            }
            KnownIssueEvent::AffectedUserRejoined(event) => {
                let user = AffectedUser { case: event.case, affected: true, subscribed: true };
                users.set(&event.organization, event.account, user);
            }
            KnownIssueEvent::AffectedUserLeft(event) => {
                let user = AffectedUser { case: event.case, affected: false, subscribed: false };
                users.set(&event.organization, event.account, user);
            }
            KnownIssueEvent::AffectedUserUnsubscribed(event) => {
                self.subscribe(&event.organization.clone(), event.account, false);
            }
            KnownIssueEvent::AffectedUserResubscribed(event) => {
                self.subscribe(&event.organization.clone(), event.account, true);
            }
        }
    }

    fn subscribe(
        &mut self,
        organization: &crate::ids::OrganizationId,
        account: crate::ids::AccountId,
        subscribed: bool,
    ) {
        if let Some(user) = self.affected.get(organization, account) {
            self.affected.set(organization, account, AffectedUser { subscribed, ..user });
        }
    }
}

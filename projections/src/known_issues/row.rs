//! The rows of the model.

use dossier_domain::Personal;
use dossier_domain::known_issue::{KnownIssueEvent, KnownIssueStatus, KnownIssueSuspected};
use dossier_domain::volume_watch::VolumeFigures;
use serde::Serialize;

use crate::database::stored;
use crate::event::ProjectedEvent;

/// A known issue as the read side shows it to support. Erased values are `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct KnownIssueRow {
    /// Its id.
    pub issue: String,
    /// The product.
    pub product: String,
    /// What it is about, for support.
    pub title: Option<String>,
    /// What made somebody suspect it, such as `VOLUME`.
    pub source: String,
    /// Where it was seen, and more about it.
    pub details: Option<String>,
    /// What a suspicion from the volume rests on, a JSON object.
    pub figures: Option<String>,
    /// Where it stands, such as `PUBLISHED`.
    pub status: String,
    /// What it means to customers, such as `HIGH`.
    pub impact: Option<String>,
    /// The same in words.
    pub impact_statement: Option<String>,
    /// Why it was dismissed.
    pub dismissal: Option<String>,
    /// What customers see of it, once it is published.
    pub summary: Option<String>,
    /// The outage on the status dashboard.
    pub outage_url: Option<String>,
    /// How it was resolved.
    pub resolution: Option<String>,
    /// Position of the suspicion: the order of support's list.
    pub suspected_position: i64,
    /// When it was suspected, microseconds since 1970.
    pub suspected_at_micros: i64,
    /// Position of the publication: the order of customers' lists; `None`: it was never published.
    pub published_position: Option<i64>,
    /// When it was published.
    pub published_at_micros: Option<i64>,
    /// When it was resolved.
    pub resolved_at_micros: Option<i64>,
    /// When support last said something about it.
    pub updated_at_micros: i64,
    /// Revision of the stream.
    pub revision: i64,
}

/// A known issue with how many it affects.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ShownIssueRow {
    /// The issue.
    #[sqlx(flatten)]
    pub issue: KnownIssueRow,
    /// Organizations affected.
    pub organizations_affected: i64,
    /// Users affected.
    pub users_affected: i64,
}

/// An update of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct IssueUpdateRow {
    /// The issue.
    pub issue: String,
    /// Which update it is, from 1.
    pub number: i64,
    /// The text; `None`: erased.
    pub text: Option<String>,
    /// When it was posted, microseconds since 1970.
    pub posted_at_micros: i64,
}

/// A user who said at least once that the issue affects them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct IssueUserRow {
    /// The issue.
    pub issue: String,
    /// The organization that they spoke for.
    pub organization: String,
    /// Their account.
    pub account: String,
    /// The case that was filed for them.
    pub case_id: String,
    /// Whether it affects them.
    pub affected: bool,
    /// Whether they want mails.
    pub subscribed: bool,
}

impl KnownIssueRow {
    pub(super) fn suspected(suspected: &KnownIssueSuspected, by: &ProjectedEvent) -> Self {
        let at_micros = by.recorded_at.as_microsecond();
        Self {
            issue: by.stream.id().to_owned(),
            product: suspected.product.to_string(),
            title: text(&suspected.title),
            source: suspected.source.as_str().to_owned(),
            details: suspected.details.as_ref().and_then(text),
            figures: suspected.figures.as_ref().map(json),
            status: KnownIssueStatus::Suspected.as_str().to_owned(),
            impact: None,
            impact_statement: None,
            dismissal: None,
            summary: None,
            outage_url: None,
            resolution: None,
            suspected_position: stored(by.position),
            suspected_at_micros: at_micros,
            published_position: None,
            published_at_micros: None,
            resolved_at_micros: None,
            updated_at_micros: at_micros,
            revision: 0,
        }
    }

    /// The figures of a suspicion from the volume.
    pub fn figures(&self) -> Option<VolumeFigures> {
        self.figures.as_deref().and_then(|figures| serde_json::from_str(figures).ok())
    }

    /// What support says about it.
    pub(super) fn change(&mut self, event: &KnownIssueEvent, by: &ProjectedEvent) {
        let at_micros = by.recorded_at.as_microsecond();
        let status = match event {
            KnownIssueEvent::KnownIssueConfirmed(confirmed) => {
                self.impact = Some(confirmed.impact.as_str().to_owned());
                self.impact_statement = text(&confirmed.statement);
                KnownIssueStatus::Confirmed
            }
            KnownIssueEvent::KnownIssueDismissed(dismissed) => {
                self.dismissal = text(&dismissed.reason);
                KnownIssueStatus::Dismissed
            }
            KnownIssueEvent::KnownIssuePublished(published) => {
                self.summary = text(&published.summary);
                self.outage_url.clone_from(&published.outage_url);
                self.published_position = Some(stored(by.position));
                self.published_at_micros = Some(at_micros);
                KnownIssueStatus::Published
            }
            KnownIssueEvent::KnownIssueUpdatePosted(_) => KnownIssueStatus::Published,
            KnownIssueEvent::KnownIssueResolved(resolved) => {
                self.resolution = text(&resolved.text);
                self.resolved_at_micros = Some(at_micros);
                KnownIssueStatus::Resolved
            }
            KnownIssueEvent::KnownIssueSuspected(_)
            | KnownIssueEvent::AffectedUserJoined(_)
            | KnownIssueEvent::AffectedUserRejoined(_)
            | KnownIssueEvent::AffectedUserLeft(_)
            | KnownIssueEvent::AffectedUserUnsubscribed(_)
            | KnownIssueEvent::AffectedUserResubscribed(_) => return,
        };
        status.as_str().clone_into(&mut self.status);
        self.updated_at_micros = at_micros;
    }
}

pub(super) fn text(value: &Personal<String>) -> Option<String> {
    value.open().cloned()
}

fn json(figures: &VolumeFigures) -> String {
    serde_json::to_string(figures).expect("numbers and instants are serializable")
}

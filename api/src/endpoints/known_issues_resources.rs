//! What known issues look like over HTTP: to support in full; to users what was published, with numbers of who else is affected.

use dossier_domain::known_issue::{KnownIssue, SuspicionSource};
use dossier_domain::volume_watch::VolumeFigures;
use dossier_domain::{AccountId, OrganizationId};
use dossier_projections::known_issues::{IssueUpdateRow, IssueUserRow, ShownIssueRow};
use dossier_projections::organizations::OrganizationRow;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::proto_json::{EnumTable, format_timestamp};

/// Where a known issue stands.
pub const KNOWN_ISSUE_STATES: &EnumTable = &[
    ("STATE_UNSPECIFIED", 0),
    ("SUSPECTED", 1),
    ("CONFIRMED", 2),
    ("DISMISSED", 3),
    ("PUBLISHED", 4),
    ("RESOLVED", 5),
];
/// What made somebody suspect it.
pub const SUSPICION_SOURCES: &EnumTable =
    &[("SOURCE_UNSPECIFIED", 0), ("INTERNAL_ALERT", 1), ("COMMUNITY", 2), ("VOLUME", 3)];
/// What it means to customers.
pub const CUSTOMER_IMPACTS: &EnumTable = &[("IMPACT_UNSPECIFIED", 0), ("LOW", 1), ("MEDIUM", 2), ("HIGH", 3)];

/// The source of a number.
pub fn source_of(number: i32) -> Option<SuspicionSource> {
    match number {
        1 => Some(SuspicionSource::InternalAlert),
        2 => Some(SuspicionSource::Community),
        3 => Some(SuspicionSource::Volume),
        _ => None,
    }
}

/// A known issue, for support. What was erased is absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KnownIssueResource {
    /// `knownIssues/{id}`.
    pub name: String,
    /// Key of the product.
    pub product: String,
    /// What it is about, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// INTERNAL_ALERT, COMMUNITY or VOLUME.
    pub source: String,
    /// Where it was seen, and more about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// What a suspicion from the volume rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figures: Option<VolumeFiguresResource>,
    /// Where it stands.
    pub state: String,
    /// LOW, MEDIUM or HIGH, once support has stated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// The impact in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_statement: Option<String>,
    /// Why it was dismissed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dismissal_reason: Option<String>,
    /// What customers see of it.
    #[serde(flatten)]
    pub published: PublishedIssueResource,
    /// When it was suspected.
    pub create_time: String,
}

/// What was published of a known issue, in English.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishedIssueResource {
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The outage on the status dashboard, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_url: Option<String>,
    /// What support has said since, in order.
    pub updates: Vec<IssueUpdateResource>,
    /// The solution, once it is resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Organizations affected.
    pub organizations_affected: i64,
    /// Users affected.
    pub users_affected: i64,
    /// When it was published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publish_time: Option<String>,
    /// When it was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolve_time: Option<String>,
}

/// Something that support has said about a known issue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssueUpdateResource {
    /// In English; absent when it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When.
    pub create_time: String,
}

/// What a suspicion from the volume rests on.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VolumeFiguresResource {
    /// The hour (UTC), by its beginning.
    pub hour_time: String,
    /// Cases and calls in it.
    pub count: u32,
    /// How many are unusual: the least such number.
    pub threshold: u32,
    /// Cases and calls in the same hour of the four weeks before, the latest first.
    pub weeks_before: Vec<u32>,
}

/// A published known issue, as the users of an organization see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationKnownIssueResource {
    /// `organizations/{organization}/knownIssues/{id}`.
    pub name: String,
    /// Key of the product.
    pub product: String,
    /// PUBLISHED or RESOLVED.
    pub state: String,
    /// What is known of it.
    #[serde(flatten)]
    pub published: PublishedIssueResource,
    /// What the caller has said of it, for this organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub yours: Option<OwnPartResource>,
    /// The reseller that manages the organization, where one does (R-KI-7).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerResource>,
}

/// What a user has said of a known issue.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnPartResource {
    /// The case that was, or is at this moment, filed for them: `organizations/{organization}/cases/{case}`.
    pub case: String,
    /// Whether it affects them.
    pub affected: bool,
    /// Whether they get mails about it.
    pub subscribed: bool,
}

/// The reseller that manages an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartnerResource {
    /// `organizations/{reseller}`.
    pub organization: String,
    /// Name to show.
    pub display_name: String,
    /// Name of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_name: Option<String>,
    /// Address of the contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<String>,
}

impl From<OrganizationRow> for PartnerResource {
    fn from(row: OrganizationRow) -> Self {
        Self {
            organization: format!("organizations/{}", row.organization),
            display_name: row.display_name,
            contact_name: row.technical_contact_name,
            contact_email: row.technical_contact_email,
        }
    }
}

impl From<&VolumeFigures> for VolumeFiguresResource {
    fn from(figures: &VolumeFigures) -> Self {
        Self {
            hour_time: format_timestamp(figures.hour),
            count: figures.count,
            threshold: figures.threshold,
            weeks_before: figures.weeks_before.to_vec(),
        }
    }
}

fn instant(micros: i64) -> String {
    format_timestamp(Timestamp::from_microsecond(micros).unwrap_or_default())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl PublishedIssueResource {
    fn of_row(row: &ShownIssueRow, updates: &[IssueUpdateRow]) -> Self {
        let issue = &row.issue;
        Self {
            summary: issue.summary.clone(),
            outage_url: issue.outage_url.clone(),
            updates: updates
                .iter()
                .filter(|update| update.issue == issue.issue)
                .map(|update| IssueUpdateResource {
                    text: update.text.clone(),
                    create_time: instant(update.posted_at_micros),
                })
                .collect(),
            resolution: issue.resolution.clone(),
            organizations_affected: row.organizations_affected,
            users_affected: row.users_affected,
            publish_time: issue.published_at_micros.map(instant),
            resolve_time: issue.resolved_at_micros.map(instant),
        }
    }

    fn of_state(issue: &KnownIssue) -> Self {
        let publication = issue.publication.as_ref();
        Self {
            summary: publication.and_then(|published| published.summary.open().cloned()),
            outage_url: publication.and_then(|published| published.outage_url.clone()),
            updates: issue
                .updates
                .iter()
                .map(|update| IssueUpdateResource {
                    text: update.text.open().cloned(),
                    create_time: format_timestamp(update.at),
                })
                .collect(),
            resolution: issue.resolution.as_ref().and_then(|resolution| resolution.text.open().cloned()),
            organizations_affected: number(issue.affected.organizations_count()),
            users_affected: number(issue.affected.users_count()),
            publish_time: publication.map(|published| format_timestamp(published.at)),
            resolve_time: issue.resolution.as_ref().map(|resolution| format_timestamp(resolution.at)),
        }
    }
}

impl KnownIssueResource {
    /// As the read model has it, with its updates.
    pub fn of_row(row: &ShownIssueRow, updates: &[IssueUpdateRow]) -> Self {
        let issue = &row.issue;
        Self {
            name: format!("knownIssues/{}", issue.issue),
            product: issue.product.clone(),
            title: issue.title.clone(),
            source: issue.source.clone(),
            details: issue.details.clone(),
            figures: issue.figures().as_ref().map(VolumeFiguresResource::from),
            state: issue.status.clone(),
            impact: issue.impact.clone(),
            impact_statement: issue.impact_statement.clone(),
            dismissal_reason: issue.dismissal.clone(),
            published: PublishedIssueResource::of_row(row, updates),
            create_time: instant(issue.suspected_at_micros),
        }
    }

    /// The same from the fold.
    pub fn of_state(issue: &KnownIssue) -> Self {
        let stated = issue.impact.as_ref();
        Self {
            name: format!("knownIssues/{}", issue.id),
            product: issue.product.to_string(),
            title: issue.title.open().cloned(),
            source: issue.source.as_str().to_owned(),
            details: issue.details.as_ref().and_then(|details| details.open().cloned()),
            figures: issue.figures.as_ref().map(VolumeFiguresResource::from),
            state: issue.status.as_str().to_owned(),
            impact: stated.map(|stated| stated.impact.as_str().to_owned()),
            impact_statement: stated.and_then(|stated| stated.statement.open().cloned()),
            dismissal_reason: issue.dismissal.as_ref().and_then(|reason| reason.open().cloned()),
            published: PublishedIssueResource::of_state(issue),
            create_time: format_timestamp(issue.suspected_at),
        }
    }
}

impl OrganizationKnownIssueResource {
    /// As the read model has it.
    pub fn of_row(
        organization: &OrganizationId,
        row: &ShownIssueRow,
        updates: &[IssueUpdateRow],
        said: &[IssueUserRow],
        partner: Option<PartnerResource>,
    ) -> Self {
        let own = said.iter().find(|user| user.issue == row.issue.issue);
        Self {
            name: format!("organizations/{organization}/knownIssues/{}", row.issue.issue),
            product: row.issue.product.clone(),
            state: row.issue.status.clone(),
            published: PublishedIssueResource::of_row(row, updates),
            yours: own.map(|user| OwnPartResource {
                case: format!("organizations/{organization}/cases/{}", user.case_id),
                affected: user.affected,
                subscribed: user.subscribed,
            }),
            partner,
        }
    }

    /// The same from the fold.
    pub fn of_state(
        organization: &OrganizationId,
        account: AccountId,
        issue: &KnownIssue,
        partner: Option<PartnerResource>,
    ) -> Self {
        Self {
            name: format!("organizations/{organization}/knownIssues/{}", issue.id),
            product: issue.product.to_string(),
            state: issue.status.as_str().to_owned(),
            published: PublishedIssueResource::of_state(issue),
            yours: issue.affected.get(organization, account).map(|user| OwnPartResource {
                case: format!("organizations/{organization}/cases/{}", user.case),
                affected: user.affected,
                subscribed: user.subscribed,
            }),
            partner,
        }
    }
}

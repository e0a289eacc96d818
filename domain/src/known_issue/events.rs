//! What is written about a known issue. These structs are the contract with the log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Entitlement;
use crate::authority::Side;
use crate::case::ClassificationRef;
use crate::catalogue::Priority;
use crate::event::{EventAudience, domain_events};
use crate::ids::{AccountId, CaseId, KnownIssueId, OrganizationId, ProductId};
use crate::personal::{Contact, Personal, personal_fields};
use crate::volume_watch::VolumeFigures;

/// What made somebody suspect an issue (R-KI-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuspicionSource {
    /// An alert of the operator's own.
    InternalAlert,
    /// A forum of users, or the community.
    Community,
    /// Unusually many cases and calls (R-KI-2).
    Volume,
}

impl SuspicionSource {
    /// The name in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InternalAlert => "INTERNAL_ALERT",
            Self::Community => "COMMUNITY",
            Self::Volume => "VOLUME",
        }
    }
}

/// What an issue means to customers, as support states it (R-KI-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomerImpact {
    /// Hardly anything.
    Low,
    /// Something.
    Medium,
    /// Much: only then is it published.
    High,
}

impl CustomerImpact {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The name in read models and requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// How a user spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaidVia {
    /// Signed in.
    SignedIn,
    /// By the link in a mail, without signing in (R-KI-5).
    MailLink,
}

/// Somebody, or the watch over the volume, suspects an issue (R-KI-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueSuspected {
    /// The issue.
    #[schemars(extend("x-analytics" = true))]
    pub issue: KnownIssueId,
    /// The product.
    #[schemars(extend("x-analytics" = true))]
    pub product: ProductId,
    /// What it is about, for support.
    pub title: Personal<String>,
    /// What made somebody suspect it.
    #[schemars(extend("x-analytics" = true))]
    pub source: SuspicionSource,
    /// Where it was seen, and more about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Personal<String>>,
    /// What a suspicion from the volume rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub figures: Option<VolumeFigures>,
}
personal_fields!(KnownIssueSuspected { title, details });

/// Support confirmed it, or stated its impact anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueConfirmed {
    /// What it means to customers.
    #[schemars(extend("x-analytics" = true))]
    pub impact: CustomerImpact,
    /// The same in words.
    pub statement: Personal<String>,
}
personal_fields!(KnownIssueConfirmed { statement });

/// Support dismissed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueDismissed {
    /// Why.
    pub reason: Personal<String>,
}
personal_fields!(KnownIssueDismissed { reason });

/// It was published: from now on those whose organization has the product see it (R-KI-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssuePublished {
    /// What it is about, short and in English (R-KI-7).
    pub summary: Personal<String>,
    /// The outage on the status dashboard, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_url: Option<String>,
}
personal_fields!(KnownIssuePublished { summary });

/// Support posted an update, in English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueUpdatePosted {
    /// Which update it is, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub update: u32,
    /// The text.
    pub text: Personal<String>,
}
personal_fields!(KnownIssueUpdatePosted { text });

/// It is resolved (R-KI-6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueResolved {
    /// The solution, in English: it is proposed on every linked open case.
    pub text: Personal<String>,
    /// Who resolved it.
    pub author: Personal<Contact>,
    /// Organizations affected until then.
    #[schemars(extend("x-analytics" = true))]
    pub organizations_affected: u32,
    /// Users affected until then.
    #[schemars(extend("x-analytics" = true))]
    pub users_affected: u32,
}
personal_fields!(KnownIssueResolved { text, author });

/// A user said for the first time that it affects them (R-KI-4): they are counted and subscribed, and their case is filed by
/// a reactor with what is written here, which is all that filing takes from this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedUserJoined {
    /// The user.
    pub account: AccountId,
    /// The organization that they spoke for.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// The case that is filed for them.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
    /// What the case is about.
    #[schemars(extend("x-analytics" = true))]
    pub classification: ClassificationRef,
    /// Urgency of the case.
    #[schemars(extend("x-analytics" = true))]
    pub priority: Priority,
    /// Language of the case; mails about the issue are in English all the same.
    #[schemars(extend("x-analytics" = true))]
    pub language: String,
    /// IANA name or offset, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What they say themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Personal<String>>,
    /// The reseller that managed the organization at this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub manager: Option<OrganizationId>,
    /// Revision of the access state that it relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub access_revision: Option<u64>,
    /// The entitlement that made it eligible.
    #[schemars(extend("x-analytics" = true))]
    pub entitlement: Entitlement,
}
personal_fields!(AffectedUserJoined { contact, description });

/// A user who had said that it does not affect them said that it does: they are counted and subscribed again, and their open
/// case is linked again (R-KI-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedUserRejoined {
    /// The user.
    pub account: AccountId,
    /// The organization that they spoke for.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// Their case.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
}
personal_fields!(AffectedUserRejoined {});

/// A user said that it does not affect them: they are counted and subscribed no more, and their case goes back to individual
/// support (R-KI-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedUserLeft {
    /// The user.
    pub account: AccountId,
    /// The organization that they had spoken for.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// Their case.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
    /// How they said so.
    #[schemars(extend("x-analytics" = true))]
    pub via: SaidVia,
}
personal_fields!(AffectedUserLeft {});

/// A user wants no mails about it any more, and stays counted, with their case (R-KI-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedUserUnsubscribed {
    /// The user.
    pub account: AccountId,
    /// The organization that they had spoken for.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// Their case.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
    /// How they said so.
    #[schemars(extend("x-analytics" = true))]
    pub via: SaidVia,
}
personal_fields!(AffectedUserUnsubscribed {});

/// A user wants mails about it again; nothing else changes (R-KI-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AffectedUserResubscribed {
    /// The user.
    pub account: AccountId,
    /// The organization that they spoke for.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// Their case.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
}
personal_fields!(AffectedUserResubscribed {});

domain_events! {
    /// Everything that can have happened to a known issue.
    pub enum KnownIssueEvent {
        /// It is suspected.
        KnownIssueSuspected @ 1,
        /// It is confirmed.
        KnownIssueConfirmed @ 1,
        /// It is dismissed.
        KnownIssueDismissed @ 1,
        /// It is published.
        KnownIssuePublished @ 1,
        /// There is an update.
        KnownIssueUpdatePosted @ 1,
        /// It is resolved.
        KnownIssueResolved @ 1,
        /// It affects somebody.
        AffectedUserJoined @ 1,
        /// It affects somebody again.
        AffectedUserRejoined @ 1,
        /// It does not affect somebody.
        AffectedUserLeft @ 1,
        /// Somebody wants no mails.
        AffectedUserUnsubscribed @ 1,
        /// Somebody wants mails again.
        AffectedUserResubscribed @ 1,
    }
}

impl KnownIssueEvent {
    /// Who may ever learn of it: what support thinks before it publishes stays with support; who else is affected is nobody's
    /// business, which is why no customer reads this stream.
    pub fn audience(&self) -> EventAudience {
        match self {
            Self::KnownIssueSuspected(_) | Self::KnownIssueConfirmed(_) | Self::KnownIssueDismissed(_) => {
                EventAudience::Support
            }
            Self::KnownIssuePublished(_)
            | Self::KnownIssueUpdatePosted(_)
            | Self::KnownIssueResolved(_)
            | Self::AffectedUserJoined(_)
            | Self::AffectedUserRejoined(_)
            | Self::AffectedUserLeft(_)
            | Self::AffectedUserUnsubscribed(_)
            | Self::AffectedUserResubscribed(_) => EventAudience::Customer,
        }
    }
}

//! That a case was filed.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Entitlement;
use crate::authority::Side;
use crate::catalogue::{Channel, Priority};
use crate::ids::{AccountId, CaseId, HelpSessionId, KnownIssueId, OrganizationId, ProductId};
use crate::personal::{Contact, Personal, personal_fields};

/// A classification as it stood in the catalogue when it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassificationRef {
    /// Stable key.
    #[schemars(extend("x-analytics" = true))]
    pub id: String,
    /// Name at that time.
    pub display_name: String,
}

/// Whether the problem can be brought about again (R-CASE-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reproducible {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// Nobody knows.
    Unknown,
}

/// What the filer tells of the problem beside the description (R-CASE-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub start: Option<Timestamp>,
    /// When it ended; open without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub end: Option<Timestamp>,
    /// Version of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Log entries or stack trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_entries: Option<Personal<String>>,
    /// Whether it can be brought about again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub reproducible: Option<Reproducible>,
    /// The code in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Personal<String>>,
    /// How the application flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_flow: Option<Personal<String>>,
    /// Users affected, percent, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub affected_user_percent: Option<u8>,
    /// What it means to the users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_impact: Option<Personal<String>>,
}
personal_fields!(Problem { log_entries, code, application_flow, user_impact });

/// Where a case was before it came here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImportOrigin {
    /// The system that it comes from.
    pub source: String,
    /// Its id there.
    pub external_id: String,
    /// Who took it over.
    pub imported_by: AccountId,
}

/// The session with the help assistant that a case came of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HelpReference {
    /// The session: what was suggested and chosen is in its events.
    #[schemars(extend("x-analytics" = true))]
    pub session: HelpSessionId,
    /// Keys of the articles that were read, without avail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-analytics" = true))]
    pub articles: Vec<String>,
}

/// A case was filed (R-CASE-1), with everything that later decisions and reads take from that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseFiled {
    /// The case.
    #[schemars(extend("x-analytics" = true))]
    pub case: CaseId,
    /// Whose case it is.
    #[schemars(extend("x-analytics" = true))]
    pub organization: OrganizationId,
    /// The product, from the classification.
    #[schemars(extend("x-analytics" = true))]
    pub product: ProductId,
    /// What it is about.
    #[schemars(extend("x-analytics" = true))]
    pub classification: ClassificationRef,
    /// Short summary.
    pub title: Personal<String>,
    /// The whole story.
    pub description: Personal<String>,
    /// Urgency.
    #[schemars(extend("x-analytics" = true))]
    pub priority: Priority,
    /// Language support answers in, BCP 47.
    #[schemars(extend("x-analytics" = true))]
    pub language: String,
    /// IANA name or offset, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Address to reach the filer at, where that is not the one they sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_email: Option<Personal<String>>,
    /// Addresses that get updates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribers: Vec<Personal<String>>,
    /// Not to be worked on.
    #[serde(default)]
    #[schemars(extend("x-analytics" = true))]
    pub test_case: bool,
    /// More about the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub problem: Option<Problem>,
    /// Who filed it.
    pub filer: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
    /// The reseller that managed the organization at this moment (R-RES-3); `None`: direct.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub manager: Option<OrganizationId>,
    /// Revision of the access state that the filing relied on (R-RES-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub access_revision: Option<u64>,
    /// The entitlement that made it eligible (R-PLAN-1).
    #[schemars(extend("x-analytics" = true))]
    pub entitlement: Entitlement,
    /// How it was filed; the web before anybody could choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub channel: Option<Channel>,
    /// The closed case that it follows up (R-REOPEN-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub follow_up_of: Option<CaseId>,
    /// Where its history was taken over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<ImportOrigin>,
    /// The known issue that it was filed for (R-KI-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub known_issue: Option<KnownIssueId>,
    /// The session with the help assistant that it came of (R-HELP-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub help: Option<HelpReference>,
}
personal_fields!(CaseFiled { title, description, contact_email, subscribers, problem, filer });

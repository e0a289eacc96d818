//! What support does for itself, which no customer learns of: routing, assignment, links. Merging, and what a case has to do
//! with a known issue, is told to both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, CaseId, KnownIssueId, ProviderId};
use crate::personal::{Contact, Personal, personal_fields};
use crate::routing::Routing;

/// Why a case was routed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutingCause {
    /// It was filed.
    Filing,
    /// It was reopened, and the provider that had it is gone (R-REOPEN-3).
    Reopening,
    /// A provider handed it over.
    HandOver,
    /// Its history was taken over from elsewhere.
    Import,
}

/// A case went to a support provider (R-ROUTE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRouted {
    /// The provider.
    #[schemars(extend("x-analytics" = true))]
    pub provider: ProviderId,
    /// Who had it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub from: Option<ProviderId>,
    /// Why.
    #[schemars(extend("x-analytics" = true))]
    pub cause: RoutingCause,
    /// Whether it went to the default queue because nobody fits.
    #[schemars(extend("x-analytics" = true))]
    pub default_queue: bool,
    /// How the provider was found; a hand-over names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing: Option<Routing>,
    /// Why it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
}
personal_fields!(CaseRouted { reason });

/// An agent got the case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseAssigned {
    /// The agent.
    pub agent: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// The provider that they work for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub provider: Option<ProviderId>,
}
personal_fields!(CaseAssigned { contact });

/// Nobody in particular has the case any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseUnassigned {
    /// Who had it.
    pub agent: AccountId,
}
personal_fields!(CaseUnassigned {});

/// How one case has to do with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Somehow.
    Related,
    /// They tell of the same.
    Duplicate,
    /// The other is the cause.
    CausedBy,
    /// The other follows this one up.
    FollowedUpBy,
}

/// Support linked the case with another one, maybe of another organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesLinked {
    /// The other case.
    #[schemars(extend("x-analytics" = true))]
    pub other: CaseId,
    /// How they have to do with each other.
    #[schemars(extend("x-analytics" = true))]
    pub kind: LinkKind,
}
personal_fields!(CasesLinked {});

/// Support took a link away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CasesUnlinked {
    /// The other case.
    #[schemars(extend("x-analytics" = true))]
    pub other: CaseId,
    /// How they had to do with each other.
    #[schemars(extend("x-analytics" = true))]
    pub kind: LinkKind,
}
personal_fields!(CasesUnlinked {});

/// The case goes on in another one of the same organization; both histories are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseMerged {
    /// Where it goes on.
    #[schemars(extend("x-analytics" = true))]
    pub target: CaseId,
    /// Whether an escalation was active, which ends.
    #[schemars(extend("x-analytics" = true))]
    pub escalation_ended: bool,
}
personal_fields!(CaseMerged {});

/// The merging was a mistake: the case goes on by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergeUndone {
    /// Where it had gone on.
    #[schemars(extend("x-analytics" = true))]
    pub target: CaseId,
}
personal_fields!(MergeUndone {});

/// Another case goes on in this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedCaseReceived {
    /// The other case.
    #[schemars(extend("x-analytics" = true))]
    pub source: CaseId,
}
personal_fields!(MergedCaseReceived {});

/// A case that went on in this one goes on by itself again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedCaseReturned {
    /// The other case.
    #[schemars(extend("x-analytics" = true))]
    pub source: CaseId,
}
personal_fields!(MergedCaseReturned {});

/// The case is about a known issue: what is done about that is done for it (R-KI-4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueLinked {
    /// The known issue.
    #[schemars(extend("x-analytics" = true))]
    pub issue: KnownIssueId,
}
personal_fields!(KnownIssueLinked {});

/// The case is not about the known issue: it goes back to individual support (R-KI-5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownIssueUnlinked {
    /// The known issue.
    #[schemars(extend("x-analytics" = true))]
    pub issue: KnownIssueId,
}
personal_fields!(KnownIssueUnlinked {});

//! What is written about exports. These structs are the contract with the log.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::domain_events;
use crate::ids::{AccountId, ExportId, OrganizationId};
use crate::personal::personal_fields;

/// For whom history leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// An auditor, personal values open (R-AUDIT-1).
    Audit,
    /// Analytics, the marked fields only (R-ANALYTICS-1).
    Analytics,
    /// Why a principal sees a case or does not: the places of events, nothing of what they say (R-RES-5).
    Explanation,
}

impl ExportKind {
    /// The name in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Analytics => "analytics",
            Self::Explanation => "explanation",
        }
    }
}

/// What of history is read. Holds names and ids only, nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportScope {
    /// The resource whose history it is: `organizations/acme/cases/…`; `None`: the feed of all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only of this organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// Only of this category of streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Only of this event type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
}

/// Somebody read history: the first time on that day (UTC), of that scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryExported {
    /// The export.
    pub export: ExportId,
    /// Who reads.
    pub account: AccountId,
    /// For what.
    pub kind: ExportKind,
    /// What they read.
    pub scope: ExportScope,
    /// Where the first reading began: after this position of the log, or from this revision of the history.
    pub from: u64,
    /// The instant whose state was asked for first; `None`: the events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
personal_fields!(HistoryExported {});

domain_events! {
    /// Everything that can have happened to an export.
    pub enum ExportEvent {
        /// Somebody read history.
        HistoryExported @ 1,
    }
}

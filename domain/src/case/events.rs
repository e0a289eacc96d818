//! What is written about a case. These structs are the contract with the log: a change of meaning is a new version with an
//! upcaster, and the golden samples of the old one stay for ever.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::state::Status;
use crate::access::Entitlement;
use crate::authority::Side;
use crate::catalogue::Priority;
use crate::event::domain_events;
use crate::ids::{AttachmentId, CaseId, CommentId, OrganizationId, ProductId};
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
}
personal_fields!(CaseFiled { title, description, contact_email, subscribers, problem, filer });

/// Somebody commented (R-COMMENT-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommentAdded {
    /// The comment.
    #[schemars(extend("x-analytics" = true))]
    pub comment: CommentId,
    /// The text.
    pub body: Personal<String>,
    /// Who wrote it.
    pub author: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(CommentAdded { body, author });

/// Version 1 of [`CommentAdded`]: only the customer commented, so no side was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommentAddedV1 {
    /// The comment.
    #[schemars(extend("x-analytics" = true))]
    pub comment: CommentId,
    /// The text.
    pub body: Personal<String>,
    /// Who wrote it.
    pub author: Personal<Contact>,
}

impl From<CommentAddedV1> for CommentAdded {
    fn from(old: CommentAddedV1) -> Self {
        Self { comment: old.comment, body: old.body, author: old.author, side: Side::Customer }
    }
}

/// Somebody attached a file (R-ATTACH-1). The content lies outside the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttachmentAdded {
    /// The attachment.
    #[schemars(extend("x-analytics" = true))]
    pub attachment: AttachmentId,
    /// Name of the file, as given.
    pub filename: Personal<String>,
    /// Media type as told by whoever uploaded it; never trusted for display.
    pub media_type: String,
    /// Size of the content, in bytes.
    #[schemars(extend("x-analytics" = true))]
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal; sealed, since it tells a known content.
    pub sha256: Personal<String>,
    /// Where the sealed content lies, in the blob store.
    pub blob: String,
    /// Who attached it; their key seals the content.
    pub author: Personal<Contact>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(AttachmentAdded { filename, sha256, author });

/// What moved an open case from one open state to another (R-CASE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateChangeCause {
    /// The customer side commented, which answers outstanding requests (R-COMMENT-1).
    CustomerComment,
    /// Support answered.
    SupportAnswer,
    /// The case was escalated (R-ESC-1).
    Escalation,
}

/// An open case moved to another open state by what was done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseStateChanged {
    /// Before.
    #[schemars(extend("x-analytics" = true))]
    pub from: Status,
    /// After.
    #[schemars(extend("x-analytics" = true))]
    pub to: Status,
    /// Why.
    #[schemars(extend("x-analytics" = true))]
    pub cause: StateChangeCause,
}
personal_fields!(CaseStateChanged {});

/// The title changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRenamed {
    /// The new title.
    pub title: Personal<String>,
}
personal_fields!(CaseRenamed { title });

/// The list of subscribers changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubscribersChanged {
    /// The whole new list.
    pub subscribers: Vec<Personal<String>>,
}
personal_fields!(SubscribersChanged { subscribers });

/// The priority changed (R-PRIO-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriorityChanged {
    /// Before.
    #[schemars(extend("x-analytics" = true))]
    pub from: Priority,
    /// After.
    #[schemars(extend("x-analytics" = true))]
    pub to: Priority,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
    /// Support says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<String>>,
}
personal_fields!(PriorityChanged { reason });

/// Why somebody escalates (R-ESC-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationReason {
    /// It takes too long.
    ResolutionTime,
    /// The expertise is missing.
    TechnicalExpertise,
    /// The business suffers.
    BusinessImpact,
}

/// The customer side escalated (R-ESC-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseEscalated {
    /// Why.
    #[schemars(extend("x-analytics" = true))]
    pub reason: EscalationReason,
    /// In their words.
    pub justification: Personal<String>,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(CaseEscalated { justification });

/// Support took the escalation up (R-ESC-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationAcknowledged {}
personal_fields!(EscalationAcknowledged {});

/// Support finished the escalation (R-ESC-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EscalationResolved {}
personal_fields!(EscalationResolved {});

/// What support may ask for (R-INFOREQ-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InformationKind {
    /// The exact steps.
    ExactSteps,
    /// Carrying out a troubleshooting procedure.
    TroubleshootingProcedure,
    /// Log files and message headers.
    LogsAndHeaders,
}

/// Support asked the customer for something (R-INFOREQ-1): the case is ACTION_REQUIRED.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InformationRequested {
    /// What is asked for.
    #[schemars(extend("x-analytics" = true))]
    pub information: InformationKind,
    /// In support's words.
    pub text: Personal<String>,
    /// Who asks.
    pub author: Personal<Contact>,
}
personal_fields!(InformationRequested { text, author });

/// The kinds of solution (R-RESOLVE-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SolutionKind {
    /// Problem solved or question answered.
    Solved,
    /// A feature is missing.
    MissingFeature,
    /// It could not be reproduced.
    NotReproducible,
    /// Handed to a third-party product team.
    ThirdParty,
    /// Out of scope or unresolvable.
    OutOfScope,
    /// An outage recorded on the status dashboard.
    Outage,
}

/// Support proposed a solution: the case is SOLUTION_PROVIDED.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SolutionProposed {
    /// Of which kind.
    #[schemars(extend("x-analytics" = true))]
    pub solution: SolutionKind,
    /// In support's words.
    pub text: Personal<String>,
    /// Who proposes it.
    pub author: Personal<Contact>,
}
personal_fields!(SolutionProposed { text, author });

/// The case was closed (R-CLOSE-1), which ends an active escalation (R-ESC-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseClosed {
    /// Which closing of this case it is, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub closing: u32,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
    /// Until when a comment of the customer side reopens it, inclusive.
    #[schemars(extend("x-analytics" = true))]
    pub reopen_window_ends_at: Timestamp,
    /// Whether an escalation was active.
    #[schemars(extend("x-analytics" = true))]
    pub escalation_ended: bool,
}
personal_fields!(CaseClosed {});

/// A comment reopened the closed case (R-REOPEN-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReopenedWithin30Days {
    /// The closing that it undoes.
    #[schemars(extend("x-analytics" = true))]
    pub closing: u32,
    /// The comment that reopened it.
    #[schemars(extend("x-analytics" = true))]
    pub comment: CommentId,
}
personal_fields!(ReopenedWithin30Days {});

domain_events! {
    /// Everything that can have happened to a case.
    pub enum CaseEvent {
        /// It was filed.
        CaseFiled @ 1,
        /// Somebody commented.
        CommentAdded @ 2 { 1: CommentAddedV1 },
        /// Somebody attached a file.
        AttachmentAdded @ 1,
        /// It moved between open states.
        CaseStateChanged @ 1,
        /// The title changed.
        CaseRenamed @ 1,
        /// The subscribers changed.
        SubscribersChanged @ 1,
        /// The priority changed.
        PriorityChanged @ 1,
        /// The customer side escalated.
        CaseEscalated @ 1,
        /// Support took the escalation up.
        EscalationAcknowledged @ 1,
        /// Support finished the escalation.
        EscalationResolved @ 1,
        /// Support asked for something.
        InformationRequested @ 1,
        /// Support proposed a solution.
        SolutionProposed @ 1,
        /// It was closed.
        CaseClosed @ 1,
        /// A comment reopened it.
        ReopenedWithin30Days @ 1,
    }
}

//! How a case comes to its end: requests, solutions, closings, surveys, and reopening.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::authority::Side;
use crate::ids::{CommentId, KnownIssueId};
use crate::personal::{Contact, Personal, personal_fields};

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

/// What a solution brings along, by its kind (R-RESOLVE-1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SolutionParticulars {
    /// Where the customer may post a missing feature as an idea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idea_url: Option<String>,
    /// What to do about what could not be reproduced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendations: Option<Personal<String>>,
    /// Whom to reach at the third party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub third_party_contact: Option<Personal<String>>,
    /// The outage on the status dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage_url: Option<String>,
}
personal_fields!(SolutionParticulars { recommendations, third_party_contact });

impl SolutionParticulars {
    /// Whether it says nothing: then nothing is written.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
    /// What its kind brings along.
    #[serde(default, skip_serializing_if = "SolutionParticulars::is_empty")]
    pub particulars: SolutionParticulars,
    /// When the case closes by itself unless the customer side answers (R-CLOSE-1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic_closing: Option<AutomaticClosing>,
    /// The known issue whose resolution it is (R-KI-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-analytics" = true))]
    pub known_issue: Option<KnownIssueId>,
}
personal_fields!(SolutionProposed { text, author, particulars });

/// When a case closes by itself, as the catalogue had it when the solution was proposed (R-CLOSE-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutomaticClosing {
    /// When it is announced.
    pub announced_from: Timestamp,
    /// When it closes; later where it was announced late.
    pub closes_at: Timestamp,
}

/// It was announced that the case will close by itself (R-CLOSE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClosingAnnounced {
    /// The solution that nobody answered, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub solution: u32,
    /// When it will close.
    #[schemars(extend("x-analytics" = true))]
    pub closes_at: Timestamp,
}
personal_fields!(ClosingAnnounced {});

/// The customer side asked for a service credit because of an outage (R-RESOLVE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceCreditRequested {
    /// The solution that named the outage, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub solution: u32,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(ServiceCreditRequested {});

/// The customer side asked for an incident report about an outage (R-RESOLVE-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentReportRequested {
    /// The solution that named the outage, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub solution: u32,
    /// From which side.
    #[schemars(extend("x-analytics" = true))]
    pub side: Side,
}
personal_fields!(IncidentReportRequested {});

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
    /// Whether it closed by itself, after a solution that nobody answered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-analytics" = true))]
    pub automatic: bool,
}
personal_fields!(CaseClosed {});

/// How the answer to a survey came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurveyChannel {
    /// By the filer, signed in.
    SignedIn,
    /// By the link that was mailed, which names the closing.
    Link,
}

/// The survey of a closing was answered (R-SURVEY-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyAnswered {
    /// The closing, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub closing: u32,
    /// From 1, bad, to 5, good.
    #[schemars(extend("x-analytics" = true))]
    pub rating: u8,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Personal<String>>,
    /// How it came.
    #[schemars(extend("x-analytics" = true))]
    pub via: SurveyChannel,
}
personal_fields!(SurveyAnswered { text });

/// Nothing reopens the case any more (R-REOPEN-2): for support's own reckoning, since the refusal needs no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReopenWindowEnded {
    /// The closing, from 1.
    #[schemars(extend("x-analytics" = true))]
    pub closing: u32,
}
personal_fields!(ReopenWindowEnded {});

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

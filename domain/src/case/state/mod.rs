//! The fold of a case's events: what decisions need, and what a command answers with. How each event changes it is in
//! `evolve.rs`.

mod evolve;
mod parts;

pub use parts::{Assignment, FirstResponse, LinkedIssue, OpenObjective, ProposedSolution};

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{ClassificationRef, HelpReference, ImportOrigin, LinkKind, Problem, ResponseKind};
use super::rejection::CaseRejection;
use crate::access::Entitlement;
use crate::authority::Side;
use crate::catalogue::{Channel, Priority};
use crate::ids::{CaseId, NoteId, OrganizationId, ProductId, ProviderId};
use crate::notification::RecipientKey;
use crate::personal::{Contact, Personal, PersonalFields, PersonalSlot};

/// Where a case stands (R-CASE-3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Nobody has taken it up.
    New,
    /// Support works on it.
    InProgress,
    /// Waiting for the customer.
    ActionRequired,
    /// A solution is proposed.
    SolutionProvided,
    /// Closed.
    Closed,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::New, Self::InProgress, Self::ActionRequired, Self::SolutionProvided, Self::Closed];

    /// Whether the case is open.
    pub fn is_open(self) -> bool {
        self != Self::Closed
    }

    /// The name in events and read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::InProgress => "IN_PROGRESS",
            Self::ActionRequired => "ACTION_REQUIRED",
            Self::SolutionProvided => "SOLUTION_PROVIDED",
            Self::Closed => "CLOSED",
        }
    }

    /// The status of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// How far an escalation is (R-ESC-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EscalationStatus {
    /// None, or it ended with a closing.
    #[default]
    None,
    /// The customer side asked for it.
    Requested,
    /// Support took it up.
    Acknowledged,
    /// Support finished it.
    Resolved,
}

impl EscalationStatus {
    /// Whether another escalation would change nothing.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Requested | Self::Acknowledged)
    }
}

/// A filed case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// Whose case it is.
    pub organization: OrganizationId,
    /// The product.
    pub product: ProductId,
    /// What it is about.
    pub classification: ClassificationRef,
    /// Short summary.
    pub title: Personal<String>,
    /// The whole story.
    pub description: Personal<String>,
    /// Urgency.
    pub priority: Priority,
    /// Language support answers in.
    pub language: String,
    /// IANA name or offset, as given.
    pub time_zone: Option<String>,
    /// Address to reach the filer at, where given.
    pub contact_email: Option<Personal<String>>,
    /// Addresses that get updates.
    pub subscribers: Vec<Personal<String>>,
    /// Not to be worked on.
    pub test_case: bool,
    /// More about the problem.
    pub problem: Option<Problem>,
    /// Who filed it.
    pub filer: Personal<Contact>,
    /// From which side.
    pub side: Side,
    /// The reseller that managed the organization at filing.
    pub manager: Option<OrganizationId>,
    /// Revision of the access state that the filing relied on.
    pub access_revision: Option<u64>,
    /// The entitlement that made it eligible.
    pub entitlement: Entitlement,
    /// Where it stands.
    pub status: Status,
    /// How far an escalation is.
    pub escalation: EscalationStatus,
    /// Requests that the customer has not answered.
    pub outstanding_requests: u32,
    /// When it was filed.
    pub filed_at: Timestamp,
    /// How often it was closed.
    pub closings: u32,
    /// Until when a comment reopens it, of the latest closing.
    pub reopen_window_ends_at: Option<Timestamp>,
    /// Whether the end of that window was recorded.
    pub reopen_window_end_recorded: bool,
    /// How it was filed.
    pub channel: Channel,
    /// The closed case that it follows up.
    pub follow_up_of: Option<CaseId>,
    /// Where its history was taken over from.
    pub imported_from: Option<ImportOrigin>,
    /// The known issue that it is about (R-KI-4).
    pub known_issue: Option<LinkedIssue>,
    /// The session with the help assistant that it came of.
    pub help: Option<HelpReference>,
    /// The support provider that has it; `None`: there were none when it was filed.
    pub provider: Option<ProviderId>,
    /// The agent who has it.
    pub assignment: Option<Assignment>,
    /// Internal notes.
    pub notes: BTreeSet<NoteId>,
    /// Links to other cases.
    pub links: BTreeSet<(CaseId, LinkKind)>,
    /// The case that it goes on in; then it is closed.
    pub merged_into: Option<CaseId>,
    /// What support still owed when it was merged.
    pub owed_when_merged: Option<ResponseKind>,
    /// Cases that go on in it.
    pub merged_cases: BTreeSet<CaseId>,
    /// How many solutions were proposed.
    pub solutions: u32,
    /// The latest solution, whatever came of it.
    pub solution: Option<ProposedSolution>,
    /// Closings whose survey was answered.
    pub surveys_answered: BTreeSet<u32>,
    /// Who wants no mails about it any more, by what stands for them.
    pub notifications_stopped: BTreeSet<RecipientKey>,
    /// Whether support ever answered in public.
    pub answered: bool,
    /// The promise that is open.
    pub objective: Option<OpenObjective>,
    /// The verdict on the first response, which stays.
    pub first_response: Option<FirstResponse>,
}

/// Whether a case is open: one that goes on in another is not, and says where.
pub(super) fn check_open(case: &Case) -> Result<(), CaseRejection> {
    check_not_merged(case)?;
    if case.status.is_open() { Ok(()) } else { Err(CaseRejection::CaseClosed) }
}

/// Whether a case goes on by itself.
pub(super) fn check_not_merged(case: &Case) -> Result<(), CaseRejection> {
    case.merged_into.map_or(Ok(()), |into| Err(CaseRejection::CaseMerged { into }))
}

/// A case, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CaseState(pub(super) Option<Box<Case>>);

impl Case {
    /// The reseller that filed the case on the organization's behalf: the manager of that moment, who alone may.
    pub fn filed_by_reseller(&self) -> Option<&OrganizationId> {
        self.manager.as_ref().filter(|_| self.side == Side::Reseller)
    }

    /// When it closes by itself, once that is announced and while the solution is unanswered.
    pub fn announced_closing(&self) -> Option<Timestamp> {
        let solution = self.solution.as_ref().filter(|solution| solution.announced);
        solution.filter(|_| self.status == Status::SolutionProvided).and_then(|solution| solution.closes_at)
    }
}

impl CaseState {
    /// The case, once it is filed.
    pub fn filed(&self) -> Option<&Case> {
        self.0.as_deref()
    }
}

impl PersonalFields for CaseState {
    fn for_each_personal(&mut self, visit: &mut dyn FnMut(&mut dyn PersonalSlot)) {
        if let Some(case) = &mut self.0 {
            case.title.for_each_personal(visit);
            case.description.for_each_personal(visit);
            case.contact_email.for_each_personal(visit);
            case.subscribers.for_each_personal(visit);
            case.problem.for_each_personal(visit);
            case.filer.for_each_personal(visit);
            if let Some(assignment) = &mut case.assignment {
                assignment.contact.for_each_personal(visit);
            }
        }
    }
}

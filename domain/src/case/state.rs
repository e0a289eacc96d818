//! The fold of a case's events: what decisions need, and what a command answers with.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{CaseEvent, ClassificationRef, Problem};
use super::rejection::CaseRejection;
use crate::access::Entitlement;
use crate::authority::Side;
use crate::catalogue::Priority;
use crate::event::Aggregate;
use crate::ids::{CaseId, OrganizationId, ProductId};
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
}

/// Whether a case is open.
pub(super) fn check_open(case: &Case) -> Result<(), CaseRejection> {
    if case.status.is_open() { Ok(()) } else { Err(CaseRejection::CaseClosed) }
}

/// A case, or nothing yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CaseState(Option<Box<Case>>);

impl Case {
    /// The reseller that filed the case on the organization's behalf: the manager of that moment, who alone may.
    pub fn filed_by_reseller(&self) -> Option<&OrganizationId> {
        self.manager.as_ref().filter(|_| self.side == Side::Reseller)
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
        }
    }
}

impl Aggregate for CaseState {
    type Event = CaseEvent;

    fn evolve(&mut self, event: &CaseEvent, at: Timestamp) {
        if let CaseEvent::CaseFiled(filed) = event {
            self.0 = Some(Box::new(Case {
                id: filed.case,
                organization: filed.organization.clone(),
                product: filed.product.clone(),
                classification: filed.classification.clone(),
                title: filed.title.clone(),
                description: filed.description.clone(),
                priority: filed.priority,
                language: filed.language.clone(),
                time_zone: filed.time_zone.clone(),
                contact_email: filed.contact_email.clone(),
                subscribers: filed.subscribers.clone(),
                test_case: filed.test_case,
                problem: filed.problem.clone(),
                filer: filed.filer.clone(),
                side: filed.side,
                manager: filed.manager.clone(),
                access_revision: filed.access_revision,
                entitlement: filed.entitlement.clone(),
                status: Status::New,
                escalation: EscalationStatus::None,
                outstanding_requests: 0,
                filed_at: at,
                closings: 0,
                reopen_window_ends_at: None,
            }));
            return;
        }
        let Some(case) = self.0.as_deref_mut() else { return };
        match event {
            CaseEvent::CaseFiled(_) | CaseEvent::AttachmentAdded(_) => {}
            CaseEvent::CommentAdded(comment) => {
                if comment.side.is_customer_side() {
                    case.outstanding_requests = 0;
                }
            }
            CaseEvent::CaseStateChanged(change) => case.status = change.to,
            CaseEvent::CaseRenamed(renamed) => case.title = renamed.title.clone(),
            CaseEvent::SubscribersChanged(changed) => case.subscribers.clone_from(&changed.subscribers),
            CaseEvent::PriorityChanged(changed) => case.priority = changed.to,
            CaseEvent::CaseEscalated(_) => case.escalation = EscalationStatus::Requested,
            CaseEvent::EscalationAcknowledged(_) => case.escalation = EscalationStatus::Acknowledged,
            CaseEvent::EscalationResolved(_) => case.escalation = EscalationStatus::Resolved,
            CaseEvent::InformationRequested(_) => {
                case.status = Status::ActionRequired;
                case.outstanding_requests = case.outstanding_requests.saturating_add(1);
            }
            CaseEvent::SolutionProposed(_) => case.status = Status::SolutionProvided,
            CaseEvent::CaseClosed(closed) => {
                case.status = Status::Closed;
                case.closings = closed.closing;
                case.reopen_window_ends_at = Some(closed.reopen_window_ends_at);
                case.escalation = EscalationStatus::None;
                case.outstanding_requests = 0;
            }
            CaseEvent::ReopenedWithin30Days(_) => {
                case.status = Status::InProgress;
                case.reopen_window_ends_at = None;
            }
        }
    }
}

//! Why a command on a case is refused.

use jiff::Timestamp;

use super::reopen::FollowUpOffer;
use crate::authority::AccessRefusal;
use crate::catalogue::{Capability, Channel, Priority};
use crate::ids::{CaseId, PlanId, ProviderId};
use crate::routing::Exclusion;

/// Which of the caller's mistakes a rejection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A value does not fit.
    Invalid,
    /// The actor may not.
    Forbidden,
    /// The state forbids it.
    Precondition,
    /// There is no such thing, or none that the actor may see.
    NotFound,
    /// There is one already.
    AlreadyExists,
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseRejection {
    /// The actor may not.
    #[error(transparent)]
    Access(#[from] AccessRefusal),
    /// No such case, or none that the actor may see.
    #[error("there is no such case")]
    NotFound,
    /// The case exists already.
    #[error("a case with this id is filed already")]
    AlreadyFiled,
    /// A value does not fit.
    #[error("{field}: {why}")]
    Invalid {
        /// The field, camel case.
        field: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// The plan does not offer the priority (R-PLAN-3).
    #[error("priority: {} is not offered by the organization's plan; one of these offers it: {}", .priority.as_str(), join(.plans))]
    PriorityNotOffered {
        /// The priority.
        priority: Priority,
        /// Plans that offer it.
        plans: Vec<PlanId>,
    },
    /// The plan does not bring the capability (R-PLAN-3).
    #[error("the organization's plan does not include {}; one of these does: {}", .capability.as_str(), join(.plans))]
    CapabilityMissing {
        /// The capability.
        capability: Capability,
        /// Plans that bring it.
        plans: Vec<PlanId>,
    },
    /// The reseller's own plan does not bring the capability (R-ESC-1).
    #[error("the reseller's own plan does not include {}; one of these does: {}", .capability.as_str(), join(.plans))]
    ResellerCapabilityMissing {
        /// The capability.
        capability: Capability,
        /// Plans that bring it.
        plans: Vec<PlanId>,
    },
    /// The case is closed.
    #[error("the case is closed; a comment within 30 days of the closing reopens it")]
    CaseClosed,
    /// An escalation is active already (R-ESC-2).
    #[error("the case is escalated already; nothing was changed")]
    EscalationActive,
    /// No escalation to act on.
    #[error("no escalation is waiting for this; nothing was changed")]
    NoEscalation,
    /// Too late to reopen (R-REOPEN-2).
    #[error(
        "the case was closed more than 30 days ago: its window for reopening ended at {ended_at}; file a new case as a follow-up"
    )]
    ReopenWindowEnded {
        /// When the window ended.
        ended_at: Timestamp,
        /// What the new case would start with.
        follow_up: Box<FollowUpOffer>,
    },
    /// Support closes with a solution only (R-CLOSE-1).
    #[error("support closes a case with a solution; propose one first")]
    SolutionRequired,
    /// Support changes a priority with a reason only (R-PRIO-1).
    #[error("support changes a priority with a reason; give one")]
    ReasonRequired,
    /// The case goes on in another one.
    #[error("the case was merged; it goes on in case {into}")]
    CaseMerged {
        /// Where.
        into: CaseId,
    },
    /// The case is open, and what was asked is for closed ones.
    #[error("the case is open; comment on it instead")]
    CaseOpen,
    /// The case is not merged.
    #[error("the case was not merged into another; nothing was changed")]
    NotMerged,
    /// It cannot be merged into that case.
    #[error("{}", .0.sentence())]
    MergeRefused(MergeRefusal),
    /// Whoever is named is no agent who has signed in and is in (R-ROUTE-1).
    #[error("agent: nobody who is named so has signed in as an agent; GET /v2/agents lists who has")]
    AssigneeNotAnAgent,
    /// An agent of another provider cannot have the case (R-ROUTE-1).
    #[error("the case is with provider {provider}; assign it to one of its agents, or hand it over first")]
    AssigneeNotOfProvider {
        /// Who has the case.
        provider: ProviderId,
    },
    /// That provider receives no such cases (R-ROUTE-2).
    #[error("provider {provider} receives no cases of this product: {}", list_exclusions(.excluded))]
    ProviderUnsuitable {
        /// The provider.
        provider: ProviderId,
        /// What speaks against it.
        excluded: Vec<Exclusion>,
    },
    /// The plan does not bring the channel (R-PLAN-3).
    #[error("channel: {} is not offered by the organization's plan; one of these offers it: {}", .channel.as_str(), join(.plans))]
    ChannelNotOffered {
        /// The channel.
        channel: Channel,
        /// Plans that bring it.
        plans: Vec<PlanId>,
    },
    /// Nobody is there for the channel now (R-PHONE-1).
    #[error("channel: {} is not open now{}; these are: {}", .channel.as_str(), opening(*.opens_at), list_channels(.open))]
    ChannelClosed {
        /// The channel.
        channel: Channel,
        /// When it opens next, where it ever does.
        opens_at: Option<Timestamp>,
        /// What is open.
        open: Vec<Channel>,
    },
    /// The latest solution is no outage (R-RESOLVE-1).
    #[error("the latest solution of this case is not an outage")]
    NoOutage,
    /// It was asked for already (R-RESOLVE-1).
    #[error("this was requested already for the latest solution; nothing was changed")]
    AlreadyRequested,
    /// There is no such closing.
    #[error("there is no such closing: the case was not closed as often as that")]
    NoSuchClosing,
    /// The case was reopened (R-SURVEY-1).
    #[error("this survey has expired, because the case was reopened")]
    SurveyExpired,
    /// The survey has its answer (R-SURVEY-1).
    #[error("this survey was answered already; nothing was changed")]
    SurveyAnswered,
    /// There is no such note (R-COMMENT-3).
    #[error("there is no such note on this case; list its notes for those that are")]
    NoteNotFound,
    /// Somebody else filed the case (R-SURVEY-1).
    #[error("only who filed the case answers its survey")]
    NotTheFiler,
    /// Somebody else is to decide which mails they get.
    #[error(
        "everybody decides for themselves which mails they get; sign in as them, or use the link of the mail"
    )]
    NotYourNotifications,
    /// An act of an imported history does not fit.
    #[error("act {act} of the history does not fit: {why}")]
    ImportRefused {
        /// Which one, from 0; the filing comes before.
        act: usize,
        /// What does not fit.
        why: Box<CaseRejection>,
    },
}

/// Why a case cannot be merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeRefusal {
    /// There is no such case, or none that the actor may see.
    TargetNotFound,
    /// It is the very case.
    Itself,
    /// It is of another organization.
    OtherOrganization,
    /// It is closed.
    TargetClosed,
    /// It goes on in a third case.
    TargetMerged {
        /// Where.
        into: CaseId,
    },
}

impl MergeRefusal {
    fn reason(self) -> &'static str {
        match self {
            Self::TargetNotFound => "MERGE_TARGET_NOT_FOUND",
            Self::Itself => "MERGE_INTO_ITSELF",
            Self::OtherOrganization => "MERGE_ACROSS_ORGANIZATIONS",
            Self::TargetClosed => "MERGE_TARGET_CLOSED",
            Self::TargetMerged { .. } => "MERGE_TARGET_MERGED",
        }
    }

    fn sentence(self) -> String {
        match self {
            Self::TargetNotFound => "target: there is no such case".to_owned(),
            Self::Itself => "target: a case is not merged into itself; name another one".to_owned(),
            Self::OtherOrganization => {
                "target: a case is only merged into one of the same organization; link them instead"
                    .to_owned()
            }
            Self::TargetClosed => "target: the case is closed; name an open one".to_owned(),
            Self::TargetMerged { into } => {
                format!("target: the case was merged itself; it goes on in case {into}")
            }
        }
    }
}

fn list_exclusions(exclusions: &[Exclusion]) -> String {
    exclusions.iter().map(|exclusion| exclusion.as_str()).collect::<Vec<_>>().join(", ")
}

fn opening(opens_at: Option<Timestamp>) -> String {
    opens_at.map_or_else(String::new, |at| format!(", and opens at {at}"))
}

fn list_channels(open: &[Channel]) -> String {
    open.iter().map(|channel| channel.as_str()).collect::<Vec<_>>().join(", ")
}

fn join(plans: &[PlanId]) -> String {
    if plans.is_empty() {
        return "none in the catalogue".to_owned();
    }
    plans.iter().map(PlanId::as_str).collect::<Vec<_>>().join(", ")
}

impl CaseRejection {
    pub(super) fn invalid(field: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { field, why: why.into() }
    }

    /// Which of the caller's mistakes it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Access(_)
            | Self::CapabilityMissing { .. }
            | Self::ResellerCapabilityMissing { .. }
            | Self::NotTheFiler
            | Self::NotYourNotifications => Kind::Forbidden,
            Self::NotFound
            | Self::NoSuchClosing
            | Self::NoteNotFound
            | Self::MergeRefused(MergeRefusal::TargetNotFound) => Kind::NotFound,
            Self::AlreadyFiled => Kind::AlreadyExists,
            Self::Invalid { .. }
            | Self::PriorityNotOffered { .. }
            | Self::ChannelNotOffered { .. }
            | Self::ImportRefused { .. }
            | Self::MergeRefused(MergeRefusal::Itself) => Kind::Invalid,
            Self::CaseMerged { .. }
            | Self::CaseOpen
            | Self::NotMerged
            | Self::MergeRefused(_)
            | Self::AssigneeNotAnAgent
            | Self::AssigneeNotOfProvider { .. }
            | Self::ProviderUnsuitable { .. }
            | Self::ChannelClosed { .. }
            | Self::NoOutage
            | Self::AlreadyRequested
            | Self::SurveyExpired
            | Self::SurveyAnswered
            | Self::CaseClosed
            | Self::EscalationActive
            | Self::NoEscalation
            | Self::ReopenWindowEnded { .. }
            | Self::SolutionRequired
            | Self::ReasonRequired => Kind::Precondition,
        }
    }

    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Access(refusal) => refusal.reason(),
            Self::NotFound => "CASE_NOT_FOUND",
            Self::AlreadyFiled => "CASE_ALREADY_FILED",
            Self::Invalid { .. } => "INVALID_FIELD",
            Self::PriorityNotOffered { .. } => "PRIORITY_NOT_OFFERED",
            Self::CapabilityMissing { .. } | Self::ResellerCapabilityMissing { .. } => "CAPABILITY_MISSING",
            Self::CaseClosed => "CASE_CLOSED",
            Self::EscalationActive => "ESCALATION_ACTIVE",
            Self::NoEscalation => "NO_ESCALATION",
            Self::ReopenWindowEnded { .. } => "REOPEN_WINDOW_ENDED",
            Self::SolutionRequired => "SOLUTION_REQUIRED",
            Self::ReasonRequired => "REASON_REQUIRED",
            Self::CaseMerged { .. } => "CASE_MERGED",
            Self::CaseOpen => "CASE_OPEN",
            Self::NotMerged => "NOT_MERGED",
            Self::MergeRefused(refusal) => refusal.reason(),
            Self::AssigneeNotAnAgent => "ASSIGNEE_NOT_AN_AGENT",
            Self::AssigneeNotOfProvider { .. } => "ASSIGNEE_NOT_OF_PROVIDER",
            Self::ProviderUnsuitable { .. } => "PROVIDER_UNSUITABLE",
            Self::ChannelNotOffered { .. } => "CHANNEL_NOT_OFFERED",
            Self::ChannelClosed { .. } => "CHANNEL_CLOSED",
            Self::NoOutage => "NO_OUTAGE",
            Self::AlreadyRequested => "ALREADY_REQUESTED",
            Self::NoSuchClosing => "CLOSING_NOT_FOUND",
            Self::NoteNotFound => "NOTE_NOT_FOUND",
            Self::SurveyExpired => "SURVEY_EXPIRED",
            Self::SurveyAnswered => "SURVEY_ANSWERED",
            Self::NotTheFiler => "NOT_THE_FILER",
            Self::NotYourNotifications => "NOT_YOUR_NOTIFICATIONS",
            Self::ImportRefused { .. } => "IMPORT_REFUSED",
        }
    }

    /// The field that does not fit, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Invalid { field, .. } => Some(field),
            Self::PriorityNotOffered { .. } => Some("priority"),
            Self::ChannelClosed { .. } | Self::ChannelNotOffered { .. } => Some("channel"),
            Self::MergeRefused(_) => Some("target"),
            Self::AssigneeNotAnAgent => Some("agent"),
            Self::ProviderUnsuitable { .. } => Some("provider"),
            Self::ImportRefused { why, .. } => why.field(),
            _ => None,
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Access(refusal) => refusal.metadata(),
            Self::PriorityNotOffered { plans, .. } | Self::ChannelNotOffered { plans, .. } => {
                vec![("plans", join(plans))]
            }
            Self::CapabilityMissing { capability, plans } => {
                vec![("capability", capability.as_str().to_owned()), ("plans", join(plans))]
            }
            Self::ResellerCapabilityMissing { capability, plans } => vec![
                ("capability", capability.as_str().to_owned()),
                ("plans", join(plans)),
                ("of", "reseller".to_owned()),
            ],
            Self::ReopenWindowEnded { ended_at, follow_up } => {
                let mut metadata = vec![("windowEndedAt", ended_at.to_string())];
                metadata.extend(follow_up.metadata());
                metadata
            }
            Self::CaseMerged { into } | Self::MergeRefused(MergeRefusal::TargetMerged { into }) => {
                vec![("mergedInto", into.to_string())]
            }
            Self::AssigneeNotOfProvider { provider } => vec![("provider", provider.to_string())],
            Self::ProviderUnsuitable { provider, excluded } => {
                vec![("provider", provider.to_string()), ("excluded", list_exclusions(excluded))]
            }
            Self::ChannelClosed { channel, opens_at, open } => {
                let mut metadata =
                    vec![("channel", channel.as_str().to_owned()), ("openChannels", list_channels(open))];
                metadata.extend(opens_at.map(|at| ("nextOpening", at.to_string())));
                metadata
            }
            Self::ImportRefused { act, why } => {
                let mut metadata = vec![("act", act.to_string()), ("because", why.reason().to_owned())];
                metadata.extend(why.metadata());
                metadata
            }
            _ => Vec::new(),
        }
    }
}

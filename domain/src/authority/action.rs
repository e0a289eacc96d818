//! What somebody may want to do, and what each action needs: the whole policy.

use super::{Role, StaffRole};

/// What somebody wants to do. Every endpoint names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Search the classifications that cases can be filed under.
    ReadClassifications,
    /// Get and list cases, comments and their history.
    ReadCases,
    /// File a case.
    FileCase,
    /// Comment on a case.
    CommentOnCase,
    /// Attach a file to a case.
    AttachToCase,
    /// Edit a case's title, priority or subscribers.
    EditCase,
    /// Close a case.
    CloseCase,
    /// Escalate a case.
    EscalateCase,
    /// Assign and route a case, ask the customer, propose a solution, handle an escalation, note, link and merge.
    WorkOnCase,
    /// Register organizations, domains, entitlements, members and managers.
    AdministerOrganizations,
    /// Replay the history of a case or of an organization's access, personal values open (R-AUDIT-1).
    ReadHistory,
    /// Replay the history of a known issue, which is no organization's (R-AUDIT-1).
    ReadKnownIssueHistory,
    /// Consume the analytics events of all organizations (R-ANALYTICS-1).
    ReadEventFeed,
    /// See the organization itself and its entitlements (R-ORG-1).
    ReadOrganization,
    /// See the organization's members, roles and pending grants (R-ACCESS-4).
    ReadMembers,
    /// See the organization's support profile (R-INFO-1).
    ReadSupportProfile,
    /// Change what is known of the organization (R-ORG-1).
    EditOrganization,
    /// Claim a domain for the organization (R-ORG-1).
    ClaimDomain,
    /// Add members (R-ACCESS-1).
    AddMembers,
    /// Change and remove members (R-ACCESS-2).
    ManageMembers,
    /// Let a reseller in, or not any more (R-RES-2).
    ManageResellerAccess,
    /// Open, change and deactivate accounts of the organization.
    ProvisionAccounts,
    /// Ask whether a principal sees a case, and which events make it so (R-RES-5).
    ExplainAccess,
    /// See who one is, and the organizations that one belongs to or acts for (R-ORG-1).
    ReadOneself,
    /// Register an organization (R-ORG-1).
    RegisterOrganization,
    /// Ask support to recover an account, for no organization (R-ACCESS-6).
    RequestAccountRecovery,
    /// Read and close what people ask to recover (R-ACCESS-6).
    HandleAccountRecovery,
    /// Say what one thinks of the support centre (R-FEEDBACK-1).
    SendFeedback,
    /// Read what people think of it (R-FEEDBACK-1).
    ReadFeedback,
    /// Get help before a case, as the assistant gives it (R-HELP-1, R-HELP-2).
    UseHelpAssistant,
    /// Read how much the assistant helps, over all organizations.
    ReadHelpStats,
    /// Ask for a service credit or an incident report after an outage (R-RESOLVE-1).
    RequestCompensation,
    /// Answer the survey of a closing (R-SURVEY-1).
    AnswerSurvey,
    /// What the system does by itself: timers, and the other half of a merge.
    ActAsSystem,
    /// Take over the history of cases from elsewhere.
    ImportCases,
    /// See an organization's subscriptions to events and its webhooks, try them out, switch them off and remove them.
    ManageEventDelivery,
    /// Say where an organization's machines are told of its cases. They are told what whoever says so may see (R-NOTIFY-3), so
    /// that nobody of the operator's side does.
    DirectEventDelivery,
    /// Stop or resume the mails about a case, each for themselves.
    ChangeNotifications,
    /// See which messages about a case were sent to whom, and what became of them.
    ReadNotifications,
    /// See the messages of all organizations that wait for a decision, and send them again (R-NOTIFY-2).
    HandleNotifications,
    /// See support's agents and queues, keep views of cases, and send several commands at once.
    UseSupportDesk,
    /// Get and list known issues with all that support knows of them (R-KI-1).
    ReadKnownIssues,
    /// Raise the suspicion of a known issue (R-KI-1).
    RaiseKnownIssue,
    /// Confirm, dismiss, publish, update and resolve known issues (R-KI-1).
    WorkOnKnownIssue,
    /// See the published known issues of the organization's products (R-KI-3).
    FollowKnownIssues,
    /// Say that one is affected by a known issue, which files a case (R-KI-4).
    JoinKnownIssue,
    /// Say that one is not affected, or wants no mails any more (R-KI-5).
    LeaveKnownIssue,
    /// Record a phone call (R-KI-2).
    RecordPhoneCall,
}

impl Action {
    /// All of them, in the order of the committed table.
    pub const ALL: [Self; 48] = [
        Self::ReadClassifications,
        Self::ReadCases,
        Self::FileCase,
        Self::CommentOnCase,
        Self::AttachToCase,
        Self::EditCase,
        Self::CloseCase,
        Self::EscalateCase,
        Self::WorkOnCase,
        Self::AdministerOrganizations,
        Self::ReadHistory,
        Self::ReadKnownIssueHistory,
        Self::ReadEventFeed,
        Self::ReadOrganization,
        Self::ReadMembers,
        Self::ReadSupportProfile,
        Self::EditOrganization,
        Self::ClaimDomain,
        Self::AddMembers,
        Self::ManageMembers,
        Self::ManageResellerAccess,
        Self::ProvisionAccounts,
        Self::ExplainAccess,
        Self::ReadOneself,
        Self::RegisterOrganization,
        Self::RequestAccountRecovery,
        Self::HandleAccountRecovery,
        Self::SendFeedback,
        Self::ReadFeedback,
        Self::UseHelpAssistant,
        Self::ReadHelpStats,
        Self::RequestCompensation,
        Self::AnswerSurvey,
        Self::ActAsSystem,
        Self::ImportCases,
        Self::ManageEventDelivery,
        Self::DirectEventDelivery,
        Self::ChangeNotifications,
        Self::ReadNotifications,
        Self::HandleNotifications,
        Self::UseSupportDesk,
        Self::ReadKnownIssues,
        Self::RaiseKnownIssue,
        Self::WorkOnKnownIssue,
        Self::FollowKnownIssues,
        Self::JoinKnownIssue,
        Self::LeaveKnownIssue,
        Self::RecordPhoneCall,
    ];

    /// Whether it is open to whoever has not signed in: who cannot get in must be able to ask for help (R-ACCESS-6).
    pub fn needs_no_sign_in(self) -> bool {
        self == Self::RequestAccountRecovery
    }

    /// Whether it is about all organizations at once: then no membership opens it, and who asks is told nothing of any.
    pub fn spans_organizations(self) -> bool {
        matches!(
            self,
            Self::ReadKnownIssueHistory
                | Self::ReadEventFeed
                | Self::HandleAccountRecovery
                | Self::RegisterOrganization
                | Self::HandleNotifications
                | Self::UseSupportDesk
                | Self::ReadKnownIssues
                | Self::RaiseKnownIssue
                | Self::WorkOnKnownIssue
                | Self::RecordPhoneCall
                | Self::ReadFeedback
                | Self::ReadHelpStats
        )
    }

    /// What the action needs (R-CASE-4, R-ACCESS-1, R-ACCESS-2, R-ACCESS-7, R-RES-1). This match is the whole policy.
    pub fn requirement(self) -> Requirement {
        let nobody = Requirement { anyone: false, member: None, reseller: false, staff: &[] };
        let member = |role, support_privilege| Some(MemberRequirement { role, support_privilege });
        match self {
            Self::ReadClassifications
            | Self::ReadOneself
            | Self::RequestAccountRecovery
            | Self::SendFeedback => Requirement { anyone: true, ..nobody },
            Self::ReadFeedback | Self::ReadHelpStats => {
                Requirement { staff: &[StaffRole::Agent, StaffRole::Engineer, StaffRole::Operator], ..nobody }
            }
            // Filing what comes of the assistant needs what filing needs.
            Self::UseHelpAssistant | Self::FollowKnownIssues => {
                Requirement { member: member(Role::Viewer, false), reseller: true, ..nobody }
            }
            Self::ReadCases => Requirement {
                member: member(Role::Viewer, false),
                reseller: true,
                staff: &[StaffRole::Agent, StaffRole::Engineer],
                ..nobody
            },
            // By the link that was mailed the system answers for whoever has it.
            Self::AnswerSurvey | Self::ChangeNotifications | Self::LeaveKnownIssue => Requirement {
                member: member(Role::Viewer, false),
                reseller: true,
                staff: &[StaffRole::System],
                ..nobody
            },
            Self::ActAsSystem => Requirement { staff: &[StaffRole::System], ..nobody },
            Self::ImportCases => Requirement { staff: &[StaffRole::Operator], ..nobody },
            Self::FileCase | Self::EscalateCase | Self::RequestCompensation | Self::JoinKnownIssue => {
                Requirement { member: member(Role::Editor, true), reseller: true, ..nobody }
            }
            Self::CommentOnCase | Self::AttachToCase | Self::EditCase | Self::CloseCase => Requirement {
                member: member(Role::Editor, true),
                reseller: true,
                staff: &[StaffRole::Agent],
                ..nobody
            },
            Self::WorkOnCase => Requirement { staff: &[StaffRole::Agent, StaffRole::System], ..nobody },
            Self::AdministerOrganizations | Self::RegisterOrganization | Self::HandleNotifications => {
                Requirement { staff: &[StaffRole::Operator], ..nobody }
            }
            Self::ReadHistory | Self::ReadKnownIssueHistory => {
                Requirement { staff: &[StaffRole::Auditor], ..nobody }
            }
            Self::ReadEventFeed => Requirement { staff: &[StaffRole::Analyst], ..nobody },
            Self::ReadOrganization | Self::ReadMembers | Self::ReadSupportProfile => {
                Requirement { member: member(Role::Viewer, false), staff: &[StaffRole::Operator], ..nobody }
            }
            // Adding includes the support privilege, and nobody gives what they do not have.
            Self::AddMembers => {
                Requirement { member: member(Role::Viewer, true), staff: &[StaffRole::Operator], ..nobody }
            }
            Self::EditOrganization
            | Self::ClaimDomain
            | Self::ManageMembers
            | Self::ManageResellerAccess
            | Self::ManageEventDelivery => {
                Requirement { member: member(Role::Owner, true), staff: &[StaffRole::Operator], ..nobody }
            }
            Self::DirectEventDelivery => Requirement { member: member(Role::Owner, true), ..nobody },
            Self::ProvisionAccounts => {
                Requirement { staff: &[StaffRole::Operator, StaffRole::Provisioner], ..nobody }
            }
            Self::ExplainAccess => {
                Requirement { staff: &[StaffRole::Auditor, StaffRole::Operator], ..nobody }
            }
            Self::UseSupportDesk
            | Self::ReadNotifications
            | Self::ReadKnownIssues
            | Self::RecordPhoneCall => {
                Requirement { staff: &[StaffRole::Agent, StaffRole::Engineer], ..nobody }
            }
            // The watch over the volume raises suspicions by itself (R-KI-2).
            Self::RaiseKnownIssue => {
                Requirement { staff: &[StaffRole::Agent, StaffRole::Engineer, StaffRole::System], ..nobody }
            }
            Self::WorkOnKnownIssue => Requirement { staff: &[StaffRole::Engineer], ..nobody },
            Self::HandleAccountRecovery => {
                Requirement { staff: &[StaffRole::Agent, StaffRole::Operator], ..nobody }
            }
        }
    }
}

/// What an action needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Any valid sign-in will do.
    pub anyone: bool,
    /// What a member of the organization needs; `None`: members may not.
    pub member: Option<MemberRequirement>,
    /// Whether a reseller who is let in may too, with the same role and privilege in its own organization (R-RES-1).
    pub reseller: bool,
    /// Staff roles that may.
    pub staff: &'static [StaffRole],
}

/// What a member of the organization needs for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRequirement {
    /// Lowest role on the product.
    pub role: Role,
    /// Whether the support privilege is needed too (R-ACCESS-7).
    pub support_privilege: bool,
}

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
    /// Ask the customer, propose a solution, handle an escalation.
    WorkOnCase,
    /// Register organizations, domains, entitlements, members and managers.
    AdministerOrganizations,
    /// Replay the history of a case or of an organization's access, personal values open (R-AUDIT-1).
    ReadHistory,
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
}

impl Action {
    /// All of them, in the order of the committed table.
    pub const ALL: [Self; 26] = [
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
    ];

    /// Whether it is open to whoever has not signed in: who cannot get in must be able to ask for help (R-ACCESS-6).
    pub fn needs_no_sign_in(self) -> bool {
        self == Self::RequestAccountRecovery
    }

    /// Whether it is about all organizations at once: then no membership opens it, and who asks is told nothing of any.
    pub fn spans_organizations(self) -> bool {
        matches!(self, Self::ReadEventFeed | Self::HandleAccountRecovery | Self::RegisterOrganization)
    }

    /// What the action needs (R-CASE-4, R-ACCESS-1, R-ACCESS-2, R-ACCESS-7, R-RES-1). This match is the whole policy.
    pub fn requirement(self) -> Requirement {
        let nobody = Requirement { anyone: false, member: None, reseller: false, staff: &[] };
        let member = |role, support_privilege| Some(MemberRequirement { role, support_privilege });
        match self {
            Self::ReadClassifications | Self::ReadOneself | Self::RequestAccountRecovery => {
                Requirement { anyone: true, ..nobody }
            }
            Self::ReadCases => Requirement {
                member: member(Role::Viewer, false),
                reseller: true,
                staff: &[StaffRole::Agent, StaffRole::Engineer],
                ..nobody
            },
            Self::FileCase | Self::EscalateCase => {
                Requirement { member: member(Role::Editor, true), reseller: true, ..nobody }
            }
            Self::CommentOnCase | Self::AttachToCase | Self::EditCase | Self::CloseCase => Requirement {
                member: member(Role::Editor, true),
                reseller: true,
                staff: &[StaffRole::Agent],
                ..nobody
            },
            Self::WorkOnCase => Requirement { staff: &[StaffRole::Agent], ..nobody },
            Self::AdministerOrganizations | Self::RegisterOrganization => {
                Requirement { staff: &[StaffRole::Operator], ..nobody }
            }
            Self::ReadHistory => Requirement { staff: &[StaffRole::Auditor], ..nobody },
            Self::ReadEventFeed => Requirement { staff: &[StaffRole::Analyst], ..nobody },
            Self::ReadOrganization | Self::ReadMembers | Self::ReadSupportProfile => {
                Requirement { member: member(Role::Viewer, false), staff: &[StaffRole::Operator], ..nobody }
            }
            // Adding includes the support privilege, and nobody gives what they do not have.
            Self::AddMembers => {
                Requirement { member: member(Role::Viewer, true), staff: &[StaffRole::Operator], ..nobody }
            }
            Self::EditOrganization | Self::ClaimDomain | Self::ManageMembers | Self::ManageResellerAccess => {
                Requirement { member: member(Role::Owner, true), staff: &[StaffRole::Operator], ..nobody }
            }
            Self::ProvisionAccounts => {
                Requirement { staff: &[StaffRole::Operator, StaffRole::Provisioner], ..nobody }
            }
            Self::ExplainAccess => {
                Requirement { staff: &[StaffRole::Auditor, StaffRole::Operator], ..nobody }
            }
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

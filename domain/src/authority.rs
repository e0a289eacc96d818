//! Authorization, decided here and nowhere else: who stands how towards an organization at an instant, what each action
//! needs, and which cases may be seen.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::ids::{AccountId, OrganizationId, PlanId, ProductId};
use crate::personal::{Contact, Personal};

/// A member's role on a product; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Files, comments, closes, escalates.
    Editor,
    /// Also manages the product's other users.
    Owner,
}

impl Role {
    /// The name used in refusals.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

/// What somebody of the operator's side may be; from the sign-in's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Answers cases.
    Agent,
    /// Confirms known issues.
    Engineer,
    /// Replays history.
    Auditor,
    /// Consumes the event stream.
    Analyst,
    /// Registers organizations and their entitlements.
    Operator,
}

impl StaffRole {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Agent, Self::Engineer, Self::Auditor, Self::Analyst, Self::Operator];

    /// The name used in the sign-in's claim.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
        }
    }

    /// The role of a claim's value; `None` for one that means nothing here.
    pub fn from_claim(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

/// From which side of a case somebody acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The organization's people.
    Customer,
    /// A reseller on the organization's behalf.
    Reseller,
    /// The operator's side.
    Support,
}

impl Side {
    /// Whether this is the customer side of a case: its organization's people, or a reseller who sees it.
    pub fn is_customer_side(self) -> bool {
        matches!(self, Self::Customer | Self::Reseller)
    }
}

/// Who acts: an account, as it signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// How they are shown and reached.
    pub contact: Personal<Contact>,
    /// What they are on the operator's side; empty for customers.
    pub staff_roles: BTreeSet<StaffRole>,
}

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
}

impl Action {
    /// All of them, in the order of the committed table.
    pub const ALL: [Self; 12] = [
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
    ];

    /// Whether it is about all organizations at once: then no membership opens it, and who asks is told nothing of any.
    pub fn spans_organizations(self) -> bool {
        self == Self::ReadEventFeed
    }

    /// What the action needs (R-CASE-4, R-ACCESS-7). This match is the whole policy.
    pub fn requirement(self) -> Requirement {
        let member = |role, support_privilege| Some(MemberRequirement { role, support_privilege });
        match self {
            Self::ReadClassifications => Requirement { anyone: true, member: None, staff: &[] },
            Self::ReadCases => Requirement {
                anyone: false,
                member: member(Role::Viewer, false),
                staff: &[StaffRole::Agent, StaffRole::Engineer],
            },
            Self::FileCase | Self::EscalateCase => {
                Requirement { anyone: false, member: member(Role::Editor, true), staff: &[] }
            }
            Self::CommentOnCase | Self::AttachToCase | Self::EditCase | Self::CloseCase => {
                Requirement { anyone: false, member: member(Role::Editor, true), staff: &[StaffRole::Agent] }
            }
            Self::WorkOnCase => Requirement { anyone: false, member: None, staff: &[StaffRole::Agent] },
            Self::AdministerOrganizations => {
                Requirement { anyone: false, member: None, staff: &[StaffRole::Operator] }
            }
            Self::ReadHistory => Requirement { anyone: false, member: None, staff: &[StaffRole::Auditor] },
            Self::ReadEventFeed => Requirement { anyone: false, member: None, staff: &[StaffRole::Analyst] },
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

/// Why somebody may not do what they want; says only what they may know (R-ACCESS-6).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// No relation to the organization, or there is no such organization: the answer is the same.
    #[error(
        "you have no access to this organization; ask one of its product owners to add you, or check its name"
    )]
    NotAMember,
    /// The grant begins later (R-ACCESS-3).
    #[error("your access starts at {from}; try again then")]
    AccessPending {
        /// When it begins.
        from: Timestamp,
    },
    /// Listed in the organization, without the support privilege (R-ACCESS-7).
    #[error(
        "you do not have the support privilege of this organization; ask one of its product owners for it"
    )]
    NoSupportPrivilege,
    /// The role on the product is too low (R-CASE-4).
    #[error("this needs the role {needed} or higher on the product; ask one of its owners", needed = .needed.as_str())]
    RoleTooLow {
        /// The lowest role that would do.
        needed: Role,
    },
    /// The action belongs to the other side.
    #[error("this is not open to you: it needs a role that only {who} have")]
    NotForYou {
        /// Who may.
        who: &'static str,
    },
    /// No valid entitlement for the product (R-PLAN-1).
    #[error("the organization has no plan for {product} that allows this; one of these would: {}", join(.plans))]
    NoEligiblePlan {
        /// The product.
        product: ProductId,
        /// The plans that would do.
        plans: BTreeSet<PlanId>,
    },
}

fn join(plans: &BTreeSet<PlanId>) -> String {
    plans.iter().map(PlanId::as_str).collect::<Vec<_>>().join(", ")
}

impl AccessRefusal {
    /// The stable reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotAMember => "NOT_A_MEMBER",
            Self::AccessPending { .. } => "ACCESS_PENDING",
            Self::NoSupportPrivilege => "NO_SUPPORT_PRIVILEGE",
            Self::RoleTooLow { .. } => "ROLE_TOO_LOW",
            Self::NotForYou { .. } => "NOT_FOR_YOU",
            Self::NoEligiblePlan { .. } => "NO_ELIGIBLE_PLAN",
        }
    }

    /// Particulars for programs, by name.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::AccessPending { from } => vec![("from", from.to_string())],
            Self::RoleTooLow { needed } => vec![("needed", needed.as_str().to_owned())],
            Self::NoEligiblePlan { product, plans } => {
                vec![("product", product.to_string()), ("plans", join(plans))]
            }
            Self::NotAMember | Self::NoSupportPrivilege | Self::NotForYou { .. } => Vec::new(),
        }
    }
}

/// How somebody stands towards an organization at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Of the operator's side.
    Staff(BTreeSet<StaffRole>),
    /// A member whose grant is in force; a member without one has no roles.
    Member { roles: BTreeMap<ProductId, Role>, support_privilege: bool },
    /// A member whose grant begins later.
    Pending { from: Timestamp },
    /// Nobody, as far as this organization is concerned.
    Outsider,
}

/// What one principal may do for one organization, or for none in particular, at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    organization: Option<OrganizationId>,
    standing: Standing,
}

impl Authority {
    /// The authority of an actor towards an organization, from the organization's access state.
    pub fn of(actor: &Actor, organization: &OrganizationId, access: &Access, now: Timestamp) -> Self {
        let standing = if actor.staff_roles.is_empty() {
            match access.members.get(&actor.account) {
                None => Standing::Outsider,
                Some(member) => match &member.grant {
                    None => Standing::Member { roles: BTreeMap::new(), support_privilege: false },
                    // Inclusive: at the recorded instant the grant is in force (R-ACCESS-3).
                    Some(grant) if grant.effective_at <= now => Standing::Member {
                        roles: grant.roles.clone(),
                        support_privilege: grant.support_privilege,
                    },
                    Some(grant) => Standing::Pending { from: grant.effective_at },
                },
            }
        } else {
            Standing::Staff(actor.staff_roles.clone())
        };
        Self { organization: Some(organization.clone()), standing }
    }

    /// The authority of an actor where no organization is named: what their staff roles give, and nothing else.
    pub fn across_organizations(actor: &Actor) -> Self {
        let standing = if actor.staff_roles.is_empty() {
            Standing::Outsider
        } else {
            Standing::Staff(actor.staff_roles.clone())
        };
        Self { organization: None, standing }
    }

    /// From which side this principal acts.
    pub fn side(&self) -> Side {
        match self.standing {
            Standing::Staff(_) => Side::Support,
            Standing::Member { .. } | Standing::Pending { .. } | Standing::Outsider => Side::Customer,
        }
    }

    /// Whether the action is open at all in this organization, on whichever product: asked before a request is read.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub fn open_to(&self, action: Action) -> Result<(), AccessRefusal> {
        self.check(action, None)
    }

    /// Whether the action is allowed on a product.
    ///
    /// # Errors
    /// [`AccessRefusal`].
    pub fn require(&self, action: Action, product: &ProductId) -> Result<(), AccessRefusal> {
        self.check(action, Some(product))
    }

    fn check(&self, action: Action, product: Option<&ProductId>) -> Result<(), AccessRefusal> {
        let requirement = action.requirement();
        if requirement.anyone {
            return Ok(());
        }
        match &self.standing {
            Standing::Staff(roles) => {
                if requirement.staff.iter().any(|role| roles.contains(role)) {
                    Ok(())
                } else {
                    Err(AccessRefusal::NotForYou { who: "other roles" })
                }
            }
            _ if action.spans_organizations() => Err(AccessRefusal::NotForYou { who: "support staff" }),
            Standing::Member { roles, support_privilege } => {
                let Some(needed) = requirement.member else {
                    return Err(AccessRefusal::NotForYou { who: "support staff" });
                };
                if roles.is_empty() || (needed.support_privilege && !support_privilege) {
                    return Err(AccessRefusal::NoSupportPrivilege);
                }
                let role = match product {
                    Some(product) => roles.get(product).copied(),
                    None => roles.values().max().copied(),
                };
                if role.is_some_and(|role| role >= needed.role) {
                    Ok(())
                } else {
                    Err(AccessRefusal::RoleTooLow { needed: needed.role })
                }
            }
            Standing::Pending { from } => Err(AccessRefusal::AccessPending { from: *from }),
            Standing::Outsider => Err(AccessRefusal::NotAMember),
        }
    }

    /// Which cases of the organization may be seen: the only source of every read's condition.
    pub fn visibility(&self) -> VisibilityScope {
        let Some(organization) = &self.organization else { return VisibilityScope::Nothing };
        match &self.standing {
            Standing::Staff(_) if self.open_to(Action::ReadCases).is_ok() => {
                VisibilityScope::Organization { organization: organization.clone(), products: None }
            }
            Standing::Member { roles, .. } => VisibilityScope::Organization {
                organization: organization.clone(),
                products: Some(roles.keys().cloned().collect()),
            },
            Standing::Staff(_) | Standing::Pending { .. } | Standing::Outsider => VisibilityScope::Nothing,
        }
    }
}

/// Which cases may be seen. Projections translate it to SQL and hold no rule of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VisibilityScope {
    /// None.
    Nothing,
    /// Those of an organization.
    Organization {
        /// The organization.
        organization: OrganizationId,
        /// Only of these products; `None`: of all.
        products: Option<BTreeSet<ProductId>>,
    },
}

impl VisibilityScope {
    /// Whether a case of an organization and product is in scope.
    pub fn contains(&self, of_organization: &OrganizationId, of_product: &ProductId) -> bool {
        match self {
            Self::Nothing => false,
            Self::Organization { organization, products } => {
                organization == of_organization
                    && products.as_ref().is_none_or(|products| products.contains(of_product))
            }
        }
    }
}

#[cfg(test)]
mod tests;

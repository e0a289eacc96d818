//! Authorization, decided here and nowhere else: who stands how towards an organization at an instant, what each action
//! needs, and which cases may be seen.

mod action;
pub mod explain;
#[cfg(test)]
mod explain_tests;
mod principal;
mod refusal;
#[cfg(test)]
mod reseller_histories;
mod scope;
#[cfg(test)]
mod tests;

pub use action::{Action, MemberRequirement, Requirement};
pub use principal::{ActingFor, CentreAccess, Principal};
pub use refusal::{AccessRefusal, ResellerRefusal};
pub use scope::{CaseFacts, VisibilityScope};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Access;
use crate::account::AccountStatus;
use crate::ids::{AccountId, OrganizationId, ProductId, ProviderId};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
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
    /// A machine that feeds the accounts of the organization it is bound to.
    Provisioner,
    /// The system itself, where it acts by itself: timers, and the other half of what concerns two cases.
    System,
}

impl StaffRole {
    /// All that a sign-in's claim can name: never the system itself.
    pub const ALL: [Self; 6] =
        [Self::Agent, Self::Engineer, Self::Auditor, Self::Analyst, Self::Operator, Self::Provisioner];

    /// The name used in the sign-in's claim.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Engineer => "engineer",
            Self::Auditor => "auditor",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
            Self::Provisioner => "provisioner",
            Self::System => "system",
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
    /// The organization whose accounts a provisioner feeds: it is one there and nowhere else.
    pub bound_to: Option<OrganizationId>,
    /// The support provider that an agent works for (R-ROUTE-1).
    pub provider: Option<ProviderId>,
}

impl Actor {
    /// Somebody who is bound to no organization and works for no provider.
    pub fn new(
        account: AccountId,
        contact: Personal<Contact>,
        staff_roles: impl IntoIterator<Item = StaffRole>,
    ) -> Self {
        Self {
            account,
            contact,
            staff_roles: staff_roles.into_iter().collect(),
            bound_to: None,
            provider: None,
        }
    }

    /// The staff roles that count for an organization, or for none in particular.
    fn staff_roles_towards(&self, organization: Option<&OrganizationId>) -> BTreeSet<StaffRole> {
        let bound_here = organization.is_some() && self.bound_to.as_ref() == organization;
        let counts = |role: &StaffRole| *role != StaffRole::Provisioner || bound_here;
        self.staff_roles.iter().copied().filter(counts).collect()
    }
}

/// How somebody stands towards an organization at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// Of the operator's side; an agent with the provider that they work for.
    Staff { roles: BTreeSet<StaffRole>, provider: Option<ProviderId> },
    /// A member whose grant is in force; a member without one has no roles.
    Member { roles: BTreeMap<ProductId, Role>, support_privilege: bool },
    /// A member whose grant begins later.
    Pending { from: Timestamp },
    /// Acting for the reseller that manages the organization and is let in, with their grant in the reseller's own.
    Reseller { reseller: OrganizationId, roles: BTreeMap<ProductId, Role>, support_privilege: bool },
    /// Acting for the reseller that manages the organization, but may not act for it.
    RefusedReseller(ResellerRefusal),
    /// Nobody, as far as this organization is concerned.
    Outsider,
    /// Signed in, but not known here, or known no more.
    NoAccount { deactivated: bool },
}

/// What one principal may do for one organization, or for none in particular, at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    organization: Option<OrganizationId>,
    standing: Standing,
}

impl Authority {
    /// The authority of an actor with an active account who acts directly.
    pub fn of(actor: &Actor, organization: &OrganizationId, access: &Access, now: Timestamp) -> Self {
        Self::towards(&Principal::direct(actor), organization, access, now)
    }

    /// The authority of a principal towards an organization, from the organization's access state.
    pub fn towards(
        principal: &Principal<'_>,
        organization: &OrganizationId,
        access: &Access,
        now: Timestamp,
    ) -> Self {
        let standing = match (principal.known_standing(Some(organization)), &principal.acting_for) {
            (Some(standing), _) => standing,
            (None, Some(acting)) if acting.organization != organization => standing_of_reseller(
                principal.actor,
                acting,
                access.manager(),
                access.allowed_reseller(),
                now,
            ),
            (None, _) => standing_of_member(principal.actor, access, now),
        };
        Self { organization: Some(organization.clone()), standing: principal.settled(standing) }
    }

    /// The authority of an actor where no organization is named: what their staff roles give, and nothing else.
    pub fn across_organizations(actor: &Actor) -> Self {
        Self::across(&Principal::direct(actor), Timestamp::MIN)
    }

    /// The authority of a principal where no organization is named: what staff roles give, or all customers that let
    /// the reseller in for whom they act (R-RES-1).
    pub fn across(principal: &Principal<'_>, now: Timestamp) -> Self {
        let standing = match (principal.known_standing(None), &principal.acting_for) {
            (Some(standing), _) => standing,
            // Of each customer the scope asks whether it is managed and lets the reseller in.
            (None, Some(acting)) => {
                let itself = Some(acting.organization);
                standing_of_reseller(principal.actor, acting, itself, itself, now)
            }
            (None, None) => Standing::Outsider,
        };
        Self { organization: None, standing: principal.settled(standing) }
    }

    /// From which side this principal acts.
    pub fn side(&self) -> Side {
        match self.standing {
            Standing::Staff { .. } => Side::Support,
            Standing::Reseller { .. } | Standing::RefusedReseller(_) => Side::Reseller,
            Standing::Member { .. }
            | Standing::Pending { .. }
            | Standing::Outsider
            | Standing::NoAccount { .. } => Side::Customer,
        }
    }

    /// The role that a member's own grant gives on a product.
    pub fn role_on(&self, product: &ProductId) -> Option<Role> {
        match &self.standing {
            Standing::Member { roles, .. } => roles.get(product).copied(),
            _ => None,
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
        match &self.standing {
            Standing::NoAccount { deactivated: true } => Err(AccessRefusal::NoAccount { deactivated: true }),
            _ if requirement.anyone => Ok(()),
            Standing::Staff { roles, .. } => {
                if requirement.staff.iter().any(|role| roles.contains(role)) {
                    Ok(())
                } else {
                    let own = requirement.staff.is_empty();
                    let who = if own { "the organization's own people" } else { "other roles" };
                    Err(AccessRefusal::NotForYou { who })
                }
            }
            _ if action.spans_organizations() => Err(AccessRefusal::NotForYou { who: "support staff" }),
            Standing::Member { roles, support_privilege } => {
                let needed = requirement.member.ok_or(AccessRefusal::NotForYou { who: "support staff" })?;
                check_grant(needed, roles, *support_privilege, product)
            }
            Standing::Reseller { roles, support_privilege, .. } => {
                let needed = requirement
                    .member
                    .filter(|_| requirement.reseller)
                    .ok_or(AccessRefusal::NotForYou { who: "the customer's own people and support staff" })?;
                check_grant(needed, roles, *support_privilege, product)
            }
            Standing::RefusedReseller(because) => {
                Err(AccessRefusal::ResellerNotAllowed { because: *because })
            }
            Standing::Pending { from } => Err(AccessRefusal::AccessPending { from: *from }),
            Standing::Outsider => Err(AccessRefusal::NotAMember),
            Standing::NoAccount { deactivated } => {
                Err(AccessRefusal::NoAccount { deactivated: *deactivated })
            }
        }
    }

    /// Which cases may be seen wherever they are: of staff without the organization that was named, of others as ever.
    pub fn visibility_everywhere(&self) -> VisibilityScope {
        match &self.standing {
            Standing::Staff { roles, provider } => staff_scope(roles, provider.as_ref(), None),
            _ => self.visibility(),
        }
    }

    /// Which cases may be seen: the only source of every read's condition.
    pub fn visibility(&self) -> VisibilityScope {
        match (&self.standing, &self.organization) {
            (Standing::Staff { roles, provider }, organization) => {
                staff_scope(roles, provider.as_ref(), organization.as_ref())
            }
            (Standing::Member { roles, .. }, Some(organization)) => VisibilityScope::Organization {
                organization: organization.clone(),
                products: Some(roles.keys().cloned().collect()),
            },
            (Standing::Reseller { reseller, roles, .. }, customer) => VisibilityScope::Reseller {
                reseller: reseller.clone(),
                customer: customer.clone(),
                products: roles.keys().cloned().collect(),
            },
            _ => VisibilityScope::Nothing,
        }
    }
}

impl Principal<'_> {
    /// The standing that no organization has a say in.
    fn known_standing(&self, organization: Option<&OrganizationId>) -> Option<Standing> {
        if self.account == AccountStatus::Deactivated {
            return Some(Standing::NoAccount { deactivated: true });
        }
        let staff = &self.actor.staff_roles;
        // Staff act for nobody: who names an organization to act for is answered as a stranger.
        (!staff.is_empty()).then(|| match self.acting_for {
            None => Standing::Staff {
                roles: self.actor.staff_roles_towards(organization),
                provider: self.actor.provider.clone(),
            },
            Some(_) => Standing::Outsider,
        })
    }

    /// A stranger whom nobody knows anywhere is told that there is no account, which says nothing of the organization.
    fn settled(&self, standing: Standing) -> Standing {
        match (standing, self.account) {
            (Standing::Outsider, AccountStatus::Unknown) if self.actor.staff_roles.is_empty() => {
                Standing::NoAccount { deactivated: false }
            }
            (standing, _) => standing,
        }
    }
}

/// Which cases staff see, of one organization or of all: engineers and the system every one, agents those that were routed
/// to their provider (R-ROUTE-1), others none.
fn staff_scope(
    roles: &BTreeSet<StaffRole>,
    provider: Option<&ProviderId>,
    organization: Option<&OrganizationId>,
) -> VisibilityScope {
    let (organization, provider) = (organization.cloned(), provider.cloned());
    if roles.contains(&StaffRole::Engineer) || roles.contains(&StaffRole::System) {
        match organization {
            Some(organization) => VisibilityScope::Organization { organization, products: None },
            None => VisibilityScope::AllOrganizations,
        }
    } else if roles.contains(&StaffRole::Agent) {
        VisibilityScope::Provider { provider, organization }
    } else {
        VisibilityScope::Nothing
    }
}

fn standing_of_member(actor: &Actor, access: &Access, now: Timestamp) -> Standing {
    match access.members.get(&actor.account) {
        None => Standing::Outsider,
        Some(member) => match &member.grant {
            None => Standing::Member { roles: BTreeMap::new(), support_privilege: false },
            // Inclusive: at the recorded instant the grant is in force (R-ACCESS-3).
            Some(grant) if grant.effective_at <= now => {
                Standing::Member { roles: grant.roles.clone(), support_privilege: grant.support_privilege }
            }
            Some(grant) => Standing::Pending { from: grant.effective_at },
        },
    }
}

/// How somebody who acts for a reseller stands towards a customer with a manager, that lets a reseller in or none.
/// What is their own is said first; that the customer is somebody else's says no more than that it does not exist.
fn standing_of_reseller(
    actor: &Actor,
    acting: &ActingFor<'_>,
    manager: Option<&OrganizationId>,
    allowed: Option<&OrganizationId>,
    now: Timestamp,
) -> Standing {
    if !acting.access.is_reseller() || manager != Some(acting.organization) {
        return Standing::Outsider;
    }
    match standing_of_member(actor, acting.access, now) {
        Standing::Member { .. } if allowed != Some(acting.organization) => {
            Standing::RefusedReseller(ResellerRefusal::NotLetIn)
        }
        Standing::Member { .. } if acting.centre == CentreAccess::Closed => {
            Standing::RefusedReseller(ResellerRefusal::NoEligiblePlan)
        }
        Standing::Member { roles, support_privilege } => {
            Standing::Reseller { reseller: acting.organization.clone(), roles, support_privilege }
        }
        other => other,
    }
}

/// Whether a grant meets what an action needs, on a product or on whichever.
fn check_grant(
    needed: MemberRequirement,
    roles: &BTreeMap<ProductId, Role>,
    support_privilege: bool,
    product: Option<&ProductId>,
) -> Result<(), AccessRefusal> {
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

//! Why a principal sees a case, or does not, now or at a past instant (R-RES-5): each fact that decides, with the event that
//! made it so. Visible is what [`Authority`] says on the states of that instant; the facts only say it in parts.

use jiff::Timestamp;

use super::{
    AccessRefusal, ActingFor, Action, Actor, Authority, CaseFacts, CentreAccess, Principal, Role, StaffRole,
};
use crate::access::{Access, AccessEvent};
use crate::account::{Account, AccountEvent, AccountStatus};
use crate::case::{Case, CaseEvent, CaseState};
use crate::catalogue::Catalogue;
use crate::event::{Aggregate, DomainEvent};
use crate::ids::{AccountId, OrganizationId, ProductId};

/// An event of a stream's history.
#[derive(Clone, Debug)]
pub struct PastEvent<E> {
    /// Its revision in the stream.
    pub revision: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// When it happened: before that where it was taken over from elsewhere.
    pub occurred_at: Timestamp,
    /// The event.
    pub event: E,
}

/// The access history of an organization, from its first event on.
#[derive(Clone, Copy, Debug)]
pub struct AccessHistory<'a> {
    /// The organization.
    pub organization: &'a OrganizationId,
    /// Its events.
    pub events: &'a [PastEvent<AccessEvent>],
}

/// Everything that decides whether a principal sees a case.
#[derive(Clone, Copy, Debug)]
pub struct Histories<'a> {
    /// The case.
    pub case: &'a [PastEvent<CaseEvent>],
    /// The organization under which the case is addressed.
    pub organization: AccessHistory<'a>,
    /// The principal's account.
    pub account: &'a [PastEvent<AccountEvent>],
    /// For whom they act; `None`: directly.
    pub acting_for: Option<AccessHistory<'a>>,
    /// Other customers of whom they act for, of which one with an eligible plan opens the centre (R-RES-6).
    pub other_customers: &'a [AccessHistory<'a>],
}

/// Where an event stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRef {
    /// Its stream.
    pub stream: String,
    /// Its revision there.
    pub revision: u64,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its type.
    pub event_type: &'static str,
}

/// What a fact is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactKind {
    /// The case was filed for the organization under which it is addressed.
    CaseFiled,
    /// The account is not deactivated.
    AccountNotDeactivated,
    /// A staff role reads cases, and acts for nobody.
    StaffRoleReadsCases,
    /// The case was routed to the provider that an agent works for, or to nobody (R-ROUTE-1).
    RoutedToTheirProvider,
    /// A grant of the organization is in force.
    GrantInForce {
        /// Of which organization: the case's, or the reseller's own.
        organization: OrganizationId,
    },
    /// The grant gives a role on the case's product.
    RoleOnProduct {
        /// In which organization.
        organization: OrganizationId,
        /// The product.
        product: ProductId,
        /// The role; none.
        role: Option<Role>,
    },
    /// The organization that they act for is a reseller.
    IsReseller,
    /// The reseller manages the case's organization.
    ManagesNow,
    /// The case's organization lets the reseller in.
    LetIn,
    /// The case was filed while the reseller managed the organization: so the filing event says (R-RES-3).
    FiledUnderManagement,
    /// The reseller or a customer that it manages has an eligible plan (R-RES-6).
    CentreOpen,
}

/// One of the facts that decide; a case is seen when all of them hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about.
    pub kind: FactKind,
    /// Whether it holds.
    pub holds: bool,
    /// The event that made it so; `None`: none ever was.
    pub because: Option<EventRef>,
}

/// Whether a principal sees a case, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether they see it.
    pub visible: bool,
    /// Why they may read no case there at all, as they would be told.
    pub refusal: Option<AccessRefusal>,
    /// The facts.
    pub facts: Vec<Fact>,
}

/// Explains whether an actor sees a case at an instant, by the events that were recorded until then, inclusive.
pub fn explain_access(
    actor: &Actor,
    histories: &Histories<'_>,
    catalogue: &Catalogue,
    at: Timestamp,
) -> Explanation {
    let case_state: CaseState = state_at(histories.case, at);
    let case = case_state.filed();
    let access: Access = state_at(histories.organization.events, at);
    let account: Account = state_at(histories.account, at);
    let acting = histories.acting_for.map(|acting| {
        let own: Access = state_at(acting.events, at);
        let others: Vec<Access> =
            histories.other_customers.iter().map(|customer| state_at(customer.events, at)).collect();
        let customers = [&access].into_iter().chain(&others);
        let centre = CentreAccess::of(acting.organization, &own, customers, catalogue, at);
        (acting, own, centre)
    });
    let principal = Principal {
        actor,
        account: account.status(),
        acting_for: acting.as_ref().map(|(acting, access, centre)| ActingFor {
            organization: acting.organization,
            access,
            centre: *centre,
        }),
    };
    let organization = histories.organization.organization;
    let authority = Authority::towards(&principal, organization, &access, at);
    let refusal = authority.open_to(Action::ReadCases).err();
    let seen = |case: &Case| authority.visibility().admits(&CaseFacts::of(case, access.allowed_reseller()));
    let visible = refusal.is_none() && case.is_some_and(seen);
    let facts = Facts { actor, histories, catalogue, at, case }.all(&principal, &access);
    Explanation { visible, refusal, facts }
}

/// The state of a stream at an instant.
fn state_at<A: Aggregate>(events: &[PastEvent<A::Event>], at: Timestamp) -> A {
    let mut state = A::default();
    for past in events.iter().take_while(|past| past.recorded_at <= at) {
        state.evolve(&past.event, past.occurred_at);
    }
    state
}

/// The last event until an instant that a predicate picks.
fn last<E: DomainEvent>(
    stream: String,
    events: &[PastEvent<E>],
    at: Timestamp,
    picks: impl Fn(&E) -> bool,
) -> Option<EventRef> {
    let past =
        events.iter().take_while(|past| past.recorded_at <= at).filter(|past| picks(&past.event)).last()?;
    Some(EventRef {
        stream,
        revision: past.revision,
        recorded_at: past.recorded_at,
        event_type: past.event.event_type(),
    })
}

struct Facts<'a> {
    actor: &'a Actor,
    histories: &'a Histories<'a>,
    catalogue: &'a Catalogue,
    at: Timestamp,
    case: Option<&'a Case>,
}

impl Facts<'_> {
    fn all(&self, principal: &Principal<'_>, access: &Access) -> Vec<Fact> {
        let organization = self.histories.organization.organization;
        let mut facts = vec![
            Fact {
                kind: FactKind::CaseFiled,
                holds: self.case.is_some_and(|case| case.organization == *organization),
                because: self.filing(),
            },
            Fact {
                kind: FactKind::AccountNotDeactivated,
                holds: principal.account != AccountStatus::Deactivated,
                because: last(
                    format!("account-{}", self.actor.account),
                    self.histories.account,
                    self.at,
                    |event| {
                        matches!(
                            event,
                            AccountEvent::AccountOpened(_)
                                | AccountEvent::AccountDeactivated(_)
                                | AccountEvent::AccountReactivated(_)
                                | AccountEvent::AccountDeleted(_)
                        )
                    },
                ),
            },
        ];
        let staff = &self.actor.staff_roles;
        if !staff.is_empty() {
            let reads = |role: &StaffRole| Action::ReadCases.requirement().staff.contains(role);
            let holds = principal.acting_for.is_none() && staff.iter().any(reads);
            facts.push(Fact { kind: FactKind::StaffRoleReadsCases, holds, because: None });
            if !staff.contains(&StaffRole::Engineer) && staff.contains(&StaffRole::Agent) {
                facts.push(self.routed());
            }
            return facts;
        }
        match (&principal.acting_for, self.histories.acting_for) {
            (Some(acting), Some(history)) if acting.organization != organization => {
                self.member(history, acting.access, &mut facts);
                self.reseller(acting, history, access, &mut facts);
            }
            _ => self.member(self.histories.organization, access, &mut facts),
        }
        facts
    }

    /// What somebody's own grant gives, in the case's organization or in that of whom they act for.
    fn member(&self, history: AccessHistory<'_>, access: &Access, facts: &mut Vec<Fact>) {
        let grant = access.members.get(&self.actor.account).and_then(|member| member.grant.as_ref());
        let in_force = grant.filter(|grant| grant.effective_at <= self.at);
        let organization = history.organization.clone();
        let whose = self.actor.account;
        facts.push(Fact {
            kind: FactKind::GrantInForce { organization: organization.clone() },
            holds: in_force.is_some(),
            because: self.last_access(history, |event| touches_member(event, whose)),
        });
        if let Some(case) = self.case {
            let role = in_force.and_then(|grant| grant.roles.get(&case.product).copied());
            facts.push(Fact {
                kind: FactKind::RoleOnProduct { organization, product: case.product.clone(), role },
                holds: role.is_some(),
                because: self.last_access(history, |event| touches_roles(event, whose)),
            });
        }
    }

    fn reseller(
        &self,
        acting: &ActingFor<'_>,
        history: AccessHistory<'_>,
        access: &Access,
        facts: &mut Vec<Fact>,
    ) {
        let customer = self.histories.organization;
        let itself = Some(acting.organization);
        let mut fact = |kind, holds, because| facts.push(Fact { kind, holds, because });
        fact(
            FactKind::IsReseller,
            acting.access.is_reseller(),
            self.last_access(history, |event| matches!(event, AccessEvent::OrganizationRegistered(_))),
        );
        let transferred = |event: &AccessEvent| matches!(event, AccessEvent::ManagementTransferred(_));
        fact(FactKind::ManagesNow, access.manager() == itself, self.last_access(customer, transferred));
        let let_in = |event: &AccessEvent| {
            transferred(event)
                || matches!(
                    event,
                    AccessEvent::ResellerAccessAllowed(_) | AccessEvent::ResellerAccessWithdrawn(_)
                )
        };
        fact(FactKind::LetIn, access.allowed_reseller() == itself, self.last_access(customer, let_in));
        let filed_under = self.case.is_some_and(|case| case.manager.as_ref() == itself);
        fact(FactKind::FiledUnderManagement, filed_under, self.filing());
        fact(FactKind::CentreOpen, acting.centre == CentreAccess::Open, self.plan(acting, history));
    }

    /// The event that brought or ended an eligible plan: of the first organization that has one, else of the reseller.
    fn plan(&self, acting: &ActingFor<'_>, own: AccessHistory<'_>) -> Option<EventRef> {
        let customers =
            [self.histories.organization].into_iter().chain(self.histories.other_customers.iter().copied());
        let opening = [own].into_iter().chain(customers).find(|history| {
            let access: Access = state_at(history.events, self.at);
            (history.organization == acting.organization || access.manager() == Some(acting.organization))
                && access.has_eligible_plan(self.catalogue, self.at)
        });
        self.last_access(opening.unwrap_or(own), |event| {
            matches!(event, AccessEvent::EntitlementGranted(_) | AccessEvent::EntitlementEnded(_))
        })
    }

    fn routed(&self) -> Fact {
        let theirs = |case: &Case| case.provider.is_none() || case.provider == self.actor.provider;
        let because = self.case.and_then(|case| {
            last(format!("case-{}", case.id), self.histories.case, self.at, |event| {
                matches!(event, CaseEvent::CaseRouted(_))
            })
        });
        Fact { kind: FactKind::RoutedToTheirProvider, holds: self.case.is_some_and(theirs), because }
    }

    fn filing(&self) -> Option<EventRef> {
        let case = self.case?;
        last(format!("case-{}", case.id), self.histories.case, self.at, |event| {
            matches!(event, CaseEvent::CaseFiled(_))
        })
    }

    fn last_access(
        &self,
        history: AccessHistory<'_>,
        picks: impl Fn(&AccessEvent) -> bool,
    ) -> Option<EventRef> {
        last(format!("access-{}", history.organization), history.events, self.at, picks)
    }
}

/// Whether an event is about somebody's being a member, with a grant or without.
fn touches_member(event: &AccessEvent, whose: AccountId) -> bool {
    match event {
        AccessEvent::MemberListed(event) => event.account == whose,
        AccessEvent::AccessGranted(event) => event.account == whose,
        AccessEvent::MemberRemoved(event) => event.account == whose,
        _ => false,
    }
}

/// Whether an event is about somebody's roles.
fn touches_roles(event: &AccessEvent, whose: AccountId) -> bool {
    match event {
        AccessEvent::AccessGranted(event) => event.account == whose,
        AccessEvent::MemberAccessChanged(event) => event.account == whose,
        AccessEvent::MemberRemoved(event) => event.account == whose,
        _ => false,
    }
}

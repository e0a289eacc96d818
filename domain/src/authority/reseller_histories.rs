//! Random histories of transfers, grants, withdrawals, plan ends and filings: what a reseller sees is compared with a
//! reference model of a few lines, at the end of every step and again at every past instant.

use proptest::prelude::*;

use super::explain::{AccessHistory, Histories, PastEvent, explain_access};
use super::*;
use crate::Aggregate;
use crate::access::{
    self, AccessCommand, AccessEvent, AllowResellerAccess, EndEntitlement, GrantEntitlement,
    RegisterOrganization, ResellerRelation, TransferManagement, WithdrawResellerAccess,
};
use crate::case::{self, CaseCommand, CaseEvent, CaseState};
use crate::ids::PlanId;
use crate::testing::{Circumstances, acme, at, catalogue, comment, file_case, people, reseller};

const CUSTOMERS: [&str; 2] = ["globex", "umbrella"];
const RESELLERS: [(&str, &str); 2] = [("nimbus", "nina"), ("stratus", "sam")];

/// Something that happens to a customer (0 or 1), with a reseller (0 or 1).
#[derive(Clone, Copy, Debug)]
enum Step {
    Transfer(usize, Option<usize>),
    Allow(usize, usize, bool),
    Withdraw(usize, usize, bool),
    Plan(usize, bool),
    OwnPlan(usize, bool),
    File(usize),
    FileFor(usize, usize),
}

/// The whole of R-RES-2, R-RES-3 and R-RES-6 as a reader would say it.
#[derive(Clone, Default, Debug)]
struct Model {
    manager: [Option<usize>; 2],
    in_centre: [bool; 2],
    in_account_management: [bool; 2],
    plan: [bool; 2],
    own_plan: [bool; 2],
    /// Customer, and who managed it at filing.
    cases: Vec<(usize, Option<usize>)>,
}

impl Model {
    fn acts_for(&self, reseller: usize, customer: usize) -> bool {
        let managed_with_plan = (0..2).any(|other| self.manager[other] == Some(reseller) && self.plan[other]);
        self.manager[customer] == Some(reseller)
            && (self.in_centre[customer] || self.in_account_management[customer])
            && (self.own_plan[reseller] || managed_with_plan)
    }

    fn sees(&self, reseller: usize, case: usize) -> bool {
        let (customer, manager_at_filing) = self.cases[case];
        manager_at_filing == Some(reseller) && self.acts_for(reseller, customer)
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Transfer(customer, to) if self.manager[customer] != to => {
                self.manager[customer] = to;
                self.in_centre[customer] = false;
                self.in_account_management[customer] = false;
            }
            Step::Allow(customer, reseller, in_centre) if self.manager[customer] == Some(reseller) => {
                if in_centre {
                    self.in_centre[customer] = true;
                } else {
                    self.in_account_management[customer] = true;
                }
            }
            Step::Withdraw(customer, reseller, in_centre) if self.manager[customer] == Some(reseller) => {
                self.in_account_management[customer] = false;
                self.in_centre[customer] &= !in_centre;
            }
            Step::Plan(customer, given) => self.plan[customer] = given,
            Step::OwnPlan(reseller, given) => self.own_plan[reseller] = given,
            Step::File(customer) if self.plan[customer] => {
                self.cases.push((customer, self.manager[customer]));
            }
            Step::FileFor(customer, reseller) if self.plan[customer] && self.acts_for(reseller, customer) => {
                self.cases.push((customer, Some(reseller)));
            }
            _ => {}
        }
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let (customer, reseller) = (0_usize..2, 0_usize..2);
    prop_oneof![
        3 => (customer.clone(), prop::option::weighted(0.8, reseller.clone())).prop_map(|(c, r)| Step::Transfer(c, r)),
        4 => (customer.clone(), reseller.clone(), any::<bool>()).prop_map(|(c, r, by)| Step::Allow(c, r, by)),
        2 => (customer.clone(), reseller.clone(), any::<bool>()).prop_map(|(c, r, by)| Step::Withdraw(c, r, by)),
        2 => (customer.clone(), prop::bool::weighted(0.7)).prop_map(|(c, given)| Step::Plan(c, given)),
        1 => (reseller.clone(), any::<bool>()).prop_map(|(r, given)| Step::OwnPlan(r, given)),
        3 => customer.clone().prop_map(Step::File),
        3 => (customer, reseller).prop_map(|(c, r)| Step::FileFor(c, r)),
    ]
}

/// The streams of one history, decided and folded by the real thing.
struct World {
    customers: [(OrganizationId, Vec<PastEvent<AccessEvent>>, Access); 2],
    resellers: [(OrganizationId, Vec<PastEvent<AccessEvent>>, Access); 2],
    cases: Vec<(usize, PastEvent<CaseEvent>, CaseState)>,
    commands: u128,
    second: i64,
}

fn id(name: &str) -> OrganizationId {
    OrganizationId::new(name).unwrap()
}

fn plan() -> (ProductId, PlanId) {
    (ProductId::new("compute").unwrap(), PlanId::new("gold").unwrap())
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            customers: CUSTOMERS.map(|name| (id(name), Vec::new(), Access::default())),
            resellers: RESELLERS.map(|(name, _)| (id(name), Vec::new(), Access::default())),
            cases: Vec::new(),
            commands: 0,
            second: 0,
        };
        for (index, (name, _)) in RESELLERS.into_iter().enumerate() {
            world.found(false, index, acme().build());
            world.found(true, index, reseller(name).build());
        }
        world
    }

    /// Registers an organization by its event, and its people by those of a built state.
    fn found(&mut self, is_reseller: bool, index: usize, built: Access) {
        let (organization, events, access) =
            if is_reseller { &mut self.resellers[index] } else { &mut self.customers[index] };
        let register = AccessCommand::RegisterOrganization(RegisterOrganization {
            organization: organization.clone(),
            display_name: organization.to_string(),
            country: "FR".to_owned(),
            language: "fr".to_owned(),
            reseller: is_reseller,
            technical_contact: None,
        });
        let operator = people("operator");
        let circumstances = Circumstances::new(access, &operator, at(0));
        let registered = circumstances.decide(|context| access::decide(access, &register, context)).unwrap();
        let people = built.members.into_iter().flat_map(|(account, member)| {
            let grant = member.grant.unwrap_or(access::Grant {
                roles: BTreeMap::new(),
                support_privilege: false,
                effective_at: at(0),
            });
            [
                access::MemberListed { account, contact: member.contact }.into(),
                access::AccessGranted {
                    account,
                    roles: grant.roles,
                    support_privilege: grant.support_privilege,
                    effective_at: at(0),
                }
                .into(),
            ]
        });
        for event in registered.into_iter().chain(people) {
            access.evolve(&event, at(0));
            events.push(PastEvent {
                revision: events.len() as u64,
                recorded_at: at(0),
                occurred_at: at(0),
                event,
            });
        }
    }

    /// Decides a command on an organization's access; whether it was accepted.
    fn administer(&mut self, is_reseller: bool, index: usize, who: &str, command: &AccessCommand) -> bool {
        let now = at(self.second);
        let (organization, events, access) =
            if is_reseller { &mut self.resellers[index] } else { &mut self.customers[index] };
        let actor = people(who);
        let circumstances =
            Circumstances { organization: organization.clone(), ..Circumstances::new(access, &actor, now) };
        let decided = circumstances.decide(|context| access::decide(access, command, context));
        for event in decided.iter().flatten() {
            access.evolve(event, now);
            events.push(PastEvent {
                revision: events.len() as u64,
                recorded_at: now,
                occurred_at: now,
                event: event.clone(),
            });
        }
        decided.is_ok()
    }

    fn plan_of(&mut self, is_reseller: bool, index: usize, given: bool) {
        let (product, plan) = plan();
        let command = if given {
            let from = at(self.second);
            AccessCommand::GrantEntitlement(GrantEntitlement { product, plan, from, until: None })
        } else {
            AccessCommand::EndEntitlement(EndEntitlement { product, plan, until: None })
        };
        assert!(self.administer(is_reseller, index, "operator", &command));
    }

    /// Decides a command on a case of a customer, by its owner or by a reseller.
    fn on_case(
        &mut self,
        customer: usize,
        reseller: Option<usize>,
        state: &CaseState,
        command: &CaseCommand,
    ) -> Option<Vec<CaseEvent>> {
        self.commands += 1;
        let (organization, _, access) = &self.customers[customer];
        let actor = people(reseller.map_or("alice", |reseller| RESELLERS[reseller].1));
        let centre = reseller.map(|reseller| self.centre(reseller));
        let acting_for = reseller.zip(centre).map(|(reseller, centre)| ActingFor {
            organization: &self.resellers[reseller].0,
            access: &self.resellers[reseller].2,
            centre,
        });
        let now = at(self.second);
        let principal = Principal { actor: &actor, account: AccountStatus::Active, acting_for };
        let authority = Authority::towards(&principal, organization, access, now);
        let context = crate::Context {
            now,
            command_id: crate::CommandId(uuid::Uuid::from_u128(self.commands)),
            actor: &actor,
            authority: &authority,
            acting_for,
            organization: Some(organization),
            access,
            access_revision: Some(0),
            catalogue: &catalogue(),
        };
        case::decide(state, command, &context).ok()
    }

    fn centre(&self, reseller: usize) -> CentreAccess {
        let (organization, _, own) = &self.resellers[reseller];
        let customers = self.customers.iter().map(|(_, _, access)| access);
        CentreAccess::of(organization, own, customers, &catalogue(), at(self.second))
    }

    fn file(&mut self, customer: usize, reseller: Option<usize>) {
        let command = CaseCommand::File(Box::new(file_case()));
        let filed = self.on_case(customer, reseller, &CaseState::default(), &command);
        for event in filed.into_iter().flatten() {
            let mut state = CaseState::default();
            state.evolve(&event, at(self.second));
            self.cases.push((
                customer,
                PastEvent { revision: 0, recorded_at: at(self.second), occurred_at: at(self.second), event },
                state,
            ));
        }
    }

    fn take(&mut self, step: Step) {
        let by = |in_centre| if in_centre { "alice" } else { "operator" };
        match step {
            Step::Transfer(customer, to) => {
                let manager = to.map(|reseller| id(RESELLERS[reseller].0));
                let command = AccessCommand::TransferManagement(TransferManagement { manager });
                assert!(self.administer(false, customer, "operator", &command));
            }
            Step::Allow(customer, reseller, in_centre) => {
                let reseller = id(RESELLERS[reseller].0);
                let command = AccessCommand::AllowResellerAccess(AllowResellerAccess { reseller });
                self.administer(false, customer, by(in_centre), &command);
            }
            Step::Withdraw(customer, reseller, in_centre) => {
                let reseller = id(RESELLERS[reseller].0);
                let command = AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller });
                assert!(self.administer(false, customer, by(in_centre), &command));
            }
            Step::Plan(customer, given) => self.plan_of(false, customer, given),
            Step::OwnPlan(reseller, given) => self.plan_of(true, reseller, given),
            Step::File(customer) => self.file(customer, None),
            Step::FileFor(customer, reseller) => self.file(customer, Some(reseller)),
        }
    }

    /// Whether a reseller's person sees a case, by every way that answers it; they must agree.
    fn sees(&mut self, reseller: usize, case: usize) -> bool {
        let (customer, _, state) = &self.cases[case];
        let (customer, state) = (*customer, state.clone());
        let filed = state.filed().unwrap();
        let now = at(self.second);
        let actor = people(RESELLERS[reseller].1);
        let (organization, _, own) = &self.resellers[reseller];
        let centre = self.centre(reseller);
        let principal = Principal {
            actor: &actor,
            account: AccountStatus::Active,
            acting_for: Some(ActingFor { organization, access: own, centre }),
        };
        let (name, events, access) = &self.customers[customer];
        // What a projector keeps of the customer's events.
        let mut relation = ResellerRelation::default();
        for past in events {
            relation.evolve(&past.event);
        }
        let facts = CaseFacts::of(filed, relation.allowed());
        let here = Authority::towards(&principal, name, access, now);
        let here = here.open_to(Action::ReadCases).is_ok() && here.visibility().admits(&facts);
        let across = Authority::across(&principal, now);
        let across = across.open_to(Action::ReadCases).is_ok() && across.visibility().admits(&facts);
        let explained = self.explained(reseller, case, now);
        let commented = self.on_case(customer, Some(reseller), &state, &comment("hello")).is_some();
        assert_eq!(
            [here; 3],
            [across, explained, commented],
            "get, list across customers, explanation, comment"
        );
        here
    }

    fn explained(&self, reseller: usize, case: usize, now: Timestamp) -> bool {
        let (customer, filed, _) = &self.cases[case];
        let history =
            |(organization, events, _): &'_ (OrganizationId, Vec<PastEvent<AccessEvent>>, Access)| {
                (organization.clone(), events.clone())
            };
        let [this, other] = [*customer, 1 - *customer].map(|index| history(&self.customers[index]));
        let own = history(&self.resellers[reseller]);
        let others = [AccessHistory { organization: &other.0, events: &other.1 }];
        let histories = Histories {
            case: std::slice::from_ref(filed),
            organization: AccessHistory { organization: &this.0, events: &this.1 },
            account: &[],
            acting_for: Some(AccessHistory { organization: &own.0, events: &own.1 }),
            other_customers: &others,
        };
        let explanation = explain_access(&people(RESELLERS[reseller].1), &histories, &catalogue(), now);
        assert_eq!(
            explanation.visible,
            explanation.facts.iter().all(|fact| fact.holds),
            "the facts say what the authority says: {explanation:?}"
        );
        explanation.visible
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// R-RES-1, R-RES-2, R-RES-3, R-RES-5, R-RES-6. Most steps share an instant with the one before: it decides nothing.
    #[test]
    fn r_res_3_a_reseller_sees_exactly_what_the_reference_model_says_now_and_at_every_past_instant(
        steps in prop::collection::vec((any_step(), prop::bool::weighted(0.3)), 1..40)
    ) {
        let mut world = World::new();
        let mut model = Model::default();
        let mut past = Vec::new();
        for (step, later) in steps {
            if later {
                past.push((world.second, model.clone()));
                world.second += 1;
            }
            world.take(step);
            model.apply(step);
            prop_assert_eq!(world.cases.len(), model.cases.len(), "filing on behalf, {:?}", step);
            for reseller in 0..2 {
                for case in 0..model.cases.len() {
                    prop_assert_eq!(world.sees(reseller, case), model.sees(reseller, case), "{:?} {}", step, case);
                }
            }
        }
        for (second, model) in past {
            for reseller in 0..2 {
                for case in 0..world.cases.len() {
                    let then = case < model.cases.len() && model.sees(reseller, case);
                    prop_assert_eq!(world.explained(reseller, case, at(second)), then, "at {}", second);
                }
            }
        }
    }
}

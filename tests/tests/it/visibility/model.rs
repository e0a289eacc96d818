//! Who sees what, as a reader of the rules would say it: a few sets and intervals that know nothing of the program.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

/// Customers and resellers by number; 0 and 1 of each.
pub(super) const PAIR: usize = 2;
pub(super) const PRODUCTS: [&str; PAIR] = ["compute", "storage"];

/// The people who are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Owner of both products of customer 0.
    Owner,
    /// Of customer 0, with the role of a viewer on some products.
    Viewer,
    /// Of a reseller, with the role of an editor on some products, acting for it.
    Reseller(usize),
    /// Owner of both products of customer 1.
    Other,
    /// Of support.
    Agent,
}

pub(super) const EVERYBODY: [Who; 6] =
    [Who::Owner, Who::Viewer, Who::Reseller(0), Who::Reseller(1), Who::Other, Who::Agent];
/// Those whose roles change.
pub(super) const CHANGING: [Who; 3] = [Who::Viewer, Who::Reseller(0), Who::Reseller(1)];

/// Something that happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Transfer {
        customer: usize,
        to: Option<usize>,
    },
    Allow {
        customer: usize,
        reseller: usize,
        in_centre: bool,
    },
    Withdraw {
        customer: usize,
        reseller: usize,
        in_centre: bool,
    },
    Plan {
        customer: usize,
        product: usize,
        change: PlanChange,
    },
    OwnPlan {
        reseller: usize,
        change: PlanChange,
    },
    File {
        customer: usize,
        product: usize,
    },
    FileFor {
        customer: usize,
        reseller: usize,
        product: usize,
    },
    Comment {
        case: usize,
        who: Who,
    },
    Attach {
        case: usize,
        who: Who,
    },
    /// Roles on these products; on none: removed.
    Roles {
        who: Who,
        products: [bool; PAIR],
        later: bool,
    },
    Account {
        who: Who,
        active: bool,
    },
    /// Until everything that was to happen later has happened.
    Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlanChange {
    Begins,
    Ends,
    EndsLater,
}

/// How much later.
pub(super) const LATER: SignedDuration = SignedDuration::from_hours(1);
/// What [`Step::Wait`] waits.
pub(super) const LONG: SignedDuration = SignedDuration::from_hours(2);

#[derive(Clone, Debug)]
struct Person {
    active: bool,
    /// On which products, and from when on.
    grant: Option<(BTreeSet<usize>, Timestamp)>,
}

/// A case.
#[derive(Clone, Debug)]
pub(super) struct Filed {
    pub(super) customer: usize,
    product: usize,
    /// The step in which it was filed.
    at: usize,
    pub(super) comments: usize,
    pub(super) files: usize,
}

/// All that visibility rests on.
#[derive(Clone, Debug)]
pub(super) struct Model {
    step: usize,
    people: [Person; 5],
    /// From which step on who managed each customer.
    managed: [Vec<(usize, Option<usize>)>; PAIR],
    in_centre: [bool; PAIR],
    in_account_management: [bool; PAIR],
    /// Until when each customer has a plan for each product.
    plans: [[Timestamp; PAIR]; PAIR],
    own_plans: [Timestamp; PAIR],
    pub(super) cases: Vec<Filed>,
}

impl Model {
    /// Everybody has their roles, and nobody a plan, a manager or a case.
    pub(super) fn new() -> Self {
        let never = Timestamp::MIN;
        let person = || Person { active: true, grant: Some((BTreeSet::from([0, 1]), never)) };
        Self {
            step: 0,
            people: std::array::from_fn(|_| person()),
            managed: Default::default(),
            in_centre: [false; PAIR],
            in_account_management: [false; PAIR],
            plans: [[never; PAIR]; PAIR],
            own_plans: [never; PAIR],
            cases: Vec::new(),
        }
    }

    fn manager_at(&self, customer: usize, step: usize) -> Option<usize> {
        self.managed[customer].iter().rev().find(|(from, _)| *from <= step).and_then(|(_, manager)| *manager)
    }

    pub(super) fn manager(&self, customer: usize) -> Option<usize> {
        self.manager_at(customer, self.step)
    }

    /// Whether somebody has a grant, if only from later on.
    pub(super) fn is_member(&self, who: Who) -> bool {
        self.person(who).is_some_and(|person| person.grant.is_some())
    }

    pub(super) fn has_plan(&self, customer: usize, product: usize, now: Timestamp) -> bool {
        now < self.plans[customer][product]
    }

    pub(super) fn has_own_plan(&self, reseller: usize, now: Timestamp) -> bool {
        now < self.own_plans[reseller]
    }

    fn person(&self, who: Who) -> Option<&Person> {
        EVERYBODY.iter().position(|known| *known == who).and_then(|place| self.people.get(place))
    }

    fn products(&self, who: Who, now: Timestamp) -> BTreeSet<usize> {
        let Some(person) = self.person(who) else { return BTreeSet::from([0, 1]) };
        let grant = person.grant.as_ref().filter(|(_, from)| person.active && *from <= now);
        grant.map(|(products, _)| products.clone()).unwrap_or_default()
    }

    /// Whether the centre is open to a reseller's person at all (R-RES-6).
    pub(super) fn opens_across(&self, reseller: usize, now: Timestamp) -> bool {
        let of_customer = |customer: usize| {
            self.manager(customer) == Some(reseller)
                && (0..PAIR).any(|product| self.has_plan(customer, product, now))
        };
        !self.products(Who::Reseller(reseller), now).is_empty()
            && (self.has_own_plan(reseller, now) || (0..PAIR).any(of_customer))
    }

    /// Whether somebody may ask for a customer's cases at all.
    pub(super) fn opens(&self, who: Who, customer: usize, now: Timestamp) -> bool {
        match who {
            Who::Agent => true,
            Who::Owner | Who::Viewer => customer == 0 && !self.products(who, now).is_empty(),
            Who::Other => customer == 1,
            Who::Reseller(reseller) => {
                self.manager(customer) == Some(reseller)
                    && (self.in_centre[customer] || self.in_account_management[customer])
                    && self.opens_across(reseller, now)
            }
        }
    }

    /// Whether somebody sees a case.
    pub(super) fn sees(&self, who: Who, case: usize, now: Timestamp) -> bool {
        let filed = &self.cases[case];
        let in_their_time = match who {
            Who::Reseller(reseller) => self.manager_at(filed.customer, filed.at) == Some(reseller),
            _ => true,
        };
        in_their_time
            && self.opens(who, filed.customer, now)
            && self.products(who, now).contains(&filed.product)
    }

    /// Whether a step is taken: who writes must be allowed to.
    pub(super) fn allows(&self, step: Step, now: Timestamp) -> bool {
        match step {
            Step::File { customer, product } => self.has_plan(customer, product, now),
            Step::FileFor { customer, reseller, product } => {
                let who = Who::Reseller(reseller);
                self.opens(who, customer, now)
                    && self.products(who, now).contains(&product)
                    && self.has_plan(customer, product, now)
            }
            Step::Comment { case, who } | Step::Attach { case, who } => {
                who != Who::Viewer && self.sees(who, case, now)
            }
            Step::Allow { customer, reseller, .. } => self.manager(customer) == Some(reseller),
            _ => true,
        }
    }

    /// What a step that was taken has changed.
    pub(super) fn take(&mut self, step: Step, now: Timestamp) {
        self.step += 1;
        let until = |change, before: Timestamp| match change {
            PlanChange::Begins => Timestamp::MAX,
            PlanChange::Ends => before.min(now),
            PlanChange::EndsLater => before.min(now + LATER),
        };
        match step {
            Step::Transfer { customer, to } if self.manager(customer) != to => {
                self.managed[customer].push((self.step, to));
                self.in_centre[customer] = false;
                self.in_account_management[customer] = false;
            }
            Step::Allow { customer, in_centre: true, .. } => self.in_centre[customer] = true,
            Step::Allow { customer, .. } => self.in_account_management[customer] = true,
            Step::Withdraw { customer, reseller, in_centre } if self.manager(customer) == Some(reseller) => {
                self.in_account_management[customer] = false;
                self.in_centre[customer] &= !in_centre;
            }
            Step::Plan { customer, product, change } => {
                self.plans[customer][product] = until(change, self.plans[customer][product]);
            }
            Step::OwnPlan { reseller, change } => {
                self.own_plans[reseller] = until(change, self.own_plans[reseller]);
            }
            Step::File { customer, product } | Step::FileFor { customer, product, .. } => {
                self.cases.push(Filed { customer, product, at: self.step, comments: 0, files: 0 });
            }
            Step::Comment { case, .. } => self.cases[case].comments += 1,
            Step::Attach { case, .. } => self.cases[case].files += 1,
            Step::Roles { who, products, later } => {
                let place = EVERYBODY.iter().position(|known| *known == who).expect("somebody known");
                let on: BTreeSet<usize> = (0..PAIR).filter(|product| products[*product]).collect();
                let person = &mut self.people[place];
                person.grant = match person.grant.take() {
                    _ if on.is_empty() => None,
                    Some((_, from)) => Some((on, from)),
                    None => Some((on, if later { now + LATER } else { now })),
                };
            }
            Step::Account { who, active } => {
                let place = EVERYBODY.iter().position(|known| *known == who).expect("somebody known");
                self.people[place].active = active;
            }
            _ => {}
        }
    }
}

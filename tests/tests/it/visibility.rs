//! Random histories of transfers, grants, withdrawals, plans, filings, comments, files and roles: after every step, what each
//! of six people is shown on each way to read is compared with a reference model of a few lines.
//!
//! `DOSSIER_VISIBILITY_CASES` asks for more histories, `DOSSIER_VISIBILITY_SEED` for others.

#[path = "visibility/model.rs"]
mod model;

use std::cell::Cell;
use std::collections::BTreeSet;

use dossier_domain::Role;
use dossier_tests::people::{AGENT, AUDITOR, OPERATOR};
use dossier_tests::{Answer, Client, Server, encoded};
use futures::future::join_all;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reqwest::Method;
use serde_json::json;

use model::{CHANGING, EVERYBODY, LATER, LONG, Model, PAIR, PRODUCTS, PlanChange, Step, Who};

const HISTORIES: u32 = 8;
const STEPS: usize = 40;
const CONTENT: &str = "the content";
const PLAN: &str = "gold";

fn variable(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = || 0..PAIR;
    let who = || prop::sample::select(&EVERYBODY[..]);
    let changing = || prop::sample::select(&CHANGING[..]);
    let changes = vec![PlanChange::Begins, PlanChange::Begins, PlanChange::Ends, PlanChange::EndsLater];
    let change = move || prop::sample::select(changes.clone());
    let products = prop::array::uniform2(prop::bool::weighted(0.7));
    let case = || any::<usize>();
    prop_oneof![
        2 => (one(), prop::option::weighted(0.8, one()))
            .prop_map(|(customer, to)| Step::Transfer { customer, to }),
        4 => (one(), one(), any::<bool>())
            .prop_map(|(customer, reseller, in_centre)| Step::Allow { customer, reseller, in_centre }),
        3 => (one(), one(), any::<bool>())
            .prop_map(|(customer, reseller, in_centre)| Step::Withdraw { customer, reseller, in_centre }),
        3 => (one(), one(), change())
            .prop_map(|(customer, product, change)| Step::Plan { customer, product, change }),
        2 => (one(), change()).prop_map(|(reseller, change)| Step::OwnPlan { reseller, change }),
        4 => (one(), one()).prop_map(|(customer, product)| Step::File { customer, product }),
        4 => (one(), one(), one())
            .prop_map(|(customer, reseller, product)| Step::FileFor { customer, reseller, product }),
        3 => (case(), who()).prop_map(|(case, who)| Step::Comment { case, who }),
        2 => (case(), who()).prop_map(|(case, who)| Step::Attach { case, who }),
        4 => (changing(), products, any::<bool>())
            .prop_map(|(who, products, later)| Step::Roles { who, products, later }),
        1 => (changing(), prop::bool::weighted(0.7)).prop_map(|(who, active)| Step::Account { who, active }),
        1 => Just(Step::Wait),
    ]
}

/// A step, or what often goes together: a customer changes hands, lets its new reseller in, and has a case filed; somebody
/// leaves and is to come back.
fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        16 => any_step().prop_map(|step| vec![step]),
        1 => prop::sample::select(&CHANGING[..]).prop_map(|who| {
            let roles = |products| Step::Roles { who, products, later: true };
            vec![roles([false; PAIR]), roles([true; PAIR])]
        }),
        2 => (0..PAIR, 0..PAIR, 0..PAIR, any::<bool>()).prop_map(|(customer, reseller, product, in_centre)| {
            vec![
                Step::Transfer { customer, to: Some(reseller) },
                Step::Allow { customer, reseller, in_centre },
                Step::FileFor { customer, reseller, product },
            ]
        }),
    ]
}

/// Organizations and people of one history, on a server that serves many.
struct World<'a> {
    server: &'a Server,
    number: u32,
    model: Model,
    /// Paths of the cases and of the first file of each, in the order of the model's.
    cases: Vec<(String, Option<String>)>,
    clients: Vec<Client>,
}

impl<'a> World<'a> {
    async fn new(server: &'a Server, number: u32) -> Self {
        let mut world = Self { server, number, model: Model::new(), cases: Vec::new(), clients: Vec::new() };
        for one in 0..PAIR {
            server.register(&world.reseller(one), true).await;
            server.register(&world.customer(one), false).await;
        }
        for who in EVERYBODY {
            let Some((employer, role)) = world.employer(who) else { continue };
            let roles = PRODUCTS.map(|product| (product, role));
            server.employ(&employer, &world.email(who), &roles, None).await;
        }
        world.clients = EVERYBODY
            .map(|who| {
                let client = server.client(&world.email(who));
                match who {
                    Who::Reseller(one) => client.acting_for(&world.reseller(one)),
                    _ => client,
                }
            })
            .into();
        world
    }

    fn customer(&self, one: usize) -> String {
        format!("customer-{}-{one}", self.number)
    }

    fn reseller(&self, one: usize) -> String {
        format!("reseller-{}-{one}", self.number)
    }

    fn employer(&self, who: Who) -> Option<(String, Role)> {
        match who {
            Who::Owner => Some((self.customer(0), Role::Owner)),
            Who::Viewer => Some((self.customer(0), Role::Viewer)),
            Who::Other => Some((self.customer(1), Role::Owner)),
            Who::Reseller(one) => Some((self.reseller(one), Role::Editor)),
            Who::Agent => None,
        }
    }

    fn email(&self, who: Who) -> String {
        match (self.employer(who), who) {
            (Some((employer, _)), Who::Viewer) => format!("viewer@{employer}.example"),
            (Some((employer, _)), _) => format!("somebody@{employer}.example"),
            (None, _) => AGENT.to_owned(),
        }
    }

    fn client(&self, who: Who) -> &Client {
        let place = EVERYBODY.iter().position(|known| *known == who).expect("somebody known");
        &self.clients[place]
    }

    fn owner_of(customer: usize) -> Who {
        if customer == 0 { Who::Owner } else { Who::Other }
    }

    fn cases_of(&self, customer: usize) -> String {
        format!("/v2/organizations/{}/cases", self.customer(customer))
    }

    /// Has a step happen in both worlds. Steps of people answer as the model says.
    async fn take(&mut self, step: Step) {
        let step = match step {
            Step::Comment { .. } | Step::Attach { .. } if self.cases.is_empty() => return,
            Step::Comment { case, who } => Step::Comment { case: case % self.cases.len(), who },
            Step::Attach { case, who } => Step::Attach { case: case % self.cases.len(), who },
            step => step,
        };
        let now = self.server.clock.now();
        let allowed = self.model.allows(step, now);
        let answer = match step {
            Step::File { customer, product } => {
                Some(self.file(Self::owner_of(customer), customer, product).await)
            }
            Step::FileFor { customer, reseller, product } => {
                Some(self.file(Who::Reseller(reseller), customer, product).await)
            }
            Step::Comment { case, who } => {
                let path = format!("{}/comments", self.cases[case].0);
                Some(self.client(who).post(&path, &json!({"body": "hello"})).await)
            }
            Step::Attach { case, who } => {
                let path = format!("/upload{}/attachments?attachment.filename=a.txt", self.cases[case].0);
                Some(self.client(who).call(Method::POST, &path).bytes(CONTENT).send().await)
            }
            step => {
                if allowed {
                    self.administer(step, now).await;
                }
                None
            }
        };
        if let Some(answer) = &answer {
            assert_eq!(answer.status == 200, allowed, "{step:?}: {} {}", answer.status, answer.text());
        }
        if !allowed {
            return;
        }
        let name = |answer: &Answer| format!("/v2/{}", answer.ok()["name"].as_str().unwrap());
        match (step, &answer) {
            (Step::File { .. } | Step::FileFor { .. }, Some(answer)) => self.cases.push((name(answer), None)),
            (Step::Attach { case, .. }, Some(answer)) => self.cases[case].1 = Some(name(answer)),
            _ => {}
        }
        self.model.take(step, now);
    }

    async fn file(&self, who: Who, customer: usize, product: usize) -> Answer {
        let classification = ["compute-vm", "storage-bucket"][product];
        let case = json!({
            "displayName": "A case",
            "description": "With a word in it.",
            "classification": {"id": classification},
            "priority": "P3",
        });
        self.client(who).post(&self.cases_of(customer), &case).await
    }

    async fn administer(&self, step: Step, now: Timestamp) {
        let server = self.server;
        match step {
            Step::Transfer { customer, to } => {
                let to = to.map(|one| self.reseller(one));
                server.transfer(&self.customer(customer), to.as_deref()).await;
            }
            Step::Allow { customer, reseller, in_centre } => {
                let who = if in_centre { self.email(Self::owner_of(customer)) } else { OPERATOR.to_owned() };
                server.allow(&who, &self.customer(customer), &self.reseller(reseller)).await;
            }
            Step::Withdraw { customer, reseller, in_centre } => {
                let who = if in_centre { self.email(Self::owner_of(customer)) } else { OPERATOR.to_owned() };
                server.withdraw(&who, &self.customer(customer), &self.reseller(reseller)).await;
            }
            Step::Plan { customer, product, change } => {
                self.plan(&self.customer(customer), PRODUCTS[product], change, now).await;
            }
            Step::OwnPlan { reseller, change } => {
                self.plan(&self.reseller(reseller), PRODUCTS[0], change, now).await;
            }
            Step::Roles { who, products, later } => self.set_roles(who, products, later, now).await,
            Step::Account { who, active } => {
                let (employer, _) = self.employer(who).expect("of an organization");
                server.set_active(&employer, &self.email(who), active).await;
            }
            Step::Wait => server.clock.advance(LONG),
            _ => unreachable!("people do this themselves: {step:?}"),
        }
    }

    async fn plan(&self, organization: &str, product: &str, change: PlanChange, now: Timestamp) {
        match change {
            PlanChange::Begins => self.server.entitle(organization, product, PLAN, None).await,
            PlanChange::Ends => self.server.end_plan(organization, product, PLAN, None).await,
            PlanChange::EndsLater => {
                self.server.end_plan(organization, product, PLAN, Some(now + LATER)).await;
            }
        }
    }

    async fn set_roles(&self, who: Who, products: [bool; PAIR], later: bool, now: Timestamp) {
        let (employer, role) = self.employer(who).expect("of an organization");
        let email = self.email(who);
        let roles: Vec<_> = (0..PAIR).map(|one| (PRODUCTS[one], products[one].then_some(role))).collect();
        let given: Vec<_> = roles.iter().filter_map(|(product, role)| Some((*product, (*role)?))).collect();
        match (self.model.is_member(who), given.is_empty()) {
            (true, true) => self.server.remove_member(&employer, &email).await,
            (true, false) => self.server.change_member(&employer, &email, &roles).await,
            (false, true) => {}
            (false, false) => {
                self.server.add_member(&employer, &email, &given, later.then(|| now + LATER)).await;
            }
        }
    }

    /// Compares every list of everybody, and all that everybody is shown of one case.
    async fn check(&self, case: usize) {
        let now = self.server.clock.now();
        join_all(EVERYBODY.map(|who| async move {
            self.check_lists(who, 100, now).await;
            if !self.cases.is_empty() {
                self.check_case(who, case % self.cases.len(), now).await;
            }
        }))
        .await;
    }

    /// Compares all that there is, also in small pages, and who is shown events.
    async fn check_all(&self) {
        let now = self.server.clock.now();
        join_all(EVERYBODY.map(|who| async move {
            self.check_lists(who, 3, now).await;
            for case in 0..self.cases.len() {
                self.check_case(who, case, now).await;
                let events = self.client(who).get(&format!("{}/events", self.cases[case].0)).await;
                assert_eq!(events.status, 403, "{who:?}: {}", events.text());
            }
            // Acting directly a reseller's person is nobody here.
            if let Who::Reseller(_) = who {
                let directly = self.server.client(&self.email(who));
                for customer in 0..PAIR {
                    assert_eq!(directly.get(&self.cases_of(customer)).await.status, 403, "{who:?} directly");
                }
            }
        }))
        .await;
        let auditor = self.server.client(AUDITOR);
        for (case, (path, _)) in self.cases.iter().enumerate() {
            let events = auditor.get(&format!("{path}/events?pageSize=100")).await.ok();
            let of = |kind: &str| {
                events["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).count()
            };
            let filed = &self.model.cases[case];
            let found = [of("CaseFiled"), of("CommentAdded"), of("AttachmentAdded")];
            assert_eq!(found, [1, filed.comments, filed.files], "the events of {path}: {events}");
        }
    }

    async fn check_lists(&self, who: Who, page_size: usize, now: Timestamp) {
        let visible = |customer: Option<usize>| -> BTreeSet<&str> {
            let of =
                |case: &usize| customer.is_none_or(|customer| self.model.cases[*case].customer == customer);
            let cases = (0..self.cases.len()).filter(of).filter(|case| self.model.sees(who, *case, now));
            cases.map(|case| self.cases[case].0.as_str()).collect()
        };
        let search = format!(":search?query={}&", encoded("\"a word in\""));
        for customer in 0..PAIR {
            let expected = self.model.opens(who, customer, now).then(|| visible(Some(customer)));
            for ending in ["?", &search] {
                let path = format!("{}{ending}", self.cases_of(customer));
                self.check_list(who, &path, page_size, expected.as_ref()).await;
            }
        }
        if let Who::Reseller(one) = who {
            let expected = self.model.opens_across(one, now).then(|| visible(None));
            for ending in ["?", &search] {
                let path = format!("/v2/organizations/-/cases{ending}");
                self.check_list(who, &path, page_size, expected.as_ref()).await;
            }
        }
    }

    async fn check_list(&self, who: Who, path: &str, page_size: usize, expected: Option<&BTreeSet<&str>>) {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.client(who).get(&format!("{path}pageSize={page_size}&pageToken={token}")).await;
            let Some(expected) = expected else {
                assert_eq!(page.status, 403, "{who:?} {path}: {}", page.text());
                return;
            };
            assert_eq!(page.status, 200, "{who:?} {path}: {}", page.text());
            let page = page.json();
            let cases = page["cases"].as_array().unwrap();
            assert!(cases.len() <= page_size);
            found.extend(cases.iter().map(|case| format!("/v2/{}", case["name"].as_str().unwrap())));
            let Some(next) = page["nextPageToken"].as_str() else {
                let set: BTreeSet<&str> = found.iter().map(String::as_str).collect();
                assert_eq!((&set, found.len()), (expected, expected.len()), "{who:?} {path}");
                return;
            };
            next.clone_into(&mut token);
        }
    }

    async fn check_case(&self, who: Who, case: usize, now: Timestamp) {
        let (path, file) = &self.cases[case];
        let filed = &self.model.cases[case];
        let sees = self.model.sees(who, case, now);
        let status = match (self.model.opens(who, filed.customer, now), sees) {
            (_, true) => 200,
            (true, false) => 404,
            (false, false) => 403,
        };
        let client = self.client(who);
        let counted = [
            ("/comments?pageSize=100", "comments", filed.comments),
            ("/attachments?pageSize=100", "attachments", filed.files),
            (":showFeed?pageSize=100", "feedItems", filed.comments + filed.files),
        ];
        for ending in ["", ":allowedActions"] {
            let got = client.get(&format!("{path}{ending}")).await;
            assert_eq!(got.status, status, "{who:?} {path}{ending}: {}", got.text());
        }
        // Under another organization's name there is no such case, whoever has read it before.
        let elsewhere = 1 - filed.customer;
        let status_elsewhere = if self.model.opens(who, elsewhere, now) { 404 } else { 403 };
        let stolen = path.replace(&self.customer(filed.customer), &self.customer(elsewhere));
        for ending in ["", ":allowedActions", "/comments", "/attachments"] {
            let got = client.get(&format!("{stolen}{ending}")).await;
            assert_eq!(got.status, status_elsewhere, "{who:?} {stolen}{ending}: {}", got.text());
        }
        for (ending, list, count) in counted {
            let answer = client.get(&format!("{}{ending}", path.replace("/v2/", "/v2beta/"))).await;
            assert_eq!(answer.status, status, "{who:?} {path}{ending}: {}", answer.text());
            if sees {
                let found = answer.json()[list].as_array().map_or(0, Vec::len);
                assert_eq!(found, count, "{who:?} {path}{ending}: {}", answer.text());
            }
        }
        if let Some(file) = file {
            assert_eq!(client.get(file).await.status, status, "{who:?} {file}");
            let answer = client.get(&format!("{file}:download?alt=media")).await;
            assert_eq!(answer.status, status, "{who:?} {file}");
            assert_eq!(answer.text() == CONTENT, sees, "{who:?} {file}");
        }
    }
}

/// What every history begins with: something to see.
fn beginning() -> Vec<Step> {
    let change = PlanChange::Begins;
    let plans =
        (0..PAIR).flat_map(|customer| (0..PAIR).map(move |product| Step::Plan { customer, product, change }));
    let managed = (0..PAIR).flat_map(|one| {
        [
            Step::Transfer { customer: one, to: Some(one) },
            Step::Allow { customer: one, reseller: one, in_centre: one == 0 },
            Step::FileFor { customer: one, reseller: one, product: one },
        ]
    });
    plans.chain(managed).collect()
}

/// R-RES-1, R-RES-2, R-RES-3, R-RES-6, R-ACCESS-2, R-ACCESS-3, R-CASE-4.
#[test]
fn whatever_has_happened_everybody_is_shown_what_the_rules_say_and_nothing_else() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(Server::start());
    let seed = variable("DOSSIER_VISIBILITY_SEED", 1);
    let cases = variable("DOSSIER_VISIBILITY_CASES", HISTORIES);
    let config = Config {
        cases,
        max_shrink_iters: variable("PROPTEST_MAX_SHRINK_ITERS", 40),
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (numbers, filed) = (Cell::new(0), Cell::new(0));
    let outcome = runner.run(&prop::collection::vec(any_steps(), STEPS), |steps| {
        numbers.set(numbers.get() + 1);
        runtime.block_on(async {
            let mut world = World::new(&server, numbers.get()).await;
            for (number, step) in beginning().into_iter().chain(steps.into_iter().flatten()).enumerate() {
                world.take(step).await;
                world.check(number).await;
            }
            world.check_all().await;
            filed.set(filed.get() + world.cases.len());
        });
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("seed {seed}: {error}");
    }
    assert!(filed.get() > 4 * cases as usize, "only {} cases: the generator has lost its way", filed.get());
}

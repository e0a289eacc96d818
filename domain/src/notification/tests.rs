//! Given/when/then: what a command on a case calls for.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::access::Access;
use crate::account::{AccountDeactivated, AccountEvent, NotificationPreferencesChanged};
use crate::address::EmailAddress;
use crate::authority::CentreAccess;
use crate::case::{CaseCommand, CaseEvent, CaseState, ChangeNotifications, EditCase, NotificationsChannel};
use crate::catalogue::Priority;
use crate::testing::{
    AccessBuilder, Given, acme, answer_survey, ask, assign, at, attach, change_priority, close, comment,
    email_key, escalate, evolved, file_case, note, opened, people, propose, reseller,
};
use crate::{Personal, Role, Subject};

/// A case and everything around it; what happens next is asked of it.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) given: Given,
    pub(super) access: Access,
    pub(super) reseller: Access,
    pub(super) centre: CentreAccess,
    pub(super) directory: Directory,
}

/// The names that have an account in the directory, and the address that each signs in with.
const KNOWN: [&str; 6] = ["alice", "bob", "carol", "dave", "nina", "sam"];

impl Scene {
    fn of(given: Given, access: Access) -> Self {
        let mut directory = Directory::default();
        for name in KNOWN {
            directory.accounts.insert(people(name).account, Arc::new(opened(name)));
            let address = people(name).contact.open().unwrap().email.clone();
            directory.addresses.insert(address, email_key(name));
            directory.holders.insert(email_key(name), people(name).account);
        }
        for name in ["ops", "dev"] {
            directory.addresses.insert(format!("{name}@acme.example"), email_key(name));
        }
        directory.addresses.insert("desk@nimbus.example".to_owned(), email_key("desk"));
        directory.addresses.insert("spy@elsewhere.example".to_owned(), email_key("spy"));
        let given = given.in_access(access.clone());
        let mut own = reseller("nimbus").build();
        own.domains = ["nimbus.example".to_owned()].into();
        Self { given, access, reseller: own, centre: CentreAccess::Open, directory }
    }

    /// Alice filed it, for these subscribers.
    pub(super) fn filed(subscribers: &[&str]) -> Self {
        let access = acme().build();
        let command = filing(subscribers);
        let given = Given::nothing().in_access(access.clone()).and("alice", 0, &command);
        Self::of(given, access)
    }

    /// Nina filed it for acme, which lets nimbus in.
    fn filed_by_nina(subscribers: &[&str]) -> Self {
        let access = acme().letting_in("nimbus").build();
        let given = Given::nothing().in_access(access.clone()).and("nina", 0, &filing(subscribers));
        Self::of(given, access)
    }

    fn and(mut self, who: &str, second: i64, command: &CaseCommand) -> Self {
        self.given = self.given.and(who, second, command);
        self
    }

    fn with_access(mut self, access: AccessBuilder) -> Self {
        self.access = access.build();
        self.given = self.given.in_access(self.access.clone());
        self
    }

    fn with_account(mut self, name: &str, event: AccountEvent) -> Self {
        let account = people(name).account;
        let changed = evolved(&self.directory.account(account), &[event]);
        self.directory.accounts.insert(account, Arc::new(changed));
        self
    }

    fn stopped(self, key: RecipientKey) -> Self {
        let via = NotificationsChannel::Link;
        let command =
            CaseCommand::ChangeNotifications(ChangeNotifications { recipient: key, stop: true, via });
        self.and("system", 1, &command)
    }

    /// What a command calls for.
    fn when(&self, who: &str, second: i64, command: &CaseCommand) -> Vec<Intended> {
        let before = self.given.clone().state();
        let outcome = self.given.clone().when(who, second, command);
        self.told(&before, &outcome.events(), &outcome.clone_state(), who, at(second))
    }

    pub(super) fn told(
        &self,
        before: &CaseState,
        events: &[CaseEvent],
        after: &CaseState,
        who: &str,
        at: Timestamp,
    ) -> Vec<Intended> {
        let deed = Deed {
            before: before.filed(),
            events,
            actor: people(who).account,
            told_elsewhere: &BTreeSet::new(),
        };
        let manager = self.access.manager().cloned();
        let reseller = manager.as_ref().map(|organization| Reseller {
            organization,
            access: &self.reseller,
            centre: self.centre,
        });
        let circle = Circle { case: after.filed().unwrap(), access: &self.access, reseller, at };
        intended(&deed, &circle, &self.directory)
    }
}

fn filing(subscribers: &[&str]) -> CaseCommand {
    let mut command = file_case();
    command.language = "fr".to_owned();
    command.subscribers = subscribers.iter().map(|address| subscriber(address)).collect();
    CaseCommand::File(Box::new(command))
}

pub(super) fn subscriber(address: &str) -> Personal<String> {
    let key = EmailAddress::parse(address).unwrap().canonical().bytes().map(u128::from).sum();
    Personal::new(Subject::contact(key), address.to_owned())
}

/// To whom, and as what, in the order in which they are told.
fn shown(messages: &[Intended]) -> Vec<String> {
    let name = |recipient: &Recipient| match recipient {
        Recipient::Account(account) => {
            KNOWN.into_iter().find(|name| people(name).account == *account).unwrap().to_owned()
        }
        Recipient::Address(address) => address.open().unwrap().clone(),
    };
    messages
        .iter()
        .map(|m| format!("{} {} {} {}", name(&m.recipient), m.reason.as_str(), m.kind.as_str(), m.language))
        .collect()
}

/// R-NOTIFY-1.
#[test]
fn r_notify_1_a_comment_is_told_to_the_filer_and_the_subscribers_in_the_cases_language() {
    let told = Scene::filed(&["ops@acme.example"]).when("agent-north", 1, &comment("look here"));
    assert_eq!(
        shown(&told),
        ["alice filer case_commented fr", "ops@acme.example subscriber case_commented fr"]
    );
}

/// R-NOTIFY-1.
#[test]
fn r_notify_1_nobody_is_told_of_their_own_act_filing_excepted() {
    let scene = Scene::filed(&["bob@acme.example"]);
    assert_eq!(
        shown(&scene.when("alice", 1, &comment("more"))),
        ["bob@acme.example subscriber case_commented fr"]
    );
    assert_eq!(shown(&scene.when("bob", 1, &comment("me too"))), ["alice filer case_commented fr"]);
    let filed =
        scene.told(&CaseState::default(), &[filed_event()], &scene.given.clone().state(), "alice", at(0));
    assert_eq!(shown(&filed), ["alice filer case_filed fr", "bob@acme.example subscriber case_filed fr"]);
}

/// R-SURVEY-1.
#[test]
fn r_survey_1_the_filer_who_closes_is_mailed_the_survey_and_nobody_else_who_closes_is_mailed() {
    let scene = Scene::filed(&["bob@acme.example"]);
    let closing = crate::testing::close();
    let both = ["alice filer case_closed fr", "bob@acme.example subscriber case_closed fr"];
    assert_eq!(shown(&scene.when("alice", 1, &closing)), both);
    assert_eq!(shown(&scene.when("bob", 1, &closing)), ["alice filer case_closed fr"]);
}

fn filed_event() -> CaseEvent {
    Given::nothing().when("alice", 0, &CaseCommand::File(Box::new(file_case()))).events().remove(0)
}

/// R-NOTIFY-1.
#[test]
fn r_notify_1_one_command_is_one_message_of_the_most_telling_kind() {
    let scene = Scene::filed(&[]);
    let kind = |scene: &Scene, who: &str, command: &CaseCommand| {
        scene.when(who, 5, command).first().map(|message| message.kind.as_str())
    };
    assert_eq!(kind(&scene, "agent-north", &comment("hello")), Some("case_commented"));
    assert_eq!(kind(&scene, "agent-north", &ask()), Some("information_requested"));
    assert_eq!(kind(&scene, "agent-north", &propose()), Some("solution_proposed"));
    assert_eq!(kind(&scene, "agent-north", &change_priority(Priority::P1)), Some("case_priority_changed"));
    assert_eq!(kind(&scene, "agent-north", &assign()), Some("case_state_changed"), "taken up");
    assert_eq!(kind(&scene, "bob", &escalate()), Some("case_escalated"));
    assert_eq!(kind(&scene, "bob", &close()), Some("case_closed"));
    assert_eq!(kind(&scene, "bob", &attach()), None);
    let closed = scene.and("bob", 1, &close());
    assert_eq!(kind(&closed, "bob", &comment("again")), Some("case_reopened"), "with the comment");
    assert_eq!(kind(&closed, "alice", &answer_survey(1)), None);
}

/// R-COMMENT-3, R-NOTIFY-1.
#[test]
fn r_comment_3_what_only_support_may_learn_of_is_told_to_nobody() {
    let scene = Scene::filed(&["ops@acme.example"]).and("agent-north", 1, &assign());
    assert_eq!(scene.when("agent-north", 2, &note("a hard one")), vec![]);
    assert_eq!(scene.when("agent-north2", 2, &assign()), vec![]);
}

/// R-NOTIFY-1.
#[test]
fn r_notify_1_a_subscriber_outside_the_verified_domains_gets_nothing() {
    let scene = Scene::filed(&["spy@elsewhere.example", "desk@nimbus.example", "ops@acme.example"]);
    let told = scene.when("agent-north", 1, &comment("look"));
    assert_eq!(shown(&told)[1..], ["ops@acme.example subscriber case_commented fr"]);
}

/// R-NOTIFY-1, R-NOTIFY-3: the reseller's people are told while the reseller sees the case.
#[test]
fn r_notify_3_a_subscriber_of_the_reseller_is_told_while_the_reseller_sees_the_case() {
    let told = |scene: &Scene| shown(&scene.when("agent-north", 1, &comment("look"))).len();
    let seen = Scene::filed_by_nina(&["desk@nimbus.example"]);
    assert_eq!(told(&seen), 2, "nina and the desk");
    let mut closed = seen.clone();
    closed.centre = CentreAccess::Closed;
    assert_eq!(told(&closed), 0, "R-RES-6");
    // Filed before nimbus managed acme: that one sees nothing of it, whoever lists its address.
    let earlier = Scene::filed(&["desk@nimbus.example"]).with_access(acme().letting_in("nimbus"));
    assert_eq!(told(&earlier), 1, "alice alone");
}

/// R-NOTIFY-1.
#[test]
fn r_notify_1_a_person_is_told_once_however_often_and_however_spelled_they_are_named() {
    let subscribers = ["Alice+x@acme.example", "ops@acme.example", "OPS@acme.example", "ops+1@acme.example"];
    let told = Scene::filed(&subscribers).when("agent-north", 1, &comment("look"));
    assert_eq!(
        shown(&told),
        ["alice filer case_commented fr", "ops@acme.example subscriber case_commented fr"]
    );
}

/// R-NOTIFY-3.
#[test]
fn r_notify_3_who_does_not_see_the_case_any_more_is_not_told() {
    let scene = Scene::filed(&[]);
    let look = comment("look");
    let mut gone = acme().build();
    gone.members.remove(&people("alice").account);
    let mut removed = scene.clone();
    removed.access = gone;
    assert_eq!(removed.when("agent-north", 1, &look), vec![]);
    let elsewhere = scene.clone().with_access(acme().granted("alice", &[("storage", Role::Owner)]));
    assert_eq!(elsewhere.when("agent-north", 1, &look), vec![], "another product");
    let pending = scene.with_access(acme().pending("alice", at(100)));
    assert_eq!(pending.when("agent-north", 1, &look), vec![], "R-ACCESS-3: pending, no mail");
    assert_eq!(pending.when("agent-north", 100, &look).len(), 1);
}

#[test]
fn who_is_deactivated_is_not_told_by_whichever_name() {
    let out = || AccountEvent::from(AccountDeactivated {});
    let scene = Scene::filed(&["bob@acme.example"]);
    let told = |scene: &Scene| shown(&scene.when("agent-north", 1, &comment("look")));
    assert_eq!(
        told(&scene.clone().with_account("alice", out())),
        ["bob@acme.example subscriber case_commented fr"]
    );
    assert_eq!(told(&scene.with_account("bob", out())), ["alice filer case_commented fr"]);
}

#[test]
fn who_wants_no_mails_gets_none_and_who_wants_another_language_gets_that() {
    let wants = |case_mails, language: Option<&str>| -> AccountEvent {
        NotificationPreferencesChanged { case_mails, language: language.map(str::to_owned) }.into()
    };
    let scene = Scene::filed(&["bob@acme.example", "ops@acme.example"])
        .with_account("alice", wants(CaseMails::All, Some("ja")))
        .with_account("bob", wants(CaseMails::None, None));
    assert_eq!(
        shown(&scene.when("agent-north", 1, &comment("look"))),
        ["alice filer case_commented ja", "ops@acme.example subscriber case_commented fr"]
    );
}

#[test]
fn who_has_stopped_the_mails_of_a_case_is_told_no_more_of_it_under_any_spelling() {
    let scene = Scene::filed(&["ops+1@acme.example", "ops@acme.example", "bob@acme.example"]);
    let told = |scene: &Scene| shown(&scene.when("agent-north", 2, &comment("look"))).len();
    assert_eq!(told(&scene), 3);
    assert_eq!(told(&scene.clone().stopped(RecipientKey::Address(email_key("ops")))), 2);
    assert_eq!(told(&scene.clone().stopped(RecipientKey::Account(people("alice").account))), 2);
    assert_eq!(told(&scene.clone().stopped(RecipientKey::Account(people("bob").account))), 2, "by account");
    assert_eq!(told(&scene.stopped(RecipientKey::Address(email_key("bob")))), 2, "by the address");
}

/// R-RES-7.
#[test]
fn r_res_7_mail_of_an_open_case_whose_filers_reseller_has_left_goes_to_the_product_owners() {
    let scene = Scene::filed_by_nina(&[]);
    let look = comment("look");
    assert_eq!(shown(&scene.when("agent-north", 1, &look)), ["nina filer case_commented fr"]);
    let owner = ["alice product_owner case_commented fr"];
    for left in [acme(), acme().managed_by("nimbus"), acme().letting_in("stratus")] {
        let left = scene.clone().with_access(left);
        assert_eq!(shown(&left.when("agent-north", 1, &look)), owner);
        assert_eq!(left.when("alice", 1, &look), vec![], "not of her own act");
        let closing = left.when("bob", 1, &close());
        assert_eq!(shown(&closing), ["alice product_owner case_closed fr"]);
        assert!(Circle::brings_survey(closing[0].kind, closing[0].reason));
        // Closed, and nothing more to do: the owners are not told of what support adds.
        assert_eq!(left.and("bob", 1, &close()).when("agent-north", 2, &look), vec![]);
    }
}

/// R-RES-7: in force, with the support privilege, of this product.
#[test]
fn r_res_7_only_effective_owners_of_the_product_are_told() {
    let access = acme()
        .granted("carol", &[("storage", Role::Owner)])
        .pending_as("dave", Role::Owner, at(100))
        .granted("bob", &[("compute", Role::Owner)]);
    let scene = Scene::filed_by_nina(&[]).with_access(access);
    let mut told = shown(&scene.when("agent-north", 1, &comment("look")));
    told.sort();
    assert_eq!(told, ["alice product_owner case_commented fr", "bob product_owner case_commented fr"]);
}

/// R-SURVEY-1: the link of the survey is the filer's.
#[test]
fn r_survey_1_only_the_filers_mail_of_a_closing_brings_the_survey() {
    let told = Scene::filed(&["ops@acme.example"]).when("bob", 1, &close());
    let with: Vec<_> = told.iter().map(|m| Circle::brings_survey(m.kind, m.reason)).collect();
    assert_eq!(with, [true, false]);
    assert!(!Circle::brings_survey(MessageKind::CaseCommented, Reason::Filer));
}

#[test]
fn a_history_that_was_taken_over_from_elsewhere_is_no_news() {
    let CaseEvent::CaseFiled(mut filed) = filed_event() else { unreachable!() };
    filed.imported_from = Some(crate::case::ImportOrigin {
        source: "old".to_owned(),
        external_id: "1".to_owned(),
        imported_by: people("operator").account,
    });
    let events =
        [filed.into(), Given::filed().when("agent-north", 1, &comment("old words")).events().remove(0)];
    assert_eq!(MessageKind::of_command(&events), None);
}

/// R-NOTIFY-3: the same question at sending, on what is then.
#[test]
fn r_notify_3_at_sending_everything_is_asked_again() {
    let scene = Scene::filed(&["ops@acme.example"]);
    let told = scene.when("agent-north", 1, &comment("look"));
    let check = |scene: &Scene, message: &Intended| {
        let state = scene.given.clone().state();
        let circle =
            Circle { case: state.filed().unwrap(), access: &scene.access, reseller: None, at: at(9) };
        let (key, address) = scene.directory.keys(&message.recipient).unwrap();
        let account = scene.directory.account_of(key);
        let reason = message.reason;
        circle.check(&Person {
            recipient: &message.recipient,
            reason,
            key,
            address,
            account: account.as_deref(),
        })
    };
    assert!(told.iter().all(|message| check(&scene, message).is_ok()));
    let mut gone = scene.clone();
    gone.access.members.clear();
    gone.access.domains.clear();
    assert_eq!(check(&gone, &told[0]), Err(Withheld::NotVisible));
    assert_eq!(check(&gone, &told[1]), Err(Withheld::UnverifiedAddress));
    let unsubscribed = scene.clone().and(
        "alice",
        2,
        &CaseCommand::Edit(EditCase { subscribers: Some(Vec::new()), ..EditCase::default() }),
    );
    assert_eq!(check(&unsubscribed, &told[1]), Err(Withheld::NotConcerned));
    let stopped = scene.clone().stopped(told[0].key);
    assert_eq!(check(&stopped, &told[0]), Err(Withheld::Stopped));
    let out = scene.with_account("alice", AccountDeactivated {}.into());
    assert_eq!(check(&out, &told[0]), Err(Withheld::Deactivated));
}

/// R-KI-6: who gets the mail about the known issue needs none about the same solution on their case.
#[test]
fn r_ki_6_who_is_told_of_a_resolution_by_the_known_issue_is_not_told_again_by_the_case() {
    let scene = Scene::filed(&["ops@acme.example"]);
    let state = scene.given.clone().state();
    let events = scene.given.clone().when("agent-north", 1, &propose()).events();
    let circle = Circle { case: state.filed().unwrap(), access: &scene.access, reseller: None, at: at(1) };
    let told_elsewhere = BTreeSet::from([people("alice").account]);
    let actor = people("system").account;
    let deed = Deed { before: state.filed(), events: &events, actor, told_elsewhere: &told_elsewhere };
    let told = intended(&deed, &circle, &scene.directory);
    assert_eq!(shown(&told), ["ops@acme.example subscriber solution_proposed fr"]);
}

/// An address whose subject was erased reads nothing any more.
#[test]
fn an_erased_address_gets_nothing() {
    let mut scene = Scene::filed(&[]);
    let state = scene.given.clone().state();
    let mut case = state.filed().unwrap().clone();
    case.subscribers = vec![Personal::erased(Subject::contact(7))];
    scene.access.members.clear();
    let events = scene.given.clone().when("agent-north", 1, &comment("look")).events();
    let circle = Circle { case: &case, access: &scene.access, reseller: None, at: at(1) };
    let deed = Deed {
        before: state.filed(),
        events: &events,
        actor: people("agent-north").account,
        told_elsewhere: &BTreeSet::new(),
    };
    assert_eq!(intended(&deed, &circle, &scene.directory), vec![]);
}

//! Mails as they are put into words, by the log as it is at sending.

use dossier_commands::signed_link::verify;
use dossier_domain::access::{AccessCommand, RemoveMember, WithdrawResellerAccess};
use dossier_domain::case::{CaseCommand, ChangeNotifications, CloseCase, EditCase, NotificationsChannel};
use dossier_domain::known_issue::{KnownIssueCommand, PostUpdate, SayNotAffected};
use dossier_domain::notification::RecipientKey;

use super::super::ledger::LedgerEntry;
use super::super::world::{World, organization};
use super::*;

fn composer(world: &World) -> Composer {
    let links = MailLinks {
        public_url: "https://support.example".to_owned(),
        frontend_url: Some("https://desk.example".to_owned()),
    };
    Composer::new(world.commands.clone(), None, Arc::new(Templates::built_in()), links)
}

async fn compose(world: &World, entry: &LedgerEntry) -> Composed {
    let trying_since = entry.message.intended_at;
    let claimed = Claimed { message: entry.message.clone(), attempt: 1, tries: 1, trying_since };
    composer(world).compose(&claimed).await.unwrap()
}

async fn mail(world: &World, entry: &LedgerEntry) -> OutgoingMail {
    match compose(world, entry).await {
        Composed::Mail(mail) => *mail,
        Composed::Withheld(why) => panic!("withheld: {why}"),
    }
}

/// What is intended for a reader by its reason and kind.
fn find<'a>(entries: &'a [LedgerEntry], reason: &str, kind: &str) -> &'a LedgerEntry {
    let mut all = entries.iter();
    all.find(|entry| entry.message.reason == reason && entry.message.kind == kind)
        .unwrap_or_else(|| panic!("nothing for the {reason} about {kind}"))
}

/// R-NOTIFY-1: to the sign-in address, in the case's language, with what was said as it lies in the log.
#[tokio::test]
async fn r_notify_1_a_mail_says_what_was_said_in_the_cases_language_to_the_sign_in_address() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &["ops@acme.example"]).await;
    world.comment("agent", case, "Have you <tried> turning it off?").await;
    let written = world.fanned_out(case).await;
    let to_alice = mail(&world, find(&written, "filer", "case_commented")).await;
    assert_eq!((to_alice.to.as_str(), to_alice.to_name.as_deref()), ("alice@acme.example", Some("alice")));
    assert_eq!(to_alice.rendered.language, "fr");
    assert!(to_alice.rendered.subject.contains("a machine <is> down"));
    assert!(to_alice.rendered.text.contains("Have you <tried> turning it off?"));
    assert!(!to_alice.rendered.html.contains("<tried>"));
    let read = format!("https://desk.example/organizations/acme/cases/{case}");
    assert!(to_alice.rendered.text.contains(&read));
    let to_ops = mail(&world, find(&written, "subscriber", "case_commented")).await;
    assert_eq!((to_ops.to.as_str(), to_ops.to_name), ("ops@acme.example", None));
}

/// The links of a mail name the case and the reader, and no address.
#[tokio::test]
async fn each_mail_ends_with_a_signed_link_of_its_reader_and_the_filers_closing_brings_the_survey() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &["ops@acme.example"]).await;
    world.act("bob", case, CaseCommand::Close(CloseCase {})).await;
    let written = world.fanned_out(case).await;
    let opened = |url: &str| {
        let (page, token) = url.strip_prefix("https://support.example/").unwrap().split_once('/').unwrap();
        (page.to_owned(), verify(&world.sealer, token).unwrap())
    };
    let to_alice = mail(&world, find(&written, "filer", "case_closed")).await;
    let account = world.actor("alice").account;
    let stop = |recipient| SignedLink::StopCaseMails { organization: organization("acme"), case, recipient };
    let of_alice = ("unsubscribe".to_owned(), stop(LinkRecipient::Account(account)));
    assert_eq!(opened(to_alice.unsubscribe_url.as_deref().unwrap()), of_alice);
    let survey = to_alice.rendered.text.lines().find(|line| line.contains("/survey/")).expect("a survey");
    let closing = SignedLink::Survey { organization: organization("acme"), case, closing: 1 };
    assert_eq!(opened(survey.trim()), ("survey".to_owned(), closing));
    assert!(to_alice.rendered.text.contains("bob"), "who closed it");
    let to_ops = mail(&world, find(&written, "subscriber", "case_closed")).await;
    assert!(!to_ops.rendered.text.contains("/survey/"));
    let ops = EmailAddress::parse("ops@acme.example").unwrap();
    let ops = LinkRecipient::Address(identity::email_key(&world.sealer, &ops));
    assert_eq!(opened(to_ops.unsubscribe_url.as_deref().unwrap()), ("unsubscribe".to_owned(), stop(ops)));
}

/// R-NOTIFY-3.
#[tokio::test]
async fn r_notify_3_what_was_intended_is_withheld_from_who_may_not_be_told_any_more() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("bob", &["ops@acme.example"]).await;
    let by_nina = world.filed("nina", &["desk@nimbus.example"]).await;
    let (of_bob, of_nina) = (world.fanned_out(case).await, world.fanned_out(by_nina).await);
    for entry in of_bob.iter().chain(&of_nina) {
        mail(&world, entry).await;
    }
    let account = world.actor("bob").account;
    world.access("alice", "acme", AccessCommand::RemoveMember(RemoveMember { account })).await;
    let none = EditCase { subscribers: Some(Vec::new()), ..EditCase::default() };
    world.act("alice", case, CaseCommand::Edit(none)).await;
    let reseller = organization("nimbus");
    let withdraw = AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller });
    world.access("alice", "acme", withdraw).await;
    let composed = |entries: &'_ [LedgerEntry], reason: &str| {
        let entry = find(entries, reason, "case_filed").clone();
        let world = &world;
        async move { compose(world, &entry).await }
    };
    assert_eq!(composed(&of_bob, "filer").await, Composed::Withheld("not_visible"));
    assert_eq!(composed(&of_bob, "subscriber").await, Composed::Withheld("not_concerned"));
    assert_eq!(composed(&of_nina, "filer").await, Composed::Withheld("not_visible"));
    assert_eq!(composed(&of_nina, "subscriber").await, Composed::Withheld("not_visible"));
}

#[tokio::test]
async fn what_somebody_has_stopped_meanwhile_is_withheld() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &[]).await;
    let written = world.fanned_out(case).await;
    let recipient = RecipientKey::Account(world.actor("alice").account);
    let via = NotificationsChannel::SignedIn;
    let stop = ChangeNotifications { recipient, stop: true, via };
    world.act("alice", case, CaseCommand::ChangeNotifications(stop)).await;
    assert_eq!(compose(&world, &written[0]).await, Composed::Withheld("stopped"));
}

/// What belongs to somebody who was erased is not sent to anybody.
#[tokio::test]
async fn erased_words_are_not_sent() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &[]).await;
    world.comment("agent", case, "words of somebody").await;
    let written = world.fanned_out(case).await;
    let entry = find(&written, "filer", "case_commented");
    mail(&world, entry).await;
    world.sealer.erase(identity::contact_subject(&world.sealer, "words of somebody").as_str()).await.unwrap();
    assert_eq!(compose(&world, entry).await, Composed::Withheld("erased"));
}

/// Whoever sets a mail server up late does not flood people with what happened before; an operator may ask for one again.
#[tokio::test]
async fn what_happened_two_days_ago_is_no_news_unless_somebody_asks_for_it() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &[]).await;
    let entry = world.fanned_out(case).await.remove(0);
    world.pass(SignedDuration::from_hours(47));
    mail(&world, &entry).await;
    world.pass(SignedDuration::from_hours(2));
    assert_eq!(compose(&world, &entry).await, Composed::Withheld("too_late"));
    let trying_since = world.commands.now();
    let claimed = Claimed { message: entry.message, attempt: 2, tries: 1, trying_since };
    assert!(matches!(composer(&world).compose(&claimed).await, Ok(Composed::Mail(_))));
}

#[tokio::test]
async fn a_message_that_makes_no_sense_fails_and_is_not_tried_again() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &[]).await;
    let mut entry = world.fanned_out(case).await.remove(0);
    entry.message.kind = "nonsense".to_owned();
    let trying_since = entry.message.intended_at;
    let claimed = Claimed { message: entry.message, attempt: 1, tries: 1, trying_since };
    let refused = composer(&world).compose(&claimed).await.unwrap_err();
    assert!(matches!(refused, ComposeError::Damaged(_)), "{refused}");
}

/// R-KI-5, R-KI-7.
#[tokio::test]
async fn r_ki_7_mails_about_a_known_issue_are_in_english_with_the_partner_and_both_links() {
    let world = World::new().await;
    world.place().await;
    let issue = world.published_issue().await;
    world.me_too("alice", issue).await;
    let post = KnownIssueCommand::PostUpdate(PostUpdate { text: "We know <why>.".to_owned() });
    world.on_issue("engineer", issue, post).await;
    let written = world.issue_fanned_out(issue).await;
    let to_alice = mail(&world, &written[0]).await;
    assert_eq!((to_alice.to.as_str(), to_alice.rendered.language.as_str()), ("alice@acme.example", "en"));
    let text = &to_alice.rendered.text;
    assert!(text.contains("We know <why>.") && text.contains("Machines do not start"), "{text}");
    assert!(text.contains("nimbus"), "the partner: {text}");
    assert!(text.contains("https://support.example/not-affected/"), "{text}");
    assert!(to_alice.unsubscribe_url.unwrap().starts_with("https://support.example/unsubscribe/"));
    let not_affected = KnownIssueCommand::SayNotAffected(SayNotAffected { on_behalf_of: None });
    world.on_issue("alice", issue, not_affected).await;
    assert_eq!(compose(&world, &written[0]).await, Composed::Withheld("stopped"));
}

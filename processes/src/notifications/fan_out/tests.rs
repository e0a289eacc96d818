//! The fan-out on the real commands: what is written down, once, by the states at each event.

use std::collections::BTreeSet;

use dossier_commands::identity;
use dossier_domain::access::{AccessCommand, RemoveMember, WithdrawResellerAccess};
use dossier_domain::address::EmailAddress;
use dossier_domain::case::{
    AddInternalNote, CaseCommand, ChangeNotifications, CloseCase, NotificationsChannel,
};
use dossier_domain::known_issue::{KnownIssueCommand, PostUpdate, ResolveKnownIssue, Unsubscribe};
use dossier_domain::notification::RecipientKey;
use dossier_eventlog::{EventStore, Position};

use super::super::ledger::{MessageState, NotificationLedger};
use super::super::world::{World, organization};
use super::NAME;
use crate::reactor::Begin;
use crate::reactor::start::begin;
use crate::work_store::WorkStore;

/// R-NOTIFY-1, R-NOTIFY-2.
#[tokio::test]
async fn r_notify_1_each_command_is_written_down_once_for_each_who_is_told_and_no_address_in_the_clear() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &["bob@acme.example", "ops@acme.example", "spy@elsewhere.example"]).await;
    world.comment("agent", case, "look here").await;
    world
        .act("agent", case, CaseCommand::AddInternalNote(AddInternalNote { body: world.text("psst") }))
        .await;
    world.comment("bob", case, "I have looked").await;
    world.act("alice", case, CaseCommand::Close(CloseCase {})).await;
    let written = world.fanned_out(case).await;
    assert_eq!(
        world.shown(&written).await,
        [
            "alice filer case_filed fr",
            "bob@acme.example subscriber case_filed fr",
            "ops@acme.example subscriber case_filed fr",
            "alice filer case_commented fr",
            "bob@acme.example subscriber case_commented fr",
            "ops@acme.example subscriber case_commented fr",
            "alice filer case_commented fr",
            "ops@acme.example subscriber case_commented fr",
            "alice filer case_closed fr",
            "bob@acme.example subscriber case_closed fr",
            "ops@acme.example subscriber case_closed fr",
        ]
    );
    assert!(written.iter().all(|entry| entry.state == MessageState::Intended));
    assert!(!format!("{written:?}").contains("acme.example"));
    assert!(written.iter().all(|entry| entry.message.first_revision <= entry.message.last_revision));
    // Nothing more, however often somebody looks.
    assert_eq!(world.fanned_out(case).await, written);
}

/// R-NOTIFY-2: the same messages have the same ids, so that even a fan-out that was set back writes none twice.
#[tokio::test]
async fn r_notify_2_a_fan_out_that_is_set_back_writes_no_message_twice() {
    let world = World::new().await;
    world.place().await;
    let start = world.work.checkpoint(NAME).await.unwrap().unwrap();
    let case = world.filed("alice", &["ops@acme.example"]).await;
    world.comment("agent", case, "look here").await;
    let written = world.fanned_out(case).await;
    let reached = world.work.checkpoint(NAME).await.unwrap().unwrap();
    world.work.advance(NAME, Some(&reached), &start).await.unwrap();
    assert_eq!(world.fanned_out(case).await, written);
    let ids: BTreeSet<_> = written.iter().map(|entry| entry.message.id).collect();
    assert_eq!((written.len(), ids.len()), (4, 4));
}

/// R-NOTIFY-2.
#[tokio::test]
async fn r_notify_2_what_happened_before_it_was_deployed_is_told_to_nobody() {
    let world = World::new().await;
    let case = world.filed("alice", &[]).await;
    world.comment("agent", case, "before").await;
    world.place().await;
    assert_eq!(world.fanned_out(case).await, vec![]);
    world.comment("agent", case, "after").await;
    assert_eq!(world.shown(&world.fanned_out(case).await).await, ["alice filer case_commented fr"]);
    assert!(world.store.head().await.unwrap() > Position::START);
}

/// R-NOTIFY-3: judged by what was in force at the event, whenever it is looked at.
#[tokio::test]
async fn r_notify_3_who_is_told_is_judged_by_the_access_at_the_event_and_not_by_todays() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("bob", &[]).await;
    world.comment("agent", case, "while bob is there").await;
    let account = world.actor("bob").account;
    world.access("alice", "acme", AccessCommand::RemoveMember(RemoveMember { account })).await;
    world.comment("agent", case, "while he is not").await;
    let told = world.shown(&world.fanned_out(case).await).await;
    assert_eq!(told, ["bob filer case_filed fr", "bob filer case_commented fr"]);
}

/// R-RES-7, R-RES-2.
#[tokio::test]
async fn r_res_7_after_a_withdrawal_the_product_owners_are_told_in_the_place_of_the_resellers_filer() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("nina", &["desk@nimbus.example"]).await;
    world.comment("agent", case, "to nina").await;
    let reseller = organization("nimbus");
    let withdraw = AccessCommand::WithdrawResellerAccess(WithdrawResellerAccess { reseller });
    world.access("alice", "acme", withdraw).await;
    world.comment("agent", case, "to the owner").await;
    assert_eq!(
        world.shown(&world.fanned_out(case).await).await,
        [
            "desk@nimbus.example subscriber case_filed fr",
            "nina filer case_filed fr",
            "desk@nimbus.example subscriber case_commented fr",
            "nina filer case_commented fr",
            "alice product_owner case_commented fr",
        ]
    );
}

#[tokio::test]
async fn a_member_who_subscribes_by_address_stops_the_mails_signed_in_and_by_the_link_of_the_address() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &["Bob+support@acme.example", "ops@acme.example"]).await;
    let stop =
        |recipient, via| CaseCommand::ChangeNotifications(ChangeNotifications { recipient, stop: true, via });
    let bob = RecipientKey::Account(world.actor("bob").account);
    world.act("bob", case, stop(bob, NotificationsChannel::SignedIn)).await;
    let ops = EmailAddress::parse("OPS@acme.example").unwrap();
    let ops = RecipientKey::Address(identity::email_key(&world.sealer, &ops));
    world.act("system", case, stop(ops, NotificationsChannel::Link)).await;
    world.comment("agent", case, "look").await;
    let told = world.shown(&world.fanned_out(case).await).await;
    assert_eq!(told[3..], ["alice filer case_commented fr"]);
}

/// What became of the organization's people in between makes no difference: the members are remembered by revision.
#[tokio::test]
async fn a_member_who_leaves_is_an_address_like_any_other() {
    let world = World::new().await;
    world.place().await;
    let case = world.filed("alice", &["bob@acme.example"]).await;
    let bob = world.actor("bob").account;
    world.access("alice", "acme", AccessCommand::RemoveMember(RemoveMember { account: bob })).await;
    world.comment("agent", case, "look").await;
    let told = world.shown(&world.fanned_out(case).await).await;
    assert_eq!(told.len(), 4, "the address is in a verified domain: {told:?}");
}

/// R-NOTIFY-2: an empty work store beside a log with events is the operator's to choose about, and history is not sent again.
#[tokio::test]
async fn r_notify_2_a_lost_work_store_stops_the_start_and_whatever_is_chosen_history_is_not_sent() {
    use std::sync::Arc;

    use crate::reactor::{Reactors, StartError};
    let world = World::new().await;
    let case = world.filed("alice", &[]).await;
    let reactors = || {
        let (store, work) = (world.store.clone(), world.work.clone());
        Reactors::new(store, work, world.commands.clone() as Arc<_>, world.clock.clone(), "node").beside(NAME)
    };
    let cancel = tokio_util::sync::CancellationToken::new();
    let refused = reactors().start(None, &cancel).await.unwrap_err();
    assert_eq!(refused, StartError::EmptyWorkStore { reactors: vec![NAME] });
    reactors().start(Some(Begin::AtBeginning), &cancel).await.unwrap();
    let placed = world.work.checkpoint(NAME).await.unwrap().unwrap();
    assert_eq!(placed, begin(&*world.store, Begin::AtHead).await.unwrap());
    assert_eq!(world.fanned_out(case).await, vec![]);
    assert_eq!(world.work.message_counts().await.unwrap(), vec![]);
}

/// R-KI-6, R-KI-7.
#[tokio::test]
async fn r_ki_6_news_of_a_known_issue_is_written_down_once_for_each_who_wants_it_in_english() {
    let world = World::new().await;
    world.place().await;
    let issue = world.published_issue().await;
    for who in ["alice", "bob", "nina"] {
        world.me_too(who, issue).await;
    }
    let unsubscribe = KnownIssueCommand::Unsubscribe(Unsubscribe { on_behalf_of: None });
    world.on_issue("bob", issue, unsubscribe).await;
    let post = KnownIssueCommand::PostUpdate(PostUpdate { text: "We know why.".to_owned() });
    world.on_issue("engineer", issue, post).await;
    let resolve = KnownIssueCommand::Resolve(ResolveKnownIssue { text: "Start them again.".to_owned() });
    world.on_issue("engineer", issue, resolve).await;
    let written = world.issue_fanned_out(issue).await;
    let row = |who: &str, kind: &str| format!("{who} known_issue_subscriber {kind} en");
    assert_eq!(
        world.shown(&written).await,
        [
            row("alice", "known_issue_updated"),
            row("nina", "known_issue_updated"),
            row("alice", "known_issue_resolved"),
            row("nina", "known_issue_resolved"),
        ]
    );
    assert!(written.iter().all(|entry| entry.message.organization.as_deref() == Some("acme")));
}

//! What every ledger does.

use std::collections::BTreeSet;
use std::sync::Arc;

use dossier_domain::{AccountId, CommandId};
use dossier_eventlog::{EventId, Position, Revision};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{
    AttemptOutcome, Channel, Claimed, IntendedMessage, LedgerEntry, LedgerFilter, LedgerPage, MessageCount,
    MessageId, MessageState, Outcome, Recipient, Recovered, SealedAddress,
};
use crate::work_store::{WorkCheckpoint, WorkStore, WorkStoreError};

const PROCESS: &str = "fan-out";
const LEASE: SignedDuration = SignedDuration::from_secs(60);

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn checkpoint(position: u64) -> WorkCheckpoint {
    let event_id = (position > 0).then(|| EventId(Uuid::from_u128(u128::from(position))));
    WorkCheckpoint { log_id: Uuid::from_u128(1), position: Position(position), event_id }
}

/// A mail about the event at a position, intended at second 0.
pub(crate) fn mail(position: u64) -> IntendedMessage {
    let command_id = CommandId(Uuid::from_u128(u128::from(position)));
    let account = AccountId::derived(command_id);
    IntendedMessage {
        id: MessageId::derived(command_id, "case-1", &account.to_string(), Channel::Email),
        channel: Channel::Email,
        stream: "case-1".to_owned(),
        organization: Some("acme".to_owned()),
        command_id,
        first_revision: Revision(3),
        last_revision: Revision(4),
        position: Position(position),
        kind: "case_commented".to_owned(),
        reason: "filer".to_owned(),
        recipient: Recipient::Account(account),
        language: "en".to_owned(),
        ordering_key: None,
        intended_at: at(0),
    }
}

fn webhook(position: u64, key: &str) -> IntendedMessage {
    let mail = mail(position);
    IntendedMessage {
        id: MessageId::derived(mail.command_id, "case-1", key, Channel::Webhook),
        channel: Channel::Webhook,
        recipient: Recipient::Endpoint(key.to_owned()),
        ordering_key: Some(format!("{key}/case-1")),
        ..mail
    }
}

/// Intends messages, from the beginning.
pub(crate) async fn intend(store: &dyn WorkStore, messages: &[IntendedMessage]) {
    store.advance(PROCESS, None, &checkpoint(0)).await.unwrap();
    store.intend(PROCESS, &checkpoint(0), &checkpoint(1), messages).await.unwrap();
}

async fn claim(store: &dyn WorkStore, channel: Channel, second: i64, limit: u32) -> Vec<Claimed> {
    store.claim(channel, "node-1", at(second), at(second) + LEASE, limit, &[]).await.unwrap()
}

async fn claim_one(store: &dyn WorkStore, second: i64) -> Claimed {
    let mut claimed = claim(store, Channel::Email, second, 1).await;
    assert_eq!(claimed.len(), 1, "one is due");
    claimed.remove(0)
}

fn ids<'a>(messages: impl IntoIterator<Item = &'a IntendedMessage>) -> Vec<MessageId> {
    messages.into_iter().map(|message| message.id).collect()
}

fn ids_of(claimed: &[Claimed]) -> Vec<MessageId> {
    ids(claimed.iter().map(|claimed| &claimed.message))
}

async fn entry(store: &dyn WorkStore, id: MessageId) -> LedgerEntry {
    store.message(id).await.unwrap().expect("it is there")
}

async fn state(store: &dyn WorkStore, id: MessageId) -> MessageState {
    entry(store, id).await.state
}

fn sent() -> Outcome {
    Outcome::Sent { detail: "250 queued".to_owned() }
}

fn retry_at(second: i64) -> Outcome {
    Outcome::Retry { detail: "451 later".to_owned(), at: at(second) }
}

fn outcomes(entry: &LedgerEntry) -> Vec<(u32, AttemptOutcome)> {
    entry.attempts.iter().map(|attempt| (attempt.number, attempt.outcome)).collect()
}

pub(crate) async fn messages_are_written_with_the_checkpoint_or_not_at_all(store: &dyn WorkStore) {
    store.advance(PROCESS, None, &checkpoint(0)).await.unwrap();
    store.intend(PROCESS, &checkpoint(0), &checkpoint(1), &[mail(1)]).await.unwrap();
    let late = store.intend(PROCESS, &checkpoint(0), &checkpoint(2), &[mail(2)]).await;
    assert_eq!(late, Err(WorkStoreError::Fenced(PROCESS.to_owned())));
    assert_eq!(store.message(mail(2).id).await, Ok(None));
    store.intend(PROCESS, &checkpoint(1), &checkpoint(2), &[]).await.unwrap();
    assert_eq!(store.checkpoint(PROCESS).await, Ok(Some(checkpoint(2))));
}

/// R-NOTIFY-2.
pub(crate) async fn r_notify_2_a_message_that_is_intended_again_stays_as_it_is(store: &dyn WorkStore) {
    intend(store, &[mail(1), mail(1)]).await;
    let claimed = claim_one(store, 0).await;
    assert!(store.finish(mail(1).id, claimed.attempt, at(1), &sent()).await.unwrap());
    store.intend(PROCESS, &checkpoint(1), &checkpoint(2), &[mail(1)]).await.unwrap();
    assert_eq!(state(store, mail(1).id).await, MessageState::Sent);
    assert_eq!(claim(store, Channel::Email, 100, 10).await, vec![]);
}

pub(crate) async fn a_message_comes_back_as_it_was_written(store: &dyn WorkStore) {
    let sealed = SealedAddress { subject: "address-1".to_owned(), sealed: vec![1, 2, 3] };
    let address = IntendedMessage {
        recipient: Recipient::Address(sealed),
        organization: None,
        stream: "case-2".to_owned(),
        ..mail(2)
    };
    let messages = [mail(1), address, webhook(3, "hook")];
    intend(store, &messages).await;
    for message in &messages {
        let found = entry(store, message.id).await;
        assert_eq!((&found.message, found.state), (message, MessageState::Intended));
        assert_eq!((found.due, found.attempts), (Some(at(0)), vec![]));
    }
    let mails = claim(store, Channel::Email, 0, 10).await;
    assert_eq!(
        mails.iter().map(|claimed| &claimed.message).collect::<Vec<_>>(),
        [&messages[0], &messages[1]]
    );
    let of_case: Vec<_> = store.messages_of("case-1").await.unwrap();
    assert_eq!(ids(of_case.iter().map(|entry| &entry.message)), ids([&messages[0], &messages[2]]));
}

pub(crate) async fn messages_are_claimed_as_they_are_due_and_by_one_node(store: &dyn WorkStore) {
    let late = IntendedMessage { intended_at: at(20), ..mail(1) };
    intend(store, &[mail(3), late.clone(), mail(2), webhook(1, "hook")]).await;
    assert_eq!(store.next_message_due(Channel::Email).await, Ok(Some(at(0))));
    assert_eq!(store.next_message_due(Channel::Subject).await, Ok(None));
    let first = claim(store, Channel::Email, 10, 1).await;
    assert_eq!(ids_of(&first), [mail(2).id]);
    assert_eq!((first[0].attempt, first[0].tries, first[0].trying_since), (1, 1, at(0)));
    assert_eq!(ids_of(&claim(store, Channel::Email, 10, 10).await), [mail(3).id]);
    assert_eq!(claim(store, Channel::Email, 19, 10).await, vec![], "it is not due yet");
    assert_eq!(ids_of(&claim(store, Channel::Email, 20, 10).await), [late.id]);
    assert_eq!(store.next_message_due(Channel::Email).await, Ok(None));
    assert_eq!(state(store, late.id).await, MessageState::Sending);
}

pub(crate) async fn a_later_message_of_an_ordering_key_waits_for_the_earlier_one(store: &dyn WorkStore) {
    let (one, two, three) = (webhook(1, "a"), webhook(2, "a"), webhook(3, "a"));
    let other = webhook(4, "b");
    intend(store, &[three.clone(), two.clone(), one.clone(), other.clone()]).await;
    let claimed = claim(store, Channel::Webhook, 0, 10).await;
    assert_eq!(ids_of(&claimed), [one.id, other.id]);
    // While it is tried again the later ones wait too.
    store.finish(one.id, 1, at(1), &retry_at(50)).await.unwrap();
    assert_eq!(claim(store, Channel::Webhook, 49, 10).await, vec![]);
    assert_eq!(ids_of(&claim(store, Channel::Webhook, 50, 10).await), [one.id]);
    let failed = Outcome::Failed { detail: "410 gone".to_owned() };
    store.finish(one.id, 2, at(51), &failed).await.unwrap();
    assert_eq!(ids_of(&claim(store, Channel::Webhook, 51, 10).await), [two.id]);
    store.finish(two.id, 1, at(52), &sent()).await.unwrap();
    assert_eq!(ids_of(&claim(store, Channel::Webhook, 52, 10).await), [three.id]);
}

pub(crate) async fn endpoints_that_have_their_share_are_passed_by(store: &dyn WorkStore) {
    let key = |endpoint: &str, case: u64| IntendedMessage {
        ordering_key: Some(format!("{endpoint}/case-{case}")),
        ..webhook(case, endpoint)
    };
    let dead: Vec<_> = (1..=9).map(|case| key("dead", case)).collect();
    let (well, other) = (key("well", 10), key("other", 11));
    intend(store, &[&dead[..], &[well.clone(), other.clone()]].concat()).await;
    let claim = async |limit, except: &[&str]| {
        let except: Vec<_> = except.iter().map(ToString::to_string).collect();
        store.claim(Channel::Webhook, "node-1", at(0), at(0) + LEASE, limit, &except).await.unwrap()
    };
    assert_eq!(ids_of(&claim(2, &[]).await), [dead[0].id, dead[1].id]);
    assert_eq!(ids_of(&claim(1, &["dead"]).await), [well.id]);
    assert_eq!(ids_of(&claim(5, &["dead", "well"]).await), [other.id]);
    assert_eq!(claim(5, &["dead"]).await, vec![]);
    assert_eq!(ids_of(&claim(1, &["well"]).await), [dead[2].id]);
}

pub(crate) async fn a_message_is_handed_over_once_and_only_by_who_holds_it(store: &dyn WorkStore) {
    intend(store, &[mail(1)]).await;
    let id = mail(1).id;
    assert_eq!(store.hand_over(id, 0).await, Ok(false), "nobody holds it");
    let claimed = claim_one(store, 0).await;
    assert_eq!(store.hand_over(id, claimed.attempt + 1).await, Ok(false));
    assert_eq!(store.hand_over(id, claimed.attempt).await, Ok(true));
    assert_eq!(store.hand_over(id, claimed.attempt).await, Ok(false));
    store.finish(id, claimed.attempt, at(1), &retry_at(2)).await.unwrap();
    assert_eq!(store.hand_over(id, claimed.attempt).await, Ok(false));
    let again = claim_one(store, 2).await;
    assert_eq!(store.hand_over(id, claimed.attempt).await, Ok(false), "it is another attempt's");
    assert_eq!(store.hand_over(id, again.attempt).await, Ok(true));
}

/// R-NOTIFY-2.
pub(crate) async fn r_notify_2_each_outcome_leaves_its_state_and_its_attempt(store: &dyn WorkStore) {
    let words = |word: &str| word.to_owned();
    let cases = [
        (sent(), MessageState::Sent, AttemptOutcome::Sent, "250 queued"),
        (retry_at(9), MessageState::Intended, AttemptOutcome::Retry, "451 later"),
        (Outcome::Failed { detail: words("550 no") }, MessageState::Failed, AttemptOutcome::Failed, "550 no"),
        (Outcome::Unknown { detail: words("cut") }, MessageState::Unknown, AttemptOutcome::Unknown, "cut"),
        (
            Outcome::Withheld { detail: words("left") },
            MessageState::Withheld,
            AttemptOutcome::Withheld,
            "left",
        ),
    ];
    let mails: Vec<_> = (1..=5).map(mail).collect();
    intend(store, &mails).await;
    for claimed in claim(store, Channel::Email, 0, 10).await {
        let index = usize::try_from(claimed.message.position.0).unwrap() - 1;
        let id = claimed.message.id;
        assert!(store.finish(id, 1, at(5), &cases[index].0).await.unwrap());
        let repeated = store.finish(id, 1, at(6), &sent()).await.unwrap();
        assert_eq!(repeated, matches!(cases[index].0, Outcome::Unknown { .. }), "settled but for unknown");
    }
    for (mail, (_, state, outcome, detail)) in mails.iter().zip(cases) {
        let found = entry(store, mail.id).await;
        if state == MessageState::Unknown {
            // An answer that came late is the truth.
            assert_eq!(
                (found.state, outcomes(&found)),
                (MessageState::Sent, vec![(1, AttemptOutcome::Sent)])
            );
            continue;
        }
        assert_eq!((found.state, found.due), (state, (state == MessageState::Intended).then(|| at(9))));
        let attempt = &found.attempts[0];
        assert_eq!((attempt.number, attempt.at, attempt.outcome), (1, at(5), outcome));
        assert_eq!((attempt.detail.as_str(), found.attempts.len()), (detail, 1));
    }
}

/// R-NOTIFY-2.
pub(crate) async fn r_notify_2_of_a_node_that_is_gone_only_what_had_left_is_unknown(store: &dyn WorkStore) {
    intend(store, &[mail(1), mail(2)]).await;
    let claimed = claim(store, Channel::Email, 0, 10).await;
    assert!(store.hand_over(mail(1).id, 1).await.unwrap());
    assert_eq!(store.recover(at(59)).await, Ok(Recovered::default()), "its lease has not ended");
    assert_eq!(store.recover(at(60)).await, Ok(Recovered { again: 1, unknown: 1 }));
    assert_eq!(store.recover(at(60)).await, Ok(Recovered::default()));
    assert_eq!(state(store, mail(1).id).await, MessageState::Unknown);
    assert_eq!(outcomes(&entry(store, mail(1).id).await), [(1, AttemptOutcome::Unknown)]);
    // The node was not gone but slow: it may no longer hand over, and what it heard of the other one is the truth.
    assert!(!store.hand_over(mail(2).id, claimed[1].attempt).await.unwrap());
    let again = claim_one(store, 60).await;
    assert_eq!((again.message.id, again.attempt, again.tries), (mail(2).id, 2, 1));
    assert!(!store.hand_over(mail(2).id, claimed[1].attempt).await.unwrap());
    assert!(!store.finish(mail(2).id, claimed[1].attempt, at(61), &retry_at(70)).await.unwrap());
    assert_eq!(outcomes(&entry(store, mail(2).id).await), [(1, AttemptOutcome::Interrupted)]);
    assert!(store.finish(mail(1).id, 1, at(62), &sent()).await.unwrap());
    assert_eq!(state(store, mail(1).id).await, MessageState::Sent);
}

/// R-NOTIFY-2.
pub(crate) async fn r_notify_2_an_operator_may_have_a_failed_or_unknown_message_sent_again(
    store: &dyn WorkStore,
) {
    intend(store, &[mail(1), mail(2), mail(3)]).await;
    claim(store, Channel::Email, 0, 10).await;
    assert_eq!(store.retry(mail(1).id, at(1)).await, Ok(false), "it is being sent");
    let unknown = Outcome::Unknown { detail: "cut".to_owned() };
    let failed = Outcome::Failed { detail: "550".to_owned() };
    for (number, outcome) in [(1, unknown), (2, failed), (3, sent())] {
        store.finish(mail(number).id, 1, at(2), &outcome).await.unwrap();
    }
    for (number, again) in [(1, true), (2, true), (3, false), (4, false)] {
        assert_eq!(store.retry(mail(number).id, at(100)).await, Ok(again), "{number}");
    }
    let claimed = claim(store, Channel::Email, 100, 10).await;
    assert_eq!(ids_of(&claimed), [mail(1).id, mail(2).id]);
    assert_eq!((claimed[0].attempt, claimed[0].tries, claimed[0].trying_since), (2, 1, at(100)));
    // The first attempt turns out to have been accepted: kept, though it is being sent a second time.
    assert!(!store.finish(mail(1).id, 1, at(101), &sent()).await.unwrap());
    assert_eq!(outcomes(&entry(store, mail(1).id).await), [(1, AttemptOutcome::Sent)]);
    assert_eq!(state(store, mail(1).id).await, MessageState::Sending);
}

pub(crate) async fn messages_are_found_by_state_channel_and_endpoint_page_by_page(store: &dyn WorkStore) {
    let mails: Vec<_> = (1..=5).map(mail).collect();
    let hooks = [webhook(1, "a"), webhook(2, "b")];
    intend(store, &[&mails[..], &hooks[..]].concat()).await;
    claim(store, Channel::Email, 0, 2).await;
    store.finish(mails[0].id, 1, at(1), &sent()).await.unwrap();
    let intended_mails = LedgerFilter {
        state: Some(MessageState::Intended),
        channel: Some(Channel::Email),
        ..LedgerFilter::default()
    };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.messages_in(&intended_mails, LedgerPage { after, limit: 2 }).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.message.position, last.message.id));
        found.extend(ids(page.iter().map(|entry| &entry.message)));
    }
    assert_eq!(found, ids(&mails[2..]));
    let to_b = LedgerFilter { endpoint: Some("b".to_owned()), ..LedgerFilter::default() };
    let page = store.messages_in(&to_b, LedgerPage { after: None, limit: 10 }).await.unwrap();
    assert_eq!(ids(page.iter().map(|entry| &entry.message)), [hooks[1].id]);
    let count = |channel, state, count| MessageCount { channel, state, count };
    let counts = store.message_counts().await.unwrap();
    assert_eq!(
        counts,
        [
            count(Channel::Email, MessageState::Intended, 3),
            count(Channel::Email, MessageState::Sending, 1),
            count(Channel::Webhook, MessageState::Intended, 2),
        ]
    );
}

pub(crate) async fn a_message_and_its_attempts_are_of_one_moment(store: Arc<dyn WorkStore>) {
    const MESSAGES: u64 = 200;
    let messages: Vec<_> = (1..=MESSAGES).map(mail).collect();
    intend(&*store, &messages).await;
    let writing = store.clone();
    let writer = tokio::spawn(async move {
        for claimed in claim(&*writing, Channel::Email, 0, u32::MAX).await {
            assert!(writing.finish(claimed.message.id, claimed.attempt, at(1), &sent()).await.unwrap());
        }
    });
    let mut done = false;
    while !done {
        done = writer.is_finished();
        for entry in store.messages_of("case-1").await.unwrap() {
            assert_eq!(entry.attempts.len(), usize::from(entry.state == MessageState::Sent), "{entry:?}");
        }
    }
    writer.await.unwrap();
}

pub(crate) async fn ten_thousand_messages_are_intended_at_once_and_each_claimed_by_one_of_many(
    store: Arc<dyn WorkStore>,
) {
    const MESSAGES: u64 = 10_000;
    let messages: Vec<_> = (1..=MESSAGES).map(mail).collect();
    intend(&*store, &messages).await;
    let claims = (0..4).map(|node| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let some = store
                    .claim(Channel::Email, &format!("node-{node}"), at(0), at(60), 500, &[])
                    .await
                    .unwrap();
                if some.is_empty() {
                    return claimed;
                }
                claimed.extend(ids_of(&some));
            }
        })
    });
    let mut all = Vec::new();
    for claimed in claims.collect::<Vec<_>>() {
        all.extend(claimed.await.unwrap());
    }
    assert_eq!(all.len(), messages.len());
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), messages.len());
}

/// Runs every check on a work store made by a future of (store, what must live as long).
macro_rules! ledger_contract {
    ($fresh:expr) => {
        $crate::notifications::ledger::contract::ledger_contract!(@each $fresh,
            messages_are_written_with_the_checkpoint_or_not_at_all,
            r_notify_2_a_message_that_is_intended_again_stays_as_it_is,
            a_message_comes_back_as_it_was_written,
            messages_are_claimed_as_they_are_due_and_by_one_node,
            a_later_message_of_an_ordering_key_waits_for_the_earlier_one,
            endpoints_that_have_their_share_are_passed_by,
            a_message_is_handed_over_once_and_only_by_who_holds_it,
            r_notify_2_each_outcome_leaves_its_state_and_its_attempt,
            r_notify_2_of_a_node_that_is_gone_only_what_had_left_is_unknown,
            r_notify_2_an_operator_may_have_a_failed_or_unknown_message_sent_again,
            messages_are_found_by_state_channel_and_endpoint_page_by_page);

        #[tokio::test(flavor = "multi_thread")]
        async fn a_message_and_its_attempts_are_of_one_moment() {
            let (store, _keep) = $fresh.await;
            let store = std::sync::Arc::new(store);
            $crate::notifications::ledger::contract::a_message_and_its_attempts_are_of_one_moment(store).await;
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn ten_thousand_messages_are_intended_at_once_and_each_claimed_by_one_of_many() {
            let (store, _keep) = $fresh.await;
            let store = std::sync::Arc::new(store);
            $crate::notifications::ledger::contract
                ::ten_thousand_messages_are_intended_at_once_and_each_claimed_by_one_of_many(store).await;
        }

        #[test]
        fn r_notify_2_whatever_is_interrupted_no_message_is_lost_and_none_accepted_twice_by_itself() {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            $crate::notifications::ledger::interleavings::check(&runtime, || async { $fresh.await });
        }
    };
    (@each $fresh:expr, $($check:ident),*) => {
        $(
            #[tokio::test]
            async fn $check() {
                let (store, _keep) = $fresh.await;
                $crate::notifications::ledger::contract::$check(&store).await;
            }
        )*
    };
}
pub(crate) use ledger_contract;

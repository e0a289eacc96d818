//! The key store's contract, and the sealer's on top of it: a key is made once, an erasure is for good, a value opens
//! for its own subject only.

use std::collections::HashSet;
use std::sync::Arc;

use super::sample::entropy;
use crate::sealing::{KeyState, KeyStore, Opened, SealError, Sealer, Secret};

type Keys = Arc<dyn KeyStore>;

/// Runs every check of the key store's contract against what a factory makes: an
/// `async fn() -> Fresh<dyn KeyStore>`.
#[macro_export]
macro_rules! key_store_contract {
    ($factory:expr) => {
        $crate::contract_tests!(
            $factory,
            $crate::contract::key_store,
            [
                subjects_never_heard_of_are_left_out,
                a_key_is_made_once_and_kept,
                of_many_that_make_a_key_at_once_all_get_the_same,
                an_erased_subject_stays_erased,
                an_erased_subject_without_a_key_never_gets_one,
                many_subjects_are_looked_up_at_once,
                a_sealed_value_opens_again,
                a_sealed_value_never_opens_for_another_subject,
                a_changed_or_cut_value_never_opens,
                an_erased_subject_opens_as_erased_and_seals_no_more,
                an_erasure_elsewhere_is_noticed_when_told,
                a_subject_that_was_not_prepared_has_no_key,
                the_same_value_is_never_sealed_to_the_same_bytes,
                another_sealer_on_the_same_keys_opens_the_value,
                pseudonyms_and_fingerprints_are_stable_and_apart_by_purpose,
            ]
        );
    };
}

fn key(byte: u8) -> Secret {
    Secret::new([byte; 32])
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Compares without the secret ever being printed.
fn is(state: &KeyState, byte: u8) -> bool {
    matches!(state, KeyState::Present(present) if **present == [byte; 32])
}

async fn state(keys: &Keys, subject: &str) -> Option<KeyState> {
    let states = keys.keys(&names(&[subject])).await.expect("the store answers");
    assert!(states.len() <= 1);
    states.into_iter().next().map(|(name, state)| {
        assert_eq!(name, subject);
        state
    })
}

/// No key is made by asking.
pub async fn subjects_never_heard_of_are_left_out(keys: Keys) {
    assert!(state(&keys, "nobody").await.is_none());
    keys.create(vec![("somebody".to_owned(), key(1))]).await.expect("stored");
    let states = keys.keys(&names(&["nobody", "somebody"])).await.expect("the store answers");
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].0, "somebody");
}

/// The first key stays, whoever brings another.
pub async fn a_key_is_made_once_and_kept(keys: Keys) {
    for byte in [1, 2] {
        let held = keys.create(vec![("account-1".to_owned(), key(byte))]).await.expect("stored");
        assert!(is(&held[0].1, 1));
    }
    assert!(is(&state(&keys, "account-1").await.expect("known"), 1));
}

/// A race of new subjects.
pub async fn of_many_that_make_a_key_at_once_all_get_the_same(keys: Keys) {
    let created = (0..32).map(|byte| keys.create(vec![("account-1".to_owned(), key(byte))]));
    let created = futures::future::join_all(created).await;
    let held = state(&keys, "account-1").await.expect("known");
    let KeyState::Present(held) = held else { panic!("nobody erased it") };
    for states in created {
        assert!(is(&states.expect("stored")[0].1, held[0]));
    }
}

/// For good.
pub async fn an_erased_subject_stays_erased(keys: Keys) {
    keys.create(vec![("account-1".to_owned(), key(1)), ("account-2".to_owned(), key(2))])
        .await
        .expect("stored");
    for _ in 0..2 {
        keys.erase("account-1").await.expect("erased, however often");
        assert!(matches!(state(&keys, "account-1").await, Some(KeyState::Erased)));
        let held = keys.create(vec![("account-1".to_owned(), key(3))]).await.expect("answered");
        assert!(matches!(held[0].1, KeyState::Erased));
    }
    assert!(is(&state(&keys, "account-2").await.expect("known"), 2), "another subject keeps its key");
}

/// Erased before anything was sealed.
pub async fn an_erased_subject_without_a_key_never_gets_one(keys: Keys) {
    keys.erase("account-1").await.expect("erased");
    let held = keys.create(vec![("account-1".to_owned(), key(1))]).await.expect("answered");
    assert!(matches!(held[0].1, KeyState::Erased));
}

/// A page of a list names some hundred people.
pub async fn many_subjects_are_looked_up_at_once(keys: Keys) {
    let subjects = (0..1000).map(|n| format!("account-{n}")).collect::<Vec<_>>();
    let new = subjects.iter().map(|subject| (subject.clone(), key(7))).collect();
    assert_eq!(keys.create(new).await.expect("stored").len(), 1000);
    let found = keys.keys(&subjects).await.expect("the store answers");
    assert_eq!(found.into_iter().map(|(subject, _)| subject).collect::<HashSet<_>>().len(), 1000);
}

async fn prepared(keys: &Keys, seed: u64, subjects: &[&str]) -> Sealer {
    let sealer = Sealer::new(Arc::clone(keys), entropy(seed));
    sealer.prepare_seal(&names(subjects)).await.expect("prepared");
    sealer
}

/// Sealed and opened, empty values too.
pub async fn a_sealed_value_opens_again(keys: Keys) {
    let sealer = prepared(&keys, 1, &["account-1"]).await;
    for plain in [&b"Ada Lovelace"[..], b"", &[0; 10_000]] {
        let sealed = sealer.seal("account-1", plain).expect("sealed");
        assert!(plain.is_empty() || !sealed.windows(plain.len()).any(|window| window == plain));
        assert_eq!(sealer.open("account-1", &sealed), Ok(Opened::Plain(plain.to_vec())));
    }
}

/// Moved to another person's field, a value says nothing.
pub async fn a_sealed_value_never_opens_for_another_subject(keys: Keys) {
    keys.create(vec![("account-1".to_owned(), key(1)), ("account-2".to_owned(), key(1))])
        .await
        .expect("stored");
    let sealer = prepared(&keys, 1, &["account-1", "account-2"]).await;
    let sealed = sealer.seal("account-1", b"Ada").expect("sealed");
    // Even where, against all odds, both have the same key.
    assert_eq!(sealer.open("account-2", &sealed), Err(SealError::Damaged("account-2".to_owned())));
}

/// Every byte counts: version, nonce, text and tag.
pub async fn a_changed_or_cut_value_never_opens(keys: Keys) {
    let sealer = prepared(&keys, 1, &["account-1"]).await;
    let sealed = sealer.seal("account-1", b"Ada").expect("sealed");
    let damaged = Err(SealError::Damaged("account-1".to_owned()));
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert_eq!(sealer.open("account-1", &changed), damaged, "byte {index} changed");
        assert_eq!(sealer.open("account-1", &sealed[..index]), damaged, "cut to {index} bytes");
    }
    let longer = [&sealed[..], b"x"].concat();
    assert_eq!(sealer.open("account-1", &longer), damaged);
}

/// Here and in every sealer made later.
pub async fn an_erased_subject_opens_as_erased_and_seals_no_more(keys: Keys) {
    let sealer = prepared(&keys, 1, &["account-1"]).await;
    let sealed = sealer.seal("account-1", b"Ada").expect("sealed");
    sealer.erase("account-1").await.expect("erased");
    let later = Sealer::new(Arc::clone(&keys), entropy(2));
    later.prepare_open(&names(&["account-1"])).await.expect("prepared");
    for sealer in [&sealer, &later] {
        assert_eq!(sealer.open("account-1", &sealed), Ok(Opened::Erased));
        let erased = SealError::Erased("account-1".to_owned());
        assert_eq!(sealer.seal("account-1", b"Ada"), Err(erased.clone()));
        assert_eq!(sealer.prepare_seal(&names(&["account-1"])).await, Err(erased));
    }
}

/// Another process erases; whoever follows the log tells the sealer.
pub async fn an_erasure_elsewhere_is_noticed_when_told(keys: Keys) {
    let here = prepared(&keys, 1, &["account-1"]).await;
    let sealed = here.seal("account-1", b"Ada").expect("sealed");
    keys.erase("account-1").await.expect("erased");
    here.forget("account-1");
    here.prepare_open(&names(&["account-1"])).await.expect("prepared");
    assert_eq!(here.open("account-1", &sealed), Ok(Opened::Erased));
}

/// Missing is not erased: a key store that lost its keys must not pass for one whose subjects were erased.
pub async fn a_subject_that_was_not_prepared_has_no_key(keys: Keys) {
    let sealer = prepared(&keys, 1, &["account-1"]).await;
    let sealed = sealer.seal("account-1", b"Ada").expect("sealed");
    let missing = |subject: &str| Err(SealError::MissingKey(subject.to_owned()));
    assert_eq!(Sealer::new(Arc::clone(&keys), entropy(2)).open("account-1", &sealed), missing("account-1"));
    sealer.prepare_open(&names(&["nobody"])).await.expect("asking is no error");
    assert_eq!(sealer.open("nobody", &sealed), missing("nobody"));
    assert_eq!(sealer.seal("nobody", b"Ada").map(|_| Opened::Erased), missing("nobody"));
}

/// Equal values must not show as equal bytes.
pub async fn the_same_value_is_never_sealed_to_the_same_bytes(keys: Keys) {
    let sealer = prepared(&keys, 1, &["account-1"]).await;
    let sealed = (0..100).map(|_| sealer.seal("account-1", b"Ada").expect("sealed")).collect::<HashSet<_>>();
    assert_eq!(sealed.len(), 100);
}

/// After a restart, or on another node.
pub async fn another_sealer_on_the_same_keys_opens_the_value(keys: Keys) {
    let sealed = prepared(&keys, 1, &["account-1"]).await.seal("account-1", b"Ada").expect("sealed");
    let other = prepared(&keys, 2, &["account-1"]).await;
    assert_eq!(other.open("account-1", &sealed), Ok(Opened::Plain(b"Ada".to_vec())));
}

/// Under the store's pepper: the same everywhere, different for every use.
pub async fn pseudonyms_and_fingerprints_are_stable_and_apart_by_purpose(keys: Keys) {
    let (one, two) = (prepared(&keys, 1, &[]).await, prepared(&keys, 2, &[]).await);
    assert_eq!(one.pseudonym("email", b"ada@example.org"), two.pseudonym("email", b"ada@example.org"));
    assert_eq!(one.fingerprint("command", b"{}"), two.fingerprint("command", b"{}"));
    let all = [
        one.pseudonym("email", b"ada@example.org"),
        one.pseudonym("email", b"bob@example.org"),
        one.pseudonym("phone", b"ada@example.org"),
        // The border between purpose and value counts.
        one.pseudonym("emaila", b"da@example.org"),
    ];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    let digest = one.fingerprint("email", b"ada@example.org");
    assert_ne!(digest[..16], all[0].to_be_bytes(), "a fingerprint is no pseudonym");
}

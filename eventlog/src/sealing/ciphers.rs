//! The bounded cache of ciphers. What was put in stays for at least the next [`GENERATION`] new subjects, so
//! that what was prepared is still there when it is used; a cache that may evict fresh entries first could not promise
//! that.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::XChaCha20Poly1305;

/// Subjects per generation; two generations are kept, at about 150 bytes a subject.
const GENERATION: usize = 32 * 1024;

/// A subject as the cache knows it.
#[derive(Clone)]
pub(super) enum Cached {
    /// The subject's cipher.
    Cipher(Arc<XChaCha20Poly1305>),
    /// The subject was erased.
    Erased,
}

#[derive(Default)]
struct Generations {
    young: HashMap<String, Entry>,
    old: HashMap<String, Entry>,
    /// Grows when what was learned before must be asked for again.
    era: u64,
}

/// What is known of a subject, and since when.
struct Entry {
    cached: Cached,
    era: u64,
}

impl Generations {
    /// An erasure is for good; anything else holds for its era.
    fn is_current(&self, entry: &Entry) -> bool {
        entry.era == self.era || matches!(entry.cached, Cached::Erased)
    }
}

/// Ciphers by subject, in two generations: the old one is dropped when the young one is full.
pub(super) struct Ciphers {
    generations: RwLock<Generations>,
    per_generation: usize,
}

impl Ciphers {
    pub(super) fn new() -> Self {
        Self::with_capacity(GENERATION)
    }

    fn with_capacity(per_generation: usize) -> Self {
        Self { generations: RwLock::default(), per_generation }
    }

    pub(super) fn get(&self, subject: &str) -> Option<Cached> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let entry = generations.young.get(subject).or_else(|| generations.old.get(subject))?;
        Some(entry.cached.clone())
    }

    /// The era in which something is asked for now.
    pub(super) fn era(&self) -> u64 {
        self.generations.read().unwrap_or_else(PoisonError::into_inner).era
    }

    /// Makes sure that known subjects stay, and answers those that are unknown or must be asked for again, with the era
    /// in which they are asked for.
    pub(super) fn renew<'a>(&self, subjects: &'a [String]) -> (Vec<&'a String>, u64) {
        let era = {
            let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
            let is_young = |subject: &String| {
                generations.young.get(subject).is_some_and(|entry| generations.is_current(entry))
            };
            if subjects.iter().all(is_young) {
                return (vec![], generations.era);
            }
            generations.era
        };
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let mut unknown = vec![];
        for subject in subjects {
            if let Some((name, entry)) = generations.old.remove_entry(subject) {
                generations.young.entry(name).or_insert(entry);
            }
            let known = generations.young.get(subject);
            if !known.is_some_and(|entry| generations.is_current(entry)) {
                unknown.push(subject);
            }
        }
        (unknown, era)
    }

    /// Keeps what was asked for in an era; one that is known as erased stays erased, whatever a slower look-up found.
    pub(super) fn insert(&self, subjects: Vec<(String, Cached)>, era: u64) {
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        // Only between calls, so that one call's subjects never push each other out.
        if generations.young.len() >= self.per_generation {
            generations.old = std::mem::take(&mut generations.young);
        }
        for (subject, cached) in subjects {
            let erased = [&generations.young, &generations.old].iter().any(|generation| {
                matches!(generation.get(&subject), Some(Entry { cached: Cached::Erased, .. }))
            });
            let cached = if erased { Cached::Erased } else { cached };
            generations.young.insert(subject, Entry { cached, era });
        }
    }

    /// Keeps that a subject was erased.
    pub(super) fn erased(&self, subject: &str) {
        self.insert(vec![(subject.to_owned(), Cached::Erased)], 0);
    }

    /// From now on every subject that is not erased is asked for again before it is used; what is being used already still
    /// finds it.
    pub(super) fn doubt(&self) {
        self.generations.write().unwrap_or_else(PoisonError::into_inner).era += 1;
    }

    pub(super) fn forget(&self, subject: &str) {
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        generations.young.remove(subject);
        generations.old.remove(subject);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_last_is_never_the_first_to_go() {
        let ciphers = Ciphers::with_capacity(4);
        let entry = |n: usize| (format!("subject-{n}"), Cached::Erased);
        for n in 0..100 {
            ciphers.insert(vec![entry(n)], 0);
            for recent in n.saturating_sub(4)..=n {
                assert!(ciphers.get(&format!("subject-{recent}")).is_some(), "{recent} is gone at {n}");
            }
        }
        assert!(ciphers.get("subject-50").is_none(), "the cache is bounded");
    }

    #[test]
    fn a_look_up_that_was_slower_than_an_erasure_does_not_bring_the_key_back() {
        use chacha20poly1305::KeyInit;
        let ciphers = Ciphers::with_capacity(1);
        ciphers.erased("erased");
        let found_before = || Cached::Cipher(Arc::new(XChaCha20Poly1305::new(&[7; 32].into())));
        for _ in 0..2 {
            ciphers.insert(vec![("erased".to_owned(), found_before())], 0);
            assert!(matches!(ciphers.get("erased"), Some(Cached::Erased)));
        }
    }

    #[test]
    fn renewed_subjects_outlive_their_generation() {
        let ciphers = Ciphers::with_capacity(4);
        ciphers.erased("kept");
        for n in 0..100 {
            assert!(ciphers.renew(&["kept".to_owned()]).0.is_empty());
            ciphers.erased(&format!("subject-{n}"));
        }
    }

    #[test]
    fn what_is_doubted_is_asked_for_again_but_still_there_for_who_uses_it() {
        use chacha20poly1305::KeyInit;
        let ciphers = Ciphers::with_capacity(4);
        let cipher = || Cached::Cipher(Arc::new(XChaCha20Poly1305::new(&[7; 32].into())));
        let names = ["erased".to_owned(), "present".to_owned()];
        ciphers.erased("erased");
        let (_, before) = ciphers.renew(&names);
        ciphers.insert(vec![("present".to_owned(), cipher())], before);
        assert!(ciphers.renew(&names).0.is_empty());
        ciphers.doubt();
        assert!(ciphers.get("present").is_some());
        // A look-up that began before the doubt does not end it.
        ciphers.insert(vec![("present".to_owned(), cipher())], before);
        let (unknown, now) = ciphers.renew(&names);
        assert_eq!(unknown, ["present"]);
        ciphers.insert(vec![("present".to_owned(), cipher())], now);
        assert!(ciphers.renew(&names).0.is_empty());
    }
}

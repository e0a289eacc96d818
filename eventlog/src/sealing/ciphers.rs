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
    young: HashMap<String, Cached>,
    old: HashMap<String, Cached>,
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
        generations.young.get(subject).or_else(|| generations.old.get(subject)).cloned()
    }

    /// Makes sure that known subjects stay, and answers those that are unknown.
    pub(super) fn renew<'a>(&self, subjects: &'a [String]) -> Vec<&'a String> {
        let all_young = {
            let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
            subjects.iter().all(|subject| generations.young.contains_key(subject))
        };
        if all_young {
            return vec![];
        }
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        let mut unknown = vec![];
        for subject in subjects {
            if young.contains_key(subject) {
                continue;
            }
            match old.remove_entry(subject) {
                Some((subject, cached)) => {
                    young.insert(subject, cached);
                }
                None => unknown.push(subject),
            }
        }
        unknown
    }

    /// Keeps subjects; one that is known as erased stays erased, whatever a slower look-up found.
    pub(super) fn insert(&self, subjects: Vec<(String, Cached)>) {
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        // Only between calls, so that one call's subjects never push each other out.
        if generations.young.len() >= self.per_generation {
            generations.old = std::mem::take(&mut generations.young);
        }
        for (subject, cached) in subjects {
            let erased = [&generations.young, &generations.old]
                .iter()
                .any(|generation| matches!(generation.get(&subject), Some(Cached::Erased)));
            let cached = if erased { Cached::Erased } else { cached };
            generations.young.insert(subject, cached);
        }
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
            ciphers.insert(vec![entry(n)]);
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
        ciphers.insert(vec![("erased".to_owned(), Cached::Erased)]);
        let found_before = || Cached::Cipher(Arc::new(XChaCha20Poly1305::new(&[7; 32].into())));
        for _ in 0..2 {
            ciphers.insert(vec![("erased".to_owned(), found_before())]);
            assert!(matches!(ciphers.get("erased"), Some(Cached::Erased)));
        }
    }

    #[test]
    fn renewed_subjects_outlive_their_generation() {
        let ciphers = Ciphers::with_capacity(4);
        ciphers.insert(vec![("kept".to_owned(), Cached::Erased)]);
        for n in 0..100 {
            assert!(ciphers.renew(&["kept".to_owned()]).is_empty());
            ciphers.insert(vec![(format!("subject-{n}"), Cached::Erased)]);
        }
    }
}

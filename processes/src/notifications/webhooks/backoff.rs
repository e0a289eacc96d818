//! When a message that was not accepted is tried again.

use jiff::SignedDuration;

/// The pause after the first attempt.
pub const BASE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(24);
/// How many attempts there are; the last one is made some three and a half days after the first.
pub const MAX_ATTEMPTS: u32 = 10;
/// Each pause is so many times the one before.
const GROWTH: f64 = 6.0;
/// How much of a pause is left to chance, in either direction.
const JITTER: f64 = 0.2;

/// The pause after an attempt (the first is 1), or `None` after the last. `random` is from 0 to 1: it spreads attempts that
/// failed together. What the receiver asked for is respected where it is longer, up to [`LONGEST`].
pub fn pause_after(
    attempt: u32,
    base: SignedDuration,
    random: f64,
    asked: Option<SignedDuration>,
) -> Option<SignedDuration> {
    if attempt >= MAX_ATTEMPTS {
        return None;
    }
    let doublings = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let grown = (base.as_secs_f64() * GROWTH.powi(doublings)).min(LONGEST.as_secs_f64());
    let spread = grown * (1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0));
    let pause = SignedDuration::try_from_secs_f64(spread).unwrap_or(LONGEST);
    Some(pause.max(asked.unwrap_or_default()).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_grow_from_seconds_to_a_day_and_the_last_attempt_has_none() {
        let pauses: Vec<i64> = (1..MAX_ATTEMPTS)
            .map(|attempt| pause_after(attempt, BASE, 0.5, None).unwrap().as_secs())
            .collect();
        assert_eq!(pauses, [5, 30, 180, 1_080, 6_480, 38_880, 86_400, 86_400, 86_400]);
        assert_eq!(pause_after(MAX_ATTEMPTS, BASE, 0.5, None), None);
    }

    #[test]
    fn what_the_receiver_asks_for_is_respected_up_to_a_day() {
        let asked = |seconds| pause_after(1, BASE, 0.5, Some(SignedDuration::from_secs(seconds))).unwrap();
        assert_eq!((asked(1).as_secs(), asked(60).as_secs(), asked(1_000_000)), (5, 60, LONGEST));
        assert_eq!(pause_after(MAX_ATTEMPTS, BASE, 0.5, Some(LONGEST)), None);
    }

    proptest! {
        #[test]
        fn a_pause_is_never_nothing_and_never_longer_than_a_day(attempt: u32, random in 0.0..1.0_f64, asked in 0..9_000_000_i64) {
            let pause = pause_after(attempt, BASE, random, Some(SignedDuration::from_secs(asked)));
            prop_assert_eq!(pause.is_none(), attempt >= MAX_ATTEMPTS);
            if let Some(pause) = pause {
                prop_assert!(pause >= SignedDuration::from_secs(4) && pause <= LONGEST, "{:?}", pause);
            }
        }
    }
}

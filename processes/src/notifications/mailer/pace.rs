//! When mails leave: not faster than the server is to be asked, and again after growing pauses.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

/// First pause of a message that was not accepted for now.
const SHORTEST_BACKOFF: SignedDuration = SignedDuration::from_mins(1);
/// Longest pause of such a message.
const LONGEST_BACKOFF: SignedDuration = SignedDuration::from_hours(1);

/// Spreads what leaves evenly over time.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    next: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.get(), next: None }
    }

    /// When the next one may leave, asked at `now`. A time in which nothing left is not made up for.
    pub(super) fn slot(&mut self, now: Instant) -> Instant {
        let slot = self.next.map_or(now, |next| next.max(now));
        self.next = Some(slot + self.interval);
        slot
    }
}

/// How long a message waits after so many tries: doubling, and shortened by up to a half by `random`, so that what failed
/// together does not come back together.
pub(super) fn backoff(tries: u32, random: u64) -> SignedDuration {
    jittered(doubled(SHORTEST_BACKOFF, tries.saturating_sub(1), LONGEST_BACKOFF), random)
}

/// A pause that has doubled so many times, up to the longest.
pub(super) fn doubled(shortest: SignedDuration, times: u32, longest: SignedDuration) -> SignedDuration {
    let factor = 2_i32.checked_pow(times).unwrap_or(i32::MAX);
    shortest.checked_mul(factor).unwrap_or(longest).min(longest)
}

/// Shortened by up to a half.
pub(super) fn jittered(pause: SignedDuration, random: u64) -> SignedDuration {
    let thousandths = i32::try_from(random % 501).unwrap_or(0);
    pause - pause / 1_000 * thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_10_000_is_paced() {
        let start = Instant::now();
        let mut pacer = Pacer::new(NonZeroU32::new(50).unwrap());
        // All at once.
        let slots: Vec<_> = (0..10_000).map(|_| pacer.slot(start)).collect();
        assert_eq!(slots[0], start);
        assert!(slots.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(20)));
        assert_eq!(slots[9_999] - start, Duration::from_millis(20 * 9_999));
        // After a time in which nothing left, no more than usual.
        let later = start + Duration::from_hours(1);
        assert_eq!(pacer.slot(later), later);
        assert_eq!(pacer.slot(later), later + Duration::from_millis(20));
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_differ() {
        let minutes = |tries| backoff(tries, 0).as_mins();
        assert_eq!([1, 2, 3, 4, 7, 8, 1_000].map(minutes), [1, 2, 4, 8, 60, 60, 60]);
        assert_eq!(backoff(0, 0), backoff(1, 0));
        for random in [0, 1, 250, 500, 501, u64::MAX] {
            let pause = backoff(3, random);
            assert!(
                pause <= SignedDuration::from_mins(4) && pause >= SignedDuration::from_mins(2),
                "{random}"
            );
        }
        assert_ne!(backoff(3, 100), backoff(3, 200));
    }
}

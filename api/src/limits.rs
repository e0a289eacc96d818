//! How much one account may ask.

use std::num::NonZeroU32;

use dossier_domain::AccountId;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::status::{ApiError, Code};

/// Accounts remembered before those that are idle are forgotten.
const REMEMBERED_ACCOUNTS: usize = 10_000;

/// A limit of requests per account and second.
pub struct RateLimit {
    limiter: Option<DefaultKeyedRateLimiter<AccountId>>,
    clock: DefaultClock,
}

impl RateLimit {
    /// So many requests per second, with bursts of twice as many; `None`: without limit.
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        let limiter = per_second.map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        Self { limiter, clock: DefaultClock::default() }
    }

    /// Counts a request of an account.
    ///
    /// # Errors
    /// 429 with the seconds after which the next one is taken.
    pub fn check(&self, account: AccountId) -> Result<(), ApiError> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if limiter.len() > REMEMBERED_ACCOUNTS {
            limiter.retain_recent();
        }
        limiter.check_key(&account).map_err(|refused| {
            metrics::counter!("dossier_rate_limited_total").increment(1);
            let wait = refused.wait_time_from(self.clock.now()).as_secs_f64().ceil();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
            let seconds = (wait as u32).max(1);
            ApiError::new(Code::ResourceExhausted, "too many requests; wait a moment and send it again")
                .with_reason("RATE_LIMITED")
                .with_retry_after(seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u128) -> AccountId {
        AccountId(ulid::Ulid::from(number))
    }

    #[test]
    fn one_account_is_stopped_after_its_burst_and_another_is_not() {
        let limit = RateLimit::new(NonZeroU32::new(2));
        let accepted = (0..100).filter(|_| limit.check(account(1)).is_ok()).count();
        assert!((4..10).contains(&accepted), "{accepted}");
        assert_eq!(limit.check(account(1)).unwrap_err().reason(), "RATE_LIMITED");
        assert!(limit.check(account(2)).is_ok());
    }

    #[test]
    fn without_a_limit_nobody_is_stopped() {
        let limit = RateLimit::new(None);
        assert!((0..10_000).all(|_| limit.check(account(1)).is_ok()));
    }
}

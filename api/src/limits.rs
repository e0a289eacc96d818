//! How much one account may ask, and how much may be asked without one.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use dossier_domain::AccountId;
use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

use crate::status::{ApiError, Code};

/// Accounts remembered before those that are idle are forgotten.
const REMEMBERED_ACCOUNTS: usize = 10_000;

/// Networks remembered before those that are idle are forgotten.
const REMEMBERED_NETWORKS: usize = 10_000;
/// What one network may ask without signing in: so many at once, and that many a minute on the average.
const NETWORK_BURST: NonZeroU32 = NonZeroU32::new(30).unwrap();
const NETWORK_PER_MINUTE: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// The same of all networks together.
const EVERYBODY_BURST: NonZeroU32 = NonZeroU32::new(600).unwrap();
const EVERYBODY_PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).unwrap();

/// A limit of requests per account and second, and of requests without an account per network and in all.
pub struct RateLimit {
    limiter: Option<DefaultKeyedRateLimiter<AccountId>>,
    networks: DefaultKeyedRateLimiter<IpAddr>,
    everybody: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl RateLimit {
    /// So many requests per second, with bursts of twice as many; `None`: without limit.
    pub fn new(per_second: Option<NonZeroU32>) -> Self {
        let limiter = per_second.map(|rate| {
            let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
            RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
        });
        let of_network = Quota::per_minute(NETWORK_PER_MINUTE).allow_burst(NETWORK_BURST);
        let of_everybody = Quota::per_minute(EVERYBODY_PER_MINUTE).allow_burst(EVERYBODY_BURST);
        Self {
            limiter,
            networks: RateLimiter::keyed(of_network),
            everybody: RateLimiter::direct(of_everybody),
            clock: DefaultClock::default(),
        }
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
        limiter.check_key(&account).map_err(|refused| self.refused(&refused))
    }

    /// Counts a request of somebody who need not sign in, by the address at the other end of the connection. Behind a proxy
    /// that is the proxy's, for all alike: what it says of its clients is not believed, so it must limit them itself. Always
    /// in force: whoever asks here is stored without being known.
    ///
    /// # Errors
    /// 429 with the seconds after which the next one is taken.
    pub fn check_network(&self, peer: Option<IpAddr>) -> Result<(), ApiError> {
        if self.networks.len() > REMEMBERED_NETWORKS {
            self.networks.retain_recent();
        }
        // Who is stopped alone does not use up what is everybody's.
        let network = network_of(peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        self.networks.check_key(&network).map_err(|refused| self.refused(&refused))?;
        self.everybody.check().map_err(|refused| self.refused(&refused))
    }

    fn refused(&self, refused: &NotUntil<QuantaInstant>) -> ApiError {
        metrics::counter!("dossier_rate_limited_total").increment(1);
        let wait = refused.wait_time_from(self.clock.now()).as_secs_f64().ceil();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
        let seconds = (wait as u32).max(1);
        ApiError::new(Code::ResourceExhausted, "too many requests; wait a moment and send it again")
            .with_reason("RATE_LIMITED")
            .with_retry_after(seconds)
    }
}

/// What counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that a site is given.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
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

    fn taken(limit: &RateLimit, address: &str, times: usize) -> usize {
        let peer = Some(address.parse().unwrap());
        (0..times).filter(|_| limit.check_network(peer).is_ok()).count()
    }

    /// R-ACCESS-6.
    #[test]
    fn r_access_6_one_network_is_stopped_after_its_burst_and_another_is_not() {
        let limit = RateLimit::new(None);
        assert!((30..40).contains(&taken(&limit, "192.0.2.1", 100)));
        assert_eq!(taken(&limit, "192.0.2.2", 1), 1);
        let refused = limit.check_network(Some("192.0.2.1".parse().unwrap())).unwrap_err();
        assert_eq!(refused.reason(), "RATE_LIMITED");
        assert_eq!(taken(&limit, "::ffff:192.0.2.1", 1), 0, "the same address in another form");
    }

    #[test]
    fn addresses_of_one_ipv6_site_count_together() {
        let limit = RateLimit::new(None);
        let site: usize = (0..100).map(|host| taken(&limit, &format!("2001:db8:1:2:{host:x}::1"), 1)).sum();
        assert!((30..40).contains(&site), "{site}");
        assert_eq!(taken(&limit, "2001:db8:1:3::1", 1), 1);
    }

    #[test]
    fn all_networks_together_are_stopped_too() {
        let limit = RateLimit::new(None);
        let all: usize = (0..100).map(|host| taken(&limit, &format!("192.0.2.{host}"), 20)).sum();
        assert!((600..640).contains(&all), "{all}");
    }
}

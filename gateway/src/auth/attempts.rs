//! How often a sign-in may fail: per account and per address. An attempt takes a place at once, so that a hundred at the
//! same time do not slip through; one that succeeds gives its place back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use hub_core::wire::{ErrorCode, Problem};
use moka::sync::Cache;
use parking_lot::Mutex;

use crate::limits::network;
use crate::settings::LoginLimits;

/// Accounts and addresses remembered at most; the least used go first.
const REMEMBERED: u64 = 100_000;
/// A bucket that nobody touched for so long is full again anyway.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(120);

/// The failures of all accounts and addresses.
#[derive(Clone)]
pub struct Attempts<C: Clock + Clone = DefaultClock> {
    per_account: Buckets<String, C>,
    per_address: Buckets<IpAddr, C>,
}

/// An attempt under way: it counts as a failure unless it is given back.
#[must_use]
pub struct Attempt<C: Clock> {
    places: [Arc<Bucket<C>>; 2],
}

impl Attempts {
    /// Nobody has failed yet.
    pub fn new(limits: LoginLimits) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Clock + Clone + Send + Sync + 'static> Attempts<C>
where
    Bucket<C>: Send + Sync,
{
    fn with_clock(limits: LoginLimits, clock: C) -> Self {
        Self {
            per_account: Buckets::new(Quota::per_minute(limits.per_account), clock.clone()),
            per_address: Buckets::new(Quota::per_minute(limits.per_address), clock),
        }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait, when too many failed.
    pub fn begin(&self, workspace: &str, email: &str, address: IpAddr) -> Result<Attempt<C>, Problem> {
        let address = self.per_address.take(&network(address)).map_err(wait)?;
        // U+0000 stands in neither part: no two accounts share a key.
        let account = format!("{}\0{}", workspace.to_lowercase(), email.to_lowercase());
        match self.per_account.take(&account) {
            Ok(account) => Ok(Attempt { places: [address, account] }),
            Err(retry_after) => {
                address.give_back();
                Err(wait(retry_after))
            }
        }
    }
}

impl<C: Clock> Attempt<C> {
    /// It did not fail: nothing is counted.
    pub fn give_back(self) {
        for bucket in &self.places {
            bucket.give_back();
        }
    }
}

/// One bucket per key, bounded in number.
#[derive(Clone)]
struct Buckets<K, C: Clock> {
    quota: Quota,
    clock: C,
    kept: Cache<K, Arc<Bucket<C>>>,
}

impl<K, C> Buckets<K, C>
where
    K: std::hash::Hash + Eq + Clone + Send + Sync + 'static,
    C: Clock + Clone + Send + Sync + 'static,
    Bucket<C>: Send + Sync,
{
    fn new(quota: Quota, clock: C) -> Self {
        let kept = Cache::builder().max_capacity(REMEMBERED).time_to_idle(FORGOTTEN_AFTER).build();
        Self { quota, clock, kept }
    }

    fn take(&self, key: &K) -> Result<Arc<Bucket<C>>, Duration> {
        let bucket = self.kept.get_with_by_ref(key, || Arc::new(Bucket::new(self.quota, self.clock.clone())));
        bucket.take(&self.clock)?;
        Ok(bucket)
    }
}

/// Governor's cell-rate algorithm over a state of our own, because places can be given back.
pub struct Bucket<C: Clock> {
    limiter: RateLimiter<NotKeyed, FullUntil, C, NoOpMiddleware<C::Instant>>,
    full_until: FullUntil,
    one_place: Duration,
}

impl<C: Clock> Bucket<C> {
    fn new(quota: Quota, clock: C) -> Self {
        let full_until = FullUntil::default();
        let limiter = RateLimiter::new(quota, full_until.clone(), clock);
        Self { limiter, full_until, one_place: quota.replenish_interval() }
    }

    fn take(&self, clock: &C) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(clock.now()))
    }

    fn give_back(&self) {
        let mut at = self.full_until.0.lock();
        *at = at.map(|at| at.saturating_sub(self.one_place.into()));
    }
}

/// The theoretical arrival time of the next attempt, as governor counts.
#[derive(Clone, Default)]
struct FullUntil(Arc<Mutex<Option<Nanos>>>);

impl StateStore for FullUntil {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _key: &NotKeyed, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut at = self.0.lock();
        let (answer, next) = f(*at)?;
        *at = Some(next);
        Ok(answer)
    }
}

fn wait(retry_after: Duration) -> Problem {
    let ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
    Problem::new(ErrorCode::RateLimited, "Too many failed sign-ins. Wait a little, then try again.").retry_after_ms(ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::num::NonZeroU32;

    fn attempts(per_account: u32, per_address: u32) -> (Attempts<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let n = |n| NonZeroU32::new(n).expect("not zero");
        let limits = LoginLimits { per_account: n(per_account), per_address: n(per_address) };
        (Attempts::with_clock(limits, clock.clone()), clock)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn five_failures_of_an_account_make_the_sixth_attempt_wait() {
        let (attempts, clock) = attempts(5, 100);
        for n in 0..5 {
            drop(attempts.begin("acme", "ana@acme.test", ip(&format!("10.0.0.{n}"))).expect("within the limit"));
        }
        let refused = attempts.begin("ACME", "Ana@acme.test", ip("10.0.1.1")).err().expect("over the limit");
        assert_eq!(refused.code, ErrorCode::RateLimited);
        assert_eq!(refused.retry_after_ms, Some(12_000));
        assert!(attempts.begin("acme", "bo@acme.test", ip("10.0.1.1")).is_ok(), "another account is free");
        clock.advance(Duration::from_secs(12));
        assert!(attempts.begin("acme", "ana@acme.test", ip("10.0.1.1")).is_ok());
        assert!(attempts.begin("acme", "ana@acme.test", ip("10.0.1.1")).is_err());
    }

    #[test]
    fn what_succeeds_is_not_counted() {
        let (attempts, _clock) = attempts(2, 2);
        for _ in 0..50 {
            attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).expect("nothing failed").give_back();
        }
        drop(attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).expect("first failure"));
        for _ in 0..50 {
            attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).expect("one failure is fine").give_back();
        }
        drop(attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).expect("second failure"));
        assert!(attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).is_err());
    }

    #[test]
    fn attempts_under_way_hold_their_place() {
        let (attempts, _clock) = attempts(2, 100);
        let begin = || attempts.begin("acme", "ana@acme.test", ip("10.0.0.1"));
        let (one, _two) = (begin().expect("first"), begin().expect("second"));
        assert!(begin().is_err());
        one.give_back();
        assert!(begin().is_ok());
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address() {
        let (attempts, _clock) = attempts(100, 2);
        let begin = |address| attempts.begin("acme", "ana@acme.test", ip(address)).map(drop);
        assert!(begin("2001:db8:0:1::1").is_ok() && begin("2001:db8:0:1:ffff::2").is_ok());
        assert!(begin("2001:db8:0:1::3").is_err());
        assert!(begin("2001:db8:0:2::3").is_ok());
        assert!(begin("::ffff:10.0.0.1").is_ok() && begin("10.0.0.1").is_ok());
        assert!(begin("10.0.0.1").is_err(), "mapped and plain are one address");
    }

    #[test]
    fn an_account_that_has_to_wait_costs_its_address_nothing() {
        let (attempts, _clock) = attempts(1, 2);
        drop(attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).expect("first failure"));
        for _ in 0..10 {
            assert!(attempts.begin("acme", "ana@acme.test", ip("10.0.0.1")).is_err());
        }
        assert!(attempts.begin("acme", "bo@acme.test", ip("10.0.0.1")).is_ok());
    }
}

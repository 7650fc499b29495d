//! One rate, kept for many keys, in bounded memory: governor's cell-rate algorithm over a book of our own. A book that is
//! full writes all further keys on one page: they share one rate until the next trim, and nobody is remembered for free.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::Mutex;

/// Keys of one book at most.
const MAX_KEYS: usize = 100_000;

/// See the module.
pub struct Book<K, C = DefaultClock>
where
    K: Hash + Eq + Clone,
    C: Clock,
{
    limiter: RateLimiter<K, Pages<K>, C, NoOpMiddleware<C::Instant>>,
    pages: Pages<K>,
    clock: C,
    one_place: Nanos,
}

impl<K: Hash + Eq + Clone> Book<K> {
    /// An empty book.
    pub fn new(quota: Quota) -> Self {
        Self::with(quota, DefaultClock::default(), MAX_KEYS)
    }
}

impl<K: Hash + Eq + Clone, C: Clock + Clone> Book<K, C> {
    fn with(quota: Quota, clock: C, max_keys: usize) -> Self {
        let pages = Pages(Arc::new(Mutex::new(Written { known: HashMap::new(), rest: None, max_keys })));
        let limiter = RateLimiter::new(quota, pages.clone(), clock.clone());
        Self { limiter, pages, clock, one_place: quota.replenish_interval().into() }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub fn take(&self, key: &K) -> Result<(), Duration> {
        self.limiter.check_key(key).map_err(|until| until.wait_time_from(self.clock.now()))
    }

    /// Gives a place back.
    pub fn give_back(&self, key: &K) {
        let mut written = self.pages.0.lock();
        if let Some(full_at) = written.known.get_mut(key) {
            *full_at = full_at.saturating_sub(self.one_place);
        } else {
            written.rest = written.rest.map(|full_at| full_at.saturating_sub(self.one_place));
        }
    }

    /// Whether this key took a place not long ago.
    pub fn has(&self, key: &K) -> bool {
        self.pages.0.lock().known.contains_key(key)
    }

    /// Forgets the keys that have all their places back.
    pub fn trim(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// The keys, and when each has all its places back.
struct Pages<K>(Arc<Mutex<Written<K>>>);

struct Written<K> {
    known: HashMap<K, Nanos>,
    /// All keys that found no room, together.
    rest: Option<Nanos>,
    max_keys: usize,
}

impl<K> Clone for Pages<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> StateStore for Pages<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut written = self.0.lock();
        if let Some(full_at) = written.known.get_mut(key) {
            let (answer, next) = measure(Some(*full_at))?;
            *full_at = next;
            return Ok(answer);
        }
        let has_room = written.known.len() < written.max_keys;
        let (answer, next) = measure(if has_room { None } else { written.rest })?;
        if has_room {
            written.known.insert(key.clone(), next);
        } else {
            written.rest = Some(next);
        }
        Ok(answer)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Pages<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.0.lock().known.retain(|_, full_at| *full_at > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.0.lock().known.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.0.lock().known.len()
    }

    fn is_empty(&self) -> bool {
        self.0.lock().known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::num::NonZeroU32;

    fn book(per_second: u32, burst: u32, max_keys: usize) -> (Book<u32, FakeRelativeClock>, FakeRelativeClock) {
        let n = |n| NonZeroU32::new(n).expect("not zero");
        let clock = FakeRelativeClock::default();
        (Book::with(Quota::per_second(n(per_second)).allow_burst(n(burst)), clock.clone(), max_keys), clock)
    }

    #[test]
    fn each_key_has_its_own_burst_and_its_own_rate() {
        let (book, clock) = book(20, 40, 10);
        for _ in 0..40 {
            book.take(&1).expect("within the burst");
        }
        assert_eq!(book.take(&1), Err(Duration::from_millis(50)));
        assert!(book.take(&2).is_ok());
        clock.advance(Duration::from_millis(50));
        assert!(book.take(&1).is_ok() && book.take(&1).is_err());
    }

    #[test]
    fn a_place_that_is_given_back_is_free() {
        let (book, _clock) = book(1, 2, 10);
        for _ in 0..20 {
            book.take(&1).expect("always given back");
            book.give_back(&1);
        }
        assert!(book.take(&1).is_ok() && book.take(&1).is_ok() && book.take(&1).is_err());
    }

    #[test]
    fn a_full_book_gives_all_others_one_rate_together_until_it_is_trimmed() {
        let (book, clock) = book(1, 2, 3);
        for key in 0..3 {
            book.take(&key).expect("room");
        }
        for key in 100..102 {
            book.take(&key).expect("the burst of the rest");
        }
        for key in 200..10_000 {
            assert!(book.take(&key).is_err(), "they share one rate");
        }
        assert!(book.take(&0).is_ok(), "the known ones keep theirs");
        assert_eq!(book.pages.len(), 3);
        clock.advance(Duration::from_secs(10));
        book.trim();
        assert!(book.pages.is_empty() && !book.has(&0));
        assert!(book.take(&200).is_ok() && book.has(&200));
    }

    #[test]
    fn a_trim_keeps_those_who_still_have_to_wait() {
        let (book, clock) = book(1, 10, 10);
        (0..10).for_each(|_| book.take(&1).expect("within the burst"));
        book.take(&2).expect("a first");
        clock.advance(Duration::from_secs(5));
        book.trim();
        assert!(book.has(&1) && !book.has(&2));
        assert_eq!((0..10).filter(|_| book.take(&1).is_ok()).count(), 5);
    }
}

//! One rate, kept for many keys, in bounded memory: the generic cell-rate algorithm over a book of our own, whose places can be
//! given back. A book that is full writes all further keys on one page: they share one rate until the next trim, and nobody is
//! remembered for free.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, DefaultClock, Reference};
use parking_lot::Mutex;

/// Keys of one book at most.
const MAX_KEYS: usize = 100_000;

/// See the module.
pub struct Book<K, C: Clock = DefaultClock> {
    clock: C,
    began: C::Instant,
    /// In which one place grows back.
    one_place: Duration,
    /// In which all of them do.
    all_places: Duration,
    max_keys: usize,
    pages: Mutex<Pages<K>>,
}

/// When each key has all its places back, counted from the book's beginning.
struct Pages<K> {
    known: HashMap<K, Duration>,
    /// All keys that found no room, together.
    rest: Duration,
}

/// A place that was taken. Forgotten, it grows back in its turn.
#[must_use]
pub struct Place {
    grown_back_at: Duration,
}

impl<K: Hash + Eq + Clone> Book<K> {
    /// An empty book.
    pub fn new(quota: Quota) -> Self {
        Self::with(quota, DefaultClock::default(), MAX_KEYS)
    }
}

impl<K: Hash + Eq + Clone, C: Clock> Book<K, C> {
    fn with(quota: Quota, clock: C, max_keys: usize) -> Self {
        let one_place = quota.replenish_interval();
        Self {
            began: clock.now(),
            clock,
            one_place,
            all_places: one_place * quota.burst_size().get(),
            max_keys,
            pages: Mutex::new(Pages { known: HashMap::new(), rest: Duration::ZERO }),
        }
    }

    /// Takes a place.
    ///
    /// # Errors
    /// How long it takes until there is one.
    pub fn take(&self, key: &K) -> Result<Place, Duration> {
        let now = self.now();
        let mut pages = self.pages.lock();
        let has_room = pages.known.len() < self.max_keys;
        let all_back_at = match pages.known.get(key) {
            Some(known) => *known,
            None if has_room => now,
            None => pages.rest,
        };
        let grown_back_at = all_back_at.max(now) + self.one_place;
        match grown_back_at.saturating_sub(now + self.all_places) {
            Duration::ZERO => {}
            wait => return Err(wait),
        }
        if let Some(known) = pages.known.get_mut(key) {
            *known = grown_back_at;
        } else if has_room {
            pages.known.insert(key.clone(), grown_back_at);
        } else {
            pages.rest = grown_back_at;
        }
        Ok(Place { grown_back_at })
    }

    /// Gives a place back: what of it has not grown back meanwhile, so that nothing is taken off what others owe.
    pub fn give_back(&self, key: &K, place: Place) {
        let owed = place.grown_back_at.saturating_sub(self.now()).min(self.one_place);
        let mut pages = self.pages.lock();
        let pages = &mut *pages;
        let all_back_at = pages.known.get_mut(key).unwrap_or(&mut pages.rest);
        *all_back_at = all_back_at.saturating_sub(owed);
    }

    /// Forgets the keys that have all their places back.
    pub fn trim(&self) {
        let now = self.now();
        let mut pages = self.pages.lock();
        pages.known.retain(|_, all_back_at| *all_back_at > now);
        pages.known.shrink_to_fit();
    }

    fn now(&self) -> Duration {
        self.clock.now().duration_since(self.began).into()
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

    fn has(book: &Book<u32, FakeRelativeClock>, key: u32) -> bool {
        book.pages.lock().known.contains_key(&key)
    }

    #[test]
    fn each_key_has_its_own_burst_and_its_own_rate() {
        let (book, clock) = book(20, 40, 10);
        for _ in 0..40 {
            drop(book.take(&1).expect("within the burst"));
        }
        assert_eq!(book.take(&1).err(), Some(Duration::from_millis(50)));
        assert!(book.take(&2).is_ok());
        clock.advance(Duration::from_millis(50));
        assert!(book.take(&1).is_ok() && book.take(&1).is_err());
    }

    #[test]
    fn a_place_that_is_given_back_is_free() {
        let (book, _clock) = book(1, 2, 10);
        for _ in 0..20 {
            let place = book.take(&1).expect("always given back");
            book.give_back(&1, place);
        }
        assert!(book.take(&1).is_ok() && book.take(&1).is_ok() && book.take(&1).is_err());
    }

    #[test]
    fn a_place_that_has_grown_back_takes_nothing_off_what_others_owe() {
        let (book, clock) = book(1, 4, 10);
        let early = book.take(&1).expect("a first");
        let free_after = |place| {
            book.give_back(&1, place);
            (0..10).filter(|_| book.take(&1).is_ok()).count()
        };
        clock.advance(Duration::from_secs(1));
        (0..4).for_each(|_| drop(book.take(&1).expect("the first has grown back")));
        assert_eq!(free_after(early), 0, "nothing is owed for it any longer");
        clock.advance(Duration::from_secs(4));
        let half = book.take(&1).expect("all are back");
        let whole = book.take(&1).expect("all are back");
        clock.advance(Duration::from_millis(500));
        // Half of the earlier one and all of the later one are owed still: without them all four are free.
        book.give_back(&1, half);
        assert_eq!(free_after(whole), 4);
    }

    #[test]
    fn a_full_book_gives_all_others_one_rate_together_until_it_is_trimmed() {
        let (book, clock) = book(1, 2, 3);
        for key in 0..3 {
            drop(book.take(&key).expect("room"));
        }
        for key in 100..102 {
            drop(book.take(&key).expect("the burst of the rest"));
        }
        for key in 200..10_000 {
            assert!(book.take(&key).is_err(), "they share one rate");
        }
        assert!(book.take(&0).is_ok(), "the known ones keep theirs");
        assert_eq!(book.pages.lock().known.len(), 3);
        clock.advance(Duration::from_secs(10));
        book.trim();
        assert!(book.pages.lock().known.is_empty());
        assert!(book.take(&200).is_ok() && has(&book, 200));
    }

    #[test]
    fn a_trim_keeps_those_who_still_have_to_wait() {
        let (book, clock) = book(1, 10, 10);
        (0..10).for_each(|_| drop(book.take(&1).expect("within the burst")));
        drop(book.take(&2).expect("a first"));
        clock.advance(Duration::from_secs(5));
        book.trim();
        assert!(has(&book, 1) && !has(&book, 2));
        assert_eq!((0..10).filter(|_| book.take(&1).is_ok()).count(), 5);
    }
}

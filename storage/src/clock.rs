//! Database time without asking the database: an offset to the monotonic clock, corrected at each commit.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime};

use hub_core::ports::Clock;
use hub_core::time::UnixMs;
use parking_lot::Mutex;

use crate::rows::micros;

/// Database time. Never goes back for those who read it, whatever the server's clock does.
pub struct DbClock {
    started: Instant,
    /// Database time at `started`, in microseconds since 1970; none before the first answer of the server.
    offset: Mutex<Option<i64>>,
    /// The latest instant anybody was told, in milliseconds.
    told: AtomicI64,
}

impl DbClock {
    /// A clock that stands at 1970 until the server was heard.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), offset: Mutex::new(None), told: AtomicI64::new(0) }
    }

    /// The server said `at`, somewhen between the question and its answer. So the true offset lies in an interval; the offset
    /// moves into it by the shortest way. The first answer sets it to the middle.
    pub(crate) fn heard(&self, asked: Instant, answered: Instant, at: SystemTime) {
        let at = micros(at);
        let earliest = at.saturating_sub(self.micros_at(answered));
        let latest = at.saturating_sub(self.micros_at(asked));
        let mut offset = self.offset.lock();
        *offset = Some(match *offset {
            None => earliest + (latest - earliest) / 2,
            Some(before) => before.clamp(earliest, latest.max(earliest)),
        });
    }

    fn micros_at(&self, instant: Instant) -> i64 {
        i64::try_from(instant.saturating_duration_since(self.started).as_micros()).unwrap_or(i64::MAX)
    }
}

impl Clock for DbClock {
    fn now(&self) -> UnixMs {
        let offset = self.offset.lock().unwrap_or(0);
        let now = offset.saturating_add(self.micros_at(Instant::now())).div_euclid(1_000);
        UnixMs(self.told.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(ms: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
    }

    fn offset_ms(clock: &DbClock) -> i64 {
        clock.offset.lock().expect("heard") / 1_000
    }

    #[test]
    fn the_first_answer_counts_from_its_middle() {
        let clock = DbClock::new();
        clock.heard(clock.started, clock.started + SECOND, at(10_000));
        assert_eq!(offset_ms(&clock), 9_500);
    }

    #[test]
    fn a_slow_answer_changes_nothing_and_a_quick_one_corrects() {
        let clock = DbClock::new();
        clock.heard(clock.started, clock.started, at(10_000));
        clock.heard(clock.started, clock.started + 5 * SECOND, at(12_000));
        assert_eq!(offset_ms(&clock), 10_000);
        let quick = clock.started + 20 * SECOND;
        clock.heard(quick, quick, at(30_007));
        assert_eq!(offset_ms(&clock), 10_007);
    }

    #[test]
    fn time_stands_still_rather_than_going_back() {
        let clock = DbClock::new();
        clock.heard(clock.started, clock.started, at(1_700_000_000_000));
        let before = clock.now();
        let now = Instant::now();
        clock.heard(now, now, at(1_600_000_000_000));
        assert_eq!(clock.now(), before);
        assert!(before >= UnixMs(1_700_000_000_000));
    }
}

//! How a run went second by second: the counters are read once a second while it goes on, whatever the scenario.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hub_core::time::UnixMs;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::Clock;
use crate::tally::Tally;

/// How often counters are read.
const EVERY: Duration = Duration::from_secs(1);
/// So many seconds are kept: a day.
const MAX_SECONDS: usize = 86_400;

/// A run, second by second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// When everybody began to connect, by this machine's clock.
    #[serde(default)]
    pub began: UnixMs,
    /// Where a part of the run began, in seconds since everybody began to connect, and what to call it.
    pub parts: Vec<(f64, String)>,
    /// What happened between one look at the counters and the next.
    pub seconds: Vec<Second>,
}

/// What happened since the look before, about a second earlier; counts, not rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// When it ended, in seconds since everybody began to connect.
    pub at_s: f64,
    /// Commands put on the wire, repeats included.
    pub sent: u64,
    /// Commands acked.
    pub acked: u64,
    /// `event` frames received, all clients together.
    pub delivered: u64,
    /// Commands and subscriptions refused.
    pub refused: u64,
    /// Clients that were subscribed when it ended.
    pub live: u64,
}

/// The notes of a run, while it goes on.
#[derive(Debug, Default)]
pub struct Pulse {
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    series: Series,
    before: Second,
    is_over: bool,
}

impl Pulse {
    /// A part of the run begins: `rising`, `steady`, `settling`. `at_us` counts since everybody began to connect.
    pub fn mark(&self, at_us: u64, part: &str) {
        self.notes().series.parts.push((seconds(at_us), part.to_owned()));
    }

    /// The run is over: what follows is reading and judging.
    pub fn end(&self) {
        self.notes().is_over = true;
    }

    /// All that was noted.
    pub fn series(&self) -> Series {
        self.notes().series.clone()
    }

    /// Notes what happened up to now; false when nothing more will.
    fn look(&self, tally: &Tally, now_us: u64) -> bool {
        let mut notes = self.notes();
        if notes.is_over || notes.series.seconds.len() >= MAX_SECONDS {
            return false;
        }
        let now = Second {
            at_s: seconds(now_us),
            sent: tally.sent.load(Relaxed) + tally.sent_again.load(Relaxed),
            acked: tally.acked.load(Relaxed),
            delivered: tally.events.load(Relaxed),
            refused: tally.refusals().values().sum(),
            live: tally.live.load(Relaxed),
        };
        let since = now.since(&notes.before);
        notes.series.seconds.push(since);
        notes.before = now;
        true
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Second {
    fn since(&self, before: &Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            acked: self.acked - before.acked,
            delivered: self.delivered - before.delivered,
            refused: self.refused - before.refused,
            ..*self
        }
    }
}

/// Reads the counters once a second until the run ends, or nobody holds them any more. The clock is the run's own.
pub fn watch(tally: &Arc<Tally>, clock: Clock) {
    let now = now();
    tally.pulse.notes().series.began = UnixMs(now.0 - i64::try_from(clock.now_us() / 1_000).unwrap_or(0));
    tokio::spawn(look_every_second(Arc::downgrade(tally), clock));
}

async fn look_every_second(tally: Weak<Tally>, clock: Clock) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let Some(tally) = tally.upgrade() else { return };
        if !tally.pulse.look(&tally, clock.now_us()) {
            return;
        }
    }
}

/// This machine's clock.
pub fn now() -> UnixMs {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

fn seconds(us: u64) -> f64 {
    (us / 1_000) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_tells_what_happened_since_the_one_before_until_the_run_is_over() {
        let tally = Tally::default();
        tally.pulse.mark(250_000, "rising");
        for (now_us, sent, again, acked) in [(1_000_000, 5, 0, 3), (2_001_000, 9, 2, 9)] {
            tally.sent.store(sent, Relaxed);
            tally.sent_again.store(again, Relaxed);
            tally.acked.store(acked, Relaxed);
            assert!(tally.pulse.look(&tally, now_us));
        }
        tally.pulse.end();
        assert!(!tally.pulse.look(&tally, 3_000_000));
        let series = tally.pulse.series();
        assert_eq!(series.parts, [(0.25, "rising".to_owned())]);
        let told: Vec<_> = series.seconds.iter().map(|second| (second.at_s, second.sent, second.acked)).collect();
        assert_eq!(told, [(1.0, 5, 3), (2.001, 6, 6)]);
    }
}

//! The driver's own slowness, told apart from the hub's: how late a plain ticker fires, and how much processor time it used.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::clock::{Clock, micros};

/// How often the ticker fires.
const TICK: Duration = Duration::from_millis(10);
/// Ticks per second in `/proc` (USER_HZ): 100 on every common Linux.
const PROC_HZ: f64 = 100.0;

/// Measures while it lives.
#[derive(Debug)]
pub struct LagMeter {
    lateness_us: Arc<Mutex<Vec<u64>>>,
    ticker: JoinHandle<()>,
    began: Clock,
    processor: Option<Processor>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Lag {
    /// How late every tick was.
    pub lateness_us: Vec<u64>,
    /// Processors this driver kept busy on average; none where `/proc` is missing.
    pub driver_processors: Option<f64>,
    /// Share of all processors of the machine that were busy, by whomever.
    pub machine_busy: Option<f64>,
}

impl LagMeter {
    /// Begins to measure.
    pub fn start() -> Self {
        let lateness_us = Arc::new(Mutex::new(Vec::new()));
        let ticker = tokio::spawn(tick(Arc::clone(&lateness_us)));
        Self { lateness_us, ticker, began: Clock::start(), processor: Processor::read() }
    }

    /// Ends, and tells.
    pub fn stop(self) -> Lag {
        self.ticker.abort();
        let now = Processor::read();
        let seconds = self.began.now_us() as f64 / 1e6;
        let used = self.processor.zip(now).map(|(before, now)| now.since(before));
        Lag {
            lateness_us: std::mem::take(&mut *self.lateness_us.lock().unwrap_or_else(|poisoned| poisoned.into_inner())),
            driver_processors: used.map(|used| used.own / PROC_HZ / seconds.max(0.001)),
            machine_busy: used.map(|used| 1.0 - used.idle / used.all.max(1.0)),
        }
    }
}

async fn tick(lateness_us: Arc<Mutex<Vec<u64>>>) {
    let mut due = Instant::now() + TICK;
    let mut interval = interval_at(due, TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        interval.tick().await;
        let late = micros(Instant::now().saturating_duration_since(due));
        lateness_us.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(late);
        due += TICK;
    }
}

/// Processor time so far, in ticks of `/proc`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Processor {
    own: f64,
    idle: f64,
    all: f64,
}

impl Processor {
    fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/stat").ok()?, &std::fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(own: &str, machine: &str) -> Option<Self> {
        // The name in parentheses may hold spaces; utime and stime are the 12th and 13th field after it.
        let own: Vec<&str> = own.rsplit_once(')')?.1.split_whitespace().collect();
        let own = own.get(11)?.parse::<f64>().ok()? + own.get(12)?.parse::<f64>().ok()?;
        let machine: Vec<f64> = machine.lines().next()?.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        let idle = machine.get(3)? + machine.get(4)?;
        Some(Self { own, idle, all: machine.iter().sum() })
    }

    fn since(self, before: Self) -> Self {
        Self { own: self.own - before.own, idle: self.idle - before.idle, all: self.all - before.all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_read_from_proc() {
        let own = "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20";
        let machine = "cpu  10 0 20 60 10 0 0 0 5 5\ncpu0 1 2 3";
        assert_eq!(Processor::parse(own, machine), Some(Processor { own: 200.0, idle: 70.0, all: 100.0 }));
        assert_eq!(Processor::parse("nonsense", machine), None);
    }
}

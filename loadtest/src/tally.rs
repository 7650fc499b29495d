//! What is counted while a run goes on: for the progress line, for the search of a sustained rate, and for the report.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hub_core::wire::ErrorCode;

/// An ack this late still counts as prompt, in microseconds.
pub const PROMPT_US: u64 = 1_000_000;

/// Counters of the whole run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Clients that are subscribed right now.
    pub live: AtomicU64,
    /// Commands put on the wire for the first time.
    pub sent: AtomicU64,
    /// Commands acked.
    pub acked: AtomicU64,
    /// Commands that will not be tried again: acked, refused for good, or given up.
    pub settled: AtomicU64,
    /// Commands put on the wire again.
    pub sent_again: AtomicU64,
    /// Commands sent with `force` after a refusal.
    pub forced: AtomicU64,
    /// Commands that had to wait for a connection or for room within the hub's limit of commands in flight.
    pub held_back: AtomicU64,
    /// Commands the driver had no room for: its own fault.
    pub overflowed: AtomicU64,
    /// `event` frames received.
    pub events: AtomicU64,
    /// `signal` frames received.
    pub signals: AtomicU64,
    /// Resets after the first subscribe.
    pub resets: AtomicU64,
    /// Tails after the first subscribe.
    pub tails: AtomicU64,
    /// Connections the driver cut.
    pub cut: AtomicU64,
    /// Connections that ended otherwise.
    pub dropped: AtomicU64,
    /// Attempts to connect that failed.
    pub failed_connects: AtomicU64,
    /// Refusals by code.
    refused: Mutex<BTreeMap<String, u64>>,
    /// Closes by code.
    closes: Mutex<BTreeMap<u16, u64>>,
}

impl Tally {
    /// Counts a refusal.
    pub fn refuse(&self, code: ErrorCode) {
        let mut refused = self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *refused.entry(crate::oracle::code_name(code)).or_default() += 1;
    }

    /// Counts a close frame of the hub.
    pub fn close(&self, code: u16) {
        *self.closes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(code).or_default() += 1;
    }

    /// Refusals so far, by code.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Close frames so far, by code.
    pub fn closes(&self) -> BTreeMap<u16, u64> {
        self.closes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

/// Counters of one stretch at one rate.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Commands that were due.
    pub offered: AtomicU64,
    /// Of these, acked.
    pub acked: AtomicU64,
    /// Of these, acked within a second of being due.
    pub prompt: AtomicU64,
    /// Of these, not to be tried again.
    pub settled: AtomicU64,
}

impl Stretch {
    /// The share of what was due that was acked within a second.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    pub fn prompt_share(&self) -> f64 {
        let offered = self.offered.load(Relaxed);
        if offered == 0 { 0.0 } else { self.prompt.load(Relaxed) as f64 / offered as f64 }
    }
}

//! What is counted while a run goes on: for the progress line, for the search of a sustained rate, and for the report.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::bail;
use hub_core::wire::{CloseCode, ErrorCode};

use crate::pulse::Pulse;

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
    /// Frames of a type this driver does not know.
    pub ignored: AtomicU64,
    /// Resets after the first subscribe.
    pub resets: AtomicU64,
    /// Tails after the first subscribe.
    pub tails: AtomicU64,
    /// Subscriptions that were lost with their connection.
    pub lost: AtomicU64,
    /// Commands given up because they had waited too long.
    pub given_up: AtomicU64,
    /// Connections the driver cut.
    pub cut: AtomicU64,
    /// Connections that ended otherwise.
    pub dropped: AtomicU64,
    /// Attempts to connect that failed.
    pub failed_connects: AtomicU64,
    /// How they grew, second by second.
    pub pulse: Pulse,
    /// Refusals by code.
    refused: Mutex<BTreeMap<String, u64>>,
    /// Closes by code.
    closes: Mutex<BTreeMap<u16, u64>>,
    /// Failed attempts to connect, by kind.
    failures: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    /// Judges how connecting everybody goes, before the run begins.
    ///
    /// # Errors
    /// In words, when the hub has no place for so many, or when the time for it `is_over`.
    pub fn check_seating(&self, is_over: bool) -> anyhow::Result<()> {
        let closes = self.closes();
        if closes.contains_key(&CloseCode::TooMany.number()) {
            bail!(
                "the hub closes connections with 4429: too many of one user, or frames too fast; \
                 make a larger fleet, or raise the hub's limits for the test (its sockets_per_user and socket_frames_…)"
            );
        }
        if is_over {
            bail!(
                "the hub did not get everybody subscribed in time: {} attempts to connect failed{}, {} connections ended{}{}",
                self.failed_connects.load(Relaxed),
                if self.failures().is_empty() { String::new() } else { format!(" {:?}", self.failures()) },
                self.dropped.load(Relaxed),
                if closes.is_empty() { String::new() } else { format!(", closed with {closes:?}") },
                if self.refusals().is_empty() { String::new() } else { format!(", refused with {:?}", self.refusals()) },
            );
        }
        Ok(())
    }

    /// Counts a refusal.
    pub fn refuse(&self, code: ErrorCode) {
        let mut refused = self.refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *refused.entry(crate::oracle::code_name(code)).or_default() += 1;
    }

    /// Counts a close frame of the hub.
    pub fn close(&self, code: u16) {
        *self.closes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(code).or_default() += 1;
    }

    /// Counts an attempt to connect that failed.
    pub fn fail_to_connect(&self, kind: &str) {
        self.failed_connects.fetch_add(1, Relaxed);
        *self.failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(kind.to_owned()).or_default() += 1;
    }

    /// Attempts to connect that failed so far, by kind.
    pub fn failures(&self) -> BTreeMap<String, u64> {
        self.failures.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
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
    /// Part of a search: its replies are no part of the report's figures.
    pub is_trial: bool,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_without_room_and_one_without_answers_are_told_in_words() {
        let tally = Tally::default();
        assert!(tally.check_seating(false).is_ok());
        tally.refuse(ErrorCode::Busy);
        let error = tally.check_seating(true).expect_err("over").to_string();
        assert!(error.contains("busy"), "{error}");
        tally.close(CloseCode::TooMany.number());
        let error = tally.check_seating(false).expect_err("no room").to_string();
        assert!(error.contains("4429") && error.contains("sockets_per_user"), "{error}");
    }

    #[test]
    fn the_prompt_share_is_of_what_was_due() {
        let stretch = Stretch::default();
        assert!(stretch.prompt_share().abs() < f64::EPSILON);
        stretch.offered.store(200, Relaxed);
        stretch.prompt.store(196, Relaxed);
        assert!((stretch.prompt_share() - 0.98).abs() < 1e-9);
    }
}

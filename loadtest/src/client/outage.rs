//! When a client was without its subscription, and what it took to get it back.

use std::sync::atomic::Ordering::Relaxed;

use super::Client;

/// From losing a subscription to having it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it was lost, in microseconds since the run began.
    pub lost_us: u64,
    /// When it was there again; none when it never was.
    pub back_us: Option<u64>,
    /// Attempts to connect since.
    pub attempts: u64,
}

impl Client {
    /// It is about to try to connect.
    pub fn tries_to_connect(&mut self) {
        if let Some(outage) = self.open_outage() {
            outage.attempts += 1;
        }
    }

    pub(super) fn lose(&mut self, now_us: u64) {
        self.company.tally.lost.fetch_add(1, Relaxed);
        self.outages.push(Outage { lost_us: now_us, back_us: None, attempts: 0 });
    }

    pub(super) fn is_back(&mut self, now_us: u64) {
        if let Some(outage) = self.open_outage() {
            outage.back_us = Some(now_us);
        }
    }

    fn open_outage(&mut self) -> Option<&mut Outage> {
        self.outages.last_mut().filter(|outage| outage.back_us.is_none())
    }
}

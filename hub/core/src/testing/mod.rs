//! What tests need instead of the world: an in-memory twin of every port, a clock that stands still, builders, and the
//! contract suite that holds the twin and Postgres to the same words. Knows no runtime: plain futures, mutexes and wakers.

mod build;
pub mod contract;
mod journal;
mod later;
mod people;
mod run;

pub use build::{Sample, appended, asker, by_seq, create, key, reply, ticket_key, workspace_facts};
pub use journal::{MemoryJournal, MemoryLists};
pub use later::Gate;
pub use people::{MemoryAccounts, MemoryWorkspaces};
pub use run::block_on;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::ports::Clock;
use crate::time::UnixMs;

/// A clock that stands still until it is told to go on.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// Stands at `now`.
    pub const fn at(now: UnixMs) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Goes to `now`, backwards too.
    pub fn set(&self, now: UnixMs) {
        self.0.store(now.0, Ordering::SeqCst);
    }

    /// Goes on by `span`.
    pub fn advance(&self, span: Duration) {
        let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Default for FixedClock {
    /// 2023-11-14T22:13:20Z.
    fn default() -> Self {
        Self::at(UnixMs(1_700_000_000_000))
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixMs {
        UnixMs(self.0.load(Ordering::SeqCst))
    }
}

//! Which workers watch a topic. Publishing costs one message per worker, whoever and how many watch there.

use std::collections::HashMap;

use crate::fanout::{Delivery, FanoutHandle, WorkerId};

/// The workers that watch one topic.
#[derive(Default)]
pub struct Interest {
    workers: HashMap<WorkerId, (FanoutHandle, u64)>,
}

impl Interest {
    /// Counts a grant to a watcher of this worker; answers its number, which goes along with the grant.
    pub fn grant(&mut self, worker: &FanoutHandle) -> u64 {
        let (_, grants) = self.workers.entry(worker.id()).or_insert_with(|| (worker.clone(), 0));
        *grants += 1;
        *grants
    }

    /// The worker has nobody left who watches, as of `grants`. A grant that crossed this message keeps the interest.
    pub fn end(&mut self, worker: WorkerId, grants: u64) {
        if self.workers.get(&worker).is_some_and(|(_, granted)| *granted == grants) {
            self.workers.remove(&worker);
        }
    }

    /// Sends one delivery to each worker.
    pub fn publish(&self, make: impl Fn() -> Delivery) {
        for (worker, _) in self.workers.values() {
            worker.deliver(make());
        }
    }

    pub fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }
}

//! Counters on their way to sockets: each person is told their own, and only when they are others than before.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use hub_core::rules::counters::{Counters, Totals};
use hub_core::wire::{ServerFrame, Signal};

use super::Fanout;
use crate::fanout::{ConnectionId, CountersFor, Frame, TopicKey, slot};
use crate::metrics;

impl Fanout {
    /// One encoding per codec for all who are told the same: of those without tickets of their own, that is everybody.
    pub(super) fn counters(&mut self, key: TopicKey, totals: &Totals, to: CountersFor) {
        let Some(watched) = self.watched.get(&key) else { return };
        let topic = self.slots.hash_one(key.topic);
        let mut frames: HashMap<Counters, Arc<Frame>> = HashMap::new();
        let told = |connection: &&ConnectionId| match to {
            CountersFor::Everybody => true,
            CountersFor::One(one) => **connection == one,
        };
        for connection in watched.connections.iter().filter(told) {
            let Some(entry) = self.connections.get_mut(connection) else { continue };
            let Some(counters) = totals.of(entry.by.role, entry.by.user) else { continue };
            if to == CountersFor::Everybody && entry.counters == Some(counters) {
                continue;
            }
            entry.counters = Some(counters);
            let frame = frames.entry(counters).or_insert_with(|| {
                let Counters { open, unassigned, mine } = counters;
                Frame::new(ServerFrame::Signal { topic: key.topic, signal: Signal::Counters { open, unassigned, mine } })
            });
            entry.outbox.push_signal(topic, slot::COUNTERS, frame.bytes(entry.codec));
            metrics::queued("signal", 1);
        }
    }
}

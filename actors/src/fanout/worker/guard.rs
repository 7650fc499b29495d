//! The guard of a fan-out: after a panic nobody knows what the sockets in question were told, so these are cut, and their
//! clients come back and resume from the last event they saw. The fan-out lives on for all the others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Cut, Fanout};
use crate::fanout::{ConnectionId, CountersFor, Delivery, Going, TopicKey};
use crate::metrics;

/// Whom a turn is about.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// One socket.
    One(ConnectionId),
    /// Every socket that watches a topic, or has asked for it.
    Topic(TopicKey),
    /// Every socket of this worker.
    Everybody,
}

impl About {
    pub(super) const fn of(delivery: &Delivery) -> Self {
        match delivery {
            Delivery::Answer { connection, .. } | Delivery::Rows { connection, .. } => Self::One(*connection),
            Delivery::Counters { to: CountersFor::One(connection), .. } => Self::One(*connection),
            Delivery::Event { topic, .. }
            | Delivery::Signal { topic, .. }
            | Delivery::Counters { to: CountersFor::Everybody, topic, .. }
            | Delivery::Row { topic, .. }
            | Delivery::Resync { topic }
            | Delivery::Ended { topic, .. } => Self::Topic(*topic),
        }
    }
}

impl Fanout {
    /// Every way into the fan-out leads through here.
    pub(super) fn guarded(&mut self, about: About, turn: impl FnOnce(&mut Self)) {
        if catch_unwind(AssertUnwindSafe(|| turn(self))).is_ok() {
            return;
        }
        metrics::panicked("fanout");
        tracing::error!(worker = self.id.0, "a fan-out panicked; the sockets in question are cut and come back");
        if catch_unwind(AssertUnwindSafe(|| self.cut_off(about))).is_err() {
            tracing::error!(worker = self.id.0, "a fan-out panicked over a panic: all its sockets are cut");
            self.watched.clear();
            for (_, entry) in self.connections.drain() {
                (entry.cut)(Cut::Lost);
            }
        }
    }

    fn cut_off(&mut self, about: About) {
        let in_question: Vec<ConnectionId> = match about {
            About::One(connection) => vec![connection],
            About::Topic(key) => {
                let concerned = self.connections.iter().filter(|(_, entry)| {
                    TopicKey::of(entry.workspace, key.topic, entry.by.user) == key && entry.topics.contains_key(&key.topic)
                });
                let watching = self.watched.get(&key).into_iter().flat_map(|w| w.connections.iter());
                concerned.map(|(connection, _)| connection).chain(watching).copied().collect()
            }
            About::Everybody => self.connections.keys().copied().collect(),
        };
        for connection in in_question {
            if let Some(entry) = self.connections.get(&connection) {
                (entry.cut)(Cut::Lost);
            }
            self.detach(connection, Going::SentAway);
        }
        // The turn may have broken off between two books: what nobody watches any longer is given back to its owner.
        let connections = &self.connections;
        for watched in self.watched.values_mut() {
            watched.connections.retain(|connection| connections.contains_key(connection));
        }
        for topic in self.watched.keys().copied().collect::<Vec<_>>() {
            self.end_if_nobody_watches(topic);
        }
    }
}

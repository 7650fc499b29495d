//! Delivering to sockets what owners of topics send: in order, without a gap, as fast as each client reads.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use actix::{AsyncContext, Context};
use hub_core::wire::{ErrorCode, ServerFrame, Topic};
use tokio::time::Instant;

use super::{Cut, Fanout, LOOK_EVERY, Look, PATIENCE, Question, View};
use crate::fanout::{ConnectionId, Frame, TopicKey};
use crate::metrics;

impl Fanout {
    pub(super) fn event(&mut self, ctx: &mut Context<Self>, key: TopicKey, seq: u64, frame: &Frame) {
        let Some(watched) = self.watched.get(&key) else { return };
        let (mut missing, mut queued) = (Vec::new(), 0);
        for connection in &watched.connections {
            let Some(entry) = self.connections.get_mut(connection) else { continue };
            let bytes = frame.bytes(entry.codec);
            match entry.topics.get_mut(&key.topic) {
                Some(View::Live { seq: last }) if seq == *last + 1 => {
                    if entry.outbox.push(bytes).is_ok() {
                        *last = seq;
                        queued += 1;
                    } else {
                        let view = View::Behind { seq: *last, since: Instant::now() };
                        entry.topics.insert(key.topic, view);
                        metrics::left_behind();
                        ctx.notify_later(Look { connection: *connection, topic: key.topic }, LOOK_EVERY);
                    }
                }
                Some(View::Live { seq: last }) if seq > *last => missing.push(*connection),
                // What comes while the hub itself resynchronises is in the answer; so is what finds no room here.
                Some(View::Asking { request: Some(_), live: Some(last), .. })
                    if seq == *last + 1 && entry.outbox.push(bytes).is_ok() =>
                {
                    *last = seq;
                    queued += 1;
                }
                Some(View::Live { .. } | View::Asking { .. } | View::Behind { .. }) | None => {}
            }
            #[cfg(feature = "faults")]
            if let Topic::Ticket(ticket) = key.topic {
                crate::faults::panic_if_armed(crate::faults::Point::Event, ticket);
            }
        }
        metrics::queued("event", queued);
        metrics::delivered(frame.age());
        for connection in missing {
            self.resync(ctx, connection, key.topic);
        }
    }

    /// A topic that was left behind: goes on where its client reads again, and ends the socket where it does not.
    pub(super) fn look(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let Some(View::Behind { seq, since }) = entry.topics.get(&topic) else { return };
        let (seq, waited) = (*seq, since.elapsed());
        if entry.outbox.has_room() {
            entry.topics.insert(topic, View::Live { seq });
            self.resync(ctx, connection, topic);
        } else if waited >= PATIENCE {
            (entry.cut)(Cut::TooSlow);
        } else {
            ctx.notify_later(Look { connection, topic }, LOOK_EVERY);
        }
    }

    /// A client that reads nothing freezes its session: what is queued for it then lies where it is, however little that is.
    pub(super) fn cut_those_that_do_not_read(&mut self) {
        for entry in self.connections.values() {
            if entry.outbox.untaken_for() >= PATIENCE {
                (entry.cut)(Cut::TooSlow);
            }
        }
    }

    pub(super) fn signal(&mut self, key: TopicKey, slot: u128, frame: &Frame) {
        let topic = self.slots.hash_one(key.topic);
        let Some(watched) = self.watched.get(&key) else { return };
        for entry in watched.connections.iter().filter_map(|connection| self.connections.get(connection)) {
            entry.outbox.push_signal(topic, slot, frame.bytes(entry.codec));
            metrics::queued("signal", 1);
        }
    }

    /// Asks again from the last event that was delivered: the socket's stream goes on without a gap, or is reset.
    pub(super) fn resync(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get(&connection) else { return };
        if let Some(View::Live { seq }) = entry.topics.get(&topic) {
            let seq = *seq;
            metrics::resynchronised();
            let position = Some((seq, self.tickets.stream()));
            self.ask(ctx, connection, topic, Question { position, request: None, live: Some(seq), then: VecDeque::new() });
        }
    }

    /// Deliveries were lost, answers perhaps among them: every topic is asked for again.
    pub(super) fn resync_everything(&mut self, ctx: &mut Context<Self>) {
        for connection in self.connections.keys().copied().collect::<Vec<_>>() {
            let Some(entry) = self.connections.get_mut(&connection) else { continue };
            for topic in entry.topics.keys().copied().collect::<Vec<_>>() {
                let Some(entry) = self.connections.get_mut(&connection) else { break };
                match entry.topics.remove(&topic) {
                    Some(View::Asking { position, request, live, then, .. }) => {
                        self.ask(ctx, connection, topic, Question { position, request, live, then });
                    }
                    Some(view @ (View::Live { .. } | View::Behind { .. })) => {
                        entry.topics.insert(topic, view);
                        self.resync(ctx, connection, topic);
                    }
                    None => {}
                }
            }
        }
    }

    /// The owner begins anew, and counts its grants anew.
    pub(super) fn resync_topic(&mut self, ctx: &mut Context<Self>, key: TopicKey) {
        let Some(watched) = self.watched.get_mut(&key) else { return };
        watched.grants = 0;
        for connection in watched.connections.clone() {
            self.resync(ctx, connection, key.topic);
        }
    }

    pub(super) fn ended(&mut self, key: TopicKey, code: ErrorCode) {
        let Some(watched) = self.watched.get(&key) else { return };
        for connection in watched.connections.clone() {
            self.forget(connection, key.topic);
            if let Some(entry) = self.connections.get(&connection) {
                entry.send(&ServerFrame::Unsubscribed { topic: key.topic, code });
            }
        }
    }
}

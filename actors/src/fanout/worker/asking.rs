//! Asking the owners of topics on behalf of sockets, and what becomes of their answers.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use actix::{AsyncContext, Context};
use hub_core::wire::{ErrorCode, Problem, ServerFrame, Topic};
use tokio::time::Instant;

use super::{
    Cut, Fanout, LOOK_EVERY, Look, MAX_ASKING, Next, Question, RETRY, Retry, Subscribe, Unsubscribe, View, WAITING_PER_TOPIC,
};
use crate::fanout::{ConnectionId, REPLACED_BY_LIVE, TopicKey, Watch, WatchAnswer};
use crate::metrics;

impl Fanout {
    pub(super) fn subscribe(&mut self, ctx: &mut Context<Self>, message: Subscribe) {
        let Subscribe { connection, id, topic, position } = message;
        #[cfg(feature = "faults")]
        if let Topic::Ticket(ticket) = topic {
            crate::faults::panic_if_armed(crate::faults::Point::Subscribe, ticket);
        }
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let too_many = entry.topics.len() >= entry.max_topics;
        let asking = entry.topics.values().filter(|view| matches!(view, View::Asking { .. })).count();
        // Each answer may weigh as much as a message may: as many are asked for at once as the outbox has room for.
        let no_room = asking >= MAX_ASKING || !entry.outbox.has_room();
        let live = match entry.topics.get_mut(&topic) {
            Some(View::Asking { then, .. }) => {
                if then.len() >= WAITING_PER_TOPIC {
                    return entry.send(&ServerFrame::error(Some(id), Problem::busy(250)));
                }
                return then.push_back(Next::Subscribe { id, position });
            }
            _ if no_room => return entry.send(&ServerFrame::error(Some(id), Problem::busy(250))),
            Some(View::Live { seq } | View::Behind { seq, .. }) => Some(*seq),
            None if too_many => {
                let problem = Problem::new(ErrorCode::LimitReached, "This connection watches as many topics as it may.");
                return entry.send(&ServerFrame::error(Some(id), problem));
            }
            None => None,
        };
        self.ask(ctx, connection, topic, Question { position, request: Some(id), live, then: VecDeque::new() });
    }

    pub(super) fn unsubscribe(&mut self, message: Unsubscribe) {
        let Unsubscribe { connection, id, topic } = message;
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if let Some(View::Asking { then, .. }) = entry.topics.get_mut(&topic) {
            if then.len() >= WAITING_PER_TOPIC {
                return entry.send(&ServerFrame::error(Some(id), Problem::busy(250)));
            }
            return then.push_back(Next::Unsubscribe { id });
        }
        self.forget(connection, topic);
        if let Some(entry) = self.connections.get(&connection) {
            entry.send(&ServerFrame::Ack { id, seq: None, result: serde_json::Map::new() });
        }
    }

    /// Asks the owner of a topic on behalf of a socket.
    pub(super) fn ask(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic, question: Question) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let Some(worker) = self.handle.clone() else { return };
        self.attempts += 1;
        let attempt = self.attempts;
        let Question { position, request, live, then } = question;
        let _counted = metrics::Counted::asking();
        entry.topics.insert(topic, View::Asking { attempt, position, request, live, then, _counted });
        let key = TopicKey::of(entry.workspace, topic, entry.by.user);
        let watch =
            Watch { topic: key, by: entry.by.clone(), position, request, connection, attempt, worker, is_answered: false };
        if let Err(problem) = self.tickets.watch(watch) {
            self.answered(ctx, key, connection, attempt, WatchAnswer::Refused(problem));
        }
    }

    /// The owner has answered. An answer to an asking that is no longer open only counts as a grant seen.
    pub(super) fn answered(
        &mut self,
        ctx: &mut Context<Self>,
        key: TopicKey,
        connection: ConnectionId,
        attempt: u64,
        answer: WatchAnswer,
    ) {
        if let WatchAnswer::Granted { grant, .. } = &answer {
            let watched = self.watched.entry(key).or_default();
            watched.grants = watched.grants.max(*grant);
        }
        let open = self.connections.get_mut(&connection).and_then(|entry| match entry.topics.remove(&key.topic) {
            Some(View::Asking { attempt: asked, request, live, then, .. }) if asked == attempt => Some((request, live, then)),
            Some(view @ (View::Asking { .. } | View::Live { .. } | View::Behind { .. })) => {
                entry.topics.insert(key.topic, view);
                None
            }
            None => None,
        });
        let Some((request, live, then)) = open else { return self.end_if_nobody_watches(key) };
        match answer {
            WatchAnswer::Granted { seq, frame, .. } => {
                self.granted(ctx, key, connection, seq, live.filter(|_| request.is_none()), &frame)
            }
            WatchAnswer::Refused(problem) => self.refused(ctx, key, connection, request, live, problem),
        }
        for next in then {
            match next {
                Next::Subscribe { id, position } => {
                    self.subscribe(ctx, Subscribe { connection, id, topic: key.topic, position });
                }
                Next::Unsubscribe { id } => self.unsubscribe(Unsubscribe { connection, id, topic: key.topic }),
                Next::SetPresence(message) => self.set_presence(message),
            }
        }
    }

    /// Watching, from `seq` on. `behind` is the last event delivered where the hub itself asked: without room for the answer
    /// it can ask again. A client's own request is answered, or the client is cut off.
    pub(super) fn granted(
        &mut self,
        ctx: &mut Context<Self>,
        key: TopicKey,
        connection: ConnectionId,
        seq: u64,
        behind: Option<u64>,
        frame: &ServerFrame,
    ) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        // What the answer says of here and now is newer than what still waits to be told.
        entry.outbox.forget_slots(self.slots.hash_one(key.topic), &REPLACED_BY_LIVE);
        let found_room = entry.outbox.push(entry.codec.encode(frame).into()).is_ok();
        let view = match (found_room, behind) {
            (true, _) => {
                metrics::sent(frame);
                View::Live { seq }
            }
            (false, Some(seq)) => {
                metrics::left_behind();
                ctx.notify_later(Look { connection, topic: key.topic }, LOOK_EVERY);
                View::Behind { seq, since: Instant::now() }
            }
            // It was promised room when it asked, and used it for something else.
            (false, None) => {
                (entry.cut)(Cut::TooSlow);
                return self.end_if_nobody_watches(key);
            }
        };
        entry.topics.insert(key.topic, view);
        // Perhaps the owner began anew, and knows nobody.
        if let Some(here) = entry.at_tickets.get(&key.topic) {
            here.announce_again();
        }
        self.watched.entry(key).or_default().connections.insert(connection);
        if key.topic == Topic::Workspace {
            // What the client knew of the rows is gone with the rest of what was live.
            self.ask_for_rows(connection);
        }
    }

    pub(super) fn refused(
        &mut self,
        ctx: &mut Context<Self>,
        key: TopicKey,
        connection: ConnectionId,
        request: Option<u64>,
        live: Option<u64>,
        problem: Problem,
    ) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let code = problem.code;
        if request.is_some() {
            entry.send(&ServerFrame::error(request, problem));
        }
        match live {
            // It goes on as before, and the hub itself asks again: whoever refused may not know that it watches.
            Some(seq) if code != ErrorCode::NotFound => {
                entry.topics.insert(key.topic, View::Live { seq });
                ctx.notify_later(Retry { connection, topic: key.topic }, RETRY);
            }
            Some(_) => {
                self.forget(connection, key.topic);
                if let Some(entry) = self.connections.get(&connection) {
                    entry.send(&ServerFrame::Unsubscribed { topic: key.topic, code });
                }
            }
            None => self.end_if_nobody_watches(key),
        }
    }
}

//! The fan-out of one HTTP worker: which of its sockets watch which topic, and how far each of them is.
//!
//! Everything that concerns one socket and one topic goes through here in order: asking, granting, events, unwatching.
//! So nothing of a topic follows the ack of `unsubscribe`, and events follow the `subscribed` they belong to.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use hub_core::ids::WorkspaceId;
use hub_core::rules::intent::Asker;
use hub_core::rules::resume::Position;
use hub_core::wire::{Codec, ErrorCode, Problem, ServerFrame, Topic};

use tokio::time::Instant;

use super::{ConnectionId, Delivery, FanoutHandle, Frame, Outbox, TopicKey, Watch, WatchAnswer, WorkerGone, WorkerId};
use crate::{Tickets, metrics};

/// Deliveries that may wait for one worker; past it the worker resynchronises its topics.
const MAILBOX: usize = 65_536;
/// Requests of one socket that may wait behind an unanswered one, per topic.
const WAITING_PER_TOPIC: usize = 16;
/// Topics of one socket that are asked for at once: their answers fill half an outbox at most.
const MAX_ASKING: usize = 8;
/// How long after a refused resynchronisation the next try begins.
const RETRY: Duration = Duration::from_millis(500);
/// How often a topic that was left behind looks whether its client reads again.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a client may not read what it asked for, before it is cut off.
const PATIENCE: Duration = Duration::from_secs(10);

/// A socket has been opened and greeted.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach {
    /// Which.
    pub connection: ConnectionId,
    /// Where its frames go.
    pub outbox: Arc<Outbox>,
    /// How they are written.
    pub codec: Codec,
    /// Whose it is.
    pub by: Asker,
    /// Where.
    pub workspace: WorkspaceId,
    /// How many topics it may watch.
    pub max_topics: usize,
    /// Ends the socket from outside, as too slow: for a client that does not read.
    pub cut: Arc<dyn Fn() + Send + Sync>,
}

/// A socket is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Detach(pub ConnectionId);

/// A client's `subscribe`.
#[derive(Message)]
#[rtype(result = "()")]
#[expect(missing_docs, reason = "the fields of the frame")]
pub struct Subscribe {
    pub connection: ConnectionId,
    pub id: u64,
    pub topic: Topic,
    pub position: Position,
}

/// A client's `unsubscribe`.
#[derive(Message)]
#[rtype(result = "()")]
#[expect(missing_docs, reason = "the fields of the frame")]
pub struct Unsubscribe {
    pub connection: ConnectionId,
    pub id: u64,
    pub topic: Topic,
}

/// What owners of topics send.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Deliver(pub(super) Delivery);

/// The fan-out's own handle: goes along with each [`Watch`].
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Own(pub(super) FanoutHandle);

/// Try again to resynchronise.
#[derive(Message)]
#[rtype(result = "()")]
struct Retry {
    connection: ConnectionId,
    topic: Topic,
}

/// Does the client of a topic that was left behind read again?
#[derive(Message)]
#[rtype(result = "()")]
struct Look {
    connection: ConnectionId,
    topic: Topic,
}

/// The fan-out of one worker.
pub struct Fanout {
    id: WorkerId,
    handle: Option<FanoutHandle>,
    tickets: Tickets,
    overflowed: Arc<AtomicBool>,
    connections: HashMap<ConnectionId, Connection>,
    watched: HashMap<TopicKey, Watched>,
    attempts: u64,
    slots: RandomState,
}

/// Who of this worker watches a topic, and how many grants for it have come.
#[derive(Default)]
struct Watched {
    connections: BTreeSet<ConnectionId>,
    grants: u64,
}

struct Connection {
    outbox: Arc<Outbox>,
    codec: Codec,
    by: Asker,
    workspace: WorkspaceId,
    max_topics: usize,
    cut: Arc<dyn Fn() + Send + Sync>,
    topics: HashMap<Topic, View>,
}

/// How far one socket is in one topic.
enum View {
    /// The owner has been asked.
    Asking {
        attempt: u64,
        position: Position,
        request: Option<u64>,
        /// The last event delivered, when it was watching before and still is.
        live: Option<u64>,
        /// What the client asked meanwhile, in order.
        then: VecDeque<Next>,
    },
    /// Watching; the last event delivered.
    Live { seq: u64 },
    /// Left behind: the client does not read, so nothing more is queued for this topic until it does. Nothing is skipped:
    /// it then resynchronises from the last event delivered.
    Behind { seq: u64, since: Instant },
}

/// What a socket asks the owner of a topic.
struct Question {
    position: Position,
    /// The client's request number; none when the hub asks.
    request: Option<u64>,
    /// The last event delivered, when it is watching already.
    live: Option<u64>,
    /// What the client asked behind it.
    then: VecDeque<Next>,
}

enum Next {
    Subscribe { id: u64, position: Position },
    Unsubscribe { id: u64 },
}

impl Fanout {
    pub(super) fn start_on_this_thread(id: WorkerId, tickets: Tickets, overflowed: Arc<AtomicBool>) -> actix::Addr<Self> {
        Self {
            id,
            handle: None,
            tickets,
            overflowed,
            connections: HashMap::new(),
            watched: HashMap::new(),
            attempts: 0,
            slots: RandomState::new(),
        }
        .start()
    }

    fn subscribe(&mut self, ctx: &mut Context<Self>, message: Subscribe) {
        let Subscribe { connection, id, topic, position } = message;
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let too_many = entry.topics.len() >= entry.max_topics;
        let asking = entry.topics.values().filter(|view| matches!(view, View::Asking { .. })).count();
        // Each answer may weigh as much as a message may: as many are asked for at once as the outbox has room for.
        let no_room = asking >= MAX_ASKING || !entry.outbox.has_room();
        let live = match entry.topics.get_mut(&topic) {
            Some(View::Asking { then, .. }) => {
                let queued = queue(then, Next::Subscribe { id, position });
                return queued.unwrap_or_else(|problem| entry.send(&ServerFrame::error(Some(id), problem)));
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

    fn unsubscribe(&mut self, message: Unsubscribe) {
        let Unsubscribe { connection, id, topic } = message;
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        if let Some(View::Asking { then, .. }) = entry.topics.get_mut(&topic) {
            let queued = queue(then, Next::Unsubscribe { id });
            return queued.unwrap_or_else(|problem| entry.send(&ServerFrame::error(Some(id), problem)));
        }
        self.forget(connection, topic);
        if let Some(entry) = self.connections.get(&connection) {
            entry.send(&ServerFrame::Ack { id, seq: None, result: serde_json::Map::new() });
        }
    }

    /// Asks the owner of a topic on behalf of a socket.
    fn ask(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic, question: Question) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let Some(worker) = self.handle.clone() else { return };
        self.attempts += 1;
        let attempt = self.attempts;
        let Question { position, request, live, then } = question;
        entry.topics.insert(topic, View::Asking { attempt, position, request, live, then });
        let key = TopicKey { workspace: entry.workspace, topic };
        let watch =
            Watch { topic: key, by: entry.by.clone(), position, request, connection, attempt, worker, is_answered: false };
        if let Err(problem) = self.tickets.watch(watch) {
            self.answered(ctx, key, connection, attempt, WatchAnswer::Refused(problem));
        }
    }

    /// The owner has answered. An answer to an asking that is no longer open only counts as a grant seen.
    fn answered(
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
            WatchAnswer::Granted { seq, frame, .. } => self.granted(ctx, key, connection, seq, live, &frame),
            WatchAnswer::Refused(problem) => self.refused(ctx, key, connection, request, live, problem),
        }
        for next in then {
            match next {
                Next::Subscribe { id, position } => {
                    self.subscribe(ctx, Subscribe { connection, id, topic: key.topic, position });
                }
                Next::Unsubscribe { id } => self.unsubscribe(Unsubscribe { connection, id, topic: key.topic }),
            }
        }
    }

    fn granted(
        &mut self,
        ctx: &mut Context<Self>,
        key: TopicKey,
        connection: ConnectionId,
        seq: u64,
        live: Option<u64>,
        frame: &ServerFrame,
    ) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let found_room = entry.outbox.push(entry.codec.encode(frame).into()).is_ok();
        let view = match (found_room, live) {
            (true, _) => {
                metrics::sent(frame);
                View::Live { seq }
            }
            (false, Some(seq)) => {
                ctx.notify_later(Look { connection, topic: key.topic }, LOOK_EVERY);
                View::Behind { seq, since: Instant::now() }
            }
            // It was promised room when it asked, and used it for something else.
            (false, None) => return (entry.cut)(),
        };
        entry.topics.insert(key.topic, view);
        self.watched.entry(key).or_default().connections.insert(connection);
    }

    fn refused(
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

    fn event(&mut self, ctx: &mut Context<Self>, key: TopicKey, seq: u64, frame: &Frame) {
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
        }
        metrics::queued("event", queued);
        metrics::delivered(frame.age());
        for connection in missing {
            self.resync(ctx, connection, key.topic);
        }
    }

    /// A topic that was left behind: goes on where its client reads again, and ends the socket where it does not.
    fn look(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let Some(View::Behind { seq, since }) = entry.topics.get(&topic) else { return };
        let (seq, waited) = (*seq, since.elapsed());
        if entry.outbox.has_room() {
            entry.topics.insert(topic, View::Live { seq });
            self.resync(ctx, connection, topic);
        } else if waited >= PATIENCE {
            (entry.cut)();
        } else {
            ctx.notify_later(Look { connection, topic }, LOOK_EVERY);
        }
    }

    fn signal(&mut self, key: TopicKey, slot: u128, frame: &Frame) {
        let topic = self.slots.hash_one(key.topic);
        let Some(watched) = self.watched.get(&key) else { return };
        for entry in watched.connections.iter().filter_map(|connection| self.connections.get(connection)) {
            entry.outbox.push_signal(topic, slot, frame.bytes(entry.codec));
            metrics::queued("signal", 1);
        }
    }

    /// Asks again from the last event that was delivered: the socket's stream goes on without a gap, or is reset.
    fn resync(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get(&connection) else { return };
        if let Some(View::Live { seq }) = entry.topics.get(&topic) {
            let seq = *seq;
            let position = Some((seq, self.tickets.stream()));
            self.ask(ctx, connection, topic, Question { position, request: None, live: Some(seq), then: VecDeque::new() });
        }
    }

    /// Deliveries were lost, answers perhaps among them: every topic is asked for again.
    fn resync_everything(&mut self, ctx: &mut Context<Self>) {
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
    fn resync_topic(&mut self, ctx: &mut Context<Self>, key: TopicKey) {
        let Some(watched) = self.watched.get_mut(&key) else { return };
        watched.grants = 0;
        for connection in watched.connections.clone() {
            self.resync(ctx, connection, key.topic);
        }
    }

    fn ended(&mut self, key: TopicKey, code: ErrorCode) {
        let Some(watched) = self.watched.get(&key) else { return };
        for connection in watched.connections.clone() {
            self.forget(connection, key.topic);
            if let Some(entry) = self.connections.get(&connection) {
                entry.send(&ServerFrame::Unsubscribed { topic: key.topic, code });
            }
        }
    }

    fn detach(&mut self, connection: ConnectionId) {
        let Some(entry) = self.connections.remove(&connection) else { return };
        for topic in entry.topics.into_keys() {
            let key = TopicKey { workspace: entry.workspace, topic };
            if let Some(watched) = self.watched.get_mut(&key) {
                watched.connections.remove(&connection);
            }
            self.end_if_nobody_watches(key);
        }
    }

    fn forget(&mut self, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.topics.remove(&topic);
        entry.outbox.forget(self.slots.hash_one(topic));
        let key = TopicKey { workspace: entry.workspace, topic };
        if let Some(watched) = self.watched.get_mut(&key) {
            watched.connections.remove(&connection);
        }
        self.end_if_nobody_watches(key);
    }

    /// Tells the owner when the last watcher of this worker has gone.
    fn end_if_nobody_watches(&mut self, key: TopicKey) {
        if self.watched.get(&key).is_some_and(|watched| watched.connections.is_empty())
            && let Some(watched) = self.watched.remove(&key)
        {
            self.tickets.unwatch(key, WorkerGone { worker: self.id, grants: watched.grants });
        }
    }
}

fn queue(then: &mut VecDeque<Next>, next: Next) -> Result<(), Problem> {
    if then.len() >= WAITING_PER_TOPIC {
        return Err(Problem::busy(250));
    }
    then.push_back(next);
    Ok(())
}

impl Connection {
    /// Queues an answer. Without room for those the client is cut off: it comes back and resumes from its last event.
    fn send(&self, frame: &ServerFrame) {
        if self.outbox.push(self.codec.encode(frame).into()).is_err() {
            return (self.cut)();
        }
        metrics::sent(frame);
    }
}

impl Actor for Fanout {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }
}

impl Handler<Own> for Fanout {
    type Result = ();
    fn handle(&mut self, Own(handle): Own, _: &mut Self::Context) {
        self.handle = Some(handle);
    }
}

impl Handler<Deliver> for Fanout {
    type Result = ();
    fn handle(&mut self, Deliver(delivery): Deliver, ctx: &mut Self::Context) {
        if self.overflowed.swap(false, Ordering::AcqRel) {
            tracing::warn!(worker = self.id.0, "deliveries found no room: all topics resynchronise");
            self.resync_everything(ctx);
        }
        match delivery {
            Delivery::Event { topic, seq, frame } => self.event(ctx, topic, seq, &frame),
            Delivery::Signal { topic, slot, frame } => self.signal(topic, slot, &frame),
            Delivery::Answer { topic, connection, attempt, answer } => self.answered(ctx, topic, connection, attempt, answer),
            Delivery::Resync { topic } => self.resync_topic(ctx, topic),
            Delivery::Ended { topic, code } => self.ended(topic, code),
        }
    }
}

impl Handler<Attach> for Fanout {
    type Result = ();
    fn handle(&mut self, attach: Attach, _: &mut Self::Context) {
        let Attach { connection, outbox, codec, by, workspace, max_topics, cut } = attach;
        let entry = Connection { outbox, codec, by, workspace, max_topics, cut, topics: HashMap::new() };
        self.connections.insert(connection, entry);
    }
}

impl Handler<Detach> for Fanout {
    type Result = ();
    fn handle(&mut self, Detach(connection): Detach, _: &mut Self::Context) {
        self.detach(connection);
    }
}

impl Handler<Subscribe> for Fanout {
    type Result = ();
    fn handle(&mut self, message: Subscribe, ctx: &mut Self::Context) {
        self.subscribe(ctx, message);
    }
}

impl Handler<Unsubscribe> for Fanout {
    type Result = ();
    fn handle(&mut self, message: Unsubscribe, _: &mut Self::Context) {
        self.unsubscribe(message);
    }
}

impl Handler<Retry> for Fanout {
    type Result = ();
    fn handle(&mut self, Retry { connection, topic }: Retry, ctx: &mut Self::Context) {
        self.resync(ctx, connection, topic);
    }
}

impl Handler<Look> for Fanout {
    type Result = ();
    fn handle(&mut self, Look { connection, topic }: Look, ctx: &mut Self::Context) {
        self.look(ctx, connection, topic);
    }
}

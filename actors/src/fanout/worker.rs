//! The fan-out of one HTTP worker: which of its sockets watch which topic, and how far each of them is.
//!
//! Everything that concerns one socket and one topic goes through here in order: asking, granting, events, unwatching.
//! So nothing of a topic follows the ack of `unsubscribe`, and events follow the `subscribed` they belong to.

mod asking;
mod counting;
mod delivering;
mod guard;
mod presence;
mod rows;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix::{Actor, AsyncContext, Context, Handler, Message};
use hub_core::ids::{TicketId, WorkspaceId};
use hub_core::rules::counters::Counters;
use hub_core::rules::intent::Asker;
use hub_core::rules::presence::Said;
use hub_core::rules::resume::Position;
use hub_core::wire::{Codec, Problem, ServerFrame, Topic};
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::guard::About;
use self::presence::AtTicket;
use self::rows::Rows;
use super::{ConnectionId, Delivery, FanoutHandle, Going, Outbox, TopicKey, WorkerGone, WorkerId};
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
/// How often clients that do not read at all are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long what was queued for a client may lie untaken, or a topic be left behind for it, before it is cut off.
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
    /// Ends the socket from outside.
    pub cut: Arc<dyn Fn(Cut) + Send + Sync>,
}

/// Why a socket is ended from outside. Whoever comes back resumes from the last event it saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Its client does not read what it asked for.
    TooSlow,
    /// The fan-out panicked, and no longer knows what this socket was told.
    Lost,
}

/// A socket is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Detach {
    /// Which.
    pub connection: ConnectionId,
    /// How it ended.
    pub going: Going,
}

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

/// A client's `set_presence`.
#[derive(Message)]
#[rtype(result = "()")]
pub struct SetPresence {
    /// Of which socket.
    pub connection: ConnectionId,
    /// At which ticket: it counts only where this socket watches it.
    pub ticket: TicketId,
    /// What.
    pub said: Said,
    /// Where the verdict goes. Nobody may be left who waits for it.
    pub answer: oneshot::Sender<Result<(), Problem>>,
}

/// A client's `watch_rows`.
#[derive(Message)]
#[rtype(result = "()")]
#[expect(missing_docs, reason = "the fields of the frame")]
pub struct WatchRows {
    pub connection: ConnectionId,
    pub id: u64,
    pub tickets: Vec<TicketId>,
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
    rows: Rows,
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
    cut: Arc<dyn Fn(Cut) + Send + Sync>,
    topics: HashMap<Topic, View>,
    /// The topics that its person is shown at.
    at_tickets: HashMap<Topic, AtTicket>,
    /// The counters it was told last.
    counters: Option<Counters>,
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
        _counted: metrics::Counted,
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
    SetPresence(SetPresence),
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
            rows: Rows::default(),
            attempts: 0,
            slots: RandomState::new(),
        }
        .start()
    }

    fn detach(&mut self, connection: ConnectionId, going: Going) {
        let Some(entry) = self.connections.remove(&connection) else { return };
        entry.at_tickets.into_values().for_each(|here| here.end(going));
        self.rows.forget(connection);
        for topic in entry.topics.into_keys() {
            let key = TopicKey::of(entry.workspace, topic, entry.by.user);
            if let Some(watched) = self.watched.get_mut(&key) {
                watched.connections.remove(&connection);
            }
            self.end_if_nobody_watches(key);
        }
    }

    fn forget(&mut self, connection: ConnectionId, topic: Topic) {
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        entry.topics.remove(&topic);
        if let Some(here) = entry.at_tickets.remove(&topic) {
            here.end(Going::Left);
        }
        entry.outbox.forget(self.slots.hash_one(topic));
        if topic == Topic::Workspace {
            self.rows.forget(connection);
        }
        let key = TopicKey::of(entry.workspace, topic, entry.by.user);
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

impl Connection {
    /// Queues an answer. Without room for those the client is cut off: it comes back and resumes from its last event.
    fn send(&self, frame: &ServerFrame) {
        if self.outbox.push(self.codec.encode(frame).into()).is_err() {
            return (self.cut)(Cut::TooSlow);
        }
        metrics::sent(frame);
    }
}

impl Actor for Fanout {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(SWEEP_EVERY, |fanout, _| fanout.guarded(About::Everybody, Self::cut_those_that_do_not_read));
    }
}

impl Handler<Own> for Fanout {
    type Result = ();
    fn handle(&mut self, Own(handle): Own, _: &mut Self::Context) {
        self.guarded(About::Everybody, |fanout| fanout.handle = Some(handle));
    }
}

impl Handler<Deliver> for Fanout {
    type Result = ();
    fn handle(&mut self, Deliver(delivery): Deliver, ctx: &mut Self::Context) {
        if self.overflowed.swap(false, Ordering::AcqRel) {
            tracing::warn!(worker = self.id.0, "deliveries found no room: all topics resynchronise");
            self.guarded(About::Everybody, |fanout| fanout.resync_everything(ctx));
        }
        self.guarded(About::of(&delivery), |fanout| match delivery {
            Delivery::Event { topic, seq, frame } => fanout.event(ctx, topic, seq, &frame),
            Delivery::Signal { topic, slot, frame } => fanout.signal(topic, slot, &frame),
            Delivery::Counters { topic, totals, to } => fanout.counters(topic, &totals, to),
            Delivery::Row { topic, ticket, frame } => fanout.row(topic, ticket, &frame),
            Delivery::Rows { topic, connection, rows } => fanout.rows(topic, connection, &rows),
            Delivery::Answer { topic, connection, attempt, answer } => fanout.answered(ctx, topic, connection, attempt, answer),
            Delivery::Resync { topic } => fanout.resync_topic(ctx, topic),
            Delivery::Ended { topic, code } => fanout.ended(topic, code),
        });
    }
}

impl Handler<Attach> for Fanout {
    type Result = ();
    fn handle(&mut self, attach: Attach, _: &mut Self::Context) {
        let Attach { connection, outbox, codec, by, workspace, max_topics, cut } = attach;
        let of_this_one = Arc::clone(&cut);
        self.guarded(About::One(connection), |fanout| {
            let (topics, at_tickets) = (HashMap::new(), HashMap::new());
            let entry = Connection { outbox, codec, by, workspace, max_topics, cut, topics, at_tickets, counters: None };
            fanout.connections.insert(connection, entry);
        });
        if !self.connections.contains_key(&connection) {
            of_this_one(Cut::Lost);
        }
    }
}

impl Handler<Detach> for Fanout {
    type Result = ();
    fn handle(&mut self, Detach { connection, going }: Detach, _: &mut Self::Context) {
        self.guarded(About::One(connection), |fanout| fanout.detach(connection, going));
    }
}

impl Handler<SetPresence> for Fanout {
    type Result = ();
    fn handle(&mut self, message: SetPresence, _: &mut Self::Context) {
        self.guarded(About::One(message.connection), |fanout| fanout.set_presence(message));
    }
}

impl Handler<Subscribe> for Fanout {
    type Result = ();
    fn handle(&mut self, message: Subscribe, ctx: &mut Self::Context) {
        self.guarded(About::One(message.connection), |fanout| fanout.subscribe(ctx, message));
    }
}

impl Handler<Unsubscribe> for Fanout {
    type Result = ();
    fn handle(&mut self, message: Unsubscribe, _: &mut Self::Context) {
        self.guarded(About::One(message.connection), |fanout| fanout.unsubscribe(message));
    }
}

impl Handler<WatchRows> for Fanout {
    type Result = ();
    fn handle(&mut self, message: WatchRows, _: &mut Self::Context) {
        self.guarded(About::One(message.connection), |fanout| fanout.watch_rows(message));
    }
}

impl Handler<Retry> for Fanout {
    type Result = ();
    fn handle(&mut self, Retry { connection, topic }: Retry, ctx: &mut Self::Context) {
        self.guarded(About::One(connection), |fanout| fanout.resync(ctx, connection, topic));
    }
}

impl Handler<Look> for Fanout {
    type Result = ();
    fn handle(&mut self, Look { connection, topic }: Look, ctx: &mut Self::Context) {
        self.guarded(About::One(connection), |fanout| fanout.look(ctx, connection, topic));
    }
}

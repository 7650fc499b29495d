//! Fan-out: from one ticket to everybody who watches it. One message per worker, one encoding per audience and codec.

mod frame;
mod outbox;
pub(crate) mod slot;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use actix::Addr;
use hub_core::ids::{TicketId, UserId, WorkspaceId};
use hub_core::rules::counters::Totals;
use hub_core::rules::intent::Asker;
use hub_core::rules::resume::Position;
use hub_core::wire::{ErrorCode, Problem, ServerFrame, Topic};

pub use frame::Frame;
pub use outbox::{Outbox, OutboxLimits, Overflow};
pub use worker::{Attach, Cut, Fanout, SetPresence, Subscribe, Unsubscribe, WatchRows};

/// The slot of who is on a ticket, among the signals of its topics.
pub(crate) const PRESENCE_SLOT: u128 = 1;
/// The slot of its claim.
pub(crate) const CLAIM_SLOT: u128 = 2;
/// What `live` in a `subscribed` holds as well.
pub(crate) const REPLACED_BY_LIVE: [u128; 3] = [PRESENCE_SLOT, CLAIM_SLOT, slot::PEOPLE];

/// One HTTP worker of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(u64);

/// One socket of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// An id no other socket of this process has.
    pub fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// As the log tells it.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// How a connection ends, at a topic or altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Going {
    /// Its person looks elsewhere, and said so.
    Left,
    /// It broke: perhaps its person comes back in a moment.
    Lost,
    /// The hub sent it away to come back, here or elsewhere: its person has not gone anywhere.
    SentAway,
}

/// A topic of one workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TopicKey {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// What is watched.
    pub topic: Topic,
    /// Whose it is, where each person has one of their own.
    pub user: Option<UserId>,
}

impl TopicKey {
    /// The topic that `user` means.
    pub const fn of(workspace: WorkspaceId, topic: Topic, user: UserId) -> Self {
        let user = match topic {
            Topic::Me => Some(user),
            Topic::Ticket(_) | Topic::Thread(_) | Topic::Workspace | Topic::Radar => None,
        };
        Self { workspace, topic, user }
    }

    /// A topic that is the same for everybody who may see it.
    pub const fn shared(workspace: WorkspaceId, topic: Topic) -> Self {
        Self { workspace, topic, user: None }
    }
}

/// Somebody at a socket wants to watch a topic: goes to the topic's owner, who judges and answers. Answered exactly once:
/// one that is dropped unanswered, with the actor that held it, is refused.
pub struct Watch {
    /// What.
    pub topic: TopicKey,
    /// Who.
    pub by: Asker,
    /// Since when.
    pub position: Position,
    /// The client's request number; none when the hub resynchronises.
    pub request: Option<u64>,
    /// Which socket.
    pub connection: ConnectionId,
    /// Tells apart the answers of repeated asking.
    pub attempt: u64,
    /// Where the socket lives.
    pub worker: FanoutHandle,
    /// Whether it has its answer.
    pub(crate) is_answered: bool,
}

impl Watch {
    /// Answers the watcher.
    pub fn answer(mut self, answer: WatchAnswer) {
        self.is_answered = true;
        self.deliver(answer);
    }

    fn deliver(&self, answer: WatchAnswer) {
        let Self { topic, connection, attempt, .. } = self;
        self.worker.deliver(Delivery::Answer { topic: *topic, connection: *connection, attempt: *attempt, answer });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_answered {
            self.deliver(WatchAnswer::Refused(Problem::busy(500)));
        }
    }
}

/// What the owner of a topic says to a watcher.
pub enum WatchAnswer {
    /// Watching, from `seq` on.
    Granted {
        /// The head the frame brings the client to.
        seq: u64,
        /// The number of this grant: see [`WorkerGone`].
        grant: u64,
        /// `subscribed`.
        frame: Box<ServerFrame>,
    },
    /// Not watching.
    Refused(Problem),
}

/// A worker has nobody left who watches a topic, as far as it has seen grants.
#[derive(Clone, Copy, Debug)]
pub struct WorkerGone {
    /// Which worker.
    pub worker: WorkerId,
    /// The last grant it has seen.
    pub grants: u64,
}

/// What owners of topics send to workers.
pub enum Delivery {
    /// A durable event.
    Event {
        /// Where.
        topic: TopicKey,
        /// Its number.
        seq: u64,
        /// The frame, encoded at most once per codec.
        frame: Arc<Frame>,
    },
    /// Something ephemeral: the latest wins per slot.
    Signal {
        /// Where.
        topic: TopicKey,
        /// Type and subject, within the topic.
        slot: u128,
        /// The frame.
        frame: Arc<Frame>,
    },
    /// The counters of a workspace: each person is told their own.
    Counters {
        /// Where.
        topic: TopicKey,
        /// Those of everybody.
        totals: Arc<Totals>,
        /// Who is told.
        to: CountersFor,
    },
    /// Who is at a ticket now: for the sockets that watch its row.
    Row {
        /// Where.
        topic: TopicKey,
        /// Which.
        ticket: TicketId,
        /// The frame.
        frame: Arc<Frame>,
    },
    /// Who is at the tickets of the rows that one socket watches; rows with nobody at them are left out.
    Rows {
        /// Where.
        topic: TopicKey,
        /// Which socket.
        connection: ConnectionId,
        /// The frames.
        rows: Vec<(TicketId, Arc<Frame>)>,
    },
    /// The answer to a [`Watch`].
    Answer {
        /// What was asked for.
        topic: TopicKey,
        /// By which socket.
        connection: ConnectionId,
        /// Which asking.
        attempt: u64,
        /// The answer.
        answer: WatchAnswer,
    },
    /// The owner lost its state: everybody who watches asks again from the last event that was delivered.
    Resync {
        /// Where.
        topic: TopicKey,
    },
    /// Nobody may watch this any longer.
    Ended {
        /// Where.
        topic: TopicKey,
        /// Why.
        code: ErrorCode,
    },
}

/// Who is told counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountersFor {
    /// Everybody who watches and was told others before.
    Everybody,
    /// This socket, whatever it was told before.
    One(ConnectionId),
}

/// The way to one worker's fan-out. One long-lived sender, so that its mailbox really is bounded.
#[derive(Clone)]
pub struct FanoutHandle {
    inner: Arc<HandleInner>,
}

struct HandleInner {
    id: WorkerId,
    addr: Addr<Fanout>,
    /// Set when a delivery found no room: the worker then resynchronises all its topics, so that nothing is skipped.
    overflowed: Arc<AtomicBool>,
}

impl FanoutHandle {
    /// Starts the fan-out of this thread's arbiter. `tickets` are the owners it asks.
    pub fn start(tickets: crate::Tickets) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = WorkerId(NEXT.fetch_add(1, Ordering::Relaxed));
        let overflowed = Arc::new(AtomicBool::new(false));
        let addr = Fanout::start_on_this_thread(id, tickets, Arc::clone(&overflowed));
        let handle = Self { inner: Arc::new(HandleInner { id, addr, overflowed }) };
        handle.deliver_own_handle();
        handle
    }

    /// Which worker.
    pub fn id(&self) -> WorkerId {
        self.inner.id
    }

    /// Hands over a delivery, or marks the worker as overflowed.
    pub fn deliver(&self, delivery: Delivery) {
        if self.inner.addr.try_send(worker::Deliver(delivery)).is_err() {
            self.inner.overflowed.store(true, Ordering::Release);
            crate::metrics::fanout_overflowed();
        }
    }

    /// Sends a socket's request to its fan-out. Full or gone: `busy`.
    ///
    /// # Errors
    /// `busy`, when the worker's mailbox is full.
    pub fn request<M>(&self, message: M) -> Result<(), Problem>
    where
        M: actix::Message<Result = ()> + Send + 'static,
        Fanout: actix::Handler<M>,
    {
        self.inner.addr.try_send(message).map_err(|_| Problem::busy(250))
    }

    /// Tells that a socket is gone. Not bounded by the mailbox: once per socket, and it must arrive, or its person would be here
    /// for ever.
    pub fn detach(&self, connection: ConnectionId, going: Going) {
        self.inner.addr.do_send(worker::Detach { connection, going });
    }

    fn deliver_own_handle(&self) {
        // The mailbox is empty and larger than one.
        if self.inner.addr.try_send(worker::Own(self.clone())).is_err() {
            tracing::error!("a fan-out that has just started takes no message");
        }
    }
}

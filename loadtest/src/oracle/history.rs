//! What was seen: one ticket's log as a fresh client reads it, and what every client of the run saw, asked and was told.
//! Plain data for the checks; how it was observed is the drivers' matter.

use std::sync::Arc;

use hub_core::ids::{CommandKey, StreamId, TicketId, UserId};
use hub_core::wire::ErrorCode;

pub use super::fact::{Fact, What, body_digest};

/// A whole run.
#[derive(Debug, Default)]
pub struct History {
    /// Every ticket that was used.
    pub tickets: Vec<TicketHistory>,
}

/// One ticket: the truth, and what its clients saw of it.
#[derive(Debug)]
pub struct TicketHistory {
    /// Which.
    pub id: TicketId,
    /// The log in the ticket's numbering, read from scratch after the run.
    pub log: Vec<Arc<Fact>>,
    /// The same in the thread's numbering, read from scratch by the customer; none when no customer took part.
    pub thread: Option<Vec<Arc<Fact>>>,
    /// The heads before the run and after its last answer.
    pub heads: Heads,
    /// Everybody who took part.
    pub clients: Vec<ClientHistory>,
}

/// Where the numberings stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// Ticket numbering, before the first command of the run.
    pub before: u64,
    /// Ticket numbering, after the last answer: every agent must get here.
    pub after: u64,
    /// Thread numbering, after the last answer: every customer must get here.
    pub thread_after: u64,
}

/// In which numbering somebody counts, and what may be shown there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum View {
    /// `ticket:<id>`, for agents.
    Ticket,
    /// `thread:<id>`, for customers.
    Thread,
}

/// One client on one ticket.
#[derive(Debug)]
pub struct ClientHistory {
    /// Whose token it used.
    pub user: UserId,
    /// As what.
    pub view: View,
    /// What arrived on the topic, in order of arrival.
    pub steps: Vec<Step>,
    /// What it asked for.
    pub commands: Vec<Command>,
    /// Frames it could not read or did not expect, in words.
    pub oddities: Vec<String>,
}

/// One thing that arrived on a topic.
#[derive(Clone, Debug)]
pub enum Step {
    /// An `event` frame.
    Event {
        /// What it said.
        fact: Arc<Fact>,
        /// Microseconds since the run began.
        at_us: u64,
    },
    /// A `subscribed` frame with events.
    Tail(Box<Tail>),
    /// A `subscribed` frame with a reset.
    Reset(Box<Tail>),
    /// The hub ended the subscription.
    Ended(ErrorCode),
}

/// The durable part of a `subscribed` frame.
#[derive(Clone, Debug)]
pub struct Tail {
    /// The life of the log.
    pub stream: StreamId,
    /// The head it tells.
    pub seq: u64,
    /// The tail after the client's position, or the newest events of the snapshot.
    pub events: Vec<Arc<Fact>>,
    /// Microseconds since the run began.
    pub at_us: u64,
}

/// One intent of a client: one key, sent once or more.
#[derive(Clone, Debug)]
pub struct Command {
    /// One intent, one effect.
    pub key: CommandKey,
    /// Digest of the body.
    pub body: u64,
    /// An internal note.
    pub is_note: bool,
    /// When it was due by the plan, in microseconds since the run began. Latency counts from here.
    pub intended_us: u64,
    /// False while the rate was still rising: not part of the figures.
    pub measured: bool,
    /// Every time it was put on the wire.
    pub attempts: Vec<Attempt>,
}

/// One sending of a command, and what became of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When, in microseconds since the run began.
    pub sent_us: u64,
    /// What it said it had seen.
    pub based_on: Option<u64>,
    /// Whether it insisted.
    pub force: bool,
    /// The answer.
    pub answer: Answer,
}

/// What the hub said to one sending.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing yet, on a connection that lives.
    Open,
    /// Nothing, and the connection is gone: the outcome is unknown.
    Lost,
    /// Done.
    Acked {
        /// The number of the event that carries the key, in the asker's numbering.
        seq: Option<u64>,
        /// `result.missed`.
        missed: bool,
        /// Microseconds since the run began.
        at_us: u64,
    },
    /// Not done; with `unavailable`, unknown.
    Refused {
        /// Why.
        code: ErrorCode,
        /// `detail.events` of `stale`; none when the hub said that they are too many.
        events: Option<Vec<Arc<Fact>>>,
    },
}

impl Command {
    /// The first ack, when there was one.
    pub fn ack(&self) -> Option<(&Attempt, Option<u64>, u64)> {
        self.attempts.iter().find_map(|attempt| match attempt.answer {
            Answer::Acked { seq, at_us, .. } => Some((attempt, seq, at_us)),
            Answer::Open | Answer::Lost | Answer::Refused { .. } => None,
        })
    }

    /// True when some sending may have had its effect without anybody being told.
    pub fn is_outcome_unknown(&self) -> bool {
        self.attempts.iter().any(|attempt| match &attempt.answer {
            Answer::Open | Answer::Lost | Answer::Refused { code: ErrorCode::Unavailable, .. } => true,
            Answer::Acked { .. } | Answer::Refused { .. } => false,
        })
    }
}

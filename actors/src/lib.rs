//! Who owns live state. Every open ticket, every workspace and every person who is here is one actor with one mailbox; actix lives here.
//!
//! ```text
//! Tickets (handle) ─▶ Shard (one per arbiter: who is awake) ─▶ TicketActor ─▶ Journal (port)
//!                                                                  │ publish, once per worker
//!                                                                  ▼
//!                     Fanout (one per HTTP worker: who watches) ─▶ Outbox ─▶ a socket
//! ```
//!
//! A ticket that panics is thrown away and read anew from the journal; its waiting commands are answered, its watchers
//! resynchronise. Nothing durable is lost with an actor: what it knows beyond the journal is who watches.

mod admission;
mod due;
mod facts;
pub mod fanout;
#[cfg(feature = "faults")]
pub mod faults;
mod here;
mod interest;
pub mod metrics;
mod shard;
mod ticket;
mod tickets;
mod user;
mod workspace;

use std::sync::Arc;
use std::time::Duration;

use hub_core::ports::{Clock, Drafts, Journal, Notifications, TicketLists, Workspaces};

pub use here::Present;
pub use tickets::{DraftSave, NewTicket, Receipt, Tickets};

/// What the actors need from the world.
#[derive(Clone)]
pub struct Ports {
    /// The log.
    pub journal: Arc<dyn Journal>,
    /// What people are told of, and how far they have read.
    pub notifications: Arc<dyn Notifications>,
    /// What people write and have not sent yet.
    pub drafts: Arc<dyn Drafts>,
    /// Lists, to count what is in them.
    pub lists: Arc<dyn TicketLists>,
    /// Facts and counters of workspaces.
    pub workspaces: Arc<dyn Workspaces>,
    /// Database time.
    pub clock: Arc<dyn Clock>,
}

/// Bounds and delays.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many arbiters the tickets are spread over: one per core. 0: all on the calling thread, for tests in paused time.
    pub shards: usize,
    /// Commands that may be under way on this node while they are answered quickly; more are refused `busy`.
    pub commands_in_flight: usize,
    /// Commands that may wait for one ticket; more are refused `busy`.
    pub waiting_per_ticket: usize,
    /// Tickets that may be read from the journal at once.
    pub activations: usize,
    /// How long a ticket without watchers and work stays awake.
    pub passivate_after: Duration,
    /// How long a command may take before its sender is told that the outcome is unknown.
    pub answer_within: Duration,
    /// How old the facts of a workspace may be when a ticket decides.
    pub facts_for: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            shards: std::thread::available_parallelism().map_or(2, usize::from),
            commands_in_flight: 2_000,
            waiting_per_ticket: 64,
            activations: 64,
            passivate_after: Duration::from_secs(120),
            answer_within: Duration::from_secs(10),
            facts_for: Duration::from_secs(2),
        }
    }
}

/// Starts the arbiters and answers the way in. Must run inside an actix system.
pub fn start(ports: Ports, settings: Settings) -> Tickets {
    Tickets::start(ports, settings)
}

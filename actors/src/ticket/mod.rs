//! One ticket, awake: decide, append, apply, publish. At most one append is in flight; what comes meanwhile waits and is
//! decided together when it returns. Nothing here awaits inside a handler: every answer of the journal comes back as a turn
//! of its own, through the same guard.

mod actor;
mod claim;
pub mod drafts;
mod held;
mod history;
mod pace;
mod presence;
mod watchers;
mod work;

use hub_core::rules::intent::{Asker, Intent};
use hub_core::rules::presence::Said;
use hub_core::wire::{Problem, Topic};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Receipt;
use crate::admission::Permit;
use crate::fanout::{ConnectionId, Going, Watch, WatchAnswer, WorkerGone};

pub use actor::{TicketActor, ToActor};

/// What reaches a ticket.
pub enum TicketMessage {
    /// Somebody wants something.
    Submit {
        intent: Box<Intent>,
        /// The command's own way back: it is answered even when the socket that sent it is gone.
        answer: oneshot::Sender<Result<Receipt, Problem>>,
        /// Bounds what is under way on this node; freed with the command.
        permit: Permit,
    },
    /// Somebody asks for drafts, or wants one changed.
    Drafts(Box<drafts::DraftAsk>),
    /// Somebody wants to watch.
    Watch(Box<Watch>),
    /// A worker has nobody left who watches.
    Unwatch { topic: Topic, gone: WorkerGone },
    /// A socket says what its person does here.
    Announce(Box<Announce>),
    /// Something of it is due: wakes it, and it looks what that is.
    Due,
    /// A socket is here no longer.
    PresenceEnded { connection: ConnectionId, going: Going },
}

/// What a socket that watches a ticket says of its person.
pub struct Announce {
    pub connection: ConnectionId,
    pub by: Asker,
    pub said: Said,
    /// When it was said: it is told again to a ticket that begins anew.
    pub said_at: Instant,
    /// Whether it counts. Nobody may be left who waits for it.
    pub answer: oneshot::Sender<Result<(), Problem>>,
}

impl Announce {
    pub(super) fn answer(self, answer: Result<(), Problem>) {
        // Most do not want to know.
        drop(self.answer.send(answer));
    }
}

impl TicketMessage {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        match self {
            // Whoever asked may have gone: then there is nobody to tell.
            Self::Submit { answer, .. } => _ = answer.send(Err(problem)),
            Self::Drafts(ask) => ask.refuse(problem),
            Self::Watch(watch) => watch.answer(WatchAnswer::Refused(problem)),
            Self::Announce(announce) => announce.answer(Err(problem)),
            Self::Unwatch { .. } | Self::Due | Self::PresenceEnded { .. } => {}
        }
    }

    /// True for what means nothing to a ticket that sleeps: nobody watches it, and who does comes back with all there is to say.
    pub const fn is_idle_talk(&self) -> bool {
        match self {
            Self::Unwatch { .. } | Self::Announce(_) | Self::PresenceEnded { .. } => true,
            Self::Submit { .. } | Self::Drafts(_) | Self::Watch(_) | Self::Due => false,
        }
    }

    /// True for what is not bounded by the mailbox.
    pub const fn must_arrive(&self) -> bool {
        match self {
            Self::PresenceEnded { .. } => true,
            Self::Unwatch { .. } | Self::Announce(_) | Self::Submit { .. } | Self::Drafts(_) | Self::Watch(_) | Self::Due => {
                false
            }
        }
    }
}

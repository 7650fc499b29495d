//! One ticket, awake: decide, append, apply, publish. At most one append is in flight; what comes meanwhile waits and is
//! decided together when it returns. Nothing here awaits inside a handler: every answer of the journal comes back as a turn
//! of its own, through the same guard.

mod actor;
mod history;
mod watchers;
mod work;

use hub_core::rules::intent::Intent;
use hub_core::wire::{Problem, Topic};
use tokio::sync::oneshot;

use crate::Receipt;
use crate::admission::Permit;
use crate::fanout::{Watch, WatchAnswer, WorkerGone};

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
    /// Somebody wants to watch.
    Watch(Box<Watch>),
    /// A worker has nobody left who watches.
    Unwatch { topic: Topic, gone: WorkerGone },
}

impl TicketMessage {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        match self {
            // Whoever asked may have gone: then there is nobody to tell.
            Self::Submit { answer, .. } => _ = answer.send(Err(problem)),
            Self::Watch(watch) => watch.answer(WatchAnswer::Refused(problem)),
            Self::Unwatch { .. } => {}
        }
    }

    /// True for what means nothing to a ticket that sleeps.
    pub const fn is_idle_talk(&self) -> bool {
        match self {
            Self::Unwatch { .. } => true,
            Self::Submit { .. } | Self::Watch(_) => false,
        }
    }
}

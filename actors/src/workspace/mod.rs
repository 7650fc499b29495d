//! One workspace, awake: draws ticket numbers in blocks, and tells everybody who watches its lists what changed, how many tickets
//! there are, who of the staff is here, and who is at the tickets of their rows.

mod actor;
mod counters;
mod numbers;
mod people;
mod rows;

use hub_core::ids::TicketId;
use hub_core::rules::counters::{Counters, Moved};
use hub_core::rules::intent::Asker;
use hub_core::wire::{Actor, AgentTicket, Presence, Problem};
use tokio::sync::oneshot;

use crate::fanout::{ConnectionId, FanoutHandle, Watch, WatchAnswer, WorkerGone};

pub use actor::{ToActor, WorkspaceActor};

/// What reaches a workspace.
pub enum WorkspaceMessage {
    /// Somebody opens a ticket.
    NextNumber { answer: oneshot::Sender<Result<u64, Problem>> },
    /// A row of the lists is now so.
    TicketChanged(Box<RowChange>),
    /// These are at a ticket now: the whole set.
    RowPresence { ticket: TicketId, users: Vec<Presence> },
    /// A socket watches these rows now, and wants to know who is there.
    Rows { tickets: Vec<TicketId>, connection: ConnectionId, worker: FanoutHandle },
    /// Somebody asks for the counters once.
    Count { by: Asker, answer: oneshot::Sender<Result<Counters, Problem>> },
    /// Somebody of the staff has come, gone, or another name.
    PeopleChanged,
    /// Somebody wants to watch the lists.
    Watch(Box<Watch>),
    /// A worker has nobody left who watches.
    Unwatch(WorkerGone),
}

/// What a change of a ticket means to the lists.
pub struct RowChange {
    /// The row as it is now.
    pub row: AgentTicket,
    /// Who changed it last.
    pub by: Actor,
    /// The type of the last event.
    pub what: &'static str,
    /// From which queue to which.
    pub moved: Moved,
}

impl WorkspaceMessage {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        match self {
            // Whoever asked may have gone: then there is nobody to tell.
            Self::NextNumber { answer } => _ = answer.send(Err(problem)),
            Self::Count { answer, .. } => _ = answer.send(Err(problem)),
            Self::Watch(watch) => watch.answer(WatchAnswer::Refused(problem)),
            Self::TicketChanged(_) | Self::RowPresence { .. } | Self::Rows { .. } | Self::PeopleChanged | Self::Unwatch(_) => {}
        }
    }

    /// True for what means nothing to a workspace that sleeps. That nobody is at a ticket any longer is news only to those who
    /// heard that somebody was.
    pub fn is_idle_talk(&self) -> bool {
        match self {
            Self::TicketChanged(_) | Self::PeopleChanged | Self::Rows { .. } | Self::Unwatch(_) => true,
            Self::RowPresence { users, .. } => users.is_empty(),
            Self::NextNumber { .. } | Self::Count { .. } | Self::Watch(_) => false,
        }
    }
}

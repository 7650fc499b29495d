//! The counters over the lists: how many tickets are open, with nobody, and with me. Counted once, then carried along with each
//! change, and recounted now and then, because another hub writes too and a message may be lost. Knows no database and no actor:
//! what was counted and what changed come in as arguments.
//!
//! A recount and the changes cross each other on their way. What makes them agree to the last ticket: a count tells, from the very
//! same look at the database, how far each lately changed ticket was ([`Counted::recent`]), so that of each change it is known
//! whether it was counted already.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::permissions::{Role, Side};
use super::ticket::TicketState;
use super::workflow::Workflow;
use crate::ids::{TicketId, UserId};

/// Tickets whose last change is remembered between two counts; more are carried along by what they tell of themselves.
const MAX_SEEN: usize = 20_000;
/// Changes kept while a count is under way; of more, the oldest are left to the next count.
const MAX_KEPT: usize = 20_000;

/// What counters tell tickets apart by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Queue {
    /// The status.
    pub status: String,
    /// Who works on it.
    pub assignee: Option<UserId>,
}

impl Queue {
    /// The one a ticket stands in.
    pub fn of(ticket: &TicketState) -> Self {
        Self { status: ticket.status.clone(), assignee: ticket.assignee_id }
    }
}

/// One ticket went from one queue to another, or stayed where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub ticket: TicketId,
    /// Where it was before, as far as whoever tells knows; none for a new ticket.
    pub from: Option<Queue>,
    /// Where it is now.
    pub to: Queue,
    /// The ticket's last event.
    pub seq: u64,
}

/// What one look at the database found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many tickets stand in each queue of the statuses that were asked for.
    pub queues: Vec<(Queue, u64)>,
    /// Where each ticket stood that was changed not long before, whatever its status, and its last event.
    pub recent: Vec<(TicketId, Queue, u64)>,
}

/// The statuses that count as open.
pub fn open_statuses(workflow: &Workflow) -> Vec<String> {
    workflow.statuses.iter().filter(|status| !status.kind.is_done()).map(|status| status.id.clone()).collect()
}

/// The counts of one workspace, as they are carried along.
#[derive(Clone, Debug)]
pub struct Ledger {
    open: BTreeSet<String>,
    /// May go below zero for a moment, where changes arrive out of order.
    queues: HashMap<Queue, i64>,
    /// Where tickets that changed not long ago are counted, and their last event.
    seen: HashMap<TicketId, (Queue, u64)>,
}

/// A count that is under way, and what changed since it began.
#[derive(Clone, Debug, Default)]
pub struct Counting {
    kept: VecDeque<Moved>,
}

impl Counting {
    /// A ticket changed: whether the count will have seen it, its answer tells.
    pub fn keep(&mut self, moved: Moved) {
        if self.kept.len() >= MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(moved);
    }

    /// The count has come: what it says, and what happened after it looked. `open` are the statuses it was asked for.
    pub fn done(self, open: &[String], counted: Counted) -> Ledger {
        let mut ledger = Ledger::of(open, counted);
        self.kept.iter().for_each(|moved| ledger.carry(moved));
        ledger
    }
}

impl Ledger {
    fn of(open: &[String], Counted { queues, recent }: Counted) -> Self {
        let open: BTreeSet<String> = open.iter().cloned().collect();
        let count = |(queue, count)| (queue, i64::try_from(count).unwrap_or(i64::MAX));
        let queues = queues.into_iter().filter(|(queue, _): &(Queue, u64)| open.contains(&queue.status)).map(count).collect();
        let seen = recent.into_iter().map(|(ticket, queue, seq)| (ticket, (queue, seq))).collect();
        Self { open, queues, seen }
    }

    /// Carries one change along. What was counted already changes nothing.
    pub fn carry(&mut self, moved: &Moved) {
        let Moved { ticket, from, to, seq } = moved;
        let counted_in = match self.seen.get(ticket) {
            Some((_, counted)) if counted >= seq => return,
            // Better than what the ticket says of itself: a message in between may have been lost.
            Some((queue, _)) => Some(queue.clone()),
            None => from.clone(),
        };
        if let Some(queue) = counted_in {
            self.add(queue, -1);
        }
        self.add(to.clone(), 1);
        if self.seen.contains_key(ticket) || self.seen.len() < MAX_SEEN {
            self.seen.insert(*ticket, (to.clone(), *seq));
        }
    }

    fn add(&mut self, queue: Queue, by: i64) {
        if !self.open.contains(&queue.status) {
            return;
        }
        let count = self.queues.entry(queue.clone()).or_insert(0);
        *count += by;
        if *count == 0 {
            self.queues.remove(&queue);
        }
    }

    /// The same ledger after a recount: true where the count found something that no change on its way explains, because another
    /// hub wrote, or a message was lost.
    pub fn is_corrected_by(&self, counted: &Counted, ledger: &Self) -> bool {
        let on_its_way = |(ticket, _, seq): &&(TicketId, Queue, u64)| self.seen.get(ticket).is_none_or(|(_, seen)| seen < seq);
        // Each of them can be counted in one queue where it was in another.
        let explained = 2 * counted.recent.iter().filter(on_its_way).count() as u64;
        let queues: BTreeSet<&Queue> = self.queues.keys().chain(ledger.queues.keys()).collect();
        let count = |of: &Self, queue: &Queue| of.queues.get(queue).copied().unwrap_or(0);
        let differs: u64 = queues.into_iter().map(|queue| count(self, queue).abs_diff(count(ledger, queue))).sum();
        differs > explained
    }

    /// What everybody who watches is told from.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (queue, count) in &self.queues {
            let count = u64::try_from(*count).unwrap_or(0);
            totals.open += count;
            match queue.assignee {
                None => totals.unassigned += count,
                Some(assignee) => *totals.by_assignee.entry(assignee).or_insert(0) += count,
            }
        }
        totals
    }
}

/// The counters of all people of a workspace, in one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    open: u64,
    unassigned: u64,
    by_assignee: HashMap<UserId, u64>,
}

/// The counters of one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// Tickets that are neither resolved nor closed.
    pub open: u64,
    /// Those of them that nobody works on.
    pub unassigned: u64,
    /// Those of them that are mine.
    pub mine: u64,
}

impl Totals {
    /// What this person is told; none for those who see no lists. Who sees fewer tickets than all of them, once there are such
    /// roles, gets other counters here and nowhere else.
    pub fn of(&self, role: Role, user: UserId) -> Option<Counters> {
        match role.side() {
            Side::Staff => {
                let mine = self.by_assignee.get(&user).copied().unwrap_or(0);
                Some(Counters { open: self.open, unassigned: self.unassigned, mine })
            }
            Side::Customer | Side::Platform => None,
        }
    }
}

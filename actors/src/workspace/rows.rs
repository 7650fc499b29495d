//! Who is at which ticket, for the rows of lists: as the tickets told it last, which they do again and again while somebody is
//! there. Which socket is told of which row is known to its fan-out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use hub_core::ids::TicketId;
use hub_core::wire::{Presence, PresenceSignal, ServerFrame, Signal, Topic};
use tokio::time::Instant;

use super::WorkspaceActor;
use crate::fanout::{ConnectionId, Delivery, FanoutHandle, Frame};

/// Tickets with somebody at them that a workspace remembers; of more, rows do not tell until there are fewer.
const MAX_TICKETS: usize = 20_000;
/// A ticket that was not told again for so long has died without a word: nobody is shown there any longer.
const HOLDS_FOR: Duration = Duration::from_secs(60);
/// How often such tickets are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(20);

/// The tickets at which somebody is.
#[derive(Default)]
pub(super) struct Rows {
    present: HashMap<TicketId, Present>,
    sweep_is_due: bool,
}

/// What was told of a ticket.
struct Present {
    users: Vec<Presence>,
    frame: Arc<Frame>,
    told_at: Instant,
}

impl Rows {
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }
}

impl WorkspaceActor {
    /// These are at a ticket now.
    pub(super) fn row_presence(&mut self, ctx: &mut Context<Self>, ticket: TicketId, users: Vec<Presence>) {
        let told_at = Instant::now();
        if users.is_empty() {
            return self.nobody_is_at(ticket);
        }
        let is_full = self.rows.present.len() >= MAX_TICKETS;
        match self.rows.present.get_mut(&ticket) {
            Some(present) if present.users == users => return present.told_at = told_at,
            None if is_full => return,
            Some(_) | None => {}
        }
        let frame = frame(ticket, users.clone());
        self.rows.present.insert(ticket, Present { users, frame: Arc::clone(&frame), told_at });
        self.tell_row(ticket, &frame);
        self.sweep_later(ctx);
    }

    fn nobody_is_at(&mut self, ticket: TicketId) {
        if self.rows.present.remove(&ticket).is_some() {
            self.tell_row(ticket, &frame(ticket, Vec::new()));
        }
    }

    fn tell_row(&self, ticket: TicketId, frame: &Arc<Frame>) {
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Row { topic, ticket, frame: Arc::clone(frame) });
    }

    fn sweep_later(&mut self, ctx: &mut Context<Self>) {
        if self.rows.is_empty() || std::mem::replace(&mut self.rows.sweep_is_due, true) {
            return;
        }
        self.after(ctx, SWEEP_EVERY, |actor, ctx| {
            actor.rows.sweep_is_due = false;
            let is_old = |(_, present): &(&TicketId, &Present)| present.told_at.elapsed() >= HOLDS_FOR;
            let old: Vec<TicketId> = actor.rows.present.iter().filter(is_old).map(|(ticket, _)| *ticket).collect();
            old.into_iter().for_each(|ticket| actor.nobody_is_at(ticket));
            actor.sweep_later(ctx);
        });
    }

    /// A socket watches these rows now: it is told who is there. What happens from now on follows on the same way.
    pub(super) fn tell_rows(&self, tickets: &[TicketId], connection: ConnectionId, worker: &FanoutHandle) {
        let topic = self.topic();
        let rows = tickets.iter().filter_map(|ticket| Some((*ticket, Arc::clone(&self.rows.present.get(ticket)?.frame))));
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            worker.deliver(Delivery::Rows { topic, connection, rows });
        }
    }
}

fn frame(ticket: TicketId, users: Vec<Presence>) -> Arc<Frame> {
    let signal = Signal::Presence(PresenceSignal::Staff { ticket_id: Some(ticket), users });
    Frame::new(ServerFrame::Signal { topic: Topic::Workspace, signal })
}

//! Who is at which ticket, for the rows of lists: as the tickets told it last. Which socket is told of which row is known to its
//! fan-out.

use std::collections::HashMap;
use std::sync::Arc;

use hub_core::ids::TicketId;

use hub_core::wire::{Presence, PresenceSignal, ServerFrame, Signal, Topic};

use super::WorkspaceActor;
use crate::fanout::{ConnectionId, Delivery, FanoutHandle, Frame};

/// Tickets with somebody at them that a workspace remembers; of more, rows do not tell until there are fewer.
const MAX_TICKETS: usize = 20_000;

/// The tickets at which somebody is, each with what is told of it.
#[derive(Default)]
pub(super) struct Rows {
    present: HashMap<TicketId, Arc<Frame>>,
}

impl Rows {
    pub fn is_empty(&self) -> bool {
        self.present.is_empty()
    }
}

impl WorkspaceActor {
    /// These are at a ticket now.
    pub(super) fn row_presence(&mut self, ticket: TicketId, users: Vec<Presence>) {
        let (is_known, is_deserted) = (self.rows.present.contains_key(&ticket), users.is_empty());
        if !is_known && (is_deserted || self.rows.present.len() >= MAX_TICKETS) {
            return;
        }
        let signal = Signal::Presence(PresenceSignal::Staff { ticket_id: Some(ticket), users });
        let frame = Frame::new(ServerFrame::Signal { topic: Topic::Workspace, signal });
        if is_deserted {
            self.rows.present.remove(&ticket);
        } else {
            self.rows.present.insert(ticket, Arc::clone(&frame));
        }
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Row { topic, ticket, frame: Arc::clone(&frame) });
    }

    /// A socket watches these rows now: it is told who is there. What happens from now on follows on the same way.
    pub(super) fn tell_rows(&self, tickets: &[TicketId], connection: ConnectionId, worker: &FanoutHandle) {
        let topic = self.topic();
        let rows = tickets.iter().filter_map(|ticket| Some((*ticket, Arc::clone(self.rows.present.get(ticket)?))));
        let rows: Vec<_> = rows.collect();
        if !rows.is_empty() {
            worker.deliver(Delivery::Rows { topic, connection, rows });
        }
    }
}

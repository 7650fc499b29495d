//! Who of this worker's sockets is on which ticket. Each is a guard: however a socket or its watching ends, the ticket is told;
//! and where a ticket begins anew, it is told again.

use hub_core::ids::TicketKey;
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::Side;
use hub_core::rules::presence::Said;
use hub_core::wire::{Problem, Topic};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Fanout, Next, SetPresence, View, WAITING_PER_TOPIC};
use crate::Tickets;
use crate::fanout::{ConnectionId, Going};
use crate::metrics::Counted;
use crate::ticket::Announce;

/// That a socket's person is on a ticket. Dropped without a word, the connection counts as lost.
pub(super) struct AtTicket {
    tickets: Tickets,
    ticket: TicketKey,
    connection: ConnectionId,
    by: Asker,
    said: Said,
    said_at: Instant,
    going: Going,
    _counted: Counted,
}

impl AtTicket {
    /// Tells the ticket how it ends.
    pub(super) fn end(mut self, going: Going) {
        self.going = going;
    }

    /// Says once more what was said, as of then.
    pub(super) fn announce_again(&self) {
        let (answer, _) = oneshot::channel();
        self.announce(answer);
    }

    fn announce(&self, answer: oneshot::Sender<Result<(), Problem>>) {
        let (by, said) = (self.by.clone(), self.said.clone());
        let announce = Announce { connection: self.connection, by, said, said_at: self.said_at, answer };
        self.tickets.announce(self.ticket, announce);
    }
}

impl Drop for AtTicket {
    fn drop(&mut self) {
        self.tickets.presence_ended(self.ticket, self.connection, self.going);
    }
}

impl Fanout {
    /// Passed on where the socket watches the ticket, in order with its watching; else there is no such ticket for it.
    pub(super) fn set_presence(&mut self, message: SetPresence) {
        let SetPresence { connection, ticket, said, answer } = message;
        let Some(entry) = self.connections.get_mut(&connection) else { return };
        let topic = match entry.by.role.side() {
            Side::Staff => Topic::Ticket(ticket),
            Side::Customer | Side::Platform => Topic::Thread(ticket),
        };
        match entry.topics.get_mut(&topic) {
            None => return refuse(answer, Problem::not_found()),
            Some(View::Asking { live: None, then, .. }) if then.len() >= WAITING_PER_TOPIC => {
                return refuse(answer, Problem::busy(250));
            }
            Some(View::Asking { live: None, then, .. }) => {
                return then.push_back(Next::SetPresence(SetPresence { connection, ticket, said, answer }));
            }
            Some(View::Asking { live: Some(_), .. } | View::Live { .. } | View::Behind { .. }) => {}
        }
        let key = TicketKey { workspace: entry.workspace, ticket };
        let here = entry.at_tickets.entry(topic).or_insert_with(|| AtTicket {
            tickets: self.tickets.clone(),
            ticket: key,
            connection,
            by: entry.by.clone(),
            said: said.clone(),
            said_at: Instant::now(),
            going: Going::Lost,
            _counted: Counted::at_ticket(),
        });
        (here.said, here.said_at) = (said, Instant::now());
        here.announce(answer);
    }
}

fn refuse(answer: oneshot::Sender<Result<(), Problem>>, problem: Problem) {
    // Whoever asked may not want to know.
    drop(answer.send(Err(problem)));
}

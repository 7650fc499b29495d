//! What must be so of one ticket. Each file asks one question: is the log whole, did everybody see it, did every command
//! have the effect that its answers tell.

mod commands;
mod log;
mod streams;

use std::collections::HashMap;
use std::sync::Arc;

use hub_core::ids::{CommandKey, TicketId, UserId};

use super::history::{Fact, TicketHistory, View};
use super::{Breach, Fault};

/// All breaches of one ticket.
pub fn judge_ticket(ticket: &TicketHistory) -> Vec<Breach> {
    let mut docket = Docket::new(ticket);
    log::check(ticket, &mut docket);
    for client in &ticket.clients {
        streams::check(ticket, client, &mut docket);
        commands::check(client, &mut docket);
    }
    commands::check_order(ticket, &mut docket);
    docket.breaches
}

/// Breaches of what was shown of one ticket; whatever was asked for it.
pub fn judge_shown(ticket: &TicketHistory) -> Vec<Breach> {
    let mut docket = Docket::new(ticket);
    log::check_whole(ticket, &mut docket);
    for client in &ticket.clients {
        streams::check(ticket, client, &mut docket);
    }
    docket.breaches
}

/// Where breaches are noted, with the truth they are judged by.
struct Docket<'a> {
    ticket: TicketId,
    log: &'a [Arc<Fact>],
    thread: &'a [Arc<Fact>],
    log_keys: HashMap<CommandKey, u64>,
    thread_keys: HashMap<CommandKey, u64>,
    breaches: Vec<Breach>,
}

/// Which event a breach is about, as far as it is known.
#[derive(Clone, Copy, Default)]
struct About {
    seq: Option<u64>,
    key: Option<CommandKey>,
    user: Option<UserId>,
}

impl<'a> Docket<'a> {
    fn new(ticket: &'a TicketHistory) -> Self {
        let thread = ticket.thread.as_deref().unwrap_or_default();
        let keys = |log: &[Arc<Fact>]| log.iter().filter_map(|fact| Some((fact.key?, fact.seq))).collect();
        Self {
            ticket: ticket.id,
            log: &ticket.log,
            thread,
            log_keys: keys(&ticket.log),
            thread_keys: keys(thread),
            breaches: Vec::new(),
        }
    }

    fn note(&mut self, view: View, about: About, fault: Fault) {
        let About { seq, key, user } = about;
        self.breaches.push(Breach { ticket: self.ticket, view, seq, key, user, fault });
    }

    /// The log in the numbering of `view`.
    const fn truth(&self, view: View) -> &'a [Arc<Fact>] {
        match view {
            View::Ticket => self.log,
            View::Thread => self.thread,
        }
    }

    /// The event with this number in the numbering of `view`.
    fn at(&self, view: View, seq: u64) -> Option<&'a Fact> {
        let index = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.truth(view).get(index).map(Arc::as_ref)
    }

    /// Where the key stands in the numbering of `view`.
    fn place_of(&self, view: View, key: CommandKey) -> Option<u64> {
        match view {
            View::Ticket => self.log_keys.get(&key).copied(),
            View::Thread => self.thread_keys.get(&key).copied(),
        }
    }

    /// The first public reply or change of status by somebody else in `after + 1 .. before`.
    fn overlooked(&self, view: View, user: UserId, after: u64, before: u64) -> Option<u64> {
        let start = usize::try_from(after).unwrap_or(usize::MAX);
        let between = self.truth(view).iter().skip(start).take_while(|fact| fact.seq < before);
        between.filter(|fact| fact.is_public_deed() && fact.by != Some(user)).map(|fact| fact.seq).next()
    }
}

//! Is the log whole: numbered, in time, one event per key, nothing that nobody sent, and the thread its public part?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hub_core::ids::{CommandKey, UserId};

use super::super::Fault;
use super::super::history::{Command, Fact, TicketHistory, View, What};
use super::{About, Docket};

pub(super) fn check(ticket: &TicketHistory, docket: &mut Docket<'_>) {
    check_whole(ticket, docket);
    everything_was_sent(ticket, docket);
}

/// All of it but what was sent.
pub(super) fn check_whole(ticket: &TicketHistory, docket: &mut Docket<'_>) {
    numbered_and_in_time(View::Ticket, &ticket.log, docket);
    one_event_per_key(&ticket.log, docket);
    if let Some(thread) = &ticket.thread {
        numbered_and_in_time(View::Thread, thread, docket);
        is_the_public_part(&ticket.log, thread, docket);
    }
}

fn about(fact: &Fact) -> About {
    About { seq: Some(fact.seq), key: fact.key, user: fact.by }
}

fn numbered_and_in_time(view: View, log: &[Arc<Fact>], docket: &mut Docket<'_>) {
    if let Some((_, fact)) = (1..).zip(log).find(|(number, fact)| fact.seq != *number) {
        docket.note(view, about(fact), Fault::LogNotNumbered);
    }
    for pair in log.windows(2).filter(|pair| pair[1].at_ms < pair[0].at_ms) {
        docket.note(view, about(&pair[1]), Fault::TimeWentBack);
    }
}

fn one_event_per_key(log: &[Arc<Fact>], docket: &mut Docket<'_>) {
    let mut seen = HashSet::new();
    for fact in log.iter().filter(|fact| fact.key.is_some_and(|key| !seen.insert(key))) {
        docket.note(View::Ticket, about(fact), Fault::KeyTwice);
    }
}

/// Every reply since the run began was sent by one of its clients, by this author and with these words.
fn everything_was_sent(ticket: &TicketHistory, docket: &mut Docket<'_>) {
    let sent: HashMap<CommandKey, (UserId, &Command)> = ticket
        .clients
        .iter()
        .flat_map(|client| client.commands.iter().map(move |command| (command.key, (client.user, command))))
        .collect();
    for fact in ticket.log.iter().filter(|fact| fact.seq > ticket.heads.before) {
        let (is_note, body, forced) = match fact.what {
            What::Reply { body, forced } => (false, body, forced),
            What::Note { body } => (true, body, false),
            What::Created | What::StatusChanged | What::Merged | What::Internal(_) => continue,
        };
        let Some((user, command)) = fact.key.and_then(|key| sent.get(&key)) else {
            docket.note(View::Ticket, about(fact), Fault::NobodySentIt);
            continue;
        };
        let was_forced = command.attempts.iter().any(|attempt| attempt.force);
        let as_sent = fact.by == Some(*user) && command.body == body && command.is_note == is_note && (was_forced || !forced);
        if !as_sent {
            docket.note(View::Ticket, about(fact), Fault::ContentChanged);
        }
    }
}

fn is_the_public_part(log: &[Arc<Fact>], thread: &[Arc<Fact>], docket: &mut Docket<'_>) {
    for fact in thread.iter().filter(|fact| !fact.is_public() || fact.has_internal_fields) {
        docket.note(View::Thread, about(fact), Fault::InternalShown);
    }
    let public: Vec<&Arc<Fact>> = log.iter().filter(|fact| fact.is_public()).collect();
    let differs =
        public.iter().zip(thread).find(|(inside, outside)| inside.shared != outside.shared).map(|(_, fact)| about(fact));
    let shorter = || {
        let seq = Some(public.len().min(thread.len()) as u64 + 1);
        (public.len() != thread.len()).then_some(About { seq, ..About::default() })
    };
    if let Some(first) = differs.or_else(shorter) {
        docket.note(View::Thread, first, Fault::ThreadDiffers);
    }
}

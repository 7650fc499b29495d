//! Soft claims: who is answering the customer right now. A lease in the log, renewed by activity, never a lock.

use std::time::Duration;

use super::intent::{Asker, Refusal};
use super::ticket::TicketState;
use crate::time::UnixMs;
use crate::wire::{Claim, Event, PersonRef};

/// How long a claim lasts without a sign of life of its holder.
pub const LEASE: Duration = Duration::from_secs(90);
/// How long a claim outlives its holder's last connection.
pub const GRACE: Duration = Duration::from_secs(5);

/// What taking the claim leads to: nothing where the asker has it already.
///
/// # Errors
/// [`Refusal::Claimed`] where somebody else has it, unless `force`.
pub fn take(claim: Option<&Claim>, by: &Asker, force: bool, now: UnixMs) -> Result<Option<Event>, Refusal> {
    let taken = |from| Event::ClaimTaken { by: by.person(), until: now + LEASE, from };
    match claim {
        None => Ok(Some(taken(None))),
        Some(held) if held.by.id == by.user => Ok(None),
        Some(held) if force => Ok(Some(taken(Some(held.by.clone())))),
        Some(held) => Err(claimed(held)),
    }
}

/// What giving the claim up leads to: nothing where nobody has it.
///
/// # Errors
/// [`Refusal::Claimed`] where somebody else has it, unless `force`.
pub fn release(claim: Option<&Claim>, by: &Asker, force: bool) -> Result<Option<Event>, Refusal> {
    match claim {
        None => Ok(None),
        Some(held) if held.by.id == by.user || force => Ok(Some(Event::ClaimReleased { by: held.by.clone() })),
        Some(held) => Err(claimed(held)),
    }
}

/// The lease that began at `since` ran out; nothing where that claim is gone.
pub fn expire(claim: Option<&Claim>, since: UnixMs) -> Option<Event> {
    claim.filter(|held| held.since == since).map(|held| Event::ClaimExpired { by: held.by.clone() })
}

/// Is somebody other than `by` answering?
///
/// # Errors
/// [`Refusal::Claimed`], when so.
pub fn judge(ticket: &TicketState, by: &Asker) -> Result<(), Refusal> {
    match &ticket.claim {
        Some(held) if held.by.id != by.user => Err(claimed(held)),
        Some(_) | None => Ok(()),
    }
}

/// What sending does to the sender's own claim.
pub fn after_sending(ticket: &TicketState, by: &Asker) -> Option<Event> {
    let held = ticket.claim.as_ref().filter(|held| held.by.id == by.user)?;
    Some(Event::ClaimReleased { by: held.by.clone() })
}

/// What handing the ticket over does to the giver's own claim: it moves to a person, and ends where there is none.
pub fn after_handover(ticket: &TicketState, by: &Asker, to: Option<PersonRef>, now: UnixMs) -> Option<Event> {
    let held = ticket.claim.as_ref().filter(|held| held.by.id == by.user)?;
    Some(match to {
        Some(to) => Event::ClaimTaken { by: to, until: now + LEASE, from: Some(held.by.clone()) },
        None => Event::ClaimReleased { by: held.by.clone() },
    })
}

fn claimed(held: &Claim) -> Refusal {
    Refusal::Claimed { by: held.by.clone(), until: held.until }
}

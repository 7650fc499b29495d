//! Is there at most one holder at every point of the log, does every event about the claim fit what came before, and is a claim
//! never held for longer than its holder's activity allows?

use hub_core::ids::UserId;
use hub_core::wire::Audience;

use super::super::history::View;
use super::case::{Case, Exchange};
use super::history::{Ask, Entry, Room, Seen, State, What};
use super::read::is_staff;
use super::{About, Fault, GRACE_US, LEASE_US};

/// What the hub does by a timer may be late by so much: it looks once a second, and has other things to do.
const TIMER_US: u64 = 4_000_000;

pub(super) fn check(case: &mut Case<'_>) {
    let room = case.room;
    for entry in &room.log {
        fits(entry, case);
        if entry.seq > room.before {
            moves_on(entry, case);
        }
    }
    for holding in holdings(room) {
        is_a_lease(&holding, case);
    }
}

/// Every event about the claim names whoever held it before.
fn fits(entry: &Entry, case: &mut Case<'_>) {
    let holder = case.holder_at(entry.seq - 1);
    let is_right = match &entry.what {
        What::Taken { by, from } => *from == holder && holder != Some(*by),
        What::Released { by } | What::Expired { by } => holder == Some(*by),
        What::Reply { .. }
        | What::Status { .. }
        | What::Held { .. }
        | What::HeldCancelled { .. }
        | What::HandedOver { .. }
        | What::Acknowledged
        | What::Other(_) => true,
    };
    if !is_right {
        case.note(View::Ticket, About::entry(entry), Fault::ClaimMalformed);
    }
}

/// The holder's reply releases, the holder's handover to a person moves: within the same intent.
fn moves_on(entry: &Entry, case: &mut Case<'_>) {
    let Some(user) = entry.by.filter(|user| is_staff(entry.kind) && case.holder_at(entry.seq - 1) == Some(*user)) else {
        return;
    };
    let mut same_intent = case.room.log.iter().skip_while(|next| next.seq <= entry.seq).take_while(|next| next.key.is_none());
    let (is_right, fault) = match &entry.what {
        What::Reply { audience: Audience::Public, .. } => {
            (same_intent.any(|next| matches!(next.what, What::Released { by } if by == user)), Fault::NotReleasedByReply)
        }
        What::HandedOver { to: Some(to), .. } if *to != user => (
            same_intent.any(|next| matches!(next.what, What::Taken { by, from } if by == *to && from == Some(user))),
            Fault::NotMovedByHandover,
        ),
        What::Reply { .. }
        | What::Status { .. }
        | What::Held { .. }
        | What::HeldCancelled { .. }
        | What::HandedOver { .. }
        | What::Acknowledged
        | What::Taken { .. }
        | What::Released { .. }
        | What::Expired { .. }
        | What::Other(_) => return,
    };
    if !is_right {
        case.note(View::Ticket, About::entry(entry), fault);
    }
}

/// From taking a claim to whatever ended it.
struct Holding<'a> {
    taken: &'a Entry,
    holder: UserId,
    /// None: held to the end of the run.
    end: Option<&'a Entry>,
}

fn holdings(room: &Room) -> Vec<Holding<'_>> {
    let mut holdings: Vec<Holding<'_>> = Vec::new();
    for entry in &room.log {
        let by = match entry.what {
            What::Taken { by, .. } => Some(by),
            What::Released { .. } | What::Expired { .. } => None,
            What::Reply { .. }
            | What::Status { .. }
            | What::Held { .. }
            | What::HeldCancelled { .. }
            | What::HandedOver { .. }
            | What::Acknowledged
            | What::Other(_) => continue,
        };
        if let Some(last) = holdings.last_mut().filter(|last| last.end.is_none()) {
            last.end = Some(entry);
        }
        holdings.extend(by.map(|holder| Holding { taken: entry, holder, end: None }));
    }
    // What began before the run was renewed by people nobody watched.
    holdings.retain(|holding| holding.taken.seq > room.before);
    holdings
}

fn is_a_lease(holding: &Holding<'_>, case: &mut Case<'_>) {
    let end_us = holding.end.map_or(case.room.ended_us, |end| end.at_us);
    let about = About::entry(holding.end.unwrap_or(holding.taken));
    let during = |exchange: &&Exchange<'_>| exchange.sent_us <= end_us;
    let last_us = case.asks_of(holding.holder).filter(during).map(|exchange| exchange.sent_us).max();
    let last_us = last_us.unwrap_or(0).max(holding.taken.at_us);
    let mut faults = Vec::new();
    let late_us = TIMER_US + 2 * case.room.lag_us;
    if end_us > last_us + LEASE_US + late_us {
        faults.push(Fault::HeldTooLong);
    }
    if gone_for_us(holding, end_us, case.room) > GRACE_US + late_us {
        faults.push(Fault::HeldByNobodyThere);
    }
    if let Some(What::Expired { .. }) = holding.end.map(|end| &end.what) {
        let renewals = case.asks_of(holding.holder).filter(|exchange| renews(exchange) && exchange.over_us() <= end_us);
        let renewed_us = renewals.map(|exchange| exchange.sent_us).max().unwrap_or(0).max(holding.taken.at_us);
        if renewed_us + LEASE_US > end_us + case.slack_us {
            faults.push(Fault::ExpiredEarly);
        }
    }
    for fault in faults {
        case.note(View::Ticket, about, fault);
    }
}

/// What surely renews: asked with a number, and acked.
const fn renews(exchange: &Exchange<'_>) -> bool {
    exchange.acked_us().is_some()
        && matches!(
            exchange.ask,
            Ask::TakeClaim { .. } | Ask::Presence { state: State::Composing, audience: Some(Audience::Public) }
        )
}

/// The longest time within the holding for which its holder, having been there, was on no device.
fn gone_for_us(holding: &Holding<'_>, end_us: u64, room: &Room) -> u64 {
    let devices = room.devices.iter().filter(|device| device.user == holding.holder);
    let mut changes: Vec<(u64, i32)> = devices.flat_map(|device| there(&device.moments)).collect();
    changes.sort_unstable();
    let (mut there, mut gone_since, mut longest) = (0, None, 0);
    for (at_us, change) in changes.into_iter().take_while(|(at_us, _)| *at_us <= end_us) {
        there += change;
        if there == 0 {
            // Whoever was gone before it was given to them has not left it.
            gone_since = Some(at_us).filter(|at_us| *at_us >= holding.taken.at_us);
        } else if let Some(since_us) = gone_since.take() {
            longest = longest.max(at_us - since_us);
        }
    }
    gone_since.map_or(longest, |since_us| longest.max(end_us.saturating_sub(since_us)))
}

/// When a device came (1) and went (-1).
fn there(moments: &[super::history::Moment]) -> Vec<(u64, i32)> {
    let (mut changes, mut is_there) = (Vec::new(), false);
    for moment in moments {
        match &moment.seen {
            Seen::Asked { ask: Ask::Subscribe, .. } if !is_there => {
                is_there = true;
                changes.push((moment.at_us, 1));
            }
            Seen::Left | Seen::Lost if is_there => {
                is_there = false;
                changes.push((moment.at_us, -1));
            }
            Seen::Left
            | Seen::Lost
            | Seen::Asked { .. }
            | Seen::Answered { .. }
            | Seen::Joined { .. }
            | Seen::Event { .. }
            | Seen::Signal(_) => {}
        }
    }
    changes
}

//! Does every held reply have exactly one end, in time, judged again, and never two?

use hub_core::ids::CommandKey;

use super::super::history::View;
use super::case::Case;
use super::history::{Entry, What};
use super::{About, Fault};

/// Timers look once a second; the rest is for a machine with other things to do.
const LATE_US: u64 = 5_000_000;
/// Times are told in whole milliseconds.
const EARLY_US: u64 = 2_000;

pub(super) fn check(case: &mut Case<'_>) {
    for entry in &case.room.log {
        match &entry.what {
            What::Held { .. } if entry.seq > case.room.before => has_one_end(entry, case),
            What::Reply { held_key: Some(held_key), .. } => was_held(entry, *held_key, case),
            What::Held { .. }
            | What::Reply { .. }
            | What::Status { .. }
            | What::HeldCancelled { .. }
            | What::HandedOver { .. }
            | What::Acknowledged
            | What::Taken { .. }
            | What::Released { .. }
            | What::Expired { .. }
            | What::Other(_) => {}
        }
    }
}

/// The one it was held for, when an event ends a held reply.
const fn ends(entry: &Entry) -> Option<CommandKey> {
    match &entry.what {
        What::Reply { held_key, .. } => *held_key,
        What::HeldCancelled { held_key } => Some(*held_key),
        What::Held { .. }
        | What::Status { .. }
        | What::HandedOver { .. }
        | What::Acknowledged
        | What::Taken { .. }
        | What::Released { .. }
        | What::Expired { .. }
        | What::Other(_) => None,
    }
}

fn has_one_end(held: &Entry, case: &mut Case<'_>) {
    let What::Held { release_at_us, .. } = held.what else { return };
    let late_us = release_at_us + LATE_US + 2 * case.room.lag_us;
    let ended = case.room.log.iter().filter(|entry| entry.seq > held.seq && ends(entry) == held.key && held.key.is_some());
    let ends: Vec<&Entry> = ended.collect();
    match ends.as_slice() {
        [] if case.room.ended_us > late_us => case.note(View::Ticket, About::entry(held), Fault::HeldForgotten),
        [] => {}
        [end] if end.at_us > late_us => case.note(View::Ticket, About::entry(end), Fault::HeldForgotten),
        [_] => {}
        [_, second, ..] => case.note(View::Ticket, About::entry(second), Fault::HeldTwice),
    }
}

fn was_held(sent: &Entry, held_key: CommandKey, case: &mut Case<'_>) {
    let about = About::entry(sent);
    let held = case.entry_of(held_key).filter(|held| held.seq < sent.seq);
    let (Some(held), What::Reply { audience, body, .. }) = (held, &sent.what) else {
        case.note(View::Ticket, about, Fault::NobodyAskedForIt);
        return;
    };
    let What::Held { audience: wanted, body: written, based_on, forced, release_at_us } = &held.what else {
        case.note(View::Ticket, about, Fault::NobodyAskedForIt);
        return;
    };
    if (audience, body, sent.by) != (wanted, written, held.by) {
        case.note(View::Ticket, about, Fault::ContentChanged);
    }
    if sent.at_us + EARLY_US < *release_at_us {
        case.note(View::Ticket, about, Fault::ReleasedEarly);
    }
    let (Some(user), true) = (held.by, sent.is_public_deed() && !forced) else { return };
    if let Some(overlooked) = case.overlooked(user, based_on.unwrap_or(0), sent.seq) {
        case.note(View::Ticket, about, Fault::Blind { overlooked });
    }
    if let Some(holder) = case.holder_at(sent.seq - 1).filter(|holder| *holder != user) {
        case.note(View::Ticket, about, Fault::PassedAClaim { holder });
    }
}

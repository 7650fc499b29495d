//! Did every intent have the effect that its answers tell: acked is in the log where the ack says, refused is not, and the log
//! holds nothing that nobody asked for or that says something else?

use std::collections::HashMap;

use super::super::history::View;
use super::case::{Case, Exchange, Outcome};
use super::history::{Answer, Ask, Entry, What};
use super::{About, Fault};
use hub_core::ids::CommandKey;

pub(super) fn check(case: &mut Case<'_>) {
    let mut intents: HashMap<CommandKey, Vec<Exchange<'_>>> = HashMap::new();
    for exchange in &case.exchanges {
        if let Some(key) = exchange.ask.key() {
            intents.entry(key).or_default().push(*exchange);
        }
    }
    for (key, attempts) in &intents {
        acked_is_there(*key, attempts, case);
        refused_is_not(*key, attempts, case);
    }
    for entry in case.room.log.iter().filter(|entry| entry.seq > case.room.before) {
        let Some(attempts) = entry.key.and_then(|key| intents.get(&key)) else {
            if is_asked_for(entry) {
                case.note(View::Ticket, About::entry(entry), Fault::NobodyAskedForIt);
            }
            continue;
        };
        if !attempts.iter().any(|attempt| says_the_same(attempt, entry)) {
            case.note(View::Ticket, About::entry(entry), Fault::ContentChanged);
        }
    }
}

fn acked_is_there(key: CommandKey, attempts: &[Exchange<'_>], case: &mut Case<'_>) {
    for attempt in attempts {
        let Outcome::Told { answer: Answer::Acked { seq, .. }, .. } = attempt.outcome else { continue };
        let view = attempt.device.view;
        let place = seq.and_then(|seq| case.ticket_seq(view, seq)).and_then(|seq| case.entry(seq));
        if place.is_none_or(|entry| entry.key != Some(key)) {
            case.note(view, About { seq: *seq, key: Some(key), user: Some(attempt.device.user) }, Fault::AckedButLost);
        }
    }
}

fn refused_is_not(key: CommandKey, attempts: &[Exchange<'_>], case: &mut Case<'_>) {
    let Some(entry) = case.entry_of(key) else { return };
    if attempts.iter().any(Exchange::may_have_acted) {
        return;
    }
    let mut codes = attempts.iter().rev().filter_map(|attempt| match attempt.outcome {
        Outcome::Told { answer: Answer::Refused { code, .. }, .. } => Some(*code),
        Outcome::Told { .. } | Outcome::Lost { .. } | Outcome::Open => None,
    });
    if let Some(code) = codes.next() {
        case.note(View::Ticket, About::entry(entry), Fault::RefusedButDone(code));
    }
}

/// True for what only happens when somebody asks for it. What the hub does by itself has keys of its own making, or none; a held
/// reply's release is `held`'s matter.
const fn is_asked_for(entry: &Entry) -> bool {
    match &entry.what {
        What::Reply { held_key, .. } => held_key.is_none(),
        What::Held { .. } | What::HandedOver { .. } | What::Acknowledged => true,
        What::Status { .. }
        | What::HeldCancelled { .. }
        | What::Taken { .. }
        | What::Released { .. }
        | What::Expired { .. }
        | What::Other(_) => false,
    }
}

fn says_the_same(attempt: &Exchange<'_>, entry: &Entry) -> bool {
    entry.by == Some(attempt.device.user)
        && match (attempt.ask, &entry.what) {
            (Ask::Post { audience, body, hold_ms: 0, .. }, What::Reply { audience: a, body: b, .. })
            | (Ask::Post { audience, body, hold_ms: 1.., .. }, What::Held { audience: a, body: b, .. }) => {
                audience == a && body == b
            }
            (Ask::Post { .. }, _) | (_, What::Reply { .. } | What::Held { .. }) => false,
            (Ask::HandOver { to, .. }, What::HandedOver { to: moved_to, .. }) => to == moved_to,
            (Ask::CancelHeld { held_key, .. }, What::HeldCancelled { held_key: cancelled }) => held_key == cancelled,
            // What is so already is answered by an event that says just that.
            (_, _) => true,
        }
}

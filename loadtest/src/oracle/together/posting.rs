//! Did nothing public pass blindly or over somebody else's claim, was every refusal right, and is insisting recorded when, and only
//! when, somebody insisted?

use hub_core::wire::{Audience, ErrorCode};

use super::super::history::View;
use super::case::{Case, Exchange, Outcome};
use super::history::{Answer, Ask, Entry, What};
use super::read::is_staff;
use super::{About, Fault};

pub(super) fn check(case: &mut Case<'_>) {
    for entry in case.room.log.iter().filter(|entry| entry.seq > case.room.before && is_staff(entry.kind)) {
        if let Some(forced) = judged_deed(entry) {
            passed_rightly(entry, forced, case);
        }
    }
    for exchange in case.exchanges.clone() {
        let Some(post) = Post::of(exchange.ask) else { continue };
        if let Outcome::Told { at_us, answer } = exchange.outcome {
            refused_rightly(&exchange, post, at_us, answer, case);
        }
    }
}

/// For what is judged when it is asked for, whether it says that somebody insisted.
fn judged_deed(entry: &Entry) -> Option<bool> {
    match &entry.what {
        // Without a key it is part of another intent, or the hub's own.
        _ if entry.key.is_none() => None,
        What::Reply { audience: Audience::Public, forced, held_key: None, .. }
        | What::Held { audience: Audience::Public, forced, .. }
        | What::Status { forced } => Some(*forced),
        What::Reply { .. }
        | What::Held { .. }
        | What::HeldCancelled { .. }
        | What::HandedOver { .. }
        | What::Acknowledged
        | What::Taken { .. }
        | What::Released { .. }
        | What::Expired { .. }
        | What::Other(_) => None,
    }
}

fn passed_rightly(entry: &Entry, forced: bool, case: &mut Case<'_>) {
    let attempts = case.exchanges.iter().filter(|exchange| exchange.ask.key() == entry.key && exchange.may_have_acted());
    let attempts: Vec<(Option<u64>, bool)> =
        attempts.filter_map(|exchange| Post::of(exchange.ask)).map(|post| (post.based_on, post.force)).collect();
    let (Some(user), false) = (entry.by, attempts.is_empty()) else { return };
    let alike: Vec<Option<u64>> =
        attempts.iter().filter(|(_, force)| *force == forced).map(|(based_on, _)| *based_on).collect();
    if alike.is_empty() {
        case.note(View::Ticket, About::entry(entry), Fault::ForcedWrong);
        return;
    }
    if forced {
        return;
    }
    let overlooked = |based_on: &Option<u64>| based_on.map_or(Some(entry.seq), |seen| case.overlooked(user, seen, entry.seq));
    let overlooked: Vec<Option<u64>> = alike.iter().map(overlooked).collect();
    if overlooked.iter().all(Option::is_some) {
        let overlooked = overlooked.into_iter().flatten().min().unwrap_or(entry.seq);
        case.note(View::Ticket, About::entry(entry), Fault::Blind { overlooked });
    }
    if let Some(holder) = case.holder_at(entry.seq - 1).filter(|holder| *holder != user) {
        case.note(View::Ticket, About::entry(entry), Fault::PassedAClaim { holder });
    }
}

/// What of a reply or a change of status is judged.
#[derive(Clone, Copy)]
struct Post {
    based_on: Option<u64>,
    force: bool,
    is_note: bool,
}

impl Post {
    const fn of(ask: &Ask) -> Option<Self> {
        match ask {
            Ask::Post { audience, based_on, force, .. } => {
                Some(Self { based_on: *based_on, force: *force, is_note: matches!(audience, Audience::Internal) })
            }
            Ask::Status { based_on, force, .. } => Some(Self { based_on: *based_on, force: *force, is_note: false }),
            Ask::Subscribe
            | Ask::Leave
            | Ask::CancelHeld { .. }
            | Ask::HandOver { .. }
            | Ask::Acknowledge { .. }
            | Ask::Other { .. }
            | Ask::TakeClaim { .. }
            | Ask::ReleaseClaim { .. }
            | Ask::SaveDraft { .. }
            | Ask::Discard { .. }
            | Ask::Presence { .. } => None,
        }
    }
}

fn refused_rightly(exchange: &Exchange<'_>, post: Post, told_us: u64, answer: &Answer, case: &mut Case<'_>) {
    let Answer::Refused { code, events, is_reset, by, .. } = answer else { return };
    if !matches!(code, ErrorCode::Stale | ErrorCode::Claimed) {
        return;
    }
    let user = exchange.device.user;
    let about = About { seq: None, key: exchange.ask.key(), user: Some(user) };
    let view = exchange.device.view;
    if post.force || post.is_note || view == View::Thread {
        case.note(view, about, Fault::NeverRefusedRefused(*code));
        return;
    }
    let based_on = post.based_on.unwrap_or(0);
    // Whoever asks can be judged by no less than what anybody knew before.
    let known = case.head_known_at(exchange.sent_us);
    if *code == ErrorCode::Claimed {
        if case.overlooked(user, based_on, known + 1).is_some() {
            case.note(view, about, Fault::ClaimedBeforeStale);
        }
        let until = case.head_known_at(told_us + case.slack_us).max(known);
        if !(known..=until).any(|seq| case.holder_at(seq).is_some_and(|holder| holder != user && Some(holder) == *by)) {
            case.note(view, about, Fault::ClaimedWithoutCause);
        }
        return;
    }
    let until = match events {
        None if *is_reset => u64::MAX,
        None => {
            case.note(view, about, Fault::MissedEventsWrong);
            return;
        }
        Some(events) => {
            let is_true = |(seq, digest): &(u64, u64)| case.entry(*seq).is_some_and(|entry| entry.digest == *digest);
            let is_run = (based_on + 1..).zip(events).all(|(seq, missed)| missed.0 == seq && is_true(missed));
            let last = events.last().map_or(based_on, |(seq, _)| *seq);
            if !is_run || last < known {
                case.note(view, about, Fault::MissedEventsWrong);
                return;
            }
            last + 1
        }
    };
    if case.overlooked(user, based_on, until).is_none() {
        case.note(view, about, Fault::StaleWithoutCause);
    }
}

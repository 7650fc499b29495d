//! What a run came to, read off the histories: what was asked and refused, and how soon others saw who composes and who took over.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use hub_core::ids::UserId;
use hub_core::wire::Audience;

use super::Manner;
use crate::oracle::code_name;
use crate::oracle::history::View;
use crate::oracle::together::history::{Answer, Ask, Device, Present, Room, Seen, Sign, State, What};
use crate::oracle::together::{COMPOSING_US, SLACK_US, given_up_unseen, most_in_a_second};
use crate::report::Spread;
use crate::report::own::Collide;

/// The figures of a run.
pub fn of(rooms: &[Room], manner: Manner, measured: Duration, answer_ms: Spread) -> Collide {
    let devices = || rooms.iter().flat_map(|room| &room.devices);
    let mut figures =
        Collide { manner: manner.name().to_owned(), devices: devices().count() as u64, answer_ms, ..Collide::default() };
    let agents: BTreeSet<UserId> = devices().filter(|device| device.view == View::Ticket).map(|device| device.user).collect();
    figures.agents = agents.len() as u64;
    for moment in devices().flat_map(|device| &device.moments) {
        match &moment.seen {
            Seen::Asked { ask, .. } => count(&mut figures.actions, ask.name()),
            Seen::Answered { answer: Answer::Refused { code, .. }, .. } => count(&mut figures.refused, &code_name(*code)),
            Seen::Signal(_) => figures.signals += 1,
            Seen::Answered { .. } | Seen::Joined { .. } | Seen::Event { .. } | Seen::Left | Seen::Lost => {}
        }
    }
    for entry in rooms.iter().flat_map(|room| room.log.iter().filter(|entry| entry.seq > room.before)) {
        count(&mut figures.events, name_of(&entry.what));
    }
    figures.signals_per_s = figures.signals as f64 / measured.as_secs_f64().max(0.001);
    figures.presence_frames_per_s_max = devices().map(most_in_a_second).max().unwrap_or(0);
    figures.drafts_given_up_unseen = rooms.iter().map(given_up_unseen).sum();
    figures.presence_ms = Spread::of_us(rooms.iter().flat_map(presence_us));
    figures.claim_ms = Spread::of_us(rooms.iter().flat_map(claims_us));
    figures
}

/// From asking until the answer, where one was wanted and came.
pub fn answers_us(device: &Device) -> Vec<u64> {
    let mut asked = HashMap::new();
    let mut samples = Vec::new();
    for moment in &device.moments {
        match &moment.seen {
            Seen::Asked { id: Some(id), .. } => {
                asked.insert(*id, moment.at_us);
            }
            Seen::Answered { id, .. } => samples.extend(asked.remove(id).map(|asked_us| moment.at_us - asked_us)),
            Seen::Asked { .. } | Seen::Joined { .. } | Seen::Event { .. } | Seen::Signal(_) | Seen::Left | Seen::Lost => {}
        }
    }
    samples
}

fn count(kinds: &mut BTreeMap<String, u64>, kind: &str) {
    *kinds.entry(kind.to_owned()).or_default() += 1;
}

fn name_of(what: &What) -> &str {
    match what {
        What::Reply { held_key: Some(_), .. } => "held reply posted",
        What::Reply { audience: Audience::Public, .. } => "reply_posted",
        What::Reply { audience: Audience::Internal, .. } => "note",
        What::Status { .. } => "status_changed",
        What::Held { .. } => "reply_held",
        What::HeldCancelled { .. } => "held_cancelled",
        What::HandedOver { .. } => "handed_over",
        What::Acknowledged => "handoff_acknowledged",
        What::Taken { from: None, .. } => "claim_taken",
        What::Taken { from: Some(_), .. } => "claim_taken_over",
        What::Released { .. } => "claim_released",
        What::Expired { .. } => "claim_expired",
        What::Other(kind) => kind,
    }
}

/// Asks of one kind: when, and by whom.
fn asks(room: &Room, is_meant: impl Fn(&Ask) -> bool) -> Vec<(u64, UserId)> {
    let of = |device: &Device| -> Vec<(u64, UserId)> {
        let asked = device.moments.iter().filter(|moment| matches!(&moment.seen, Seen::Asked { ask, .. } if is_meant(ask)));
        asked.map(|moment| (moment.at_us, device.user)).collect()
    };
    let mut asks: Vec<_> = room.devices.iter().flat_map(of).collect();
    asks.sort_unstable();
    asks
}

/// From announcing, after a time in which it did not, that one composes, until each other viewer was shown it.
fn presence_us(room: &Room) -> Vec<u64> {
    let announced = asks(room, |ask| matches!(ask, Ask::Presence { state: State::Composing, .. }));
    let is_new = |(index, (at_us, user)): &(usize, &(u64, UserId))| {
        let before = announced[..*index].iter().rev().find(|(_, whose)| whose == user);
        before.is_none_or(|(before_us, _)| before_us + COMPOSING_US + SLACK_US < *at_us)
    };
    let mut samples = Vec::new();
    for (_, (asked_us, user)) in announced.iter().enumerate().filter(is_new) {
        let others = room.devices.iter().filter(|device| device.view == View::Ticket && device.user != *user);
        samples.extend(others.filter_map(|device| shown_after(device, *user, *asked_us)));
    }
    samples
}

/// How long after `asked_us` a device that did not see so before was shown that somebody composes.
fn shown_after(device: &Device, user: UserId, asked_us: u64) -> Option<u64> {
    let composes = |set: &[Present]| set.iter().any(|one| one.user == user && one.state == State::Composing);
    let mut showings = device.moments.iter().filter_map(|moment| match &moment.seen {
        Seen::Signal(Sign::Presence(set)) => Some((moment.at_us, Some(composes(set)))),
        Seen::Joined { live, .. } => Some((moment.at_us, Some(composes(&live.presence)))),
        Seen::Left | Seen::Lost => Some((moment.at_us, None)),
        Seen::Asked { .. } | Seen::Answered { .. } | Seen::Event { .. } | Seen::Signal(_) => None,
    });
    let mut before = None;
    let first = loop {
        let (at_us, shown) = showings.next()?;
        if at_us > asked_us {
            break (at_us, shown);
        }
        before = shown;
    };
    // Whoever was not there, or saw it already, tells nothing.
    before.filter(|composes| !composes)?;
    let later =
        std::iter::once(first).chain(showings).take_while(|(at_us, shown)| shown.is_some() && *at_us < asked_us + SLACK_US);
    later.into_iter().find(|(_, shown)| *shown == Some(true)).map(|(at_us, _)| at_us - asked_us)
}

/// From asking for the claim, or composing, until each other viewer who was there all the time was shown the event. What a handover
/// moves was not asked for by whoever has it then.
fn claims_us(room: &Room) -> Vec<u64> {
    let asked = asks(room, |ask| {
        matches!(ask, Ask::TakeClaim { .. } | Ask::Presence { state: State::Composing, audience: Some(Audience::Public) })
    });
    let mut samples = Vec::new();
    for (index, entry) in room.log.iter().enumerate() {
        let What::Taken { by, .. } = entry.what else { continue };
        let is_moved =
            room.log[index.saturating_sub(2)..index].iter().any(|before| matches!(before.what, What::HandedOver { .. }));
        let others = || room.devices.iter().filter(|device| device.view == View::Ticket && device.user != by);
        let Some(first_us) = others().filter_map(|device| shown_event(device, entry.seq)).min() else { continue };
        let cause = asked.iter().rev().find(|(at_us, user)| *user == by && *at_us < first_us);
        if let Some((asked_us, _)) = cause.filter(|(at_us, _)| !is_moved && at_us + SLACK_US > first_us) {
            let shown = others().filter_map(|device| {
                let at_us = shown_event(device, entry.seq)?;
                was_there(device, *asked_us, at_us).then_some(at_us - asked_us)
            });
            samples.extend(shown);
        }
    }
    samples
}

/// When a device was shown an event.
fn shown_event(device: &Device, wanted: u64) -> Option<u64> {
    device.moments.iter().find(|moment| matches!(moment.seen, Seen::Event { seq } if seq == wanted)).map(|moment| moment.at_us)
}

/// True for a device that watched at the first of these times, and neither left nor came back until the second.
fn was_there(device: &Device, from_us: u64, until_us: u64) -> bool {
    let changes = device.moments.iter().filter_map(|moment| match &moment.seen {
        Seen::Joined { .. } => Some((moment.at_us, true)),
        Seen::Left | Seen::Lost => Some((moment.at_us, false)),
        Seen::Asked { .. } | Seen::Answered { .. } | Seen::Event { .. } | Seen::Signal(_) => None,
    });
    let mut was_there = false;
    for (at_us, is_there) in changes.take_while(|(at_us, _)| *at_us <= until_us) {
        if at_us > from_us {
            return false;
        }
        was_there = is_there;
    }
    was_there
}

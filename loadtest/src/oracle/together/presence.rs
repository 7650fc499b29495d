//! Does everybody see who is there: those who announced themselves, in the state they told, nobody else, nobody who has left, no
//! more often than ten times a second, and customers none of it but that support is composing?

use hub_core::ids::UserId;
use hub_core::wire::Audience;

use super::super::history::View;
use super::case::Case;
use super::history::{Ask, Device, Present, Room, Seen, Sign, State};
use super::{About, COMPOSING_US, FRAMES_A_SECOND, Fault, GRACE_US};

/// What a device was shown of who is there; none while it is not subscribed.
struct Showing<'a> {
    at_us: u64,
    set: Option<&'a [Present]>,
}

/// When somebody was there, over all devices: from the first ask to be let in until the last was gone.
#[derive(Clone, Copy)]
struct Stay {
    from_us: u64,
    /// None: to the end.
    to_us: Option<u64>,
    /// By its own word, and no other device lost its connection shortly before.
    has_left: bool,
}

pub(super) fn check(case: &mut Case<'_>) {
    let room = case.room;
    let mut people: Vec<UserId> = room.devices.iter().map(|device| device.user).collect();
    people.sort_unstable();
    people.dedup();
    let stays: Vec<(UserId, Vec<Stay>)> = people.into_iter().map(|user| (user, stays_of(room, user, case.slack_us))).collect();
    for device in &room.devices {
        let frames = most_in_a_second(device);
        // What is late comes together with what is not.
        let late = 2 * room.lag_us * 10 / 1_000_000;
        if frames > FRAMES_A_SECOND + late {
            case.note(device.view, About::user(device.user), Fault::TooManyFrames(frames));
        }
        match device.view {
            View::Thread => customers_part(device, case),
            View::Ticket => {
                let showings = showings_of(device);
                for showing in &showings {
                    all_are_there(device, showing, &stays, case);
                }
                for (user, stays) in stays.iter().filter(|(user, _)| *user != device.user) {
                    goings_show(device, &showings, *user, stays, case);
                    comings_show(device, &showings, *user, case);
                }
            }
        }
    }
}

fn showings_of(device: &Device) -> Vec<Showing<'_>> {
    let shown = device.moments.iter().filter_map(|moment| match &moment.seen {
        Seen::Joined { live, .. } => Some(Showing { at_us: moment.at_us, set: Some(&live.presence) }),
        Seen::Signal(Sign::Presence(set)) => Some(Showing { at_us: moment.at_us, set: Some(set) }),
        Seen::Left | Seen::Lost => Some(Showing { at_us: moment.at_us, set: None }),
        Seen::Asked { .. } | Seen::Answered { .. } | Seen::Event { .. } | Seen::Signal(_) => None,
    });
    shown.collect()
}

/// What the device saw at a time, when it was subscribed without a break since `since_us`.
fn seen_at<'a>(showings: &[Showing<'a>], since_us: u64, at_us: u64) -> Option<&'a [Present]> {
    let next = showings.partition_point(|showing| showing.at_us <= at_us);
    let before = showings.partition_point(|showing| showing.at_us <= since_us);
    showings[before.saturating_sub(1)..next].iter().all(|showing| showing.set.is_some()).then_some(())?;
    if before == 0 {
        return None;
    }
    showings[next.checked_sub(1)?].set
}

fn stays_of(room: &Room, user: UserId, slack_us: u64) -> Vec<Stay> {
    /// A change of one device: it came, left, or was lost.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    enum Change {
        Came,
        Left,
        Lost,
    }
    let mut changes: Vec<(u64, Change)> = Vec::new();
    for device in room.devices.iter().filter(|device| device.user == user) {
        let mut is_there = false;
        for moment in &device.moments {
            let change = match &moment.seen {
                Seen::Asked { ask: Ask::Subscribe, .. } if !is_there => Change::Came,
                Seen::Left if is_there => Change::Left,
                Seen::Lost if is_there => Change::Lost,
                _ => continue,
            };
            is_there = change == Change::Came;
            changes.push((moment.at_us, change));
        }
    }
    changes.sort_unstable();
    let (mut stays, mut there, mut lost_us) = (Vec::<Stay>::new(), 0, None::<u64>);
    for (at_us, change) in changes {
        there += if change == Change::Came { 1 } else { -1 };
        if change == Change::Lost {
            lost_us = Some(at_us);
        }
        let is_first = change == Change::Came && there == 1;
        if is_first {
            stays.push(Stay { from_us: at_us, to_us: None, has_left: false });
        } else if let Some(last) = stays.last_mut().filter(|_| there == 0) {
            last.to_us = Some(at_us);
            last.has_left = lost_us.is_none_or(|lost_us| lost_us + GRACE_US + slack_us < at_us);
        }
    }
    stays
}

/// Whoever is shown is, or was lately, there, once, and says so of itself.
fn all_are_there(device: &Device, showing: &Showing<'_>, stays: &[(UserId, Vec<Stay>)], case: &mut Case<'_>) {
    let set = showing.set.unwrap_or_default();
    let about = About::user(device.user);
    for (index, present) in set.iter().enumerate() {
        let user = present.user;
        if set[..index].iter().any(|other| other.user == user) {
            case.note(device.view, about, Fault::ShownTwice(user));
        }
        let of_user = stays.iter().find(|(whose, _)| *whose == user).map(|(_, stays)| stays.as_slice()).unwrap_or_default();
        let was_there = |stay: &Stay| {
            let until_us = stay.to_us.map_or(u64::MAX, |to_us| to_us + GRACE_US + case.slack_us);
            (stay.from_us..=until_us).contains(&showing.at_us) && has_announced(case, user, stay.from_us, showing.at_us)
        };
        if !of_user.iter().any(was_there) {
            case.note(device.view, about, Fault::Uninvited(user));
            continue;
        }
        let composes = present.state == State::Composing && !present.is_lost;
        if composes && !said_composing(case, |whose| whose == user, present.audience, showing.at_us) {
            case.note(device.view, about, Fault::NotComposing(user));
        }
    }
}

/// True when somebody said in that time what it does there, on whichever device.
fn has_announced(case: &Case<'_>, user: UserId, from_us: u64, until_us: u64) -> bool {
    let mut said = case.asks_of(user).filter(|exchange| matches!(exchange.ask, Ask::Presence { .. }));
    said.any(|exchange| (from_us..=until_us).contains(&exchange.sent_us))
}

/// True when such a person said lately that it composes, for that audience if one is shown.
fn said_composing(case: &Case<'_>, is_meant: impl Fn(UserId) -> bool, audience: Option<Audience>, at_us: u64) -> bool {
    let since_us = at_us.saturating_sub(COMPOSING_US + case.slack_us);
    case.exchanges.iter().any(|exchange| match exchange.ask {
        Ask::Presence { state: State::Composing, audience: told } => {
            (since_us..=at_us).contains(&exchange.sent_us)
                && is_meant(exchange.device.user)
                && (audience.is_none() || audience == *told || told.is_none())
        }
        _ => false,
    })
}

/// Who left is gone at once; who was lost is marked at once, and gone after the grace.
fn goings_show(device: &Device, showings: &[Showing<'_>], user: UserId, stays: &[Stay], case: &mut Case<'_>) {
    for (index, stay) in stays.iter().enumerate() {
        let Some(gone_us) = stay.to_us else { continue };
        let back_us = stays.get(index + 1).map_or(u64::MAX, |next| next.from_us);
        let shown = |after_us: u64| {
            let at_us = gone_us + after_us;
            let set = seen_at(showings, gone_us, at_us).filter(|_| at_us < back_us && at_us <= case.room.ended_us)?;
            set.iter().find(|present| present.user == user)
        };
        let about = About::user(device.user);
        let soon = shown(case.slack_us);
        if soon.is_some() && stay.has_left || shown(GRACE_US + case.slack_us).is_some() {
            case.note(device.view, about, Fault::StillShown(user));
        } else if soon.is_some_and(|present| !present.is_lost) {
            case.note(device.view, about, Fault::NotMarkedLost(user));
        }
    }
}

/// Who announced itself, was acked and stays, is shown.
fn comings_show(device: &Device, showings: &[Showing<'_>], user: UserId, case: &mut Case<'_>) {
    let mut faults = 0;
    for exchange in case.asks_of(user) {
        let (Ask::Presence { .. }, Some(acked_us)) = (exchange.ask, exchange.acked_us()) else { continue };
        let until_us = acked_us + case.slack_us;
        let stayed = |moment: &super::history::Moment| {
            !(exchange.sent_us..=until_us).contains(&moment.at_us) || !matches!(moment.seen, Seen::Left | Seen::Lost)
        };
        let stays = until_us <= case.room.ended_us && exchange.device.moments.iter().all(stayed);
        let set = seen_at(showings, acked_us, until_us).filter(|_| stays);
        if set.is_some_and(|set| !set.iter().any(|present| present.user == user)) {
            faults += 1;
        }
    }
    for _ in 0..faults {
        case.note(device.view, About::user(device.user), Fault::NotShown(user));
    }
}

/// Customers are told that support is composing a reply, never that it writes a note, and never who.
fn customers_part(device: &Device, case: &mut Case<'_>) {
    for moment in &device.moments {
        let composes = match &moment.seen {
            Seen::Joined { live, .. } => live.is_support_composing,
            Seen::Signal(Sign::Support(composes)) => *composes,
            Seen::Signal(Sign::Secret(words)) => {
                case.note(device.view, About::user(device.user), Fault::Secret(words.clone()));
                continue;
            }
            Seen::Signal(_) | Seen::Asked { .. } | Seen::Answered { .. } | Seen::Event { .. } | Seen::Left | Seen::Lost => {
                continue;
            }
        };
        // A connection that is lost while composing stands for as long as the grace.
        let lately = |at_us: u64| said_composing(case, |whose| whose != device.user, Some(Audience::Public), at_us);
        if composes && !lately(moment.at_us) && !lately(moment.at_us.saturating_sub(GRACE_US)) {
            case.note(device.view, About::user(device.user), Fault::SupportNotComposing);
        }
    }
}

/// The most presence frames that a device was sent within a second.
pub fn most_in_a_second(device: &Device) -> u64 {
    let is_presence = |seen: &Seen| matches!(seen, Seen::Signal(Sign::Presence(_) | Sign::Support(_)));
    let times: Vec<u64> = device.moments.iter().filter(|moment| is_presence(&moment.seen)).map(|moment| moment.at_us).collect();
    let mut first = 0;
    let windows = times.iter().enumerate().map(|(last, at_us)| {
        while times[first] + 1_000_000 <= *at_us {
            first += 1;
        }
        last - first + 1
    });
    windows.max().unwrap_or(0) as u64
}

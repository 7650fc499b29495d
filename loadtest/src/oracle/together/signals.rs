//! Is no signal older than what was shown before of the same thing, also after the topic was resynchronised?

use std::collections::HashMap;

use hub_core::ids::UserId;
use hub_core::wire::Audience;

use super::super::history::View;
use super::case::Case;
use super::history::{ClaimSeen, Device, Seen, Sign, What};
use super::{About, Fault};

pub(super) fn check(case: &mut Case<'_>) {
    for device in case.room.devices.iter().filter(|device| device.view == View::Ticket) {
        claims_grow(device, case);
        drafts_grow(device, case);
    }
}

/// What a device knows of the claim: the number up to which it was told, and the lease it saw last.
#[derive(Default)]
struct Known {
    seq: u64,
    lease: Option<(UserId, i64)>,
}

fn claims_grow(device: &Device, case: &mut Case<'_>) {
    let mut known = Known::default();
    for moment in &device.moments {
        match &moment.seen {
            Seen::Joined { seq, live } => {
                if *seq > known.seq {
                    known.lease = None;
                }
                known.seq = *seq;
                take(&mut known, live.claim.as_ref(), device, case);
            }
            Seen::Event { seq } => {
                let is_about_claim = case.entry(*seq).is_some_and(|entry| {
                    matches!(entry.what, What::Taken { .. } | What::Released { .. } | What::Expired { .. })
                });
                if is_about_claim {
                    known.lease = None;
                }
                known.seq = *seq;
            }
            Seen::Signal(Sign::Claim(claim)) => take(&mut known, claim.as_ref(), device, case),
            Seen::Lost | Seen::Left => known.lease = None,
            Seen::Signal(_) | Seen::Asked { .. } | Seen::Answered { .. } => {}
        }
    }
}

fn take(known: &mut Known, claim: Option<&ClaimSeen>, device: &Device, case: &mut Case<'_>) {
    let by = claim.map(|claim| claim.by);
    // It may run ahead of the events, and never behind.
    let is_true_yet = (known.seq..=case.room.log.len() as u64).any(|seq| case.holder_at(seq) == by);
    let is_shorter = claim.zip(known.lease).is_some_and(|(claim, (by, until_ms))| claim.by == by && claim.until_ms < until_ms);
    if !is_true_yet || is_shorter {
        let about = About { seq: Some(known.seq), ..About::user(device.user) };
        case.note(device.view, about, Fault::SignalOlder("claim"));
    }
    known.lease = claim.map(|claim| (claim.by, claim.until_ms));
}

fn drafts_grow(device: &Device, case: &mut Case<'_>) {
    let mut seen: HashMap<Audience, u64> = HashMap::new();
    for moment in &device.moments {
        match &moment.seen {
            Seen::Signal(Sign::DraftChanged(audience, Some(draft))) => {
                let before = seen.insert(*audience, draft.revision);
                if before.is_some_and(|before| draft.revision < before) {
                    case.note(device.view, About::user(device.user), Fault::SignalOlder("draft"));
                }
            }
            Seen::Signal(_)
            | Seen::Joined { .. }
            | Seen::Asked { .. }
            | Seen::Answered { .. }
            | Seen::Event { .. }
            | Seen::Left
            | Seen::Lost => {}
        }
    }
}

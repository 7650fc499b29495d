//! What somebody does next, at random: by weights, of what makes sense where it stands. The same seed and the same answers make
//! the same choices.

use std::time::Duration;

use hub_core::wire::Audience;
use rand::RngExt;
use rand::rngs::StdRng;

use super::Manner;
use crate::oracle::history::View;

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Compose(Audience),
    View,
    Idle,
    Save(Audience),
    Discard(Audience),
    /// Based on what was seen.
    Reply,
    /// Based on less than was seen, on purpose.
    ReplyBlindly,
    ReplyForced,
    Note,
    Hold,
    CancelHeld,
    TakeClaim,
    TakeOver,
    ReleaseClaim,
    HandOver,
    HandOverWithDraft,
    Acknowledge,
    ChangeTags,
    UpdateFields,
    Watch,
    ChangeStatus,
    Leave,
    Join,
    /// Does nothing for a while.
    Nap(Duration),
    /// Takes the claim, and does nothing for longer than it lasts.
    SleepOnClaim,
}

/// Where somebody stands, as far as choosing asks.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    /// As what.
    pub view: View,
    /// Subscribed right now.
    pub is_there: bool,
    /// Looks on while others come and go.
    pub is_onlooker: bool,
    /// Has text for the customer.
    pub has_draft: bool,
    /// Has something held.
    pub has_held: bool,
    /// The ticket was handed to it.
    pub was_handed: bool,
    /// The last public deed by somebody else.
    pub deed: u64,
    /// Has written something itself.
    pub has_written: bool,
    /// How long the run lasts yet.
    pub left: Duration,
}

/// Longer than a lease, so that one runs out.
pub const LONG_NAP: Duration = Duration::from_secs(97);
/// Longer than composing lasts that is not repeated.
const SHORT_NAP: Duration = Duration::from_secs(10);

/// What to do next; none for nothing.
pub fn choose(manner: Manner, stand: &Stand, rng: &mut StdRng) -> Option<Deed> {
    match manner {
        Manner::Walk if stand.view == View::Thread => pick(&customers(stand), rng),
        Manner::Walk => pick(&agents(stand), rng),
        Manner::Crowd if stand.is_onlooker => Some(Deed::View),
        Manner::Crowd => Some(if stand.is_there { Deed::Leave } else { Deed::Join }),
        Manner::Blind { .. } if stand.view == View::Thread => (!stand.has_written).then_some(Deed::Reply),
        Manner::Blind { .. } => (stand.deed > 0).then_some(Deed::ReplyBlindly),
    }
}

fn pick(weighted: &[(u32, Deed)], rng: &mut StdRng) -> Option<Deed> {
    let sum: u32 = weighted.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.random_range(0..sum.max(1));
    weighted
        .iter()
        .find(|(weight, _)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it
        })
        .map(|(_, deed)| *deed)
}

fn customers(stand: &Stand) -> Vec<(u32, Deed)> {
    if !stand.is_there {
        return vec![(1, Deed::Join)];
    }
    vec![
        (3, Deed::Compose(Audience::Public)),
        (2, Deed::View),
        (3, Deed::Reply),
        (1, Deed::Leave),
        (6, Deed::Nap(Duration::ZERO)),
    ]
}

fn agents(stand: &Stand) -> Vec<(u32, Deed)> {
    use Audience::{Internal, Public};
    if !stand.is_there {
        return vec![(1, Deed::Join)];
    }
    let only = |condition: bool, weight: u32| if condition { weight } else { 0 };
    vec![
        (16, Deed::Compose(Public)),
        (6, Deed::Compose(Internal)),
        (5, Deed::View),
        (2, Deed::Idle),
        (16, Deed::Save(Public)),
        (6, Deed::Save(Internal)),
        (2, Deed::Discard(Public)),
        (1, Deed::Discard(Internal)),
        (10, Deed::Reply),
        (4, Deed::ReplyBlindly),
        (3, Deed::ReplyForced),
        (5, Deed::Note),
        (only(!stand.has_held, 5), Deed::Hold),
        (only(stand.has_held, 12), Deed::CancelHeld),
        (4, Deed::TakeClaim),
        (2, Deed::TakeOver),
        (3, Deed::ReleaseClaim),
        (2, Deed::HandOver),
        (only(stand.has_draft, 4), Deed::HandOverWithDraft),
        (only(stand.was_handed, 20), Deed::Acknowledge),
        (3, Deed::ChangeTags),
        (3, Deed::UpdateFields),
        (2, Deed::Watch),
        (2, Deed::ChangeStatus),
        (2, Deed::Leave),
        (only(stand.left > SHORT_NAP * 2, 2), Deed::Nap(SHORT_NAP)),
        (only(stand.left > LONG_NAP * 2, 1), Deed::SleepOnClaim),
    ]
}

//! What every check looks up: which ask got which answer, who held the claim at which number, what was known when, who was there.

use std::collections::HashMap;

use hub_core::ids::{CommandKey, UserId};
use hub_core::wire::ErrorCode;

use super::super::Breach;
use super::super::history::View;
use super::SLACK_US;
use super::history::{Answer, Ask, Device, Entry, Room, Seen, What};

/// A room with its indices, and what was found so far.
pub(super) struct Case<'a> {
    pub room: &'a Room,
    /// What is to be so at once, is so after this.
    pub slack_us: u64,
    /// Every ask with its outcome, device by device.
    pub exchanges: Vec<Exchange<'a>>,
    pub breaches: Vec<Breach>,
    /// Holder after each event; the first is of before all.
    holders: Vec<Option<UserId>>,
    /// When which head of the ticket was known to somebody; both grow.
    heads: Vec<(u64, u64)>,
    places: HashMap<CommandKey, usize>,
    /// Ticket numbers of what stands in the thread.
    thread: Vec<u64>,
}

/// One ask and what became of it.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    pub device: &'a Device,
    /// Which of the room's devices.
    pub place: usize,
    pub sent_us: u64,
    pub id: Option<u64>,
    pub ask: &'a Ask,
    pub outcome: Outcome<'a>,
}

/// What became of an ask.
#[derive(Clone, Copy)]
pub(super) enum Outcome<'a> {
    /// Told so, at that time.
    Told { at_us: u64, answer: &'a Answer },
    /// The connection went first: the outcome is unknown, and it may act until then.
    Lost { until_us: u64 },
    /// The connection lives, and nothing came.
    Open,
}

impl Exchange<'_> {
    /// True when it may have had its effect.
    pub const fn may_have_acted(&self) -> bool {
        match self.outcome {
            Outcome::Told { answer: Answer::Acked { .. }, .. } | Outcome::Lost { .. } | Outcome::Open => true,
            Outcome::Told { answer: Answer::Refused { code, .. }, .. } => matches!(code, ErrorCode::Unavailable),
        }
    }

    /// When it was acked.
    pub const fn acked_us(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Told { at_us, answer: Answer::Acked { .. } } => Some(at_us),
            Outcome::Told { .. } | Outcome::Lost { .. } | Outcome::Open => None,
        }
    }

    /// When all it could do was done.
    pub const fn over_us(&self) -> u64 {
        match self.outcome {
            Outcome::Told { at_us, .. } => at_us,
            Outcome::Lost { until_us } => until_us,
            Outcome::Open => u64::MAX,
        }
    }
}

impl<'a> Case<'a> {
    pub fn new(room: &'a Room) -> Self {
        let slack_us = SLACK_US + 2 * room.lag_us;
        let devices = room.devices.iter().enumerate();
        let exchanges = devices.flat_map(|(place, device)| exchanges_of(place, device, slack_us)).collect();
        let places = (0..).zip(&room.log).filter_map(|(index, entry)| Some((entry.key?, index))).collect();
        let thread = room.log.iter().filter(|entry| is_in_thread(entry)).map(|entry| entry.seq).collect();
        Self {
            room,
            slack_us,
            exchanges,
            breaches: vec![],
            holders: holders_of(&room.log),
            heads: heads_of(room),
            places,
            thread,
        }
    }

    /// Who held the claim after event `seq`.
    pub fn holder_at(&self, seq: u64) -> Option<UserId> {
        let last = self.holders.len() - 1;
        self.holders[usize::try_from(seq).unwrap_or(last).min(last)]
    }

    /// The head that somebody knew at that time; nobody can have missed it who asked later.
    pub fn head_known_at(&self, at_us: u64) -> u64 {
        let known = self.heads.partition_point(|(known_us, _)| *known_us < at_us);
        known.checked_sub(1).map_or(0, |last| self.heads[last].1)
    }

    /// The event that carries a key.
    pub fn entry_of(&self, key: CommandKey) -> Option<&'a Entry> {
        self.places.get(&key).map(|index| &self.room.log[*index])
    }

    /// The event with this number.
    pub fn entry(&self, seq: u64) -> Option<&'a Entry> {
        self.room.log.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// A number of a view as the ticket's.
    pub fn ticket_seq(&self, view: View, seq: u64) -> Option<u64> {
        match view {
            View::Ticket => Some(seq),
            View::Thread => self.thread.get(usize::try_from(seq.checked_sub(1)?).ok()?).copied(),
        }
    }

    /// The first public reply or change of status by somebody else in `after + 1 .. before`.
    pub fn overlooked(&self, user: UserId, after: u64, before: u64) -> Option<u64> {
        let start = usize::try_from(after).unwrap_or(usize::MAX);
        let between = self.room.log.iter().skip(start).take_while(|entry| entry.seq < before);
        between.filter(|entry| entry.is_public_deed() && entry.by != Some(user)).map(|entry| entry.seq).next()
    }

    /// What a person asked, on whichever device.
    pub fn asks_of(&self, user: UserId) -> impl Iterator<Item = &Exchange<'a>> {
        self.exchanges.iter().filter(move |exchange| exchange.device.user == user)
    }
}

fn exchanges_of(place: usize, device: &Device, slack_us: u64) -> Vec<Exchange<'_>> {
    let mut exchanges: Vec<Exchange<'_>> = Vec::new();
    let mut open: HashMap<u64, usize> = HashMap::new();
    for moment in &device.moments {
        match &moment.seen {
            Seen::Asked { id, ask } => {
                if let Some(id) = id {
                    open.insert(*id, exchanges.len());
                }
                exchanges.push(Exchange { device, place, sent_us: moment.at_us, id: *id, ask, outcome: Outcome::Open });
            }
            Seen::Answered { id, answer } => {
                if let Some(index) = open.remove(id) {
                    exchanges[index].outcome = Outcome::Told { at_us: moment.at_us, answer };
                }
            }
            Seen::Lost => {
                for (_, index) in open.drain() {
                    exchanges[index].outcome = Outcome::Lost { until_us: moment.at_us + slack_us };
                }
            }
            Seen::Joined { .. } | Seen::Event { .. } | Seen::Signal(_) | Seen::Left => {}
        }
    }
    exchanges
}

fn holders_of(log: &[Entry]) -> Vec<Option<UserId>> {
    let mut holders = vec![None];
    for entry in log {
        let before = holders.last().copied().flatten();
        holders.push(match entry.what {
            What::Taken { by, .. } => Some(by),
            What::Released { .. } | What::Expired { .. } => None,
            What::Reply { .. }
            | What::Status { .. }
            | What::Held { .. }
            | What::HeldCancelled { .. }
            | What::HandedOver { .. }
            | What::Acknowledged
            | What::Other(_) => before,
        });
    }
    holders
}

fn heads_of(room: &Room) -> Vec<(u64, u64)> {
    let mut heads: Vec<(u64, u64)> = Vec::new();
    for device in room.devices.iter().filter(|device| device.view == View::Ticket) {
        heads.extend(device.moments.iter().filter_map(|moment| match &moment.seen {
            Seen::Event { seq }
            | Seen::Joined { seq, .. }
            | Seen::Answered { answer: Answer::Acked { seq: Some(seq), .. }, .. } => Some((moment.at_us, *seq)),
            Seen::Answered { .. } | Seen::Asked { .. } | Seen::Signal(_) | Seen::Left | Seen::Lost => None,
        }));
    }
    heads.sort_unstable();
    let mut highest = 0;
    for (_, head) in &mut heads {
        highest = highest.max(*head);
        *head = highest;
    }
    heads
}

fn is_in_thread(entry: &Entry) -> bool {
    match &entry.what {
        What::Other(kind) => kind == "ticket_created" || kind == "merged",
        What::Reply { .. }
        | What::Status { .. }
        | What::Held { .. }
        | What::HeldCancelled { .. }
        | What::HandedOver { .. }
        | What::Acknowledged
        | What::Taken { .. }
        | What::Released { .. }
        | What::Expired { .. } => entry.is_public_deed(),
    }
}

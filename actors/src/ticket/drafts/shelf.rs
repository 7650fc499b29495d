//! The drafts of one ticket in memory: what is stored, what waits to be stored, and for whom. Pure: time comes in as an argument,
//! what is to be written goes out, and comes back as written or not.
//!
//! Saves of one socket follow each other: a later one takes the place of an earlier one that still waits, and need not have seen
//! the ack of the one before. Between two sockets, who has not seen the other's revision is told so.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::time::Duration;

use hub_core::ids::UserId;
use hub_core::ports::MAX_DRAFTS;
use hub_core::rules::drafts::{DraftChange, DraftKey, Kept, NotThePresentOne, Spent};
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, Draft, ErrorCode, PersonRef, Problem};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::fanout::ConnectionId;

/// A draft is stored at most once in this time; whoever throws one away does not wait.
const BETWEEN_STORES: Duration = Duration::from_secs(1);
/// Sockets whose savings of one draft may wait.
const MAX_WAITING: usize = 8;
/// How often a saving may find another owner's in its place before it is refused.
const MAX_LOSSES: u32 = 5;

/// What somebody wants of a draft.
pub struct Wish {
    /// Whose, and who writes.
    pub by: PersonRef,
    pub audience: Audience,
    pub deed: Deed,
    /// Which socket; a request of its own counts as one.
    pub origin: ConnectionId,
    /// All whom the answer concerns: those whose savings it took the place of, too.
    pub answers: Vec<Answer>,
    /// Lost against another owner so often.
    pub losses: u32,
    /// Held for as long as it waits, one for each answer.
    pub rooms: Vec<OwnedSemaphorePermit>,
}

/// Where the answer goes: the draft as it is stored.
pub type Answer = oneshot::Sender<Result<Kept, Problem>>;

/// What is to become of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    Save { revision: u64, body: String, based_on: u64 },
    Discard { revision: Option<u64> },
}

impl Wish {
    pub const fn key(&self) -> DraftKey {
        DraftKey { user: self.by.id, audience: self.audience }
    }

    pub fn answer(self, answer: &Result<Kept, Problem>) {
        for waiting in self.answers {
            // Whoever asked may have gone: then there is nobody to tell.
            drop(waiting.send(answer.clone()));
        }
    }
}

/// The drafts of a ticket.
#[derive(Default)]
pub struct Shelf {
    slots: HashMap<DraftKey, Slot>,
}

/// One draft.
struct Slot {
    /// As it is stored, as far as is known.
    kept: Kept,
    /// The socket that wrote last, and the revision from which on nobody else did.
    follows: Option<(ConnectionId, u64)>,
    waiting: VecDeque<Wish>,
    /// Being stored.
    storing: Option<(Wish, Kept)>,
    /// When it may be stored again.
    not_before: Option<Instant>,
}

impl Slot {
    const fn of(key: DraftKey) -> Self {
        Self { kept: Kept::none(key), follows: None, waiting: VecDeque::new(), storing: None, not_before: None }
    }

    fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || self.storing.is_some()
    }

    fn due(&self, now: Instant) -> Option<Instant> {
        let first = self.waiting.front().filter(|_| self.storing.is_none())?;
        let waits = matches!(first.deed, Deed::Save { .. });
        Some(self.not_before.filter(|_| waits).unwrap_or(now))
    }

    /// What is to be stored next. What needs no storing is answered.
    fn next(&mut self, now: UnixMs) -> Option<Kept> {
        while let Some(wish) = self.waiting.front() {
            let next = match &wish.deed {
                Deed::Save { revision, body, based_on } => {
                    self.kept.save(self.seen(wish.origin, *revision), body, *based_on, &wish.by, now)
                }
                Deed::Discard { revision } => self.kept.discard(*revision, now),
            };
            let answer = match next {
                Ok(Some(next)) => return Some(next),
                Ok(None) => Ok(self.kept.clone()),
                Err(NotThePresentOne) => {
                    crate::metrics::draft_conflict();
                    Err(stale(&self.kept))
                }
            };
            if let Some(wish) = self.waiting.pop_front() {
                wish.answer(&answer);
            }
        }
        None
    }

    /// The revision that a socket has seen: all that it wrote itself, although the acks may be on their way.
    fn seen(&self, origin: ConnectionId, revision: u64) -> u64 {
        let is_its_own = |(last, from)| last == origin && (from..=self.kept.revision).contains(&revision);
        if self.follows.is_some_and(is_its_own) { self.kept.revision } else { revision }
    }

    fn has_changed(&mut self, kept: Kept) {
        self.kept = kept;
        self.follows = None;
    }
}

impl Shelf {
    /// Takes a wish; it is answered when it is stored, or found to be impossible.
    pub fn take(&mut self, mut wish: Wish) {
        let key = wish.key();
        if self.slots.len() >= MAX_DRAFTS as usize && !self.slots.contains_key(&key) {
            let problem = Problem::new(ErrorCode::LimitReached, "Too many people have written drafts at this ticket.");
            return wish.answer(&Err(problem));
        }
        let slot = self.slots.entry(key).or_insert_with(|| Slot::of(key));
        if let Some(last) = slot.waiting.back_mut()
            && last.origin == wish.origin
            && matches!(last.deed, Deed::Save { .. })
        {
            wish.answers.append(&mut last.answers);
            wish.rooms.append(&mut last.rooms);
            *last = wish;
            return;
        }
        if slot.waiting.len() >= MAX_WAITING {
            return wish.answer(&Err(Problem::busy(1_000)));
        }
        slot.waiting.push_back(wish);
    }

    /// What is to be stored now, of those whose drafts nothing else changes meanwhile; each at most once.
    pub fn due(&mut self, now: Instant, at: UnixMs, is_held_up: impl Fn(DraftKey) -> bool) -> Vec<Kept> {
        let mut batch = Vec::new();
        for (key, slot) in &mut self.slots {
            if is_held_up(*key) || slot.due(now).is_none_or(|due| due > now) {
                continue;
            }
            if let Some(next) = slot.next(at)
                && let Some(wish) = slot.waiting.pop_front()
            {
                slot.not_before = Some(now + BETWEEN_STORES);
                slot.storing = Some((wish, next.clone()));
                batch.push(next);
            }
        }
        batch
    }

    /// When something is due next, if nothing happens before.
    pub fn next_due(&self, now: Instant) -> Option<Instant> {
        self.slots.values().filter_map(|slot| slot.due(now)).min()
    }

    /// What was being stored has come back: `written` of it is. Answers what is so now; true when something has to be read anew.
    pub fn stored(&mut self, written: &[DraftKey]) -> (Vec<Kept>, bool) {
        let (mut now_so, mut lost) = (Vec::new(), false);
        for (key, slot) in &mut self.slots {
            let Some((mut wish, next)) = slot.storing.take() else { continue };
            if written.contains(key) {
                let from = match (slot.follows, &wish.deed) {
                    (Some((origin, from)), _) if origin == wish.origin => from,
                    // Who begins anew has seen nothing of what was before.
                    (_, Deed::Save { revision, .. }) => slot.kept.revision.min(*revision),
                    (_, Deed::Discard { .. }) => slot.kept.revision,
                };
                slot.follows = Some((wish.origin, from));
                slot.kept = next;
                now_so.push(slot.kept.clone());
                wish.answer(&Ok(slot.kept.clone()));
                continue;
            }
            lost = true;
            wish.losses += 1;
            if wish.losses > MAX_LOSSES {
                wish.answer(&Err(Problem::busy(1_000)));
            } else {
                slot.waiting.push_front(wish);
                slot.not_before = None;
            }
        }
        (now_so, lost)
    }

    /// Nobody knows what became of what was being stored, or it found no room.
    pub fn not_stored(&mut self, problem: &Problem) {
        for slot in self.slots.values_mut() {
            if let Some((wish, _)) = slot.storing.take() {
                wish.answer(&Err(problem.clone()));
            }
        }
    }

    /// All drafts of the ticket, as they were read. Answers those that are otherwise than was known here.
    pub fn was_read(&mut self, read: Vec<Kept>) -> Vec<Kept> {
        let mut changed = Vec::new();
        let mut gone: Vec<DraftKey> = self.slots.keys().copied().collect();
        for kept in read {
            gone.retain(|key| *key != kept.key);
            let slot = self.slots.entry(kept.key).or_insert_with(|| Slot::of(kept.key));
            if slot.kept != kept {
                slot.has_changed(kept.clone());
                changed.push(kept);
            }
        }
        for key in gone {
            let slot = self.slots.entry(key).or_insert_with(|| Slot::of(key));
            if slot.kept.revision > 0 {
                slot.has_changed(Kept::none(key));
                changed.push(Kept::none(key));
            }
        }
        changed
    }

    /// What events did to drafts. A saving that waits for one that was sent meanwhile is told so: its text is still with whoever
    /// wrote it. Answers what is so now.
    pub fn changed(&mut self, changes: &[DraftChange], now: UnixMs) -> Vec<Kept> {
        let mut now_so = Vec::new();
        for change in changes {
            let slot = self.slots.entry(change.key).or_insert_with(|| Slot::of(change.key));
            if let Some(after) = slot.kept.after(change, now) {
                slot.has_changed(after.clone());
                now_so.push(after);
            }
            if change.spent != Spent::Nothing && slot.kept.text.is_none() {
                let answer = Err(stale(&slot.kept));
                mem::take(&mut slot.waiting).into_iter().for_each(|wish| wish.answer(&answer));
            }
        }
        now_so
    }

    /// Refuses all that waits.
    pub fn refuse(&mut self, problem: &Problem) {
        for slot in self.slots.values_mut() {
            mem::take(&mut slot.waiting).into_iter().for_each(|wish| wish.answer(&Err(problem.clone())));
        }
    }

    /// What waits of this person is stored without delay.
    pub fn hurry(&mut self, user: UserId) {
        let of_user = self.slots.iter_mut().filter(|(key, slot)| key.user == user && !slot.waiting.is_empty());
        of_user.for_each(|(_, slot)| slot.not_before = None);
    }

    /// Whether something of this person is being stored.
    pub fn stores_for(&self, user: UserId) -> bool {
        self.slots.values().any(|slot| slot.storing.as_ref().is_some_and(|(wish, _)| wish.by.id == user))
    }

    /// Whether something waits or is being stored.
    pub fn is_busy(&self) -> bool {
        self.slots.values().any(Slot::is_busy)
    }

    /// Whether something is being stored.
    pub fn is_storing(&self) -> bool {
        self.slots.values().any(|slot| slot.storing.is_some())
    }

    /// A person's drafts with a text.
    pub fn of(&self, user: UserId) -> Vec<Draft> {
        let mine = [Audience::Public, Audience::Internal].map(|audience| DraftKey { user, audience });
        mine.iter().filter_map(|key| self.slots.get(key).and_then(|slot| slot.kept.clone().into_wire())).collect()
    }

    /// A draft as it is stored.
    pub fn kept(&self, key: DraftKey) -> Kept {
        self.slots.get(&key).map_or_else(|| Kept::none(key), |slot| slot.kept.clone())
    }
}

/// Somebody has not seen the present revision; here it is.
fn stale(kept: &Kept) -> Problem {
    let draft = serde_json::to_value(kept.clone().into_wire()).unwrap_or_default();
    Problem::new(ErrorCode::Stale, "Your draft was changed elsewhere. Look at it, then decide what to keep.")
        .with("draft", draft)
}

#[cfg(test)]
#[path = "shelf/tests.rs"]
mod tests;

//! Drafts: what somebody writes and has not sent. One per person, ticket and audience, with a revision that counts for ever, so
//! that of two devices that write at once neither overwrites the other unseen. What becomes of a draft when its reply is sent,
//! held, taken back or handed over follows from the events of the ticket ([`effects`]). No text is ever lost on the way.

use std::collections::BTreeSet;

use super::held;
use super::record::Happened;
use super::ticket::TicketState;
use crate::ids::UserId;
use crate::time::UnixMs;
use crate::wire::{Audience, Draft, Event, HandoffDraft, PersonRef};

/// Authors that a draft remembers: who began it, and who went on last.
pub const MAX_AUTHORS: usize = 8;

/// One draft of a ticket: whose, and who is to read what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DraftKey {
    /// Whose.
    pub user: UserId,
    /// For whom.
    pub audience: Audience,
}

/// What somebody wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftText {
    /// Markdown; may be empty.
    pub body: String,
    /// The last event its author had seen, as the author counts.
    pub based_on: u64,
    /// Who began it, then who went on; see [`MAX_AUTHORS`].
    pub authors: Vec<PersonRef>,
}

/// A draft as it is kept: a text, or what is left of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which.
    pub key: DraftKey,
    /// Counts every change, for ever; 0 where nothing was ever written.
    pub revision: u64,
    /// When it last changed.
    pub updated_at: UnixMs,
    /// None where there was never one, or it was sent, handed over or thrown away.
    pub text: Option<DraftText>,
}

/// Somebody wrote against a revision that is not the present one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotThePresentOne;

impl Kept {
    /// Where nothing was ever written.
    pub const fn none(key: DraftKey) -> Self {
        Self { key, revision: 0, updated_at: UnixMs(0), text: None }
    }

    /// Writes `body`, by somebody who has seen `revision`. Answers the draft as it is then, or nothing where it says so already:
    /// a save that comes again is one save. Where there is no text, who has seen nothing begins anew.
    ///
    /// # Errors
    /// [`NotThePresentOne`]: nothing is written, and nobody's text is lost.
    pub fn save(
        &self,
        revision: u64,
        body: &str,
        based_on: u64,
        by: &PersonRef,
        now: UnixMs,
    ) -> Result<Option<Self>, NotThePresentOne> {
        match &self.text {
            Some(text) if text.body == body && text.based_on == based_on && revision <= self.revision => return Ok(None),
            Some(_) if revision == self.revision => {}
            None if revision == self.revision || revision == 0 => {}
            Some(_) | None => return Err(NotThePresentOne),
        }
        let before = self.text.iter().flat_map(|text| &text.authors);
        let authors = merged(before.chain([by]));
        let text = DraftText { body: body.to_owned(), based_on, authors };
        Ok(Some(Self { key: self.key, revision: self.revision + 1, updated_at: now, text: Some(text) }))
    }

    /// Throws the text away; where `revision` is given, only that one. Nothing where there is none.
    ///
    /// # Errors
    /// [`NotThePresentOne`]: nothing is thrown away.
    pub fn discard(&self, revision: Option<u64>, now: UnixMs) -> Result<Option<Self>, NotThePresentOne> {
        if revision.is_some_and(|seen| seen != self.revision) {
            return Err(NotThePresentOne);
        }
        Ok(self.text.is_some().then(|| Self { key: self.key, revision: self.revision + 1, updated_at: now, text: None }))
    }

    /// The draft after a change that an event made at `now`; nothing where it changes nothing.
    pub fn after(&self, change: &DraftChange, now: UnixMs) -> Option<Self> {
        let left = self.text.as_ref().filter(|text| !change.spent.is_spent(&text.body));
        let text = match (&change.given, left) {
            // Nothing was there, or what is there is something else than what goes.
            (None, None) if self.text.is_none() => return None,
            (None, Some(_)) => return None,
            (None, None) => None,
            (Some(given), None) => Some(given.clone()),
            (Some(given), Some(left)) => Some(left.clone().with(given)),
        };
        Some(Self { key: self.key, revision: self.revision + change.steps(), updated_at: now, text })
    }

    /// As its owner is told; none where there is no text.
    pub fn into_wire(self) -> Option<Draft> {
        let Self { key, revision, updated_at, text } = self;
        let DraftText { body, based_on, authors } = text?;
        Some(Draft { audience: key.audience, revision, body, based_on, updated_at, authors })
    }

    /// Those who wrote the text, where that was not its owner alone.
    pub fn other_authors(&self) -> Vec<PersonRef> {
        let authors = self.text.as_ref().map_or(&[][..], |text| &text.authors);
        if authors.iter().all(|author| author.id == self.key.user) { Vec::new() } else { authors.to_vec() }
    }
}

impl DraftText {
    /// This text, and another one after a blank line. Based on what the less informed of the two had seen.
    #[must_use]
    pub fn with(self, more: &Self) -> Self {
        let body = match (self.body.as_str(), more.body.as_str()) {
            ("", body) | (body, "") => body.to_owned(),
            (first, second) => format!("{first}\n\n{second}"),
        };
        Self { body, based_on: self.based_on.min(more.based_on), authors: merged(self.authors.iter().chain(&more.authors)) }
    }
}

/// Each author once, in the order in which they came; the first always stays.
pub fn merged<'a>(authors: impl IntoIterator<Item = &'a PersonRef>) -> Vec<PersonRef> {
    let mut seen = BTreeSet::new();
    let mut merged: Vec<PersonRef> = authors.into_iter().filter(|author| seen.insert(author.id)).cloned().collect();
    if merged.len() > MAX_AUTHORS {
        merged.drain(1..=merged.len() - MAX_AUTHORS);
    }
    merged
}

/// What an event does to a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftEffect {
    /// It was sent.
    Spend(DraftKey),
    /// This text of it was handed over. One that goes on meanwhile, where another hub has the ticket too, stays.
    HandOver(DraftKey, String),
    /// A text comes back: it follows what is there.
    GiveBack(DraftKey, DraftText),
}

impl DraftEffect {
    /// To which draft.
    pub const fn key(&self) -> DraftKey {
        match self {
            Self::Spend(key) | Self::HandOver(key, _) | Self::GiveBack(key, _) => *key,
        }
    }
}

/// All that one append does to one draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftChange {
    /// Which.
    pub key: DraftKey,
    /// What was there goes first.
    pub spent: Spent,
    /// What comes then.
    pub given: Option<DraftText>,
}

impl DraftChange {
    /// Revisions it counts for.
    pub fn steps(&self) -> u64 {
        u64::from(self.spent != Spent::Nothing) + u64::from(self.given.is_some())
    }
}

/// Whether a text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spent {
    /// It stays.
    Nothing,
    /// It goes if it is this one.
    This(String),
    /// It goes, whatever it is.
    Whatever,
}

impl Spent {
    /// Whether a draft that says `body` goes.
    pub fn is_spent(&self, body: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::This(text) => text == body,
            Self::Whatever => true,
        }
    }
}

/// What effects in a row do to each draft.
pub fn together<'a>(effects: impl IntoIterator<Item = &'a DraftEffect>) -> Vec<DraftChange> {
    let mut changes: Vec<DraftChange> = Vec::new();
    for effect in effects {
        let key = effect.key();
        let at = changes.iter().position(|change| change.key == key).unwrap_or_else(|| {
            changes.push(DraftChange { key, spent: Spent::Nothing, given: None });
            changes.len() - 1
        });
        let change = &mut changes[at];
        match effect {
            DraftEffect::Spend(_) => (change.spent, change.given) = (Spent::Whatever, None),
            DraftEffect::HandOver(_, body) => {
                if (&change.spent, &change.given) == (&Spent::Nothing, &None) {
                    change.spent = Spent::This(body.clone());
                }
            }
            DraftEffect::GiveBack(_, text) => {
                if matches!(change.spent, Spent::This(_)) {
                    // Rather a text that is there twice than one that is nowhere.
                    change.spent = Spent::Nothing;
                }
                change.given = Some(change.given.take().map_or_else(|| text.clone(), |before| before.with(text)));
            }
        }
    }
    changes
}

/// What `happened` does to drafts; `before` is the ticket before it. What is sent, held or handed over spends its author's draft;
/// what does not go out after all comes back to its author, and what came with a handover goes to whoever acknowledges it.
pub fn effects(before: Option<&TicketState>, happened: &Happened) -> Vec<DraftEffect> {
    let by_author = |audience| happened.by.id.map(|user| DraftKey { user, audience });
    let effect = match &happened.event {
        // When a held reply goes out, its draft was spent long ago: what its author writes now is something else.
        Event::ReplyPosted { audience, held_key: None, .. } | Event::ReplyHeld { audience, .. } => {
            by_author(*audience).map(DraftEffect::Spend)
        }
        Event::HeldCancelled { held_key, .. } => {
            let held = before.and_then(|ticket| held::find(&ticket.held, *held_key));
            held.map(|held| {
                let authors = merged(held.draft_authors.iter().chain([&held.by]));
                let text = DraftText { body: held.body.clone(), based_on: held.based_on.unwrap_or(0), authors };
                DraftEffect::GiveBack(DraftKey { user: held.by.id, audience: held.audience }, text)
            })
        }
        Event::HandedOver { draft: Some(draft), .. } => {
            by_author(Audience::Public).map(|key| DraftEffect::HandOver(key, draft.body.clone()))
        }
        Event::HandoffAcknowledged {} => {
            let draft = before.and_then(|ticket| ticket.handoff.as_ref()?.draft.as_ref());
            by_author(Audience::Public).zip(draft).map(|(key, draft)| {
                let HandoffDraft { body, based_on, authors } = draft.clone();
                DraftEffect::GiveBack(key, DraftText { body, based_on, authors })
            })
        }
        Event::ReplyPosted { held_key: Some(_), .. }
        | Event::HandedOver { draft: None, .. }
        | Event::TicketCreated { .. }
        | Event::StatusChanged { .. }
        | Event::Assigned { .. }
        | Event::TagsChanged { .. }
        | Event::ClaimTaken { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {}
        | Event::Notified { .. } => None,
    };
    effect.into_iter().collect()
}

#[cfg(test)]
#[path = "drafts/tests.rs"]
mod tests;

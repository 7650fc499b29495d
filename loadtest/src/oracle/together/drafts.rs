//! Is no stored text ever lost? Revisions go up, one save over each, every text that was stored is found again or was replaced by
//! somebody who had seen it, a sent reply's draft is gone, and a refused one's is there.

use std::collections::HashSet;

use hub_core::ids::UserId;
use hub_core::wire::{Audience, ErrorCode};

use super::super::history::View;
use super::case::{Case, Exchange, Outcome};
use super::history::{Answer, Ask, DraftSeen, Live, Room, Seen, Sign};
use super::{About, Fault};

pub(super) fn check(case: &mut Case<'_>) {
    for (user, audience) in slots(case) {
        let slot = Slot::new(user, audience, case);
        slot.revisions_go_up(case);
        slot.stale_is_right(case);
        slot.texts_are_kept(case);
        slot.joins_show_it(case);
    }
}

/// Stored texts that their owner sent over, or threw away, on a device that had not been shown them.
pub fn given_up_unseen(room: &Room) -> u64 {
    let case = Case::new(room);
    let unseen = slots(&case).into_iter().map(|(user, audience)| {
        let slot = Slot::new(user, audience, &case);
        let is_unseen = |save: &&Save<'_>| {
            let has_seen = |exchange: &Exchange<'_>| slot.known_to(exchange, room).is_some_and(|known| known >= save.revision);
            !slot.is_kept(save, room) && !slot.was_given_up(save, has_seen)
        };
        slot.saves.iter().filter(is_unseen).count() as u64
    });
    unseen.sum()
}

fn slots(case: &Case<'_>) -> Vec<(UserId, Audience)> {
    let mut slots: Vec<(UserId, Audience)> = Vec::new();
    for exchange in &case.exchanges {
        if let Ask::SaveDraft { audience, .. } = exchange.ask {
            let slot = (exchange.device.user, *audience);
            if !slots.contains(&slot) {
                slots.push(slot);
            }
        }
    }
    slots
}

/// The drafts of one person for one audience.
struct Slot<'a> {
    user: UserId,
    audience: Audience,
    /// Acked saves, in the order of their answers.
    saves: Vec<Save<'a>>,
    /// What its owner asked on all devices.
    asks: Vec<Exchange<'a>>,
    joins: Vec<Join<'a>>,
}

/// A text that was stored.
#[derive(Clone, Copy)]
struct Save<'a> {
    sent_us: u64,
    acked_us: u64,
    over: u64,
    revision: u64,
    body: &'a str,
}

/// A subscription that told what is stored.
struct Join<'a> {
    asked_us: u64,
    at_us: u64,
    live: &'a Live,
}

impl<'a> Slot<'a> {
    fn new(user: UserId, audience: Audience, case: &Case<'a>) -> Self {
        let asks: Vec<Exchange<'a>> = case.asks_of(user).copied().collect();
        let mut saves: Vec<Save<'a>> = asks.iter().filter_map(|exchange| Save::of(exchange, audience)).collect();
        saves.sort_by_key(|save| save.acked_us);
        Self { user, audience, saves, asks, joins: joins_of(case.room, user) }
    }

    fn note(&self, fault: Fault, case: &mut Case<'_>) {
        case.note(View::Ticket, About::user(self.user), fault);
    }

    fn revisions_go_up(&self, case: &mut Case<'_>) {
        let (mut revisions, mut replaced) = (HashSet::new(), HashSet::new());
        for save in &self.saves {
            let before = self.saves.iter().filter(|before| before.acked_us < save.sent_us).map(|before| before.revision).max();
            let before = before.unwrap_or(0);
            if save.revision <= save.over.max(before) || !revisions.insert(save.revision) {
                self.note(Fault::RevisionNotUp { over: save.over, revision: save.revision, before }, case);
            }
            // Over nothing may be begun anew, again and again.
            if save.over > 0 && !replaced.insert(save.over) {
                self.note(Fault::SavedTwiceOver(save.over), case);
            }
        }
    }

    /// Refused, it brings the newer one, or says that there is none any more.
    fn stale_is_right(&self, case: &mut Case<'_>) {
        for exchange in &self.asks {
            let Ask::SaveDraft { audience, revision, .. } = exchange.ask else { continue };
            let Outcome::Told { answer: Answer::Refused { code: ErrorCode::Stale, draft, .. }, .. } = exchange.outcome else {
                continue;
            };
            let is_right = match draft {
                None => false,
                // Sent or thrown away meanwhile, also by a command that overtook this one.
                Some(None) => true,
                Some(Some(newer)) => newer.audience == *audience && newer.revision > *revision,
            };
            if *audience == self.audience && !is_right {
                let shown = draft.iter().flatten().map(|shown| shown.revision).next();
                self.note(Fault::DraftStaleWrong { over: *revision, shown }, case);
            }
        }
    }

    fn texts_are_kept(&self, case: &mut Case<'_>) {
        for save in &self.saves {
            if !self.is_kept(save, case.room) && !self.was_given_up(save, |_| true) {
                self.note(Fault::TextLost(save.body.to_owned()), case);
            }
        }
    }

    fn is_kept(&self, save: &Save<'_>, room: &Room) -> bool {
        let last = self.joins.last().and_then(|join| self.shown(join.live));
        room.log.iter().any(|entry| entry.text().is_some_and(|text| text.contains(save.body)))
            || last.is_some_and(|draft| draft.body.contains(save.body))
    }

    /// True when somebody who had seen it stored something else, or when its owner sent or threw away what was there. These two
    /// name no revision; `has_seen` judges them more strictly.
    fn was_given_up(&self, save: &Save<'_>, has_seen: impl Fn(&Exchange<'_>) -> bool) -> bool {
        self.asks.iter().filter(|exchange| exchange.may_have_acted()).any(|exchange| match exchange.ask {
            Ask::SaveDraft { audience, revision, .. } => *audience == self.audience && *revision >= save.revision,
            Ask::Discard { audience } | Ask::Post { audience, .. } => {
                *audience == self.audience && exchange.over_us() >= save.sent_us && has_seen(exchange)
            }
            Ask::Subscribe
            | Ask::Leave
            | Ask::Status { .. }
            | Ask::CancelHeld { .. }
            | Ask::HandOver { .. }
            | Ask::Acknowledge { .. }
            | Ask::Other { .. }
            | Ask::TakeClaim { .. }
            | Ask::ReleaseClaim { .. }
            | Ask::Presence { .. } => false,
        })
    }

    /// The newest revision that the asking device had seen when it asked.
    fn known_to(&self, exchange: &Exchange<'_>, room: &Room) -> Option<u64> {
        let moments = room.devices[exchange.place].moments.iter().take_while(|moment| moment.at_us <= exchange.sent_us);
        let shown = moments.filter_map(|moment| match &moment.seen {
            Seen::Joined { live, .. } => self.shown(live).map(|draft| draft.revision),
            Seen::Signal(Sign::DraftChanged(audience, Some(draft))) if *audience == self.audience => Some(draft.revision),
            Seen::Answered { answer: Answer::Refused { draft: Some(Some(draft)), .. }, .. }
                if draft.audience == self.audience =>
            {
                Some(draft.revision)
            }
            _ => None,
        });
        let own = self.asks.iter().filter(|own| own.place == exchange.place);
        let own = own.filter_map(|own| Save::of(own, self.audience)).filter(|own| own.acked_us <= exchange.sent_us);
        shown.chain(own.map(|own| own.revision)).max()
    }

    fn shown<'l>(&self, live: &'l Live) -> Option<&'l DraftSeen> {
        live.drafts.iter().find(|draft| draft.audience == self.audience)
    }

    /// Whoever comes back finds what was stored, unless it was sent or thrown away; and never what was sent.
    fn joins_show_it(&self, case: &mut Case<'_>) {
        for join in &self.joins {
            let before = self.saves.iter().filter(|save| save.acked_us < join.asked_us);
            let Some(newest) = before.max_by_key(|save| save.revision) else { continue };
            let shown = self.shown(join.live);
            let ends = |exchange: &&Exchange<'_>| exchange.may_have_acted() && self.takes_away(exchange.ask);
            let is_free_to_go = self
                .asks
                .iter()
                .filter(ends)
                .any(|exchange| exchange.over_us() >= newest.sent_us && exchange.sent_us <= join.at_us);
            if shown.is_none_or(|draft| draft.revision < newest.revision) && !is_free_to_go {
                self.note(Fault::DraftVanished, case);
            }
            let was_sent = self.asks.iter().any(|exchange| {
                let is_sent = matches!(exchange.ask, Ask::Post { audience, .. } if *audience == self.audience);
                // Sent again after a reconnect, it had its effect before what was written meanwhile.
                let same = self.asks.iter().filter(|same| same.ask.key() == exchange.ask.key());
                let first_us = same.map(|same| same.sent_us).min().unwrap_or(exchange.sent_us);
                is_sent
                    && exchange.acked_us().is_some_and(|acked_us| acked_us < join.asked_us)
                    && self
                        .saves
                        .iter()
                        .any(|save| save.acked_us < first_us && shown.is_some_and(|draft| draft.revision <= save.revision))
            });
            if was_sent {
                self.note(Fault::DraftSurvived, case);
            }
        }
    }

    fn takes_away(&self, ask: &Ask) -> bool {
        match ask {
            Ask::Post { audience, .. } | Ask::Discard { audience } => *audience == self.audience,
            Ask::HandOver { with_draft, .. } => *with_draft,
            Ask::Subscribe
            | Ask::Leave
            | Ask::Status { .. }
            | Ask::CancelHeld { .. }
            | Ask::Acknowledge { .. }
            | Ask::Other { .. }
            | Ask::TakeClaim { .. }
            | Ask::ReleaseClaim { .. }
            | Ask::SaveDraft { .. }
            | Ask::Presence { .. } => false,
        }
    }
}

impl<'a> Save<'a> {
    fn of(exchange: &Exchange<'a>, wanted: Audience) -> Option<Self> {
        let Ask::SaveDraft { audience, revision: over, body } = exchange.ask else { return None };
        let Outcome::Told { at_us, answer: Answer::Acked { revision, .. } } = exchange.outcome else { return None };
        let revision = revision.unwrap_or(0);
        (*audience == wanted).then_some(Self { sent_us: exchange.sent_us, acked_us: at_us, over: *over, revision, body })
    }
}

/// In the order in which they were asked for.
fn joins_of(room: &Room, user: UserId) -> Vec<Join<'_>> {
    let mut joins = Vec::new();
    for device in room.devices.iter().filter(|device| device.user == user) {
        let mut asked_us = None;
        for moment in &device.moments {
            match &moment.seen {
                Seen::Asked { ask: Ask::Subscribe, .. } => asked_us = Some(moment.at_us),
                Seen::Joined { live, .. } => {
                    joins.extend(asked_us.take().map(|asked_us| Join { asked_us, at_us: moment.at_us, live }));
                }
                Seen::Lost => asked_us = None,
                Seen::Asked { .. } | Seen::Answered { .. } | Seen::Event { .. } | Seen::Signal(_) | Seen::Left => {}
            }
        }
    }
    joins.sort_by_key(|join| join.asked_us);
    joins
}

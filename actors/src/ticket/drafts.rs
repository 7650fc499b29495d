//! What people write at a ticket and have not sent yet: read when somebody needs it, stored within a second, told to the other
//! devices of whoever writes, and, without a word of it, to colleagues.
//!
//! What is stored is in the database before it is acked; what events do to drafts is written with them and only followed here.
//! Another owner of the ticket is found out by the revision: then all is read anew.

pub mod shelf;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::{AsyncContext, Context};
use hub_core::ids::UserId;
use hub_core::ports::StoreError;
use hub_core::rules::drafts::{DraftChange, DraftKey, Kept, Spent};
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::{Act, may};
use hub_core::rules::stale::Numbering;
use hub_core::time::UnixMs;
use hub_core::wire::{Audience, Draft, PersonRef, Problem, ServerFrame, Signal};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use self::shelf::{Deed, Shelf, Wish};
use super::actor::{Life, TicketActor};
use super::watchers::Reread;
use crate::fanout::{ConnectionId, Delivery, Frame, WatchAnswer};
use crate::metrics::StoringDrafts;
use crate::user::UserMessage;

/// Asks that may wait for the ticket or its drafts to be read.
const MAX_WAITING: usize = 256;
/// What somebody's drafts may weigh in an answer to `subscribe`, in JSON; larger ones are read by REST.
const MAX_TOLD_BYTES: usize = 64 * 1024;
/// When to read again what could not be read, where somebody's text came back.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Somebody asks for drafts, or wants one changed.
pub struct DraftAsk {
    pub by: Asker,
    pub what: DraftWhat,
    /// Bounds what waits on this node; freed with the ask.
    pub room: OwnedSemaphorePermit,
}

/// What is asked.
pub enum DraftWhat {
    /// Mine.
    Mine { answer: oneshot::Sender<Result<Vec<Draft>, Problem>> },
    /// To change one of mine.
    Change { audience: Audience, deed: Deed, origin: ConnectionId, answer: shelf::Answer },
}

impl DraftAsk {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        // Whoever asked may have gone: then there is nobody to tell.
        match self.what {
            DraftWhat::Mine { answer } => drop(answer.send(Err(problem))),
            DraftWhat::Change { answer, .. } => drop(answer.send(Err(problem))),
        }
    }

    const fn act(&self) -> Act {
        match self.what {
            DraftWhat::Mine { .. } | DraftWhat::Change { audience: Audience::Public, .. } => Act::ReplyPublicly,
            DraftWhat::Change { audience: Audience::Internal, .. } => Act::WriteNote,
        }
    }
}

/// The drafts of a ticket, as far as they are known.
#[derive(Default)]
pub struct Drafts {
    known: Known,
    pub(super) shelf: Shelf,
    /// Came before the ticket or its drafts were read.
    waiting: VecDeque<DraftAsk>,
    /// To be told when they are read: texts that came back.
    came_back: Vec<DraftKey>,
    /// When a look at what is due was arranged.
    look_at: Option<Instant>,
}

/// How much is known of what is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Known {
    /// Nothing: nobody has needed it.
    #[default]
    Nothing,
    /// It was, and may be otherwise by now.
    Outdated,
    /// It is being read. `is_first`: nobody was told of any draft before.
    Reading { is_first: bool, again: bool },
    /// All.
    All,
}

impl Drafts {
    /// Whether what is here is what is stored.
    pub fn are_known(&self) -> bool {
        self.known == Known::All
    }

    pub fn is_idle(&self) -> bool {
        !self.are_wanted() && !matches!(self.known, Known::Reading { .. })
    }

    /// Whether something waits for them to be known.
    pub fn are_wanted(&self) -> bool {
        !self.waiting.is_empty() || !self.came_back.is_empty() || self.shelf.is_busy()
    }

    /// Another owner may have written.
    pub fn are_outdated(&mut self) {
        match &mut self.known {
            Known::Nothing | Known::Outdated => {}
            Known::Reading { again, .. } => *again = true,
            Known::All => self.known = Known::Outdated,
        }
    }

    /// Refuses all that waits.
    pub fn refuse(&mut self, problem: &Problem) {
        self.waiting.drain(..).for_each(|ask| ask.refuse(problem.clone()));
        self.shelf.refuse(problem);
    }
}

impl TicketActor {
    /// Somebody asks for drafts, or wants one changed.
    pub(super) fn ask_for_drafts(&mut self, ctx: &mut Context<Self>, ask: DraftAsk) {
        if matches!(self.life, Life::Reading) || !self.drafts.are_known() {
            if self.drafts.waiting.len() >= MAX_WAITING {
                return ask.refuse(Problem::busy(500));
            }
            self.drafts.waiting.push_back(ask);
            return self.read_drafts(ctx);
        }
        let judged = self.state().ok_or_else(Problem::not_found);
        let judged = judged.and_then(|ticket| may(ask.by.role, ask.by.user, ticket.requester.id, ask.act()).check());
        if let Err(problem) = judged {
            return ask.refuse(problem);
        }
        let DraftAsk { by, what, room } = ask;
        match what {
            DraftWhat::Mine { answer } => drop(answer.send(Ok(self.drafts.shelf.of(by.user)))),
            DraftWhat::Change { audience, deed, origin, answer } => {
                self.renew_claim(ctx, by.user, Duration::ZERO);
                let by = PersonRef { id: by.user, name: by.name };
                self.drafts.shelf.take(Wish {
                    by,
                    audience,
                    deed,
                    origin,
                    answers: vec![answer],
                    losses: 0,
                    rooms: vec![room],
                });
                self.store_drafts(ctx);
            }
        }
    }

    /// Reads the drafts, unless they are known or on their way; comes back as [`TicketActor::drafts_were_read`].
    pub(super) fn read_drafts(&mut self, ctx: &mut Context<Self>) {
        let is_first = match self.drafts.known {
            Known::All | Known::Reading { .. } => return,
            // What would be read may be older than what is stored when it comes.
            Known::Nothing | Known::Outdated if self.drafts.shelf.is_storing() => return,
            Known::Nothing => true,
            Known::Outdated => false,
        };
        self.drafts.known = Known::Reading { is_first, again: false };
        let (key, shared) = (self.key, Arc::clone(&self.shared));
        let reading = async move {
            let stopping = |_| StoreError::Unavailable("the hub is stopping".into());
            let _room = shared.activations.acquire().await.map_err(stopping)?;
            shared.ports.drafts.of_ticket(key).await
        };
        self.later(ctx, reading, Self::drafts_were_read);
    }

    fn drafts_were_read(&mut self, ctx: &mut Context<Self>, read: Result<Vec<Kept>, StoreError>) {
        let Known::Reading { is_first, again } = self.drafts.known else { return };
        let before = if is_first { Known::Nothing } else { Known::Outdated };
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                self.drafts.known = before;
                return self.drafts_cannot_be_read(ctx, &error);
            }
        };
        if again {
            self.drafts.known = before;
            return self.read_drafts(ctx);
        }
        self.drafts.known = Known::All;
        let changed = self.drafts.shelf.was_read(read);
        let came_back = std::mem::take(&mut self.drafts.came_back);
        for kept in changed.iter().filter(|kept| !is_first || came_back.contains(&kept.key)) {
            self.tell_of_draft(kept, None);
        }
        self.go_on_with_drafts(ctx);
        for watch in std::mem::take(&mut self.watchers_waiting) {
            self.watch(ctx, watch, Reread::No);
        }
        self.work(ctx);
    }

    /// The ticket or its drafts are known now: what waited for them goes on.
    pub(super) fn go_on_with_drafts(&mut self, ctx: &mut Context<Self>) {
        if matches!(self.life, Life::Reading) || !self.drafts.are_known() {
            return;
        }
        for ask in std::mem::take(&mut self.drafts.waiting) {
            self.ask_for_drafts(ctx, ask);
        }
        self.store_drafts(ctx);
    }

    /// Whoever waits is told; those who watch keep their place.
    fn drafts_cannot_be_read(&mut self, ctx: &mut Context<Self>, error: &StoreError) {
        tracing::warn!(ticket = %self.key.ticket, %error, "drafts cannot be read");
        let problem = problem_of(error);
        self.drafts.refuse(&problem);
        for watch in self.watchers_waiting.drain(..) {
            watch.answer(WatchAnswer::Refused(problem.clone()));
        }
        self.refuse_those_that_need_drafts();
        if !self.drafts.came_back.is_empty() {
            self.in_a_while(ctx, TRY_AGAIN, |actor, ctx| {
                if !actor.drafts.came_back.is_empty() {
                    actor.read_drafts(ctx);
                }
            });
        }
        self.work(ctx);
    }

    /// Stores what is due, in one statement; comes back as [`TicketActor::drafts_were_stored`].
    pub(super) fn store_drafts(&mut self, ctx: &mut Context<Self>) {
        if matches!(self.life, Life::Reading) || !self.drafts.are_known() || self.drafts.shelf.is_storing() {
            return;
        }
        let now = Instant::now();
        let in_flight = self.in_flight.as_ref();
        let is_held_up = |key: DraftKey| in_flight.is_some_and(|in_flight| in_flight.changes_draft(key));
        let batch = self.drafts.shelf.due(now, self.shared.ports.clock.now(), is_held_up);
        if batch.is_empty() {
            return self.look_at_drafts_later(ctx, now);
        }
        let (storing, stored) = (StoringDrafts::begin(), self.shared.ports.drafts.save(self.key, batch));
        self.later(ctx, stored, move |actor, ctx, stored| actor.drafts_were_stored(ctx, storing, stored));
    }

    fn drafts_were_stored(
        &mut self,
        ctx: &mut Context<Self>,
        storing: StoringDrafts,
        stored: Result<Vec<DraftKey>, StoreError>,
    ) {
        match stored {
            Ok(written) => {
                storing.end(written.len());
                let before: Vec<Kept> = written.iter().map(|key| self.drafts.shelf.kept(*key)).collect();
                let (now_so, lost) = self.drafts.shelf.stored(&written);
                for kept in now_so {
                    let before = before.iter().find(|before| before.key == kept.key);
                    self.tell_of_draft(&kept, before);
                }
                if lost {
                    self.drafts.are_outdated();
                }
            }
            Err(error) => {
                storing.fail();
                tracing::warn!(ticket = %self.key.ticket, %error, "drafts cannot be stored");
                self.drafts.shelf.not_stored(&problem_of(&error));
                // Perhaps they are: whoever saves the same again is told what is so.
                self.drafts.are_outdated();
            }
        }
        if !self.drafts.are_known() && (self.drafts.are_wanted() || !self.watchers_waiting.is_empty()) {
            self.read_drafts(ctx);
        }
        self.store_drafts(ctx);
        self.work(ctx);
    }

    fn look_at_drafts_later(&mut self, ctx: &mut Context<Self>, now: Instant) {
        let Some(due) = self.drafts.shelf.next_due(now).filter(|due| *due > now) else { return };
        if self.drafts.look_at.is_some_and(|at| at > now && at <= due) {
            return;
        }
        self.drafts.look_at = Some(due);
        ctx.run_later(due - now, |actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                actor.store_drafts(ctx);
                actor.rest_if_idle(ctx);
            });
        });
    }

    /// Events were committed that did something to drafts.
    pub(super) fn drafts_changed(&mut self, ctx: &mut Context<Self>, changes: &[DraftChange], at: UnixMs) {
        if self.drafts.are_known() {
            for kept in self.drafts.shelf.changed(changes, at) {
                self.tell_of_draft(&kept, None);
            }
            if changes.iter().any(|change| matches!(change.spent, Spent::This(_))) {
                // Where another hub was quicker the draft is still there, and counts as this one does.
                self.drafts.are_outdated();
                self.read_drafts(ctx);
            }
            return self.store_drafts(ctx);
        }
        self.drafts.are_outdated();
        let came_back: Vec<_> = changes.iter().filter(|change| change.given.is_some()).map(|change| change.key).collect();
        if !came_back.is_empty() {
            self.drafts.came_back.extend(came_back);
            self.read_drafts(ctx);
        }
    }

    /// The other devices see it whole; colleagues see that there is one, or none any longer, and never a customer's.
    fn tell_of_draft(&self, kept: &Kept, before: Option<&Kept>) {
        let DraftKey { user, audience } = kept.key;
        let draft = kept.clone().into_wire().map(Box::new);
        self.send_to_user(user, UserMessage::DraftChanged { ticket: self.key.ticket, audience, draft });
        let is_there = kept.text.is_some();
        if before.is_some_and(|before| before.text.is_some() == is_there) || self.agents.is_empty() {
            return;
        }
        let colleague = self.facts.as_ref().and_then(|facts| facts.staff.iter().find(|member| member.id == user));
        let Some(colleague) = colleague else { return };
        let by = PersonRef { id: user, name: colleague.name.clone() };
        let since = is_there.then_some(kept.updated_at);
        let topic = self.topic(Numbering::Ticket);
        let frame = Frame::new(ServerFrame::Signal { topic: topic.topic, signal: Signal::Draft { by, audience, since } });
        let slot = slot(user, audience);
        self.agents.publish(|| Delivery::Signal { topic, slot, frame: Arc::clone(&frame) });
    }

    /// Mine, as an answer to `subscribe` tells them: as many as fit.
    pub(super) fn drafts_to_tell(&self, user: UserId) -> Vec<Draft> {
        let mut room = MAX_TOLD_BYTES;
        let fits = |draft: &Draft| {
            let weight = serde_json::to_vec(draft).map_or(0, |bytes| bytes.len());
            let fits = weight <= room;
            room = room.saturating_sub(weight);
            fits
        };
        self.drafts.shelf.of(user).into_iter().filter(fits).collect()
    }
}

/// Where the newest signal of a draft takes the place of the one before.
fn slot(user: UserId, audience: Audience) -> u128 {
    const DRAFTS: u128 = 0x0064_7261_6674_0000 << 64;
    let of_audience = match audience {
        Audience::Public => DRAFTS,
        Audience::Internal => DRAFTS + (1 << 64),
    };
    user.uuid().as_u128() ^ of_audience
}

fn problem_of(error: &StoreError) -> Problem {
    match error {
        StoreError::Full => Problem::busy(500),
        StoreError::Unavailable(_) | StoreError::Unreadable(_) => Problem::unavailable(),
    }
}

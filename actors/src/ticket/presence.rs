//! Who is on a ticket, live: judges what sockets say, tells colleagues the whole set and customers whether somebody writes to
//! them, and the workspace's lists now and then. Kept nowhere: after a panic the sockets' workers say it again.

use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use hub_core::ids::UserId;
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::{Side, may};
use hub_core::rules::presence::{COMPOSING_FOR, Doing, Full, Person, Room};
use hub_core::rules::stale::Numbering;
use hub_core::rules::ticket::TicketState;
use hub_core::time::UnixMs;
use hub_core::wire::{Live, Presence, PresenceSignal, Problem, ServerFrame, Signal, Support};
use tokio::time::Instant;

use super::Announce;
use super::actor::TicketActor;
use super::pace::Pace;
use crate::fanout::{ConnectionId, Delivery, Frame, Going, PRESENCE_SLOT};
use crate::interest::Interest;

/// Changes are told at once, and then no sooner than this after the last time (protocol, guarantee 7).
const GATHER: Duration = Duration::from_millis(100);
/// The same for the rows of lists, which show more tickets than anybody reads.
const GATHER_ROWS: Duration = Duration::from_secs(1);
/// Whoever is there is told to the lists again after so long: a workspace that begins anew has forgotten it.
const TELL_ROWS_AGAIN: Duration = Duration::from_secs(20);

/// Who is around, and what was told of it.
pub(super) struct Around {
    room: Room<ConnectionId>,
    /// Whose ticket it is, which never changes: for judging also while the ticket is being read anew.
    requester: Option<UserId>,
    /// The same moment by both clocks: time here goes on steadily, whatever becomes of the database's.
    began: (Instant, UnixMs),
    told: Told,
    pace: Pace,
    rows: Rows,
    /// When time is known to change something next, and is looked at.
    look_at: Option<UnixMs>,
}

/// What those who watch know.
#[derive(Default, PartialEq)]
struct Told {
    people: Vec<Presence>,
    support: Option<Support>,
}

/// What the lists know.
#[derive(Default)]
struct Rows {
    told: Vec<Presence>,
    pace: Pace,
    /// Telling it again is arranged for.
    is_due_again: bool,
    /// It is told the next time also where it is what was told last.
    again: bool,
}

impl Around {
    pub fn begin(now: UnixMs) -> Self {
        Self {
            room: Room::default(),
            requester: None,
            began: (Instant::now(), now),
            told: Told::default(),
            pace: Pace::default(),
            rows: Rows::default(),
            look_at: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.room.is_empty()
    }

    /// The ticket has been read: so people can be judged.
    pub fn of(&mut self, ticket: &TicketState) {
        self.requester = Some(ticket.requester.id);
    }

    /// True where somebody has an open connection here.
    pub fn has(&self, person: UserId) -> bool {
        self.room.has(person)
    }

    fn at(&self, instant: Instant) -> UnixMs {
        let (began, then) = self.began;
        // Before this actor began, where an earlier one was told.
        let before = i64::try_from(began.saturating_duration_since(instant).as_millis()).unwrap_or(i64::MAX);
        UnixMs(then.0.saturating_sub(before)) + instant.saturating_duration_since(began)
    }

    fn now(&self) -> UnixMs {
        self.at(Instant::now())
    }
}

impl TicketActor {
    /// Somebody is here: judged like everything else that is done to a ticket.
    pub(super) fn announce(&mut self, ctx: &mut Context<Self>, announce: Announce) {
        self.around.room.tick(self.around.now());
        let before = self.around.room.doing(announce.connection);
        let judged = self.judge_announce(&announce).and_then(|()| self.let_in(&announce));
        if judged.is_ok() {
            self.presence_changed(ctx);
            self.heed_activity(ctx, &announce, before);
        }
        announce.answer(judged);
    }

    fn judge_announce(&self, announce: &Announce) -> Result<(), Problem> {
        // Before it was read for the first time nobody is watching; whoever was, says it again when that is done.
        let Some(requester) = self.around.requester else { return Err(Problem::busy(250)) };
        let by = &announce.by;
        announce.said.acts().try_for_each(|act| may(by.role, by.user, requester, act).check())
    }

    fn let_in(&mut self, announce: &Announce) -> Result<(), Problem> {
        let Announce { connection, by, said, said_at, .. } = announce;
        let person = Person { id: by.user, name: by.name.clone(), kind: by.role.actor_kind() };
        let around = &mut self.around;
        let (now, said_at) = (around.now(), around.at(*said_at));
        let let_in = around.room.announce(*connection, person, said.clone(), said_at);
        around.room.tick(now);
        let_in.map_err(|Full| Problem::busy(1_000))
    }

    /// A socket looks elsewhere, or broke.
    pub(super) fn presence_ended(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, going: Going) {
        let now = self.around.now();
        match going {
            Going::Left => self.around.room.leave(connection),
            Going::Lost => self.around.room.lose(connection, now),
            Going::SentAway => {
                self.around.room.lose(connection, now);
                self.excuse_holder();
            }
        }
        self.presence_changed(ctx);
    }

    /// Answering the customer takes the claim, where nobody has it; whoever has it and does anything keeps it.
    fn heed_activity(&mut self, ctx: &mut Context<Self>, announce: &Announce, before: Option<Doing>) {
        let Announce { by, said, said_at, .. } = announce;
        let ago = said_at.elapsed();
        match said.doing {
            Doing::Idle => {}
            Doing::Viewing | Doing::ComposingNote => self.renew_claim(ctx, by.user, ago),
            Doing::ComposingReply => {
                self.renew_claim(ctx, by.user, ago);
                if by.role.side() == Side::Staff && ago < COMPOSING_FOR {
                    let has_just_begun = before != Some(Doing::ComposingReply);
                    self.take_claim_for(ctx, by, has_just_begun);
                }
            }
        }
    }

    /// What a watcher is told of here and now along with its grant.
    pub(super) fn live(&self, by: &Asker) -> Live {
        let mut live = Live { drafts: self.drafts_to_tell(by.user), ..Live::default() };
        match by.role.side() {
            Side::Staff => {
                live.presence = self.around.room.people();
                live.claim = self.claim_as_renewed();
            }
            Side::Customer => live.support = self.around.room.support(),
            Side::Platform => {}
        }
        live
    }

    fn presence_changed(&mut self, ctx: &mut Context<Self>) {
        self.look_in_time(ctx);
        self.heed_attendance(ctx);
        if let Some(wait) = self.around.pace.wait(GATHER) {
            self.in_a_while(ctx, wait, Self::tell_presence);
        }
    }

    /// Time alone changes something: it is looked at then. A look that is no longer needed finds nothing to do.
    fn look_in_time(&mut self, ctx: &mut Context<Self>) {
        let Some(deadline) = self.around.room.deadline() else { return };
        if self.around.look_at.is_some_and(|at| at <= deadline) {
            return;
        }
        self.around.look_at = Some(deadline);
        self.in_a_while(ctx, deadline - self.around.now(), move |actor, ctx| {
            if actor.around.look_at == Some(deadline) {
                actor.around.look_at = None;
            }
            actor.around.room.tick(actor.around.now());
            actor.presence_changed(ctx);
        });
    }

    fn tell_presence(&mut self, ctx: &mut Context<Self>) {
        self.around.pace.come();
        let now = Told { people: self.around.room.people(), support: self.around.room.support() };
        if now == self.around.told {
            return;
        }
        self.around.pace.told();
        let before = std::mem::replace(&mut self.around.told, now);
        let Told { people, support } = &self.around.told;
        if before.people != *people {
            let signal = PresenceSignal::Staff { ticket_id: None, users: people.clone() };
            self.signal_presence(&self.agents, Numbering::Ticket, signal);
        }
        if before.support != *support {
            self.signal_presence(&self.customers, Numbering::Thread, PresenceSignal::Customer { support: *support });
        }
        self.rows_changed(ctx);
    }

    fn signal_presence(&self, interest: &Interest, numbering: Numbering, signal: PresenceSignal) {
        if interest.is_empty() {
            return;
        }
        let topic = self.topic(numbering);
        let frame = Frame::new(ServerFrame::Signal { topic: topic.topic, signal: Signal::Presence(signal) });
        interest.publish(|| Delivery::Signal { topic, slot: PRESENCE_SLOT, frame: Arc::clone(&frame) });
    }

    /// This actor ends, and with it what it knows of who is here: the lists are not left with it.
    pub(super) fn forget_rows(&self) {
        if !self.around.rows.told.is_empty() && self.shared.tickets.row_presence(self.key, Vec::new()).is_err() {
            tracing::debug!(ticket = %self.key.ticket, "a workspace had no room to hear that a ticket begins anew");
        }
    }

    fn rows_changed(&mut self, ctx: &mut Context<Self>) {
        if let Some(wait) = self.around.rows.pace.wait(GATHER_ROWS) {
            self.in_a_while(ctx, wait, Self::tell_rows);
        }
    }

    /// The lists show who is on the row. Where that finds no room, it is told with the next time.
    fn tell_rows(&mut self, ctx: &mut Context<Self>) {
        let Around { told, rows, .. } = &mut self.around;
        rows.pace.come();
        if rows.told == told.people && !rows.again {
            return;
        }
        rows.pace.told();
        let users = told.people.clone();
        if self.shared.tickets.row_presence(self.key, users.clone()).is_err() {
            return self.rows_changed(ctx);
        }
        let is_anybody = !users.is_empty();
        (self.around.rows.told, self.around.rows.again) = (users, false);
        if is_anybody && !std::mem::replace(&mut self.around.rows.is_due_again, true) {
            self.in_a_while(ctx, TELL_ROWS_AGAIN, |actor, ctx| {
                actor.around.rows.is_due_again = false;
                actor.around.rows.again = !actor.around.rows.told.is_empty();
                actor.rows_changed(ctx);
            });
        }
    }
}

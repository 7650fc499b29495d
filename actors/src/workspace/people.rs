//! Who of the staff is here, told gathered: once a second at most.

use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use hub_core::rules::people::People;
use hub_core::wire::{Online, ServerFrame, Signal, Topic};
use tokio::time::Instant;

use super::WorkspaceActor;
use crate::fanout::{Delivery, Frame, slot};

/// At most one telling in so long.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// For so long the first changes after a quiet while are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// What a workspace knows of who is here.
#[derive(Default)]
pub(super) struct Rollcall {
    people: People,
    /// Whom those who watch were told last.
    told: Vec<Online>,
    told_at: Option<Instant>,
    telling_is_due: bool,
    /// A look at whether somebody without a socket is gone.
    look_is_due: bool,
}

impl WorkspaceActor {
    /// Who is here, for somebody who begins to watch. All who watch hear of it soon where it is news.
    pub(super) fn people_now(&mut self, ctx: &mut Context<Self>) -> Vec<Online> {
        let people = self.look_who_is_here();
        if self.watchers.is_empty() {
            self.rollcall.told.clone_from(&people);
        } else if people != self.rollcall.told {
            self.tell_people_soon(ctx);
        }
        self.look_again_when_somebody_may_be_gone(ctx);
        people
    }

    /// Somebody came or went.
    pub(super) fn people_changed(&mut self, ctx: &mut Context<Self>) {
        if !self.watchers.is_empty() {
            self.tell_people_soon(ctx);
        }
    }

    fn look_who_is_here(&mut self) -> Vec<Online> {
        let open = self.shared.tickets.here(self.id);
        self.rollcall.people.look(open, Instant::now().into_std());
        self.rollcall.people.listed()
    }

    fn tell_people_soon(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.rollcall.telling_is_due, true) {
            return;
        }
        let since_last = self.rollcall.told_at.map_or(TELL_EVERY, |at| at.elapsed());
        self.after(ctx, TELL_EVERY.saturating_sub(since_last).max(GATHER), |actor, ctx| {
            actor.rollcall.telling_is_due = false;
            if !actor.watchers.is_empty() {
                actor.tell_people();
                actor.look_again_when_somebody_may_be_gone(ctx);
            }
        });
    }

    fn tell_people(&mut self) {
        let people = self.look_who_is_here();
        if people == self.rollcall.told {
            return;
        }
        self.rollcall.told.clone_from(&people);
        self.rollcall.told_at = Some(Instant::now());
        let topic = self.topic();
        let frame = Frame::new(ServerFrame::Signal { topic: Topic::Workspace, signal: Signal::People { people } });
        self.watchers.publish(|| Delivery::Signal { topic, slot: slot::PEOPLE, frame: Arc::clone(&frame) });
    }

    fn look_again_when_somebody_may_be_gone(&mut self, ctx: &mut Context<Self>) {
        let Some(deadline) = self.rollcall.people.deadline() else { return };
        if std::mem::replace(&mut self.rollcall.look_is_due, true) {
            return;
        }
        self.after(ctx, Instant::from_std(deadline).saturating_duration_since(Instant::now()), |actor, ctx| {
            actor.rollcall.look_is_due = false;
            actor.people_changed(ctx);
        });
    }
}

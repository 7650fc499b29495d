//! Held replies, live: when the time of one has come it is judged anew, as a command of the hub's own in its author's name. It
//! goes out, or is its author's draft again: the rules say which.

use std::time::Duration;

use actix::Context;
use hub_core::ids::CommandKey;
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::permissions::Role;
use hub_core::time::UnixMs;

use super::actor::TicketActor;
use super::claim::{is_key_taken, own_key};

/// When to try again what could not be written.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What is known of held replies beyond the log.
#[derive(Default)]
pub(super) struct HeldKeeper {
    /// The hub itself has asked for a release, and waits for the answer.
    is_releasing: bool,
    /// Somebody used the key of a release for something else: the next try goes by a key of its own.
    is_key_taken: bool,
    /// When they are looked at next.
    look_at: Option<UnixMs>,
}

impl TicketActor {
    /// The database says that something is due. Where nothing here is, another owner wrote.
    pub(super) fn heed_due(&mut self, ctx: &mut Context<Self>) {
        let now = self.shared.ports.clock.now();
        let Some(state) = self.state() else { return };
        let (is_known, published) = (state.next_due().is_some_and(|due| due <= now), state.seq);
        if is_known {
            self.heed_claim(ctx);
            self.heed_held(ctx);
        } else if self.in_flight.is_none() {
            self.read(ctx, 0, Some(published), Vec::new());
        }
    }

    /// The log may tell of other held replies than before.
    pub(super) fn heed_held(&mut self, ctx: &mut Context<Self>) {
        let Some(state) = self.state() else { return };
        let Some(first) = state.held.iter().min_by_key(|held| held.release_at) else { return };
        let (now, release_at) = (self.shared.ports.clock.now(), first.release_at);
        if now < release_at {
            return self.look_at_held(ctx, release_at, now);
        }
        // Its author's rights are the rules' business: they know who still works here.
        let by = Asker { user: first.by.id, name: first.by.name.clone(), role: Role::Agent };
        // The same for every hub that releases it: it goes out once.
        let own = || CommandKey::of_release(self.key.ticket, first.key);
        let key = if self.held.is_key_taken { own_key() } else { own() };
        let intent = Intent { key, by, steps: vec![Step::ReleaseHeld { held_key: first.key }] };
        if std::mem::replace(&mut self.held.is_releasing, true) {
            return;
        }
        self.submit_own(ctx, intent, |actor, ctx, released| {
            actor.held.is_releasing = false;
            actor.held.is_key_taken = is_key_taken(&released);
            let wait = if released.is_ok() { Duration::ZERO } else { TRY_AGAIN };
            actor.in_a_while(ctx, wait, Self::heed_held);
        });
    }

    fn look_at_held(&mut self, ctx: &mut Context<Self>, at: UnixMs, now: UnixMs) {
        if self.held.look_at.is_some_and(|look_at| look_at <= at) {
            return;
        }
        self.held.look_at = Some(at);
        self.in_a_while(ctx, at - now, move |actor, ctx| {
            if actor.held.look_at == Some(at) {
                actor.held.look_at = None;
            }
            actor.heed_held(ctx);
        });
    }
}

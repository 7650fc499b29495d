//! Telling no more often than anybody can look, and doing things in time.

use std::time::Duration;

use actix::{AsyncContext, Context};
use tokio::time::Instant;

use super::actor::TicketActor;

/// When something was told last, and whether the next time is arranged for.
#[derive(Default)]
pub(super) struct Pace {
    last: Option<Instant>,
    is_due: bool,
}

impl Pace {
    /// How long to wait before telling again, at least `gather` after the last time; none where that is arranged for already.
    pub fn wait(&mut self, gather: Duration) -> Option<Duration> {
        let waited = self.last.map_or(gather, |last| last.elapsed());
        (!std::mem::replace(&mut self.is_due, true)).then(|| gather.saturating_sub(waited))
    }

    /// The time that was arranged for has come.
    pub fn come(&mut self) {
        self.is_due = false;
    }

    /// It was told just now.
    pub fn told(&mut self) {
        self.last = Some(Instant::now());
    }
}

impl TicketActor {
    /// Comes back after a while, or at once where that is over, as a guarded turn.
    pub(super) fn in_a_while(
        &mut self,
        ctx: &mut Context<Self>,
        wait: Duration,
        turn: impl FnOnce(&mut Self, &mut Context<Self>) + 'static,
    ) {
        if wait.is_zero() {
            return turn(self, ctx);
        }
        ctx.run_later(wait, move |actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                turn(actor, ctx);
                actor.rest_if_idle(ctx);
            });
        });
    }
}

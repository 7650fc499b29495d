//! Ticket numbers: drawn from the database in blocks, given out one by one, never twice.

use std::collections::VecDeque;
use std::ops::Range;

use actix::Context;
use hub_core::ports::StoreError;
use hub_core::wire::Problem;
use tokio::sync::oneshot;

use super::WorkspaceActor;

/// Ticket numbers drawn at once at most: gaps are allowed, a number is never drawn twice. Few, because those that a killed hub
/// had drawn are gaps that people see.
const MOST_AT_ONCE: u32 = 16;
/// New tickets that may wait for a number.
const MAX_WAITING: usize = 2_000;

/// The numbers of one workspace.
pub(super) struct Numbers {
    /// Drawn and not given out yet.
    drawn: Range<u64>,
    waiting: VecDeque<oneshot::Sender<Result<u64, Problem>>>,
    drawing: bool,
    /// How many are drawn next: one for who wakes the workspace, more with each draw, so that a quiet workspace, which rests
    /// between its tickets, leaves no gaps.
    next_draw: u32,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { drawn: 0..0, waiting: VecDeque::new(), drawing: false, next_draw: 1 }
    }
}

impl Numbers {
    /// Answers all who wait.
    pub fn refuse(&mut self, problem: &Problem) {
        for answer in self.waiting.drain(..) {
            // Whoever asked may have gone; nothing of the ticket was written yet.
            drop(answer.send(Err(problem.clone())));
        }
    }
}

impl WorkspaceActor {
    pub(super) fn next_number(&mut self, ctx: &mut Context<Self>, answer: oneshot::Sender<Result<u64, Problem>>) {
        if self.numbers.waiting.len() >= MAX_WAITING {
            drop(answer.send(Err(Problem::busy(500))));
            return;
        }
        self.numbers.waiting.push_back(answer);
        self.give_numbers(ctx);
    }

    fn give_numbers(&mut self, ctx: &mut Context<Self>) {
        while let Some(answer) = self.numbers.waiting.pop_front() {
            let Some(number) = self.numbers.drawn.next() else {
                self.numbers.waiting.push_front(answer);
                return self.draw_numbers(ctx);
            };
            // A number nobody waits for any longer is a gap, and gaps are allowed.
            drop(answer.send(Ok(number)));
        }
    }

    fn draw_numbers(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.numbers.drawing, true) {
            return;
        }
        let waiting = u32::try_from(self.numbers.waiting.len()).unwrap_or(u32::MAX);
        let count = self.numbers.next_draw.max(waiting).min(MOST_AT_ONCE);
        self.numbers.next_draw = (count * 2).min(MOST_AT_ONCE);
        let drawn = self.shared.ports.workspaces.lease_numbers(self.id, count);
        self.later(ctx, drawn, move |actor, ctx, drawn| {
            actor.numbers.drawing = false;
            match drawn {
                Ok(first) => {
                    actor.numbers.drawn = first..first + u64::from(count);
                    actor.give_numbers(ctx);
                }
                Err(error) => actor.cannot_draw(&error),
            }
        });
    }

    fn cannot_draw(&mut self, error: &StoreError) {
        tracing::warn!(workspace = %self.id, %error, "no ticket numbers can be drawn");
        self.numbers.refuse(&Problem::busy(1_000));
    }
}

//! The counters over the lists: counted when somebody comes, carried along with each change, recounted each minute, and told
//! gathered. While nobody watches, nothing is counted.

use std::sync::Arc;
use std::time::Duration;

use actix::Context;
use hub_core::ports::StoreError;
use hub_core::rules::counters::{self, Counted, Counters, Ledger, Moved, Totals, open_statuses};
use hub_core::rules::intent::Asker;
use hub_core::rules::permissions::Side;
use hub_core::time::UnixMs;
use hub_core::wire::Problem;
use tokio::sync::oneshot;

use super::WorkspaceActor;
use crate::fanout::{ConnectionId, CountersFor, Delivery, FanoutHandle};
use crate::metrics;

/// For so long changes are gathered before the counters are told: four times a second at most.
const GATHER: Duration = Duration::from_millis(250);
/// How often everything is counted anew, give or take a quarter, so that not all workspaces count at once.
const RECOUNT_EVERY: Duration = Duration::from_secs(60);
/// When to try again after a count that failed; drawn in the same way.
const RETRY: Duration = Duration::from_secs(5);
/// How far back a count tells where tickets stand that changed: longer than the telling of a change may take.
const RECENT_MS: i64 = 15_000;
/// Those who ask once and may wait for the first count.
const MAX_ASKING: usize = 1_000;

/// What a workspace knows of its counters.
#[derive(Default)]
pub(super) struct Counting {
    /// None while nobody asks, or before the first count.
    ledger: Option<Ledger>,
    /// A count is under way.
    under_way: Option<counters::Counting>,
    /// The next look at whether to count anew is due some time.
    recount_is_due: bool,
    telling_is_due: bool,
    /// What was told last.
    told: Option<Arc<Totals>>,
    asking: Vec<(Asker, oneshot::Sender<Result<Counters, Problem>>)>,
}

impl Counting {
    /// Answers all who wait.
    pub fn refuse(&mut self, problem: &Problem) {
        for (_, answer) in self.asking.drain(..) {
            // Whoever asked may have gone.
            drop(answer.send(Err(problem.clone())));
        }
    }
}

impl WorkspaceActor {
    /// A ticket changed.
    pub(super) fn carry(&mut self, ctx: &mut Context<Self>, moved: Moved) {
        if let Some(ledger) = &mut self.counting.ledger {
            ledger.carry(&moved);
            if !self.watchers.is_empty() && !std::mem::replace(&mut self.counting.telling_is_due, true) {
                self.after(ctx, GATHER, |actor, _| {
                    actor.counting.telling_is_due = false;
                    actor.tell_counters();
                });
            }
        }
        if let Some(under_way) = &mut self.counting.under_way {
            under_way.keep(moved);
        }
    }

    /// Somebody asks once.
    pub(super) fn count_for(
        &mut self,
        ctx: &mut Context<Self>,
        by: &Asker,
        answer: oneshot::Sender<Result<Counters, Problem>>,
    ) {
        if by.role.side() != Side::Staff {
            // Whoever asked may have gone.
            drop(answer.send(Err(Problem::not_found())));
            return;
        }
        if self.counting.asking.len() >= MAX_ASKING {
            drop(answer.send(Err(Problem::busy(1_000))));
            return;
        }
        self.counting.asking.push((by.clone(), answer));
        if self.counting.ledger.is_some() { self.answer_those_who_ask() } else { self.count(ctx) }
    }

    fn answer_those_who_ask(&mut self) {
        let Some(ledger) = &self.counting.ledger else { return };
        let totals = ledger.totals();
        for (by, answer) in self.counting.asking.drain(..) {
            drop(answer.send(totals.of(by.role, by.user).ok_or_else(Problem::not_found)));
        }
    }

    /// A socket has just begun to watch: it is told what is known, or with all others when the first count is done.
    pub(super) fn tell_counters_to(&mut self, ctx: &mut Context<Self>, connection: ConnectionId, worker: &FanoutHandle) {
        let Some(ledger) = &self.counting.ledger else { return self.count(ctx) };
        let totals = Arc::new(ledger.totals());
        worker.deliver(Delivery::Counters { topic: self.topic(), totals, to: CountersFor::One(connection) });
    }

    fn tell_counters(&mut self) {
        let Some(ledger) = &self.counting.ledger else { return };
        let totals = Arc::new(ledger.totals());
        if self.counting.told.as_ref() == Some(&totals) {
            return;
        }
        self.counting.told = Some(Arc::clone(&totals));
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Counters { topic, totals: Arc::clone(&totals), to: CountersFor::Everybody });
    }

    /// Counts everything, unless that is under way.
    fn count(&mut self, ctx: &mut Context<Self>) {
        if self.counting.under_way.is_some() {
            return;
        }
        self.counting.under_way = Some(counters::Counting::default());
        let (shared, id) = (Arc::clone(&self.shared), self.id);
        let since = UnixMs(shared.ports.clock.now().0 - RECENT_MS);
        let count = async move {
            let facts = shared.facts.get(id).await?;
            let facts = facts.ok_or_else(|| StoreError::Unreadable("there is no such workspace".into()))?;
            let open = open_statuses(&facts.workflow);
            let counting = metrics::CountingTickets::begin();
            let counted = shared.ports.lists.count(id, open.clone(), since).await?;
            counting.end();
            Ok((open, counted))
        };
        self.later(ctx, count, |actor, ctx, counted: Result<_, StoreError>| {
            let Some(under_way) = actor.counting.under_way.take() else { return };
            match counted {
                Ok((open, counted)) => actor.counted(ctx, under_way, &open, counted),
                Err(error) => actor.cannot_count(ctx, &error),
            }
        });
    }

    fn counted(&mut self, ctx: &mut Context<Self>, under_way: counters::Counting, open: &[String], counted: Counted) {
        let found = self.counting.ledger.is_some().then(|| counted.clone());
        let ledger = under_way.done(open, counted);
        if let (Some(before), Some(found)) = (&self.counting.ledger, found)
            && before.is_corrected_by(&found, &ledger)
        {
            metrics::counters_corrected();
            tracing::info!(workspace = %self.id, "a recount corrected the counters: another hub wrote, or a message was lost");
        }
        self.counting.ledger = Some(ledger);
        self.answer_those_who_ask();
        self.tell_counters();
        self.recount_after(ctx, RECOUNT_EVERY);
    }

    fn cannot_count(&mut self, ctx: &mut Context<Self>, error: &StoreError) {
        tracing::warn!(workspace = %self.id, %error, "tickets cannot be counted");
        self.counting.refuse(&Problem::unavailable());
        self.recount_after(ctx, RETRY);
    }

    /// While somebody watches: counts anew, and looks who is here. Else what was counted is forgotten, and the next who comes
    /// counts.
    fn recount_after(&mut self, ctx: &mut Context<Self>, pause: Duration) {
        if std::mem::replace(&mut self.counting.recount_is_due, true) {
            return;
        }
        self.after(ctx, pause.mul_f64(rand::random_range(0.75..1.25)), |actor, ctx| {
            actor.counting.recount_is_due = false;
            if actor.watchers.is_empty() {
                (actor.counting.ledger, actor.counting.told) = (None, None);
                return;
            }
            actor.people_changed(ctx);
            actor.count(ctx);
        });
    }
}

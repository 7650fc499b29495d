//! The shell of a workspace: its mailbox, its guard, who watches, and when it rests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use hub_core::ids::WorkspaceId;
use hub_core::rules::permissions::Side;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::server::TeamRef;
use hub_core::wire::{Live, PersonRef, Problem, ServerFrame, Signal, Snapshot, Topic};
use tokio::time::Instant;

use super::counters::Counting;
use super::numbers::Numbers;
use super::people::Rollcall;
use super::rows::Rows;
use super::{RowChange, WorkspaceMessage};
use crate::fanout::{Delivery, Frame, TopicKey, Watch, WatchAnswer};
use crate::interest::Interest;
use crate::metrics;
use crate::shard::{BeginAnew, OfferWorkspaceToGo, Shared};

/// Backstop of the mailbox.
const MAILBOX: usize = 16_384;

/// A message for the actor itself.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToActor(pub WorkspaceMessage);

/// One workspace, awake.
pub struct WorkspaceActor {
    pub(super) id: WorkspaceId,
    pub(super) shared: Arc<Shared>,
    pub(super) watchers: Interest,
    pub(super) numbers: Numbers,
    pub(super) counting: Counting,
    pub(super) rollcall: Rollcall,
    pub(super) rows: Rows,
    /// Work under way that comes back here: it rests only when there is none.
    pub(super) under_way: usize,
    /// Messages seen, so that the shard can tell whether one is still on its way.
    handled: u64,
    /// When the last message came that keeps it awake.
    last_message: Instant,
    look_is_due: bool,
}

impl WorkspaceActor {
    /// Starts the actor on the arbiter of the calling shard.
    pub fn wake(id: WorkspaceId, shared: Arc<Shared>) -> Addr<Self> {
        Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            Self {
                id,
                shared,
                watchers: Interest::default(),
                numbers: Numbers::default(),
                counting: Counting::default(),
                rollcall: Rollcall::default(),
                rows: Rows::default(),
                under_way: 0,
                handled: 0,
                last_message: Instant::now(),
                look_is_due: false,
            }
        })
    }

    /// Every way into the actor leads through here: a panic ends this actor, and nothing else.
    pub(super) fn guarded(&mut self, ctx: &mut Context<Self>, turn: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if catch_unwind(AssertUnwindSafe(|| turn(self, ctx))).is_err() {
            metrics::panicked("workspace");
            tracing::error!(workspace = %self.id, "a workspace panicked; it begins anew");
            self.give_up(ctx);
        }
    }

    /// Ends this actor in a way that loses nobody: who waits is answered, who watches asks the next one.
    fn give_up(&mut self, ctx: &mut Context<Self>) {
        self.numbers.refuse(&Problem::busy(500));
        self.counting.refuse(&Problem::busy(500));
        ctx.terminate();
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Resync { topic });
    }

    pub(super) fn topic(&self) -> TopicKey {
        TopicKey::shared(self.id, Topic::Workspace)
    }

    fn handle_message(&mut self, ctx: &mut Context<Self>, message: WorkspaceMessage) {
        match message {
            WorkspaceMessage::NextNumber { answer } => self.next_number(ctx, answer),
            WorkspaceMessage::TicketChanged(change) => self.ticket_changed(ctx, *change),
            WorkspaceMessage::RowPresence { ticket, users } => self.row_presence(ctx, ticket, users),
            WorkspaceMessage::Rows { tickets, connection, worker } => self.tell_rows(&tickets, connection, &worker),
            WorkspaceMessage::Count { by, answer } => self.count_for(ctx, &by, answer),
            WorkspaceMessage::PeopleChanged => self.people_changed(ctx),
            WorkspaceMessage::Watch(watch) => self.watch(ctx, *watch),
            WorkspaceMessage::Unwatch(gone) => self.watchers.end(gone.worker, gone.grants),
        }
    }

    fn ticket_changed(&mut self, ctx: &mut Context<Self>, change: RowChange) {
        let RowChange { row, by, what, moved } = change;
        #[cfg(feature = "faults")]
        crate::faults::panic_if_armed(crate::faults::Point::Row, row.id);
        self.carry(ctx, moved);
        if self.watchers.is_empty() {
            return;
        }
        let (topic, slot) = (self.topic(), row.id.uuid().as_u128());
        let signal = Signal::TicketChanged { ticket: Box::new(row), by: Some(by), what: Some(what.to_owned()) };
        let frame = Frame::new(ServerFrame::Signal { topic: topic.topic, signal });
        self.watchers.publish(|| Delivery::Signal { topic, slot, frame: Arc::clone(&frame) });
    }

    fn watch(&mut self, ctx: &mut Context<Self>, watch: Watch) {
        if watch.by.role.side() != Side::Staff {
            return watch.answer(WatchAnswer::Refused(Problem::not_found()));
        }
        let (facts, id) = (Arc::clone(&self.shared.facts), self.id);
        self.later(ctx, async move { facts.get(id).await }, move |actor, ctx, facts| match facts {
            Ok(Some(facts)) => actor.grant(ctx, watch, &facts),
            Ok(None) => watch.answer(WatchAnswer::Refused(Problem::not_found())),
            Err(error) => {
                tracing::warn!(workspace = %actor.id, %error, "a workspace cannot be read for a watcher");
                watch.answer(WatchAnswer::Refused(Problem::unavailable()));
            }
        });
    }

    fn grant(&mut self, ctx: &mut Context<Self>, watch: Watch, facts: &WorkspaceFacts) {
        let assignable = facts.staff.iter().filter(|member| member.role.works_on_tickets());
        let people = assignable.map(|member| PersonRef { id: member.id, name: member.name.clone() }).collect();
        let teams = facts.teams.iter().map(|(id, name)| TeamRef { id: *id, name: name.clone() }).collect();
        let frame = Box::new(ServerFrame::Subscribed {
            id: watch.request,
            topic: Topic::Workspace,
            stream: self.shared.ports.journal.stream(),
            seq: 0,
            live: Live { people: self.people_now(ctx), ..Live::default() },
            events: None,
            reset: Some(true),
            snapshot: Some(Snapshot::Workspace { people, teams }),
        });
        let grant = self.watchers.grant(&watch.worker);
        let (worker, connection) = (watch.worker.clone(), watch.connection);
        watch.answer(WatchAnswer::Granted { seq: 0, grant, frame });
        self.tell_counters_to(ctx, connection, &worker);
    }

    /// Runs a future and comes back with its answer, as a guarded turn.
    pub(super) fn later<T: 'static>(
        &mut self,
        ctx: &mut Context<Self>,
        future: impl Future<Output = T> + 'static,
        turn: impl FnOnce(&mut Self, &mut Context<Self>, T) + 'static,
    ) {
        self.under_way += 1;
        ctx.spawn(wrap_future::<_, Self>(future).map(move |answer, actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                actor.under_way -= 1;
                turn(actor, ctx, answer);
                actor.rest_if_idle(ctx);
            });
        }));
    }

    /// The same after a while.
    pub(super) fn after(
        &mut self,
        ctx: &mut Context<Self>,
        pause: Duration,
        turn: impl FnOnce(&mut Self, &mut Context<Self>) + 'static,
    ) {
        self.later(ctx, tokio::time::sleep(pause), move |actor, ctx, ()| turn(actor, ctx));
    }

    fn is_idle(&self) -> bool {
        self.watchers.is_empty() && self.under_way == 0 && self.rows.is_empty()
    }

    /// Nobody watches, nobody waits, nobody is at a ticket: a while later the shard is asked whether that is still so. Numbers
    /// that were drawn and not given out are gaps then, which is allowed.
    fn rest_if_idle(&mut self, ctx: &mut Context<Self>) {
        if !self.is_idle() || self.look_is_due {
            return;
        }
        let left = self.shared.settings.passivate_after.saturating_sub(self.last_message.elapsed());
        if left.is_zero() {
            let offer = OfferWorkspaceToGo { workspace: self.id, actor: ctx.address(), handled: self.handled };
            if self.shared.shard.try_send(offer).is_err() {
                tracing::debug!(workspace = %self.id, "the shard had no room for an offer; the next message brings another");
            }
            return;
        }
        self.look_is_due = true;
        ctx.run_later(left, |actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                actor.look_is_due = false;
                actor.rest_if_idle(ctx);
            });
        });
    }
}

impl Actor for WorkspaceActor {
    type Context = Context<Self>;
}

impl Handler<ToActor> for WorkspaceActor {
    type Result = ();
    fn handle(&mut self, ToActor(message): ToActor, ctx: &mut Self::Context) {
        self.handled += 1;
        if !message.is_idle_talk() {
            self.last_message = Instant::now();
        }
        self.guarded(ctx, |actor, ctx| {
            actor.handle_message(ctx, message);
            actor.rest_if_idle(ctx);
        });
    }
}

impl Handler<BeginAnew> for WorkspaceActor {
    type Result = ();
    fn handle(&mut self, BeginAnew: BeginAnew, ctx: &mut Self::Context) {
        self.give_up(ctx);
    }
}

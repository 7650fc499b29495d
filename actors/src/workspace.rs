//! One workspace, awake: draws ticket numbers in blocks, and tells everybody who watches its lists what changed.

use std::collections::VecDeque;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use hub_core::ids::WorkspaceId;
use hub_core::ports::StoreError;
use hub_core::rules::permissions::Side;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::server::TeamRef;
use hub_core::wire::{AgentTicket, Live, PersonRef, Problem, ServerFrame, Signal, Snapshot, Topic};
use tokio::sync::oneshot;

use crate::fanout::{Delivery, Frame, TopicKey, Watch, WatchAnswer, WorkerGone};
use crate::interest::Interest;
use crate::shard::{BeginAnew, Shared};

/// Ticket numbers drawn at once: gaps are allowed, a number is never drawn twice. Few, because those that a killed hub had
/// drawn are gaps that people see.
const NUMBERS_AT_ONCE: u32 = 16;
/// New tickets that may wait for a number.
const MAX_WAITING: usize = 2_000;
/// Backstop of the mailbox.
const MAILBOX: usize = 16_384;

/// What reaches a workspace.
pub enum WorkspaceMessage {
    /// Somebody opens a ticket.
    NextNumber { answer: oneshot::Sender<Result<u64, Problem>> },
    /// A row of the lists is now so.
    TicketChanged(Box<AgentTicket>),
    /// Somebody wants to watch the lists.
    Watch(Box<Watch>),
    /// A worker has nobody left who watches.
    Unwatch(WorkerGone),
}

impl WorkspaceMessage {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        match self {
            // Whoever asked may have gone: then there is nobody to tell.
            Self::NextNumber { answer } => _ = answer.send(Err(problem)),
            Self::Watch(watch) => watch.answer(WatchAnswer::Refused(problem)),
            Self::TicketChanged(_) | Self::Unwatch(_) => {}
        }
    }

    /// True for what means nothing to a workspace that sleeps.
    pub const fn is_idle_talk(&self) -> bool {
        match self {
            Self::TicketChanged(_) | Self::Unwatch(_) => true,
            Self::NextNumber { .. } | Self::Watch(_) => false,
        }
    }
}

/// A message for the actor itself.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToActor(pub WorkspaceMessage);

/// One workspace, awake.
pub struct WorkspaceActor {
    id: WorkspaceId,
    shared: Arc<Shared>,
    /// Numbers drawn and not given out yet.
    numbers: Range<u64>,
    waiting: VecDeque<oneshot::Sender<Result<u64, Problem>>>,
    drawing: bool,
    watchers: Interest,
}

impl WorkspaceActor {
    /// Starts the actor on the arbiter of the calling shard.
    pub fn wake(id: WorkspaceId, shared: Arc<Shared>) -> Addr<Self> {
        Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            Self { id, shared, numbers: 0..0, waiting: VecDeque::new(), drawing: false, watchers: Interest::default() }
        })
    }

    /// Every way into the actor leads through here: a panic ends this actor, and nothing else.
    fn guarded(&mut self, ctx: &mut Context<Self>, turn: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if catch_unwind(AssertUnwindSafe(|| turn(self, ctx))).is_err() {
            tracing::error!(workspace = %self.id, "a workspace panicked; it begins anew");
            self.give_up(ctx);
        }
    }

    /// Ends this actor in a way that loses nobody: who waits is answered, who watches asks the next one.
    fn give_up(&mut self, ctx: &mut Context<Self>) {
        for answer in self.waiting.drain(..) {
            // Whoever asked may have gone.
            drop(answer.send(Err(Problem::busy(500))));
        }
        ctx.terminate();
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Resync { topic });
    }

    fn topic(&self) -> TopicKey {
        TopicKey::shared(self.id, Topic::Workspace)
    }

    fn handle_message(&mut self, ctx: &mut Context<Self>, message: WorkspaceMessage) {
        match message {
            WorkspaceMessage::NextNumber { .. } if self.waiting.len() >= MAX_WAITING => message.refuse(Problem::busy(500)),
            WorkspaceMessage::NextNumber { answer } => {
                self.waiting.push_back(answer);
                self.give_numbers(ctx);
            }
            WorkspaceMessage::TicketChanged(row) => self.ticket_changed(row),
            WorkspaceMessage::Watch(watch) => self.watch(ctx, *watch),
            WorkspaceMessage::Unwatch(gone) => self.watchers.end(gone.worker, gone.grants),
        }
    }

    fn give_numbers(&mut self, ctx: &mut Context<Self>) {
        while let Some(answer) = self.waiting.pop_front() {
            let Some(number) = self.numbers.next() else {
                self.waiting.push_front(answer);
                return self.draw_numbers(ctx);
            };
            // A number nobody waits for any longer is a gap, and gaps are allowed.
            drop(answer.send(Ok(number)));
        }
    }

    fn draw_numbers(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.drawing, true) {
            return;
        }
        let drawn = self.shared.ports.workspaces.lease_numbers(self.id, NUMBERS_AT_ONCE);
        self.later(ctx, drawn, |actor, ctx, drawn| {
            actor.drawing = false;
            match drawn {
                Ok(first) => {
                    actor.numbers = first..first + u64::from(NUMBERS_AT_ONCE);
                    actor.give_numbers(ctx);
                }
                Err(error) => actor.refuse_numbers(&error),
            }
        });
    }

    fn refuse_numbers(&mut self, error: &StoreError) {
        tracing::warn!(workspace = %self.id, %error, "no ticket numbers can be drawn");
        for answer in self.waiting.drain(..) {
            // Nothing of the ticket was written yet.
            drop(answer.send(Err(Problem::busy(1_000))));
        }
    }

    fn ticket_changed(&self, row: Box<AgentTicket>) {
        if self.watchers.is_empty() {
            return;
        }
        let (topic, slot) = (self.topic(), row.id.uuid().as_u128());
        let frame = Frame::new(ServerFrame::Signal {
            topic: topic.topic,
            signal: Signal::TicketChanged { ticket: row, by: None, what: None },
        });
        self.watchers.publish(|| Delivery::Signal { topic, slot, frame: Arc::clone(&frame) });
    }

    fn watch(&self, ctx: &mut Context<Self>, watch: Watch) {
        if watch.by.role.side() != Side::Staff {
            return watch.answer(WatchAnswer::Refused(Problem::not_found()));
        }
        let (facts, id) = (Arc::clone(&self.shared.facts), self.id);
        self.later(ctx, async move { facts.get(id).await }, move |actor, _, facts| match facts {
            Ok(Some(facts)) => actor.grant(watch, &facts),
            Ok(None) => watch.answer(WatchAnswer::Refused(Problem::not_found())),
            Err(error) => {
                tracing::warn!(workspace = %actor.id, %error, "a workspace cannot be read for a watcher");
                watch.answer(WatchAnswer::Refused(Problem::unavailable()));
            }
        });
    }

    fn grant(&mut self, watch: Watch, facts: &WorkspaceFacts) {
        let assignable = facts.staff.iter().filter(|member| member.role.works_on_tickets());
        let people = assignable.map(|member| PersonRef { id: member.id, name: member.name.clone() }).collect();
        let teams = facts.teams.iter().map(|(id, name)| TeamRef { id: *id, name: name.clone() }).collect();
        let frame = Box::new(ServerFrame::Subscribed {
            id: watch.request,
            topic: Topic::Workspace,
            stream: self.shared.ports.journal.stream(),
            seq: 0,
            live: Live::default(),
            events: None,
            reset: Some(true),
            snapshot: Some(Snapshot::Workspace { people, teams }),
        });
        let grant = self.watchers.grant(&watch.worker);
        watch.answer(WatchAnswer::Granted { seq: 0, grant, frame });
    }

    fn later<T: 'static>(
        &self,
        ctx: &mut Context<Self>,
        future: impl Future<Output = T> + 'static,
        turn: impl FnOnce(&mut Self, &mut Context<Self>, T) + 'static,
    ) {
        ctx.spawn(wrap_future::<_, Self>(future).map(move |answer, actor, ctx| {
            actor.guarded(ctx, |actor, ctx| turn(actor, ctx, answer));
        }));
    }
}

impl Actor for WorkspaceActor {
    type Context = Context<Self>;
}

impl Handler<ToActor> for WorkspaceActor {
    type Result = ();
    fn handle(&mut self, ToActor(message): ToActor, ctx: &mut Self::Context) {
        self.guarded(ctx, |actor, ctx| actor.handle_message(ctx, message));
    }
}

impl Handler<BeginAnew> for WorkspaceActor {
    type Result = ();
    fn handle(&mut self, BeginAnew: BeginAnew, ctx: &mut Self::Context) {
        self.give_up(ctx);
    }
}

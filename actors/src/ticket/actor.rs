//! The shell of a ticket: its mailbox, its guard, its phases of life. What it does with commands is in `work`, with
//! watchers in `watchers`.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use hub_core::ids::{CommandKey, TicketKey};
use hub_core::ports::{EventRange, From, KeyRecord, StoreError};
use hub_core::rules::counters::Queue;
use hub_core::rules::notify;
use hub_core::rules::record::Happened;
use hub_core::rules::stale::Numbering;
use hub_core::rules::ticket::TicketState;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::{Problem, Topic};
use tokio::time::Instant;

use super::claim::ClaimKeeper;
use super::drafts::Drafts;
use super::held::HeldKeeper;
use super::history::History;
use super::presence::Around;
use super::work::{Command, InFlight};
use super::{TicketMessage, watchers};
use crate::fanout::{Delivery, TopicKey, Watch, WatchAnswer};
use crate::interest::Interest;
use crate::metrics::{self, Awake, ReadingTicket};
use crate::shard::{BeginAnew, Gone, OfferToGo, Shared, WhyGone};

/// Backstop of the mailbox; commands are bounded by permits, watchers by sockets.
const MAILBOX: usize = 16_384;
/// The longest pause between two tries to read a ticket.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Keys remembered per ticket: a repeat of these needs no database.
const MAX_KEYS: usize = 64;

/// One ticket, awake.
pub struct TicketActor {
    pub(super) key: TicketKey,
    pub(super) shared: Arc<Shared>,
    pub(super) life: Life,
    pub(super) facts: Option<Arc<WorkspaceFacts>>,
    /// Commands in the order of their arrival.
    pub(super) waiting: VecDeque<Command>,
    /// The one append that is under way.
    pub(super) in_flight: Option<InFlight>,
    /// Watchers that came before the ticket was read.
    pub(super) watchers_waiting: Vec<Watch>,
    /// Reads of older events under way for watchers: the history is kept meanwhile.
    pub(super) reads: usize,
    pub(super) agents: Interest,
    pub(super) customers: Interest,
    pub(super) history: History,
    pub(super) around: Around,
    pub(super) claim: ClaimKeeper,
    pub(super) drafts: Drafts,
    pub(super) held: HeldKeeper,
    pub(super) keys: VecDeque<(CommandKey, KeyRecord)>,
    /// Where the lists count the ticket, as far as this actor told or found; none where there is no ticket (yet).
    pub(super) counted_in: Option<Queue>,
    /// Messages seen, so that the shard can tell whether one is still on its way.
    handled: u64,
    /// When the last message came.
    last_message: Instant,
    /// A look at whether to rest is due. Never cancelled: cancelling a future in the turn in which its actor is terminated
    /// makes actix spin for ever, and a panic terminates.
    look_is_due: bool,
    pub(super) refreshing: bool,
    _awake: Awake,
}

/// What the actor knows of its ticket.
pub(super) enum Life {
    /// It is being read.
    Reading,
    /// As it stands in the log; none where there is no such ticket (yet).
    Known(Option<Box<TicketState>>),
}

/// What was read of the ticket.
pub(super) struct Reading {
    pub state: Option<TicketState>,
    pub facts: Option<Arc<WorkspaceFacts>>,
    /// What came after the last event this actor had published.
    pub news: Vec<Happened>,
    /// The effects of keys that were in doubt.
    pub keys: HashMap<CommandKey, Option<KeyRecord>>,
}

/// A message for the actor itself.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToActor(pub TicketMessage);

impl TicketActor {
    /// Starts the actor on the arbiter of the calling shard.
    pub fn wake(key: TicketKey, shared: Arc<Shared>) -> Addr<Self> {
        let now = shared.ports.clock.now();
        Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            Self {
                key,
                shared,
                life: Life::Reading,
                facts: None,
                waiting: VecDeque::new(),
                in_flight: None,
                watchers_waiting: Vec::new(),
                reads: 0,
                agents: Interest::default(),
                customers: Interest::default(),
                history: History::default(),
                around: Around::begin(now),
                claim: ClaimKeeper::default(),
                drafts: Drafts::default(),
                held: HeldKeeper::default(),
                keys: VecDeque::new(),
                counted_in: None,
                handled: 0,
                last_message: Instant::now(),
                look_is_due: false,
                refreshing: false,
                _awake: Awake::begin(),
            }
        })
    }

    /// Every way into the actor leads through here: a panic ends this actor, and nothing else.
    pub(super) fn guarded(&mut self, ctx: &mut Context<Self>, turn: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if catch_unwind(AssertUnwindSafe(|| turn(self, ctx))).is_err() {
            metrics::ticket_panicked();
            tracing::error!(ticket = %self.key.ticket, "a ticket panicked; it is read anew");
            self.give_up(ctx, &Problem::unavailable());
        }
    }

    /// Runs a future and comes back with its answer, as a guarded turn.
    pub(super) fn later<T: 'static>(
        &self,
        ctx: &mut Context<Self>,
        future: impl Future<Output = T> + 'static,
        turn: impl FnOnce(&mut Self, &mut Context<Self>, T) + 'static,
    ) {
        ctx.spawn(wrap_future::<_, Self>(future).map(move |answer, actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                turn(actor, ctx, answer);
                actor.rest_if_idle(ctx);
            });
        }));
    }

    pub(super) fn state(&self) -> Option<&TicketState> {
        match &self.life {
            Life::Reading => None,
            Life::Known(state) => state.as_deref(),
        }
    }

    pub(super) fn topic(&self, numbering: Numbering) -> TopicKey {
        let topic = match numbering {
            Numbering::Ticket => Topic::Ticket(self.key.ticket),
            Numbering::Thread => Topic::Thread(self.key.ticket),
        };
        TopicKey::shared(self.key.workspace, topic)
    }

    /// Reads the ticket, what came after `published`, and what the doubtful keys did; then goes on.
    pub(super) fn read(&mut self, ctx: &mut Context<Self>, tries: u32, published: Option<u64>, doubtful: Vec<CommandKey>) {
        self.life = Life::Reading;
        let (key, shared) = (self.key, Arc::clone(&self.shared));
        let keys = doubtful.clone();
        let reading = async move {
            if tries > 0 {
                tokio::time::sleep(pause(tries)).await;
            }
            read_ticket(key, &shared, published, keys).await
        };
        self.later(ctx, reading, move |actor, ctx, reading| match reading {
            Ok(reading) => actor.has_been_read(ctx, reading),
            Err(error) => actor.cannot_be_read(ctx, tries, published, doubtful, &error),
        });
    }

    fn has_been_read(&mut self, ctx: &mut Context<Self>, reading: Reading) {
        let Reading { state, facts, news, keys } = reading;
        self.facts = facts;
        state.iter().for_each(|state| self.around.of(state));
        self.life = Life::Known(state.map(Box::new));
        if let Some(state) = self.state() {
            let perhaps_told: Vec<_> = news.iter().flat_map(|happened| notify::perhaps_told(state, happened)).collect();
            self.let_people_look(perhaps_told);
        }
        if !news.is_empty() {
            // Another owner wrote, or an append whose outcome was unknown is written: that may have changed drafts too.
            self.drafts.are_outdated();
        }
        self.publish(news);
        self.heed_claim(ctx);
        self.counted_in = self.state().map(Queue::of);
        self.heed_held(ctx);
        self.settle_doubts(&keys);
        if self.drafts.are_wanted() || !self.agents.is_empty() || !self.customers.is_empty() {
            self.read_drafts(ctx);
        }
        self.go_on_with_drafts(ctx);
        for watch in std::mem::take(&mut self.watchers_waiting) {
            self.watch(ctx, watch, watchers::Reread::Yes);
        }
        self.work(ctx);
    }

    /// The journal is away. Whoever waits is told; those who watch keep their place, and reading goes on with pauses.
    fn cannot_be_read(
        &mut self,
        ctx: &mut Context<Self>,
        tries: u32,
        published: Option<u64>,
        doubtful: Vec<CommandKey>,
        error: &StoreError,
    ) {
        tracing::warn!(ticket = %self.key.ticket, tries, %error, "a ticket cannot be read");
        for command in self.waiting.drain(..) {
            command.answer(Err(Problem::unavailable()));
        }
        for watch in self.watchers_waiting.drain(..) {
            watch.answer(WatchAnswer::Refused(Problem::unavailable()));
        }
        self.drafts.refuse(&Problem::unavailable());
        if self.agents.is_empty() && self.customers.is_empty() {
            return self.go(ctx, WhyGone::Unread);
        }
        self.read(ctx, tries.saturating_add(1), published, doubtful);
    }

    /// Ends this actor in a way that loses nobody: commands are answered, watchers ask the next one.
    pub(super) fn give_up(&mut self, ctx: &mut Context<Self>, problem: &Problem) {
        for command in self.in_flight.take().into_iter().flat_map(InFlight::into_commands).chain(self.waiting.drain(..)) {
            tracing::warn!(ticket = %self.key.ticket, key = %command.key(), "whether a command took effect is unknown");
            command.answer(Err(problem.clone()));
        }
        for watch in self.watchers_waiting.drain(..) {
            watch.answer(WatchAnswer::Refused(Problem::busy(500)));
        }
        self.forget_rows();
        self.go(ctx, WhyGone::Panicked);
        for (interest, numbering) in [(&self.agents, Numbering::Ticket), (&self.customers, Numbering::Thread)] {
            let topic = self.topic(numbering);
            interest.publish(|| Delivery::Resync { topic });
        }
    }

    /// The shard forgets this actor before anything else can reach it; then it ends.
    fn go(&self, ctx: &mut Context<Self>, why: WhyGone) {
        if self.shared.shard.try_send(Gone { ticket: self.key, actor: ctx.address(), why }).is_err() {
            tracing::warn!(ticket = %self.key.ticket, "the shard had no room; it will find the actor gone");
        }
        ctx.terminate();
    }

    fn handle_message(&mut self, ctx: &mut Context<Self>, message: TicketMessage) {
        match message {
            TicketMessage::Submit { intent, answer, permit } => {
                #[cfg(feature = "faults")]
                crate::faults::panic_if_armed(crate::faults::Point::Command, self.key.ticket);
                if self.waiting.len() >= self.shared.settings.waiting_per_ticket {
                    return TicketMessage::Submit { intent, answer, permit }.refuse(Problem::busy(250));
                }
                self.heed_intent(ctx, &intent);
                self.waiting.push_back(Command::new(*intent, answer, permit));
                self.work(ctx);
            }
            TicketMessage::Drafts(ask) => self.ask_for_drafts(ctx, *ask),
            TicketMessage::Watch(watch) => self.watch(ctx, *watch, watchers::Reread::No),
            TicketMessage::Due => self.heed_due(ctx),
            TicketMessage::Announce(announce) => self.announce(ctx, *announce),
            TicketMessage::PresenceEnded { connection, going } => self.presence_ended(ctx, connection, going),
            TicketMessage::Unwatch { topic, gone } => {
                let interest = match topic {
                    Topic::Thread(_) => &mut self.customers,
                    Topic::Ticket(_) | Topic::Me | Topic::Workspace | Topic::Radar => &mut self.agents,
                };
                interest.end(gone.worker, gone.grants);
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty()
            && self.in_flight.is_none()
            && self.reads == 0
            && self.drafts.is_idle()
            && self.agents.is_empty()
            && self.customers.is_empty()
            && self.around.is_empty()
            && !self.claim.is_at_work()
            && self.state().is_none_or(|state| state.held.is_empty())
            && matches!(self.life, Life::Known(_))
    }

    pub(super) fn rest_if_idle(&mut self, ctx: &mut Context<Self>) {
        if self.agents.is_empty() && self.customers.is_empty() && self.reads == 0 {
            self.history.clear();
        }
        if !self.is_idle() || self.look_is_due {
            return;
        }
        // A ticket that does not exist is not worth keeping awake.
        let rest_after = if self.state().is_some() { self.shared.settings.passivate_after } else { Duration::from_secs(1) };
        let left = rest_after.saturating_sub(self.last_message.elapsed());
        if left.is_zero() {
            return self.offer_to_go(ctx);
        }
        self.look_is_due = true;
        ctx.run_later(left, |actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                actor.look_is_due = false;
                actor.rest_if_idle(ctx);
            });
        });
    }

    fn offer_to_go(&mut self, ctx: &mut Context<Self>) {
        let offer = OfferToGo { ticket: self.key, actor: ctx.address(), handled: self.handled };
        if self.shared.shard.try_send(offer).is_err() {
            tracing::debug!(ticket = %self.key.ticket, "the shard had no room for an offer; the next message brings another");
        }
    }
}

impl Actor for TicketActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.guarded(ctx, |actor, ctx| actor.read(ctx, 0, None, Vec::new()));
    }
}

impl Handler<ToActor> for TicketActor {
    type Result = ();
    fn handle(&mut self, ToActor(message): ToActor, ctx: &mut Self::Context) {
        self.handled += 1;
        self.last_message = Instant::now();
        self.guarded(ctx, |actor, ctx| {
            actor.handle_message(ctx, message);
            actor.rest_if_idle(ctx);
        });
    }
}

impl Handler<BeginAnew> for TicketActor {
    type Result = ();
    fn handle(&mut self, BeginAnew: BeginAnew, ctx: &mut Self::Context) {
        self.give_up(ctx, &Problem::unavailable());
    }
}

impl TicketActor {
    /// Remembers what a key did, for the repeats that come soon.
    pub(super) fn remember_key(&mut self, record: KeyRecord) {
        if self.keys.len() >= MAX_KEYS {
            self.keys.pop_front();
        }
        self.keys.push_back((record.used.key, record));
    }
}

/// Longer with each try, and drawn at random so that tickets do not come back in step.
fn pause(tries: u32) -> Duration {
    let longest = Duration::from_millis(10).saturating_mul(1_u32 << tries.min(10)).min(MAX_PAUSE);
    longest.mul_f64(rand::random_range(0.2..1.0))
}

async fn read_ticket(
    key: TicketKey,
    shared: &Shared,
    published: Option<u64>,
    doubtful: Vec<CommandKey>,
) -> Result<Reading, StoreError> {
    let (room, reading) = ReadingTicket::in_turn(shared.activations.acquire()).await;
    let _room = room.map_err(|_| StoreError::Unavailable("the hub is stopping".into()))?;
    let read = read_in_turn(key, shared, published, doubtful).await;
    reading.end(&read);
    read
}

async fn read_in_turn(
    key: TicketKey,
    shared: &Shared,
    published: Option<u64>,
    doubtful: Vec<CommandKey>,
) -> Result<Reading, StoreError> {
    let journal = &shared.ports.journal;
    let facts = shared.facts.get(key.workspace).await?;
    let state = journal.load(key).await?;
    let mut keys = HashMap::new();
    for doubt in doubtful {
        keys.insert(doubt, journal.find_key(key, doubt).await?);
    }
    let head = state.as_ref().map_or(0, |state| state.seq);
    let mut news = Vec::new();
    let mut last = published.unwrap_or(head);
    while last < head {
        let range = EventRange { numbering: Numbering::Ticket, from: From::After(last), limit: 500 };
        let part = journal.events(key, range).await?;
        let Some(end) = part.last().map(|happened| happened.seq) else { break };
        last = end;
        news.extend(part.into_iter().filter(|happened| happened.seq <= head));
    }
    Ok(Reading { state, facts, news, keys })
}

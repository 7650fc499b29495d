//! One person who is here: the newest notifications and how far their tickets are read, told to all sockets of that person.
//!
//! What the journal wrote comes here with its number from the ticket that wrote it. Two tickets may tell in another order than
//! they wrote, and another hub does not tell at all: whoever finds a number missing reads, for a number is there as soon as a
//! later one is. Only whoever watches is awake; nothing is lost with the actor.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message};
use hub_core::ids::{TicketId, UserId, WorkspaceId};
use hub_core::ports::{Inbox, Mark, StoreError};
use hub_core::rules::notify::{NEWEST, Notification};
use hub_core::rules::permissions::Side;
use hub_core::rules::resume::{Resume, Why, resume};
use hub_core::rules::stale::Numbering;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::{
    Audience, Draft, Event, EventRecord, Live, MAX_HUB_MESSAGE_BYTES, Problem, ReadCursor, ServerFrame, Signal, Snapshot, Topic,
};

use tokio::time::Instant;

use crate::fanout::{Delivery, Frame, TopicKey, Watch, WatchAnswer, WorkerGone};
use crate::interest::Interest;
use crate::shard::{BeginAnew, OfferUserToGo, Shared};

/// Backstop of the mailbox.
const MAILBOX: usize = 16_384;
/// Watchers that may wait for a person to be read.
const MAX_WAITING: usize = 1_000;
/// What a snapshot may weigh in JSON, leaving room for the frame and the cursors around it.
const MAX_EVENTS_BYTES: usize = MAX_HUB_MESSAGE_BYTES - 32 * 1024;
/// How old what was read may be when a client comes.
const FRESH_FOR: Duration = Duration::from_secs(1);
/// Pauses between tries to read: doubling from the first to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// A person in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UserKey {
    pub workspace: WorkspaceId,
    pub user: UserId,
}

/// What reaches a person.
pub enum UserMessage {
    /// A socket wants to watch.
    Watch(Box<Watch>),
    /// A worker has nobody left who watches.
    Unwatch(WorkerGone),
    /// A notification was written.
    Told(Box<Notification>),
    /// Perhaps one was, but whoever wrote it does not know its number.
    Look,
    /// The person has read a ticket.
    Read {
        /// Which.
        ticket: TicketId,
        /// What was asked.
        mark: Mark,
        /// Where the cursor stands.
        seq: u64,
    },
    /// A draft of the person is now so; none: it is gone.
    DraftChanged { ticket: TicketId, audience: Audience, draft: Option<Box<Draft>> },
}

impl UserMessage {
    /// Answers what cannot be taken.
    pub fn refuse(self, problem: Problem) {
        match self {
            Self::Watch(watch) => watch.answer(WatchAnswer::Refused(problem)),
            Self::Unwatch(_) | Self::Told(_) | Self::Look | Self::Read { .. } | Self::DraftChanged { .. } => {}
        }
    }

    /// True for what means nothing to a person who is not here.
    pub const fn is_idle_talk(&self) -> bool {
        match self {
            Self::Unwatch(_) | Self::Told(_) | Self::Look | Self::Read { .. } | Self::DraftChanged { .. } => true,
            Self::Watch(_) => false,
        }
    }
}

/// A message for the actor itself.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ToActor(pub UserMessage);

/// One person who is here.
pub struct UserActor {
    key: UserKey,
    shared: Arc<Shared>,
    watchers: Interest,
    life: Life,
    /// How the person counts tickets, as the newest sign-in says.
    numbering: Numbering,
    /// The greatest number heard of since the last reading began: one that is not among what was read makes it be read again.
    heard_of: u64,
    /// Messages seen, so that the shard can tell whether one is still on its way.
    handled: u64,
    look_is_due: bool,
}

/// What the actor knows of its person.
enum Life {
    /// Being read. `published` is the last number that those who watch already were told.
    Reading { published: Option<u64>, waiting: Vec<Waiting>, again: bool, tries: u32 },
    /// As it was read, and told since.
    Known(Known),
}

/// A watcher that waits for a reading, and whether that reading is the one it asked for.
struct Waiting {
    watch: Watch,
    reread: bool,
}

struct Known {
    facts: Arc<WorkspaceFacts>,
    /// The number of the newest notification.
    seq: u64,
    /// When it was read: another hub may have written since.
    read_at: Instant,
    /// The newest, oldest first, without a gap.
    events: VecDeque<EventRecord>,
    read: HashMap<TicketId, u64>,
}

impl UserActor {
    /// Starts the actor on the arbiter of the calling shard.
    pub fn wake(key: UserKey, shared: Arc<Shared>) -> Addr<Self> {
        Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            Self {
                key,
                shared,
                watchers: Interest::default(),
                life: Life::Reading { published: None, waiting: Vec::new(), again: false, tries: 0 },
                numbering: Numbering::Ticket,
                heard_of: 0,
                handled: 0,
                look_is_due: false,
            }
        })
    }

    /// Every way into the actor leads through here: a panic ends this actor, and nothing else.
    fn guarded(&mut self, ctx: &mut Context<Self>, turn: impl FnOnce(&mut Self, &mut Context<Self>)) {
        if catch_unwind(AssertUnwindSafe(|| turn(self, ctx))).is_err() {
            crate::metrics::panicked("user");
            tracing::error!(user = %self.key.user, "a person's notifications panicked; they are read anew");
            self.begin_anew(ctx);
        }
    }

    /// Those that wait are refused as they are dropped; those that watch ask the next actor.
    fn begin_anew(&mut self, ctx: &mut Context<Self>) {
        self.life = Life::Reading { published: None, waiting: Vec::new(), again: false, tries: 0 };
        ctx.terminate();
        let topic = self.topic();
        self.watchers.publish(|| Delivery::Resync { topic });
    }

    fn topic(&self) -> TopicKey {
        TopicKey::of(self.key.workspace, Topic::Me, self.key.user)
    }

    fn handle_message(&mut self, ctx: &mut Context<Self>, message: UserMessage) {
        match message {
            UserMessage::Watch(watch) => self.watch(ctx, *watch, false),
            UserMessage::Unwatch(gone) => self.watchers.end(gone.worker, gone.grants),
            UserMessage::Told(notification) => self.told(ctx, &notification),
            UserMessage::Look => self.look(ctx),
            UserMessage::Read { ticket, mark, seq } => self.has_read(ticket, mark, seq),
            UserMessage::DraftChanged { ticket, audience, draft } => self.draft_changed(ticket, audience, draft),
        }
    }

    fn told(&mut self, ctx: &mut Context<Self>, notification: &Notification) {
        self.heard_of = self.heard_of.max(notification.seq);
        let Life::Known(known) = &mut self.life else { return };
        if notification.seq == known.seq + 1 {
            let record = notification.record(&known.facts, self.numbering, self.key.user);
            known.push(record.clone());
            self.publish(record);
        } else if notification.seq > known.seq {
            self.look(ctx);
        }
    }

    /// Reads what came after the last number that was published.
    fn look(&mut self, ctx: &mut Context<Self>) {
        match &mut self.life {
            Life::Reading { again, .. } => *again = true,
            Life::Known(known) => {
                let published = Some(known.seq);
                self.life = Life::Reading { published, waiting: Vec::new(), again: false, tries: 0 };
                self.read(ctx);
            }
        }
    }

    fn has_read(&mut self, ticket_id: TicketId, mark: Mark, mut seq: u64) {
        let back = matches!(mark, Mark::BackTo(_));
        match &mut self.life {
            // What is on its way may have been read before the cursor moved.
            Life::Reading { again, .. } => *again = true,
            Life::Known(known) if known.events.iter().any(|record| ticket_of(record) == Some(ticket_id)) => {
                let at = known.read.entry(ticket_id).or_insert(0);
                // Two devices may tell in another order than they moved it.
                *at = if back { seq } else { seq.max(*at) };
                seq = *at;
            }
            Life::Known(_) => {}
        }
        let (topic, slot) = (self.topic(), ticket_id.uuid().as_u128());
        let frame = Frame::new(ServerFrame::Signal { topic: Topic::Me, signal: Signal::Read { ticket_id, seq, back } });
        self.watchers.publish(|| Delivery::Signal { topic, slot, frame: Arc::clone(&frame) });
    }

    fn draft_changed(&self, ticket_id: TicketId, audience: Audience, draft: Option<Box<Draft>>) {
        // Beside the slots of what was read, which are the tickets' own.
        let of_audience = match audience {
            Audience::Public => 1 << 126,
            Audience::Internal => 1 << 127,
        };
        let (topic, slot) = (self.topic(), ticket_id.uuid().as_u128() ^ of_audience);
        let weight = serde_json::to_vec(&draft).map_or(0, |bytes| bytes.len());
        if weight > MAX_EVENTS_BYTES {
            return tracing::debug!(user = %self.key.user, weight, "a draft is too long to be told; it is read by REST");
        }
        let signal = Signal::DraftChanged { ticket_id, audience, draft: draft.map(|draft| *draft) };
        let frame = Frame::new(ServerFrame::Signal { topic: Topic::Me, signal });
        self.watchers.publish(|| Delivery::Signal { topic, slot, frame: Arc::clone(&frame) });
    }

    fn publish(&self, record: EventRecord) {
        let (topic, seq) = (self.topic(), record.seq);
        let frame = Frame::new(ServerFrame::event(Topic::Me, record));
        self.watchers.publish(|| Delivery::Event { topic, seq, frame: Arc::clone(&frame) });
    }

    /// Answers with the tail, with a reset, or after another reading.
    fn watch(&mut self, ctx: &mut Context<Self>, watch: Watch, reread: bool) {
        if watch.by.role.side() == Side::Platform {
            return watch.answer(WatchAnswer::Refused(Problem::not_found()));
        }
        let numbering = watch.by.numbering();
        if reread && self.numbering != numbering {
            // Somebody who counts in another way came meanwhile: reading for each in turn would never end.
            return watch.answer(WatchAnswer::Refused(Problem::busy(500)));
        }
        let known = match &mut self.life {
            Life::Reading { waiting, .. } if waiting.len() >= MAX_WAITING => {
                return watch.answer(WatchAnswer::Refused(Problem::busy(1_000)));
            }
            Life::Reading { waiting, .. } => {
                self.numbering = numbering;
                return waiting.push(Waiting { watch, reread: false });
            }
            Life::Known(known) => known,
        };
        let position = resume(watch.position, self.shared.ports.journal.stream(), known.seq);
        // Perhaps another hub wrote: the database is asked before anybody is told to be ahead, and now and then for those who
        // come. And who counts in another way than before (staff that became a customer) reads all of it anew.
        let is_old = watch.request.is_some() && known.read_at.elapsed() > FRESH_FOR;
        if self.numbering != numbering || ((is_old || matches!(position, Resume::Reset(Why::Ahead))) && !reread) {
            self.numbering = numbering;
            self.look(ctx);
            if let Life::Reading { waiting, .. } = &mut self.life {
                waiting.push(Waiting { watch, reread: true });
            }
            return;
        }
        let tail = match position {
            Resume::Tail { after } => known.after(after),
            Resume::Reset(_) => None,
        };
        let (events, snapshot) = match tail {
            Some(tail) => (Some(tail), None),
            None => (None, Some(Snapshot::Me { events: known.newest() })),
        };
        let frame = Box::new(ServerFrame::Subscribed {
            id: watch.request,
            topic: Topic::Me,
            stream: self.shared.ports.journal.stream(),
            seq: known.seq,
            live: Live { read: known.cursors(), ..Live::default() },
            events,
            reset: snapshot.is_some().then_some(true),
            snapshot,
        });
        let seq = known.seq;
        let grant = self.watchers.grant(&watch.worker);
        watch.answer(WatchAnswer::Granted { seq, grant, frame });
    }

    /// Reads the newest notifications; comes back as [`UserActor::has_been_read`].
    fn read(&mut self, ctx: &mut Context<Self>) {
        let Life::Reading { tries, again, .. } = &mut self.life else { return };
        // Whatever was heard of is there by now; after a restore it may be gone, and is not waited for.
        (*again, self.heard_of) = (false, 0);
        let (pause, key, shared) = (pause(*tries), self.key, Arc::clone(&self.shared));
        let reading = async move {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let closed = |_| StoreError::Unavailable("the hub is stopping".into());
            let _room = shared.activations.acquire().await.map_err(closed)?;
            let no_such = || StoreError::Unreadable("there is no such workspace".into());
            let facts = shared.facts.get(key.workspace).await?.ok_or_else(no_such)?;
            let limit = u32::try_from(NEWEST).unwrap_or(u32::MAX);
            Ok((facts, shared.ports.notifications.inbox(key.workspace, key.user, None, limit).await?))
        };
        ctx.spawn(wrap_future::<_, Self>(reading).map(|read, actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                match read {
                    Ok((facts, inbox)) => actor.has_been_read(ctx, facts, &inbox),
                    Err(error) => actor.cannot_be_read(ctx, &error),
                }
                actor.rest_if_idle(ctx);
            });
        }));
    }

    fn has_been_read(&mut self, ctx: &mut Context<Self>, facts: Arc<WorkspaceFacts>, inbox: &Inbox) {
        let Life::Reading { published, waiting, again, .. } = &mut self.life else { return };
        let (published, waiting, again) = (*published, std::mem::take(waiting), *again);
        let events =
            inbox.notifications.iter().map(|notification| notification.record(&facts, self.numbering, self.key.user)).collect();
        let read = inbox.read.iter().map(|cursor| (cursor.ticket_id, cursor.seq)).collect();
        let known = Known { facts, seq: inbox.seq(), read_at: Instant::now(), events, read };
        let (seq, news) = (known.seq, published.map(|published| known.after(published)));
        self.life = Life::Known(known);
        match news {
            None => {}
            Some(Some(news)) => news.into_iter().for_each(|record| self.publish(record)),
            // More came than is kept: they ask again, and begin anew.
            Some(None) => {
                let topic = self.topic();
                self.watchers.publish(|| Delivery::Resync { topic });
            }
        }
        for Waiting { watch, reread } in waiting {
            self.watch(ctx, watch, reread || published.is_none());
        }
        if again || self.heard_of > seq {
            self.look(ctx);
        }
    }

    /// The database is away. Whoever waits is told; those who watch keep their place, and reading goes on with pauses.
    fn cannot_be_read(&mut self, ctx: &mut Context<Self>, error: &StoreError) {
        tracing::warn!(user = %self.key.user, %error, "a person's notifications cannot be read");
        let Life::Reading { waiting, tries, .. } = &mut self.life else { return };
        for Waiting { watch, .. } in waiting.drain(..) {
            watch.answer(WatchAnswer::Refused(Problem::unavailable()));
        }
        *tries = tries.saturating_add(1);
        if self.watchers.is_empty() {
            // Nobody is here to be told; the shard finds the actor gone, and the next who comes wakes a fresh one.
            return ctx.terminate();
        }
        self.read(ctx);
    }

    fn rest_if_idle(&mut self, ctx: &mut Context<Self>) {
        let is_waited_for = matches!(&self.life, Life::Reading { waiting, .. } if !waiting.is_empty());
        if !self.watchers.is_empty() || is_waited_for || self.look_is_due {
            return;
        }
        self.look_is_due = true;
        let (handled, rest_after) = (self.handled, self.shared.settings.passivate_after);
        ctx.run_later(rest_after, move |actor, ctx| {
            actor.guarded(ctx, |actor, ctx| {
                actor.look_is_due = false;
                if actor.handled != handled || !actor.watchers.is_empty() {
                    return actor.rest_if_idle(ctx);
                }
                let offer = OfferUserToGo { user: actor.key, actor: ctx.address(), handled };
                if actor.shared.shard.try_send(offer).is_err() {
                    actor.rest_if_idle(ctx);
                }
            });
        });
    }
}

impl Known {
    fn push(&mut self, record: EventRecord) {
        self.seq = record.seq;
        self.events.push_back(record);
        if self.events.len() > NEWEST
            && let Some(oldest) = self.events.pop_front()
            && let Some(ticket) = ticket_of(&oldest)
            && !self.events.iter().any(|record| ticket_of(record) == Some(ticket))
        {
            self.read.remove(&ticket);
        }
    }

    /// Exactly what came after `after`; none where that is not kept any longer.
    fn after(&self, after: u64) -> Option<Vec<EventRecord>> {
        let first = self.events.front().map_or(self.seq + 1, |record| record.seq);
        let tail: Vec<_> = self.events.iter().filter(|record| record.seq > after).cloned().collect();
        (after >= self.seq || first <= after + 1).then_some(tail).filter(|tail| weight(tail) <= MAX_EVENTS_BYTES)
    }

    /// As many of the newest as fit into a message, oldest first.
    fn newest(&self) -> Vec<EventRecord> {
        let mut room = MAX_EVENTS_BYTES;
        let fits = |record: &&EventRecord| {
            let weight = weight(std::slice::from_ref(*record));
            let fits = weight <= room;
            room = room.saturating_sub(weight);
            fits
        };
        let mut newest: Vec<_> = self.events.iter().rev().take_while(fits).cloned().collect();
        newest.reverse();
        newest
    }

    fn cursors(&self) -> Vec<ReadCursor> {
        let mut cursors: Vec<_> =
            self.read.iter().map(|(ticket_id, seq)| ReadCursor { ticket_id: *ticket_id, seq: *seq }).collect();
        cursors.sort_by_key(|cursor| cursor.ticket_id);
        cursors
    }
}

fn ticket_of(record: &EventRecord) -> Option<TicketId> {
    match &record.event {
        Event::Notified { ticket_id, .. } => Some(*ticket_id),
        Event::TicketCreated { .. }
        | Event::ReplyPosted { .. }
        | Event::ReplyHeld { .. }
        | Event::HeldCancelled { .. }
        | Event::StatusChanged { .. }
        | Event::Assigned { .. }
        | Event::HandedOver { .. }
        | Event::HandoffAcknowledged {}
        | Event::TagsChanged { .. }
        | Event::ClaimTaken { .. }
        | Event::ClaimReleased { .. }
        | Event::ClaimExpired { .. }
        | Event::Watched { .. }
        | Event::FieldChanged { .. }
        | Event::NothingChanged {} => None,
    }
}

fn weight(records: &[EventRecord]) -> usize {
    records.iter().map(|record| serde_json::to_vec(record).map_or(0, |bytes| bytes.len() + 1)).sum()
}

/// None before the first try; then longer with each, and drawn at random so that people do not come back in step.
fn pause(tries: u32) -> Duration {
    if tries == 0 {
        return Duration::ZERO;
    }
    let longest = PAUSES[0].saturating_mul(1_u32 << tries.min(10)).min(PAUSES[1]);
    longest.mul_f64(rand::random_range(0.5..1.0))
}

impl Actor for UserActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.guarded(ctx, |actor, ctx| actor.read(ctx));
    }
}

impl Handler<ToActor> for UserActor {
    type Result = ();
    fn handle(&mut self, ToActor(message): ToActor, ctx: &mut Self::Context) {
        self.handled += 1;
        self.guarded(ctx, |actor, ctx| {
            actor.handle_message(ctx, message);
            actor.rest_if_idle(ctx);
        });
    }
}

impl Handler<BeginAnew> for UserActor {
    type Result = ();
    fn handle(&mut self, _: BeginAnew, ctx: &mut Self::Context) {
        self.begin_anew(ctx);
    }
}

//! The one way in: the handle that sockets, REST, timers and mail all use to reach tickets and workspaces.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use actix::{Addr, Arbiter, ArbiterHandle};
use hub_core::ids::{CommandKey, StreamId, TicketId, TicketKey, UserId, WorkspaceId};
use hub_core::ports::{Clock, Journal, Mark, Marked, Notifications, Reader, StoreError};
use hub_core::rules::counters::Counters;
use hub_core::rules::drafts::Kept;
use hub_core::rules::intent::{Asker, Intent, Step};
use hub_core::rules::permissions::{Act, Side, may};
use hub_core::rules::stale::Numbering;
use hub_core::rules::workspace::WorkspaceFacts;
use hub_core::wire::{Audience, Draft, EventRecord, Presence, Priority, Problem, ReadCursor, Source, Topic};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::admission::Admission;
use crate::facts::FactsCache;
use crate::fanout::{ConnectionId, Going, TopicKey, Watch, WatchAnswer, WorkerGone};
use crate::here::{Here, Present};
use crate::shard::{Shard, ToTicket, ToUser, ToWorkspace};
use crate::ticket::drafts::shelf::Deed;
use crate::ticket::drafts::{DraftAsk, DraftWhat};
use crate::ticket::{Announce, TicketMessage};
use crate::user::{UserKey, UserMessage};
use crate::workspace::WorkspaceMessage;
use crate::{Ports, Settings, metrics};

/// What became of an intent: where its key stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event that carries the key, in the ticket's numbering.
    pub seq: u64,
    /// The same in the thread's numbering, for what the thread shows.
    pub thread_seq: Option<u64>,
    /// The asker had missed something public by someone else.
    pub missed: bool,
}

impl Receipt {
    /// The number in the asker's own numbering.
    pub const fn seq_for(&self, numbering: Numbering) -> Option<u64> {
        match numbering {
            Numbering::Ticket => Some(self.seq),
            Numbering::Thread => self.thread_seq,
        }
    }
}

/// What a new ticket begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTicket {
    /// One line.
    pub title: String,
    /// The first message, Markdown.
    pub description: String,
    /// Where it comes from.
    pub source: Source,
    /// How much it matters.
    pub priority: Priority,
}

/// What somebody writes and has not sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSave {
    /// The last one seen; 0 for none.
    pub revision: u64,
    /// Markdown; may be empty.
    pub body: String,
    /// The last event its author has seen, as the author counts.
    pub based_on: u64,
}

/// Savings of drafts that may wait on this node; more are refused `busy`.
const DRAFTS_WAITING: usize = 4_096;

/// The handle of one who must not keep the tickets alive.
pub(crate) struct WeakTickets(Weak<Inner>);

impl WeakTickets {
    /// The tickets, while they are there.
    pub(crate) fn upgrade(&self) -> Option<Tickets> {
        self.0.upgrade().map(|inner| Tickets { inner })
    }
}

/// The handle. Cheap to clone; every clone shares one bounded way in.
#[derive(Clone)]
pub struct Tickets {
    inner: Arc<Inner>,
}

struct Inner {
    /// One per arbiter; one long-lived address each, so that its mailbox really is bounded.
    shards: Vec<Addr<Shard>>,
    /// One per shard: set when something for a person found no room. The shard then lets all its people begin anew.
    overflowed: Vec<Arc<AtomicBool>>,
    admission: Arc<Admission>,
    drafts_waiting: Arc<Semaphore>,
    facts: Arc<FactsCache>,
    settings: Settings,
    journal: Arc<dyn Journal>,
    notifications: Arc<dyn Notifications>,
    here: Arc<Here>,
    clock: Arc<dyn Clock>,
}

impl Tickets {
    pub(crate) fn start(ports: Ports, settings: Settings) -> Self {
        let facts = Arc::new(FactsCache::new(Arc::clone(&ports.workspaces), settings.facts_for));
        let activations = Arc::new(Semaphore::new(settings.activations));
        let (journal, notifications, clock) =
            (Arc::clone(&ports.journal), Arc::clone(&ports.notifications), Arc::clone(&ports.clock));
        let overflowed: Vec<_> = (0..settings.shards.max(1)).map(|_| Arc::new(AtomicBool::new(false))).collect();
        let arbiters: Vec<_> =
            overflowed.iter().map(|_| if settings.shards == 0 { Arbiter::current() } else { own_arbiter() }).collect();
        let shards = arbiters.iter().zip(&overflowed).map(|(arbiter, overflowed)| {
            let (ports, settings) = (ports.clone(), settings.clone());
            let (facts, activations) = (Arc::clone(&facts), Arc::clone(&activations));
            Shard::start_on(arbiter, ports, settings, facts, activations, Arc::clone(overflowed))
        });
        let shards: Vec<_> = shards.collect();
        let admission = Admission::new(settings.commands_in_flight);
        let drafts_waiting = Arc::new(Semaphore::new(DRAFTS_WAITING));
        let tickets = Self {
            inner: Arc::new(Inner {
                shards,
                overflowed,
                admission,
                drafts_waiting,
                facts,
                settings,
                journal,
                notifications,
                clock,
                here: Arc::default(),
            }),
        };
        for shard in &tickets.inner.shards {
            // Their mailboxes are empty: shards need the way to the workspaces before anything else.
            if shard.try_send(crate::shard::Begin(tickets.clone())).is_err() {
                tracing::error!("a shard that has just started takes no message");
            }
        }
        let weak = WeakTickets(Arc::downgrade(&tickets.inner));
        if !arbiters.first().is_some_and(|arbiter| arbiter.spawn(crate::due::watch(weak))) {
            tracing::error!("a thread that has just started takes no work");
        }
        tickets
    }

    /// Tickets of all workspaces that the hub has to look at by itself by now.
    pub(crate) async fn due(&self, limit: u32) -> Result<Vec<TicketKey>, StoreError> {
        self.inner.journal.due(self.inner.clock.now(), limit).await
    }

    /// Has a ticket look what is due.
    pub(crate) fn wake(&self, ticket: TicketKey) -> Result<(), Problem> {
        self.send(ticket, TicketMessage::Due)
    }

    /// Carries an intent to its ticket. The command runs to its end even when nobody waits for this future any longer.
    ///
    /// # Errors
    /// `busy`: no room, nothing happened. `unavailable`: the outcome is unknown. Else what the rules say.
    pub async fn submit(&self, ticket: TicketKey, intent: Intent) -> Result<Receipt, Problem> {
        let (key, began) = (intent.key, Instant::now());
        tracing::debug!(ticket = %ticket.ticket, %key, "a command came");
        let done = self.carry(ticket, intent).await;
        match &done {
            Ok(receipt) => {
                metrics::acked(began.elapsed());
                tracing::debug!(ticket = %ticket.ticket, %key, seq = receipt.seq, "a command was acked");
            }
            Err(problem) => {
                tracing::debug!(ticket = %ticket.ticket, %key, code = metrics::code_name(problem.code), "a command was refused");
            }
        }
        done
    }

    async fn carry(&self, ticket: TicketKey, intent: Intent) -> Result<Receipt, Problem> {
        intent.check_form()?;
        let permit = self.inner.admission.enter()?;
        let (answer, answered) = oneshot::channel();
        self.send(ticket, TicketMessage::Submit { intent: Box::new(intent), answer, permit })?;
        match timeout(self.inner.settings.answer_within, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Problem::unavailable()),
        }
    }

    /// Opens a ticket. Its id is derived from workspace, asker and key: a repeat finds the same ticket.
    ///
    /// # Errors
    /// Like [`Tickets::submit`].
    pub async fn create(
        &self,
        workspace: WorkspaceId,
        by: Asker,
        key: CommandKey,
        new: NewTicket,
    ) -> Result<(TicketId, Receipt), Problem> {
        may(by.role, by.user, by.user, Act::CreateTicket).check()?;
        let ticket = TicketId::derived(workspace, by.user, key);
        let number = self.number_for(TicketKey { workspace, ticket }).await?;
        let NewTicket { title, description, source, priority } = new;
        let steps = vec![Step::Create { title, description, source, priority, number }];
        let receipt = self.submit(TicketKey { workspace, ticket }, Intent { key, by, steps }).await?;
        Ok((ticket, receipt))
    }

    /// What a workspace decided about itself, at most a moment old.
    ///
    /// # Errors
    /// `not_found` for a workspace that does not exist, `unavailable` when it cannot be read.
    pub async fn facts(&self, workspace: WorkspaceId) -> Result<Arc<WorkspaceFacts>, Problem> {
        match self.inner.facts.get(workspace).await {
            Ok(Some(facts)) => Ok(facts),
            Ok(None) => Err(Problem::not_found()),
            Err(error) => {
                tracing::warn!(%workspace, %error, "the facts of a workspace cannot be read");
                Err(Problem::unavailable())
            }
        }
    }

    /// What somebody was told of before a number (or the newest), at most `limit`: oldest first, as that person counts, and how far
    /// the tickets of these are read.
    ///
    /// # Errors
    /// `not_found` for those who see no tickets, `unavailable` when it cannot be read.
    pub async fn notifications(
        &self,
        workspace: WorkspaceId,
        by: &Asker,
        before: Option<u64>,
        limit: u32,
    ) -> Result<(Vec<EventRecord>, Vec<ReadCursor>), Problem> {
        if by.role.side() == Side::Platform {
            return Err(Problem::not_found());
        }
        let facts = self.facts(workspace).await?;
        let inbox = self.inner.notifications.inbox(workspace, by.user, before, limit).await.map_err(|error| {
            tracing::warn!(%workspace, %error, "notifications cannot be read");
            Problem::unavailable()
        })?;
        let records =
            inbox.notifications.iter().map(|notification| notification.record(&facts, by.numbering(), by.user)).collect();
        Ok((records, inbox.read))
    }

    /// Moves somebody's cursor on a ticket, and tells all devices of that person. Answers where it stands.
    ///
    /// # Errors
    /// `not_found` for a ticket that is not this person's to see, `invalid` beyond its end, `busy` without room: then nothing
    /// happened; `unavailable`: send it again.
    pub async fn mark_read(&self, workspace: WorkspaceId, by: &Asker, ticket_id: TicketId, mark: Mark) -> Result<u64, Problem> {
        let _permit = self.inner.admission.enter()?;
        let reader = Reader { user: by.user, side: by.role.side() };
        let marked = self.inner.notifications.mark_read(workspace, reader, ticket_id, mark).await;
        let seq = match marked {
            Ok(Marked::At(seq)) => seq,
            Ok(Marked::NoTicket) => return Err(Problem::not_found()),
            Ok(Marked::Ahead) => return Err(Problem::invalid_field("seq", "is beyond the last event")),
            Err(StoreError::Full) => return Err(Problem::busy(500)),
            Err(error) => {
                tracing::warn!(ticket = %ticket_id, %error, "a read cursor cannot be moved");
                return Err(Problem::unavailable());
            }
        };
        self.tell_user(UserKey { workspace, user: by.user }, UserMessage::Read { ticket: ticket_id, mark, seq });
        Ok(seq)
    }

    /// Saves what somebody writes, over the revision last seen (0 for none). Answers when it is stored: within a second, together
    /// with what the same `origin` (a socket; or a request of its own) saves meanwhile.
    ///
    /// # Errors
    /// `stale`, with the present `draft` (null: there is none), when another device was quicker; `busy`: nothing happened;
    /// `unavailable`: save it again.
    pub async fn save_draft(
        &self,
        ticket: TicketKey,
        by: Asker,
        audience: Audience,
        save: DraftSave,
        origin: ConnectionId,
    ) -> Result<Kept, Problem> {
        let DraftSave { revision, body, based_on } = save;
        self.change_draft(ticket, by, audience, Deed::Save { revision, body, based_on }, origin).await
    }

    /// Throws somebody's draft away: the one of this revision, or whichever there is. Answers what is left: the next revision.
    ///
    /// # Errors
    /// Like [`Tickets::save_draft`].
    pub async fn discard_draft(
        &self,
        ticket: TicketKey,
        by: Asker,
        audience: Audience,
        revision: Option<u64>,
        origin: ConnectionId,
    ) -> Result<Kept, Problem> {
        self.change_draft(ticket, by, audience, Deed::Discard { revision }, origin).await
    }

    /// Somebody's drafts on a ticket.
    ///
    /// # Errors
    /// `not_found`, `forbidden`; `unavailable` when they cannot be read.
    pub async fn drafts(&self, ticket: TicketKey, by: Asker) -> Result<Vec<Draft>, Problem> {
        let (answer, answered) = oneshot::channel();
        self.ask_for_drafts(ticket, by, DraftWhat::Mine { answer }, answered).await
    }

    async fn change_draft(
        &self,
        ticket: TicketKey,
        by: Asker,
        audience: Audience,
        deed: Deed,
        origin: ConnectionId,
    ) -> Result<Kept, Problem> {
        let (answer, answered) = oneshot::channel();
        self.ask_for_drafts(ticket, by, DraftWhat::Change { audience, deed, origin, answer }, answered).await
    }

    async fn ask_for_drafts<T>(
        &self,
        ticket: TicketKey,
        by: Asker,
        what: DraftWhat,
        answered: oneshot::Receiver<Result<T, Problem>>,
    ) -> Result<T, Problem> {
        let room = Arc::clone(&self.inner.drafts_waiting).try_acquire_owned().map_err(|_| Problem::busy(1_000))?;
        self.send(ticket, TicketMessage::Drafts(Box::new(DraftAsk { by, what, room })))?;
        match timeout(self.inner.settings.answer_within, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Problem::unavailable()),
        }
    }

    /// Somebody's socket is open: they are here for as long as the answer is held. None for customers.
    #[must_use]
    pub fn arrive(&self, workspace: WorkspaceId, by: &Asker) -> Option<Present> {
        Present::begin(self, &self.inner.here, workspace, by)
    }

    /// Who of the staff has a socket open on this node.
    pub(crate) fn here(&self, workspace: WorkspaceId) -> Vec<(UserId, String)> {
        self.inner.here.of(workspace)
    }

    /// These are at a ticket now, for the rows of lists: the whole set.
    ///
    /// # Errors
    /// `busy`, without room: tell it again.
    pub fn row_presence(&self, ticket: TicketKey, users: Vec<Presence>) -> Result<(), Problem> {
        self.send_to_workspace(ticket.workspace, WorkspaceMessage::RowPresence { ticket: ticket.ticket, users })
    }

    /// The counters over the lists, as this person sees them.
    ///
    /// # Errors
    /// `not_found` for those who see no lists; `busy` or `unavailable` when they cannot be counted.
    pub async fn counters(&self, workspace: WorkspaceId, by: Asker) -> Result<Counters, Problem> {
        let (answer, answered) = oneshot::channel();
        self.send_to_workspace(workspace, WorkspaceMessage::Count { by, answer })?;
        match timeout(self.inner.settings.answer_within, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Problem::busy(1_000)),
        }
    }

    /// Commands under way.
    pub fn commands_in_flight(&self) -> usize {
        self.inner.admission.under_way()
    }

    /// Commands that may be under way just now.
    pub fn command_permits(&self) -> usize {
        self.inner.admission.limit()
    }

    /// The life of the log that all numbers count in.
    pub fn stream(&self) -> StreamId {
        self.inner.journal.stream()
    }

    /// A fresh number, or any at all where the ticket is there already: a repeat makes nothing.
    async fn number_for(&self, ticket: TicketKey) -> Result<u64, Problem> {
        match self.inner.journal.load(ticket).await {
            Ok(Some(made)) => Ok(made.number),
            Ok(None) => self.next_number(ticket.workspace).await,
            Err(error) => {
                tracing::warn!(ticket = %ticket.ticket, %error, "a new ticket cannot be looked for");
                Err(Problem::busy(1_000))
            }
        }
    }

    async fn next_number(&self, workspace: WorkspaceId) -> Result<u64, Problem> {
        let (answer, answered) = oneshot::channel();
        self.send_to_workspace(workspace, WorkspaceMessage::NextNumber { answer })?;
        match timeout(self.inner.settings.answer_within, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(Problem::busy(1_000)),
        }
    }

    /// Brings a watcher to the owner of its topic, who answers through the watcher's fan-out.
    ///
    /// # Errors
    /// `busy` when the owner has no room; `not_found` for topics that this hub does not have.
    pub(crate) fn watch(&self, watch: Watch) -> Result<(), Problem> {
        let TopicKey { workspace, topic, user } = watch.topic;
        match topic {
            Topic::Ticket(ticket) | Topic::Thread(ticket) => {
                self.send(TicketKey { workspace, ticket }, TicketMessage::Watch(Box::new(watch)))
            }
            Topic::Workspace => self.send_to_workspace(workspace, WorkspaceMessage::Watch(Box::new(watch))),
            Topic::Me => {
                let user = user.unwrap_or(watch.by.user);
                self.ask_user(UserKey { workspace, user }, UserMessage::Watch(Box::new(watch)))
            }
            Topic::Radar => {
                watch.answer(WatchAnswer::Refused(Problem::not_found()));
                Ok(())
            }
        }
    }

    /// A worker has nobody left who watches a topic. Where the message finds no room, the owner keeps sending to a worker
    /// that has no use for it: costs a little, breaks nothing.
    pub(crate) fn unwatch(&self, key: TopicKey, gone: WorkerGone) {
        let TopicKey { workspace, topic, user } = key;
        let sent = match topic {
            Topic::Ticket(ticket) | Topic::Thread(ticket) => {
                self.send(TicketKey { workspace, ticket }, TicketMessage::Unwatch { topic, gone })
            }
            Topic::Workspace => self.send_to_workspace(workspace, WorkspaceMessage::Unwatch(gone)),
            Topic::Me => user.map_or(Ok(()), |user| self.ask_user(UserKey { workspace, user }, UserMessage::Unwatch(gone))),
            Topic::Radar => Ok(()),
        };
        if sent.is_err() {
            tracing::debug!(%topic, "an unwatch found no room");
        }
    }

    /// A socket that watches a ticket says what its person does there.
    pub(crate) fn announce(&self, ticket: TicketKey, announce: Announce) {
        if let Err(problem) =
            self.shard(ticket).try_send(ToTicket { ticket, message: TicketMessage::Announce(Box::new(announce)) })
        {
            problem.into_inner().message.refuse(Problem::busy(250));
        }
    }

    /// A socket that was on a ticket is so no longer. Not bounded by the mailboxes: one for each that was, and it must arrive, or
    /// somebody would be there for ever.
    pub(crate) fn presence_ended(&self, ticket: TicketKey, connection: ConnectionId, going: Going) {
        self.shard(ticket).do_send(ToTicket { ticket, message: TicketMessage::PresenceEnded { connection, going } });
    }

    fn shard(&self, ticket: TicketKey) -> &Addr<Shard> {
        &self.inner.shards[self.shard_of(ticket.ticket.uuid().as_u128())]
    }

    fn send(&self, ticket: TicketKey, message: TicketMessage) -> Result<(), Problem> {
        self.shard(ticket).try_send(ToTicket { ticket, message }).map_err(|_| Problem::busy(250))
    }

    pub(crate) fn send_to_workspace(&self, workspace: WorkspaceId, message: WorkspaceMessage) -> Result<(), Problem> {
        let shard = &self.inner.shards[self.shard_of(workspace.uuid().as_u128())];
        shard.try_send(ToWorkspace { workspace, message }).map_err(|_| Problem::busy(250))
    }

    fn ask_user(&self, user: UserKey, message: UserMessage) -> Result<(), Problem> {
        let shard = &self.inner.shards[self.shard_of(user.user.uuid().as_u128())];
        shard.try_send(ToUser { user, message }).map_err(|_| Problem::busy(250))
    }

    /// Tells a person something. Where that finds no room, everybody of that shard is read anew: nothing is skipped silently.
    pub(crate) fn tell_user(&self, user: UserKey, message: UserMessage) {
        if self.ask_user(user, message).is_err() {
            self.inner.overflowed[self.shard_of(user.user.uuid().as_u128())].store(true, Ordering::Release);
        }
    }

    /// As if something for a person of each shard had found no room: for tests.
    #[cfg(feature = "faults")]
    pub fn lose_something_for_people(&self) {
        self.inner.overflowed.iter().for_each(|overflowed| overflowed.store(true, Ordering::Release));
    }

    /// Version 7 ids begin alike and end at random; the halves are folded so that either kind spreads.
    fn shard_of(&self, id: u128) -> usize {
        let folded = (id ^ (id >> 64)) as u64;
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(mixed).unwrap_or(0) % self.inner.shards.len()
    }
}

/// A thread for a shard of its own, which tells how late it is.
fn own_arbiter() -> ArbiterHandle {
    let arbiter = Arbiter::new().handle();
    if !arbiter.spawn(metrics::watch_stalls("shard")) {
        tracing::error!("a thread that has just started takes no work");
    }
    arbiter
}

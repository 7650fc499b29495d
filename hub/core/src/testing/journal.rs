//! The in-memory twin of the journal, and of the lists and notifications over it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::later::Gate;
use crate::ids::{CommandKey, StreamId, TicketId, TicketKey, UserId, WorkspaceId};
use crate::ports::{
    Answer, Append, Appended, AssigneeFilter, Drafts, EventRange, From, Inbox, Journal, KeyRecord, KeyUse, ListCursor,
    MAX_DRAFTS, Mark, Marked, Notifications, Notified, Reader, StoreError, TicketLists, TicketPage, TicketQuery,
};
use crate::rules::counters::{Counted, Queue};
use crate::rules::drafts::{DraftKey, Kept, together};
use crate::rules::notify::Notification;
use crate::rules::permissions::Side;
use crate::rules::record::{Happened, Sealed};
use crate::rules::stale::Numbering;
use crate::rules::ticket::TicketState;
use crate::time::UnixMs;
use crate::wire::{ReadCursor, Reason};

/// A journal in memory, with handles for what may go wrong. Clones share everything.
#[derive(Clone, Default)]
pub struct MemoryJournal {
    log: Arc<Mutex<Log>>,
    /// Appends pass here: closed, they wait.
    pub appends: Gate,
    /// Loads, key look-ups and reads of events and drafts pass here.
    pub reads: Gate,
    /// Savings of drafts pass here.
    pub drafts: Gate,
}

/// Lists over the same memory.
#[derive(Clone)]
pub struct MemoryLists(MemoryJournal);

#[derive(Default)]
struct Log {
    tickets: BTreeMap<TicketKey, Stored>,
    /// What each person was told of, in order.
    told: BTreeMap<(WorkspaceId, UserId), Vec<Told>>,
    cursors: BTreeMap<(WorkspaceId, UserId, TicketId), u64>,
    drafts: BTreeMap<TicketKey, HashMap<DraftKey, Kept>>,
    /// What happens to the next savings of drafts, oldest first.
    draft_mishaps: VecDeque<LostWhere>,
    /// What happens to the next appends, oldest first.
    mishaps: VecDeque<Mishap>,
    /// Reads that are to fail.
    failing_reads: usize,
    committed: usize,
    stream: u128,
}

struct Stored {
    state: TicketState,
    events: Vec<StoredEvent>,
}

struct StoredEvent {
    seq: u64,
    thread_seq: Option<u64>,
    sealed: Sealed,
    is_erased: bool,
    key: Option<(KeyUse, bool)>,
}

#[derive(Clone, Copy)]
struct Told {
    reason: Reason,
    ticket: TicketId,
    ticket_seq: u64,
}

/// What may happen to an append instead of the usual.
#[derive(Clone, Copy)]
enum Mishap {
    Fail(LostWhere),
    Refuse,
    Full,
}

#[derive(Clone, Copy)]
enum LostWhere {
    BeforeCommit,
    AfterCommit,
}

impl MemoryJournal {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next append writes nothing and answers `Unavailable`.
    pub fn fail_next_append(&self) {
        self.log().mishaps.push_back(Mishap::Fail(LostWhere::BeforeCommit));
    }

    /// The next append is written, but answers `Unavailable`: the outcome is unknown to its caller.
    pub fn lose_next_answer(&self) {
        self.log().mishaps.push_back(Mishap::Fail(LostWhere::AfterCommit));
    }

    /// The next append is refused as if somebody else held the row.
    pub fn refuse_next_append(&self) {
        self.log().mishaps.push_back(Mishap::Refuse);
    }

    /// The next append finds no room.
    pub fn fill_next_append(&self) {
        self.log().mishaps.push_back(Mishap::Full);
    }

    /// The next saving of drafts writes nothing and answers `Unavailable`.
    pub fn fail_next_draft(&self) {
        self.log().draft_mishaps.push_back(LostWhere::BeforeCommit);
    }

    /// The next saving of drafts is written, but answers `Unavailable`.
    pub fn lose_next_draft_answer(&self) {
        self.log().draft_mishaps.push_back(LostWhere::AfterCommit);
    }

    /// The next `count` reads answer `Unavailable`.
    pub fn fail_next_reads(&self, count: usize) {
        self.log().failing_reads = count;
    }

    /// Goes on in another life of the log, as after a restore.
    pub fn restore(&self) {
        self.log().stream += 1;
    }

    /// Takes away the private parts of an event; nothing where there is none.
    pub fn erase(&self, ticket: TicketKey, seq: u64) {
        let mut log = self.log();
        let event = log.tickets.get_mut(&ticket).and_then(|stored| stored.events.iter_mut().find(|event| event.seq == seq));
        if let Some(event) = event {
            event.is_erased = true;
        }
    }

    /// How many appends were committed.
    pub fn committed(&self) -> usize {
        self.log().committed
    }

    /// A ticket as it is stored, right now and past the gate.
    pub fn peek(&self, ticket: TicketKey) -> Option<TicketState> {
        self.log().tickets.get(&ticket).map(|stored| stored.state.clone())
    }

    /// A draft as it is stored, right now and past the gate.
    pub fn peek_draft(&self, ticket: TicketKey, key: DraftKey) -> Option<Kept> {
        self.log().drafts.get(&ticket).and_then(|drafts| drafts.get(&key)).cloned()
    }

    /// All events of a ticket as they are stored, right now and past the gate.
    ///
    /// # Panics
    /// When the memory holds something that is no event.
    pub fn peek_events(&self, ticket: TicketKey) -> Vec<Happened> {
        let range = EventRange { numbering: Numbering::Ticket, from: From::After(0), limit: u32::MAX };
        self.log().events(ticket, range).expect("what was sealed opens")
    }

    /// Lists over the same tickets.
    pub fn lists(&self) -> MemoryLists {
        MemoryLists(self.clone())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Send + 'static>(&self, read: impl FnOnce(&Log) -> Result<T, StoreError> + Send + 'static) -> Answer<T> {
        let this = self.clone();
        self.reads.pass(move || {
            let mut log = this.log();
            if log.failing_reads > 0 {
                log.failing_reads -= 1;
                return Err(StoreError::Unavailable("a test wanted it".into()));
            }
            read(&log)
        })
    }
}

impl Journal for MemoryJournal {
    fn stream(&self) -> StreamId {
        StreamId::new(Uuid::from_u128(self.log().stream + 1))
    }

    fn load(&self, key: TicketKey) -> Answer<Option<TicketState>> {
        self.read(move |log| Ok(log.tickets.get(&key).map(|stored| stored.state.clone())))
    }

    fn append(&self, append: Append) -> Answer<Appended> {
        let this = self.clone();
        self.appends.pass(move || this.log().append_or_mishap(append))
    }

    fn find_key(&self, ticket: TicketKey, key: CommandKey) -> Answer<Option<KeyRecord>> {
        self.read(move |log| Ok(log.find_key(ticket, key)))
    }

    fn due(&self, until: UnixMs, limit: u32) -> Answer<Vec<TicketKey>> {
        self.read(move |log| {
            let due = log.tickets.iter().filter_map(|(key, stored)| Some((stored.state.next_due()?, *key)));
            let mut due: Vec<_> = due.filter(|(at, _)| *at <= until).collect();
            due.sort_unstable();
            Ok(due.into_iter().map(|(_, key)| key).take(limit as usize).collect())
        })
    }

    fn events(&self, ticket: TicketKey, range: EventRange) -> Answer<Vec<Happened>> {
        self.read(move |log| log.events(ticket, range))
    }
}

impl Notifications for MemoryJournal {
    fn inbox(&self, workspace: WorkspaceId, user: UserId, before: Option<u64>, limit: u32) -> Answer<Inbox> {
        self.read(move |log| log.inbox(workspace, user, before, limit))
    }

    fn mark_read(&self, workspace: WorkspaceId, reader: Reader, ticket: TicketId, mark: Mark) -> Answer<Marked> {
        let this = self.clone();
        self.reads.pass(move || Ok(this.log().mark_read(workspace, reader, ticket, mark)))
    }
}

impl Drafts for MemoryJournal {
    fn of_ticket(&self, ticket: TicketKey) -> Answer<Vec<Kept>> {
        self.read(move |log| Ok(log.drafts_of(ticket)))
    }

    fn save(&self, ticket: TicketKey, drafts: Vec<Kept>) -> Answer<Vec<DraftKey>> {
        let this = self.clone();
        self.drafts.pass(move || {
            let mut log = this.log();
            let lost = || Err(StoreError::Unavailable("a test wanted it".into()));
            match log.draft_mishaps.pop_front() {
                None => Ok(log.save_drafts(ticket, drafts)),
                Some(LostWhere::BeforeCommit) => lost(),
                Some(LostWhere::AfterCommit) => {
                    log.save_drafts(ticket, drafts);
                    lost()
                }
            }
        })
    }
}

impl Log {
    fn append_or_mishap(&mut self, append: Append) -> Result<Appended, StoreError> {
        let lost = || Err(StoreError::Unavailable("a test wanted it".into()));
        match self.mishaps.pop_front() {
            None => Ok(self.append(append)),
            Some(Mishap::Refuse) => Ok(Appended::Refused),
            Some(Mishap::Full) => Err(StoreError::Full),
            Some(Mishap::Fail(LostWhere::BeforeCommit)) => lost(),
            Some(Mishap::Fail(LostWhere::AfterCommit)) => {
                self.append(append);
                lost()
            }
        }
    }

    fn append(&mut self, append: Append) -> Appended {
        let head = self.tickets.get(&append.ticket).map_or(0, |stored| stored.state.seq);
        let is_spent =
            |event: &crate::ports::AppendEvent| event.key.is_some_and(|used| self.find_key(append.ticket, used.key).is_some());
        if head != append.expected_seq || append.events.iter().any(is_spent) {
            return Appended::Refused;
        }
        let at = append.state.updated_at;
        let notified = self.tell(&append);
        self.change_drafts(&append);
        let missed: Vec<bool> = (0..append.events.len()).map(|first| append.missed(first)).collect();
        let events = append.events.into_iter().zip(missed).map(|(event, missed)| StoredEvent {
            seq: event.happened.seq,
            thread_seq: event.happened.thread_seq,
            sealed: event.sealed,
            is_erased: false,
            key: event.key.map(|used| (used, missed)),
        });
        let state = *append.state;
        let stored = self.tickets.entry(append.ticket).or_insert_with(|| Stored { state: state.clone(), events: Vec::new() });
        stored.state = state;
        stored.events.extend(events);
        self.committed += 1;
        Appended::Committed { at, notified }
    }

    /// Gives each notice of an append its number.
    fn tell(&mut self, append: &Append) -> Vec<Notified> {
        let TicketKey { workspace, ticket } = append.ticket;
        let notices = append.events.iter().flat_map(|event| event.notices.iter().map(|n| (*n, event.happened.seq)));
        let number = |(notice, ticket_seq): (crate::rules::notify::Notice, u64)| {
            let told = self.told.entry((workspace, notice.user)).or_default();
            told.push(Told { reason: notice.reason, ticket, ticket_seq });
            Notified { user: notice.user, seq: told.len() as u64, reason: notice.reason, ticket_seq }
        };
        notices.map(number).collect()
    }

    /// What the events of an append do to drafts.
    fn change_drafts(&mut self, append: &Append) {
        let of_ticket = self.drafts.entry(append.ticket).or_default();
        for change in together(append.events.iter().flat_map(|event| &event.drafts)) {
            let before = of_ticket.get(&change.key).cloned().unwrap_or_else(|| Kept::none(change.key));
            of_ticket.extend(before.after(&change, append.state.updated_at).map(|after| (change.key, after)));
        }
    }

    fn save_drafts(&mut self, ticket: TicketKey, drafts: Vec<Kept>) -> Vec<DraftKey> {
        let of_ticket = self.drafts.entry(ticket).or_default();
        let mut written = Vec::new();
        for draft in drafts {
            if of_ticket.get(&draft.key).map_or(0, |present| present.revision) + 1 == draft.revision {
                written.push(draft.key);
                of_ticket.insert(draft.key, draft);
            }
        }
        written
    }

    fn drafts_of(&self, ticket: TicketKey) -> Vec<Kept> {
        let mut drafts: Vec<_> = self.drafts.get(&ticket).into_iter().flatten().map(|(_, kept)| kept.clone()).collect();
        drafts.sort_by_key(|draft| (draft.text.is_none(), std::cmp::Reverse(draft.updated_at)));
        drafts.truncate(MAX_DRAFTS as usize);
        drafts
    }

    fn inbox(&self, workspace: WorkspaceId, user: UserId, before: Option<u64>, limit: u32) -> Result<Inbox, StoreError> {
        let told = self.told.get(&(workspace, user)).map_or(&[][..], Vec::as_slice);
        let end =
            before.map_or(told.len(), |before| told.len().min(usize::try_from(before).unwrap_or(usize::MAX).saturating_sub(1)));
        let start = end.saturating_sub(limit as usize);
        let notifications = (start..end).filter_map(|at| self.notification(workspace, at as u64 + 1, told[at]).transpose());
        let notifications = notifications.collect::<Result<Vec<_>, _>>()?;
        let tickets: std::collections::BTreeSet<_> = notifications.iter().map(|notification| notification.ticket).collect();
        let cursor = |ticket_id: TicketId| {
            self.cursors.get(&(workspace, user, ticket_id)).map(|seq| ReadCursor { ticket_id, seq: *seq })
        };
        Ok(Inbox { notifications, read: tickets.into_iter().filter_map(cursor).collect() })
    }

    fn notification(&self, workspace: WorkspaceId, seq: u64, told: Told) -> Result<Option<Notification>, StoreError> {
        let Some(stored) = self.tickets.get(&TicketKey { workspace, ticket: told.ticket }) else { return Ok(None) };
        let Some(event) = stored.events.iter().find(|event| event.seq == told.ticket_seq) else { return Ok(None) };
        let TicketState { number, title, requester, .. } = &stored.state;
        let (number, title, requester, happened) = (*number, title.clone(), requester.id, Arc::new(open(event)?));
        Ok(Some(Notification { seq, reason: told.reason, ticket: told.ticket, number, title, requester, happened }))
    }

    fn mark_read(&mut self, workspace: WorkspaceId, reader: Reader, ticket: TicketId, mark: Mark) -> Marked {
        let Some(stored) = self.tickets.get(&TicketKey { workspace, ticket }) else { return Marked::NoTicket };
        let head = match reader.side {
            Side::Staff => stored.state.seq,
            Side::Customer if stored.state.requester.id == reader.user => stored.state.thread_seq,
            Side::Customer | Side::Platform => return Marked::NoTicket,
        };
        if mark.seq() > head {
            return Marked::Ahead;
        }
        let cursor = self.cursors.entry((workspace, reader.user, ticket)).or_insert(0);
        *cursor = match mark {
            Mark::UpTo(seq) => seq.max(*cursor),
            Mark::BackTo(seq) => seq,
        };
        Marked::At(*cursor)
    }

    fn find_key(&self, ticket: TicketKey, key: CommandKey) -> Option<KeyRecord> {
        self.tickets.get(&ticket)?.events.iter().find_map(|event| {
            let (used, missed) = event.key?;
            let record = KeyRecord { used, seq: event.seq, thread_seq: event.thread_seq, missed };
            (used.key == key).then_some(record)
        })
    }

    fn events(&self, ticket: TicketKey, range: EventRange) -> Result<Vec<Happened>, StoreError> {
        let number = |event: &StoredEvent| match range.numbering {
            Numbering::Ticket => Some(event.seq),
            Numbering::Thread => event.thread_seq,
        };
        let is_wanted = |event: &&StoredEvent| {
            number(event).is_some_and(|number| match range.from {
                From::After(after) => number > after,
                From::Before(before) => number < before,
            })
        };
        let all = self.tickets.get(&ticket).map_or(&[][..], |stored| &stored.events);
        let wanted: Vec<_> = all.iter().filter(is_wanted).collect();
        let limit = range.limit as usize;
        let page = match range.from {
            From::After(_) => &wanted[..wanted.len().min(limit)],
            From::Before(_) => &wanted[wanted.len().saturating_sub(limit)..],
        };
        page.iter().map(|event| open(event)).collect()
    }

    fn list(&self, workspace: WorkspaceId, query: &TicketQuery) -> TicketPage {
        let changed = |state: &TicketState| match query.side {
            Side::Staff | Side::Platform => state.updated_at,
            Side::Customer => state.thread_updated_at,
        };
        let mut found: Vec<(UnixMs, TicketId, &TicketState)> = self
            .tickets
            .iter()
            .filter(|(key, stored)| key.workspace == workspace && is_listed(query, &stored.state, changed(&stored.state)))
            .map(|(key, stored)| (changed(&stored.state), key.ticket, &stored.state))
            .filter(|(at, ticket, _)| query.cursor.is_none_or(|c| (*at, *ticket) < (c.updated_at, c.ticket)))
            .collect();
        found.sort_by_key(|(at, ticket, _)| std::cmp::Reverse((*at, *ticket)));
        let limit = query.limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(|&(updated_at, ticket, _)| ListCursor { updated_at, ticket });
        let row = |(_, ticket, state): (UnixMs, TicketId, &TicketState)| {
            let mut state = state.clone();
            state.cut_for_lists();
            (ticket, state)
        };
        TicketPage { tickets: found.into_iter().map(row).collect(), next }
    }

    fn count(&self, workspace: WorkspaceId, statuses: &[String], since: UnixMs) -> Counted {
        let mut queues: BTreeMap<Queue, u64> = BTreeMap::new();
        let mut recent = Vec::new();
        for (key, Stored { state, .. }) in self.tickets.iter().filter(|(key, _)| key.workspace == workspace) {
            let queue = Queue::of(state);
            if state.updated_at >= since {
                recent.push((key.ticket, queue.clone(), state.seq));
            }
            if statuses.contains(&queue.status) {
                *queues.entry(queue).or_insert(0) += 1;
            }
        }
        Counted { queues: queues.into_iter().collect(), recent }
    }
}

fn open(event: &StoredEvent) -> Result<Happened, StoreError> {
    let private = (!event.is_erased).then_some(event.sealed.private.as_slice());
    Happened::open(&event.sealed.data, private).map_err(|error| StoreError::Unreadable(error.to_string()))
}

fn is_listed(query: &TicketQuery, state: &TicketState, changed: UnixMs) -> bool {
    let is_visible = match query.side {
        Side::Staff => match query.assignee {
            AssigneeFilter::Any => true,
            AssigneeFilter::Unassigned => state.assignee_id.is_none(),
            AssigneeFilter::User(user) => state.assignee_id == Some(user),
        },
        Side::Customer => state.requester.id == query.user,
        Side::Platform => false,
    };
    is_visible
        && (query.status.is_empty() || query.status.contains(&state.status))
        && query.created_from.is_none_or(|from| state.created_at >= from)
        && query.created_until.is_none_or(|until| state.created_at < until)
        && query.updated_from.is_none_or(|from| changed >= from)
        && query.updated_until.is_none_or(|until| changed < until)
}

impl TicketLists for MemoryLists {
    fn list(&self, workspace: WorkspaceId, query: TicketQuery) -> Answer<TicketPage> {
        self.0.read(move |log| Ok(log.list(workspace, &query)))
    }

    fn count(&self, workspace: WorkspaceId, statuses: Vec<String>, since: UnixMs) -> Answer<Counted> {
        self.0.read(move |log| Ok(log.count(workspace, &statuses, since)))
    }
}

//! What the shells need from the world: traits that the storage implements and that actors and doors are given.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::ids::{CommandKey, SessionId, StreamId, TicketId, TicketKey, UserId, WorkspaceId};
use crate::rules::audit::Hash;
use crate::rules::counters::Counted;
use crate::rules::drafts::{DraftEffect, DraftKey, Kept, effects};
use crate::rules::intent::{Decided, Intent};
use crate::rules::notify::{Notice, Notification, notices};
use crate::rules::permissions::{Role, Side};
use crate::rules::record::{Happened, Sealed};
use crate::rules::stale::Numbering;
use crate::rules::ticket::{TicketState, head_hash};
use crate::rules::workspace::WorkspaceFacts;
use crate::time::UnixMs;
use crate::wire::{Event, ReadCursor, Reason};

/// The answer of a port. Owned and `Send`: it runs to its end on the I/O runtime, whoever stops waiting for it.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Why the world did not answer. Its words are for logs, never for clients.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Cannot be reached, or did not answer in time. After a write: the outcome is unknown.
    #[error("the store cannot be reached: {0}")]
    Unavailable(String),
    /// Refused before anything was tried: too much waits already.
    #[error("the store has no room")]
    Full,
    /// Holds what this hub cannot read.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(String),
}

/// The log of all tickets: durable, fenced, in order.
pub trait Journal: Send + Sync + 'static {
    /// The life of the log that all numbers count in.
    fn stream(&self) -> StreamId;

    /// A ticket as its row tells it, or none.
    fn load(&self, key: TicketKey) -> Answer<Option<TicketState>>;

    /// Appends events to one ticket, if it still ends where the writer thinks and none of the keys was used.
    /// After [`Appended::Refused`] nothing happened. After [`StoreError::Unavailable`] the outcome is unknown.
    fn append(&self, append: Append) -> Answer<Appended>;

    /// The effect a key had on its ticket, or none.
    fn find_key(&self, ticket: TicketKey, key: CommandKey) -> Answer<Option<KeyRecord>>;

    /// Tickets of all workspaces that the hub has to look at by itself until then: at most `limit`, the longest due first.
    fn due(&self, until: UnixMs, limit: u32) -> Answer<Vec<TicketKey>>;

    /// Events of one ticket in the given numbering, oldest first.
    fn events(&self, ticket: TicketKey, range: EventRange) -> Answer<Vec<Happened>>;
}

/// Which events to read. In [`Numbering::Thread`] only those of the thread, counted in its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRange {
    /// What `from` counts in.
    pub numbering: Numbering,
    /// Which way.
    pub from: From,
    /// At most so many.
    pub limit: u32,
}

/// The end of a range that is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The first ones after this number.
    After(u64),
    /// The last ones before this number; still oldest first.
    Before(u64),
}

/// What a ticket's owner wants written, in one piece.
#[derive(Clone, Debug)]
pub struct Append {
    /// Which ticket.
    pub ticket: TicketKey,
    /// Where the writer thinks the ticket ends; 0 for a ticket that is to be made.
    pub expected_seq: u64,
    /// In order, numbered from `expected_seq + 1`. At least one.
    pub events: Vec<AppendEvent>,
    /// The ticket after the last of them.
    pub state: Box<TicketState>,
}

impl Append {
    /// Puts together what one decided intent does to a ticket: its events in a row, sealed, and the ticket after them.
    /// `salts` yields fresh random bytes; none when there is no ticket and the events make none.
    pub fn of_intent(
        key: TicketKey,
        ticket: Option<&TicketState>,
        intent: &Intent,
        decided: Decided,
        now: UnixMs,
        mut salts: impl FnMut() -> [u8; 16],
    ) -> Option<Self> {
        let mut previous = head_hash(ticket);
        let mut state = ticket.cloned();
        let mut events = Vec::with_capacity(decided.events.len());
        for happened in intent.record(ticket, decided, now) {
            let notices = notices(state.as_ref(), &happened);
            let drafts = effects(state.as_ref(), &happened);
            let sealed = happened.seal(key, &previous, salts());
            previous = sealed.hash;
            state = TicketState::replay(state, [(&happened, sealed.hash)]);
            let used = KeyUse { key: intent.key, by: intent.by.user, digest: intent.digest() };
            let key_use = happened.key.is_some().then_some(used);
            events.push(AppendEvent { happened, sealed, key: key_use, notices, drafts });
        }
        Some(Self { ticket: key, expected_seq: ticket.map_or(0, |t| t.seq), events, state: Box::new(state?) })
    }

    /// When the hub has to look at the ticket after this, where that may be another time than before: none for not at all.
    pub fn due(&self) -> Option<Option<UnixMs>> {
        let changes = |event: &AppendEvent| match &event.happened.event {
            Event::ReplyHeld { .. }
            | Event::HeldCancelled { .. }
            | Event::ReplyPosted { held_key: Some(_), .. }
            | Event::ClaimTaken { .. }
            | Event::ClaimReleased { .. }
            | Event::ClaimExpired { .. } => true,
            Event::ReplyPosted { held_key: None, .. }
            | Event::TicketCreated { .. }
            | Event::StatusChanged { .. }
            | Event::Assigned { .. }
            | Event::HandedOver { .. }
            | Event::HandoffAcknowledged {}
            | Event::TagsChanged { .. }
            | Event::Watched { .. }
            | Event::FieldChanged { .. }
            | Event::NothingChanged {}
            | Event::Notified { .. } => false,
        };
        self.events.iter().any(changes).then(|| self.state.next_due())
    }

    /// Whether the intent that begins at `events[first]` had missed something: told by its reply.
    pub fn missed(&self, first: usize) -> bool {
        let of_intent = self.events.iter().skip(first);
        of_intent
            .enumerate()
            .take_while(|(at, event)| *at == 0 || event.key.is_none())
            .any(|(_, event)| matches!(event.happened.event, Event::ReplyPosted { missed: Some(true), .. }))
    }
}

/// One event to be written.
#[derive(Clone, Debug)]
pub struct AppendEvent {
    /// The event, whole: for projections and fan-out.
    pub happened: Happened,
    /// Its stored parts.
    pub sealed: Sealed,
    /// On the first event of an intent: who used the key, and for what.
    pub key: Option<KeyUse>,
    /// Who is told of it: written in the same transaction, each with the next number of that person.
    pub notices: Vec<Notice>,
    /// What it does to drafts: done in the same transaction.
    pub drafts: Vec<DraftEffect>,
}

/// The use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// The key; equal to `happened.key`.
    pub key: CommandKey,
    /// Who used it.
    pub by: UserId,
    /// What was asked.
    pub digest: Hash,
}

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Durable. Tells the database's time at the commit.
    Committed {
        /// Database time.
        at: UnixMs,
        /// The notifications it made. Empty too where the commit was found out about later: whoever may be told looks then.
        notified: Vec<Notified>,
    },
    /// Nothing was written: the ticket ends elsewhere, a key was used already, or another writer held the row.
    /// Reload and find out.
    Refused,
}

/// A notification that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notified {
    /// Who is told.
    pub user: UserId,
    /// Its number: 1, 2, 3… for that person, without a gap.
    pub seq: u64,
    /// Why.
    pub reason: Reason,
    /// The event it tells of, in the ticket's numbering.
    pub ticket_seq: u64,
}

/// The effect a key had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Who used it, and for what.
    pub used: KeyUse,
    /// The event that carries it, in the ticket's numbering.
    pub seq: u64,
    /// The same in the thread's numbering, for what the thread shows.
    pub thread_seq: Option<u64>,
    /// Whether the asker had missed something.
    pub missed: bool,
}

/// Workspaces: what they decided about themselves, and their counters.
pub trait Workspaces: Send + Sync + 'static {
    /// The facts of a workspace, or none.
    fn facts(&self, workspace: WorkspaceId) -> Answer<Option<Arc<WorkspaceFacts>>>;

    /// Draws `count` ticket numbers that nobody else will ever get; answers the first of them.
    fn lease_numbers(&self, workspace: WorkspaceId, count: u32) -> Answer<u64>;
}

/// What each person is told of, and how far each has read.
pub trait Notifications: Send + Sync + 'static {
    /// The newest notifications of a person, or those before a number: the last `limit` of them, and how far their tickets are
    /// read.
    fn inbox(&self, workspace: WorkspaceId, user: UserId, before: Option<u64>, limit: u32) -> Answer<Inbox>;

    /// Moves a person's cursor on a ticket.
    fn mark_read(&self, workspace: WorkspaceId, reader: Reader, ticket: TicketId, mark: Mark) -> Answer<Marked>;
}

/// Notifications as they stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inbox {
    /// Oldest first, without a gap.
    pub notifications: Vec<Notification>,
    /// How far their tickets are read.
    pub read: Vec<ReadCursor>,
}

/// How a cursor is to be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// At least to here: two devices may tell in another order than they read.
    UpTo(u64),
    /// Exactly to here: what comes after counts as unread again.
    BackTo(u64),
}

impl Mark {
    /// Where to.
    pub const fn seq(self) -> u64 {
        match self {
            Self::UpTo(seq) | Self::BackTo(seq) => seq,
        }
    }
}

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub user: UserId,
    /// Customers read the threads of their own tickets, staff every ticket.
    pub side: Side,
}

impl Inbox {
    /// The number of the newest; 0 where there is none.
    pub fn seq(&self) -> u64 {
        self.notifications.last().map_or(0, |newest| newest.seq)
    }
}

/// What became of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It stands here now: where it was to go, or further.
    At(u64),
    /// The ticket does not exist, or is not this reader's to see.
    NoTicket,
    /// The ticket ends before that number.
    Ahead,
}

/// What people write and have not sent yet. What events do to drafts, the journal writes.
pub trait Drafts: Send + Sync + 'static {
    /// The drafts of a ticket, at most [`MAX_DRAFTS`]: those with a text first, newest first; those without one tell their revision.
    fn of_ticket(&self, ticket: TicketKey) -> Answer<Vec<Kept>>;

    /// Writes drafts of one ticket, each only where its revision follows the present one (none is 0). Answers those it wrote.
    /// After [`StoreError::Unavailable`] the outcome is unknown.
    fn save(&self, ticket: TicketKey, drafts: Vec<Kept>) -> Answer<Vec<DraftKey>>;
}

/// Drafts that one ticket has at most, those included that are left without a text.
pub const MAX_DRAFTS: u32 = 1_000;

/// Lists of tickets, and the counters over them.
pub trait TicketLists: Send + Sync + 'static {
    /// One page, newest change first.
    fn list(&self, workspace: WorkspaceId, query: TicketQuery) -> Answer<TicketPage>;

    /// How many tickets stand in each queue of these statuses, and where each ticket stands that changed at or after `since`; both
    /// from one look, so that of each change it can be told whether it was counted.
    fn count(&self, workspace: WorkspaceId, statuses: Vec<String>, since: UnixMs) -> Answer<Counted>;
}

/// Which tickets, and which page of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketQuery {
    /// Staff see all; customers see their own, ordered by their own part of the clock.
    pub side: Side,
    /// Who asks; the requester filter of customers.
    pub user: UserId,
    /// Any of these statuses; empty for all.
    pub status: Vec<String>,
    /// Whose.
    pub assignee: AssigneeFilter,
    /// Made at or after.
    pub created_from: Option<UnixMs>,
    /// Made before.
    pub created_until: Option<UnixMs>,
    /// Last changed at or after.
    pub updated_from: Option<UnixMs>,
    /// Last changed before.
    pub updated_until: Option<UnixMs>,
    /// Where the page before ended.
    pub cursor: Option<ListCursor>,
    /// 1 to 100.
    pub limit: u32,
}

/// Whose tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// Anybody's.
    Any,
    /// Nobody's.
    Unassigned,
    /// This agent's.
    User(UserId),
}

/// The last row of a page: its time of change and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCursor {
    /// `updated_at` of staff, `thread_updated_at` of customers.
    pub updated_at: UnixMs,
    /// The ticket.
    pub ticket: TicketId,
}

/// One page.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketPage {
    /// Newest change first; descriptions cut.
    pub tickets: Vec<(TicketId, TicketState)>,
    /// Where the next page begins; none on the last.
    pub next: Option<ListCursor>,
}

/// People, and their sign-ins.
pub trait Accounts: Send + Sync + 'static {
    /// The account for a sign-in, by the workspace's short name and the address (case is ignored), or none.
    fn find(&self, workspace_slug: String, email: String) -> Answer<Option<Account>>;

    /// Remembers a sign-in: only the SHA-256 of its token.
    fn open_session(&self, session: NewSession) -> Answer<()>;

    /// The sign-in of a token, while it is neither expired nor revoked and its person is active.
    fn session(&self, workspace: WorkspaceId, token_hash: Hash) -> Answer<Option<SignIn>>;

    /// Ends a sign-in.
    fn close_session(&self, workspace: WorkspaceId, session: SessionId) -> Answer<()>;

    /// Which of these sign-ins are no longer valid (ended, expired, person inactive or with another role).
    fn ended(&self, workspace: WorkspaceId, sessions: Vec<(SessionId, Role)>) -> Answer<Vec<SessionId>>;
}

/// An account that may sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where.
    pub workspace: WorkspaceId,
    /// Who.
    pub user: UserId,
    /// A PHC string (argon2id).
    pub password_hash: String,
}

/// A sign-in to be remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Where.
    pub workspace: WorkspaceId,
    /// Its id.
    pub session: SessionId,
    /// Who.
    pub user: UserId,
    /// SHA-256 of the token.
    pub token_hash: Hash,
    /// When it ends by itself, in database time.
    pub expires_at: UnixMs,
}

/// A valid sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Which.
    pub session: SessionId,
    /// Where.
    pub workspace: WorkspaceId,
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: String,
    /// The address signed in with.
    pub email: String,
    /// What this person may do.
    pub role: Role,
    /// When it ends by itself.
    pub expires_at: UnixMs,
}

/// Database time: an offset refreshed at each commit, plus the monotonic clock. Never the wall clock.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> UnixMs;
}

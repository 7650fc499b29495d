//! The one statement that writes: many tickets at once, each wholly or not at all. See `sql/journal/append.sql`.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

use hub_core::ids::{TicketId, TicketKey, UserId, WorkspaceId};
use hub_core::ports::{Append, Appended, Notified};
use hub_core::rules::drafts::{DraftChange, Spent, together};
use hub_core::rules::ticket::TicketState;
use hub_core::time::UnixMs;
use hub_core::wire::{PersonRef, Reason};
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{Client, Error as PgError, Row, Statement};
use uuid::Uuid;

use crate::rows::{STATE_VERSION, bigint, from_system_time, to_system_time};
use crate::tenant::{self, Failed};
use crate::{DbClock, sql};

/// Statements after which the plan is made anew at the latest.
const REPLAN_EVERY: u64 = 1_024;

/// The prepared statements of a connection that writes.
pub(crate) struct Fence {
    append: Statement,
    set_workspaces: Statement,
    hold_heads: Statement,
    settle: Statement,
    /// Statements made on this connection.
    made: AtomicU64,
}

/// The tickets that were written.
pub(crate) type Written = HashMap<TicketKey, Done>;

/// How a ticket was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// The database's time.
    pub(crate) at: SystemTime,
    /// The notifications that were written with it.
    pub(crate) notified: Vec<Notified>,
}

impl From<Done> for Appended {
    fn from(Done { at, notified }: Done) -> Self {
        Self::Committed { at: from_system_time(at), notified }
    }
}

impl Fence {
    pub(crate) async fn prepare(client: &Client) -> Result<Self, PgError> {
        Ok(Self {
            append: client.prepare(sql::JOURNAL_APPEND).await?,
            set_workspaces: client.prepare(sql::SESSION_SET_WORKSPACES).await?,
            hold_heads: client.prepare(sql::JOURNAL_HOLD_HEADS).await?,
            settle: client.prepare(sql::JOURNAL_SETTLE).await?,
            made: AtomicU64::new(0),
        })
    }

    /// Writes those of `appends` that may be written: each to another ticket, each in order.
    ///
    /// The plan is kept, and made anew after 1, 2, 4, 8… statements: one that was right for young tables, where every index
    /// looks the same, is not kept while they grow.
    pub(crate) async fn append(&self, client: &Client, clock: &DbClock, appends: &[&Append]) -> Result<Written, Failed> {
        let tickets = TicketColumns::of(appends);
        let events = EventColumns::of(appends);
        let notices = NoticeColumns::of(appends);
        let changes = changes(appends);
        let drafts = DraftColumns::of(&changes);
        let due = DueColumns::of(appends);
        let all = [tickets.params(), events.params(), notices.params(), drafts.params(), due.params()];
        let params: Vec<&(dyn ToSql + Sync)> = all.into_iter().flatten().collect();
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if made.is_power_of_two() || made.is_multiple_of(REPLAN_EVERY) {
            client.batch_execute("DISCARD PLANS").await.map_err(Failed::unknown)?;
        }
        let asked = Instant::now();
        let work = client.query(&self.append, &params);
        let rows = tenant::writing(client, &self.set_workspaces, &workspaces(appends), work).await?;
        let answered = Instant::now();
        metrics::histogram!("tandem_journal_commit_seconds").record(answered.duration_since(asked).as_secs_f64());
        metrics::histogram!("tandem_journal_batch_appends").record(u32::try_from(appends.len()).map_or(f64::MAX, f64::from));
        let mut written = Written::with_capacity(rows.len());
        // the rows of tickets come before those of their notifications
        for row in &rows {
            match written_row(row).map_err(Failed::unknown)? {
                (ticket, WrittenRow::Ticket(at)) => {
                    clock.heard(asked, answered, at);
                    written.insert(ticket, Done { at, notified: Vec::new() });
                }
                (ticket, WrittenRow::Notification(notified)) => {
                    if let Some(done) = written.get_mut(&ticket) {
                        done.notified.push(notified);
                    }
                }
            }
        }
        Ok(written)
    }

    /// For each append the hash that stands where it wanted to begin, and where its ticket ends; waits for whoever still writes.
    pub(super) async fn look_up(&self, client: &Client, appends: &[&Append]) -> Result<Vec<Row>, Failed> {
        let (workspace, ticket): (Vec<Uuid>, Vec<Uuid>) =
            appends.iter().map(|a| (a.ticket.workspace.uuid(), a.ticket.ticket.uuid())).unzip();
        let first: Vec<i64> = appends.iter().map(|append| bigint(append.expected_seq + 1)).collect();
        let hold: [&(dyn ToSql + Sync); 2] = [&workspace, &ticket];
        let look: [&(dyn ToSql + Sync); 3] = [&workspace, &ticket, &first];
        let both = futures_util::future::try_join(client.query(&self.hold_heads, &hold), client.query(&self.settle, &look));
        let (_, rows) = tenant::writing(client, &self.set_workspaces, &workspaces(appends), both).await?;
        Ok(rows)
    }
}

fn workspaces(appends: &[&Append]) -> Vec<Uuid> {
    let distinct: BTreeSet<Uuid> = appends.iter().map(|append| append.ticket.workspace.uuid()).collect();
    distinct.into_iter().collect()
}

/// A row of the statement's answer.
enum WrittenRow {
    Ticket(SystemTime),
    Notification(Notified),
}

fn written_row(row: &Row) -> Result<(TicketKey, WrittenRow), PgError> {
    let (workspace, ticket): (Uuid, Uuid) = (row.try_get("workspace_id")?, row.try_get("ticket_id")?);
    let key = TicketKey { workspace: WorkspaceId::new(workspace), ticket: TicketId::new(ticket) };
    let Some(user) = row.try_get::<_, Option<Uuid>>("user_id")? else {
        return Ok((key, WrittenRow::Ticket(row.try_get("at")?)));
    };
    let number = |column| row.try_get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or(0));
    // Written by the same statement as they were told: always a reason of ours.
    let reason = row.try_get::<_, &str>("reason")?.parse().unwrap_or(Reason::Replied);
    let notified = Notified { user: UserId::new(user), seq: number("seq")?, reason, ticket_seq: number("ticket_seq")? };
    Ok((key, WrittenRow::Notification(notified)))
}

/// Columns as the statement takes them: one array each, in the order of its parameters.
macro_rules! columns {
    ($(#[$doc:meta])* $name:ident<$life:lifetime> { $($column:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $name<$life> { $($column: Vec<$type>,)* }

        impl<$life> $name<$life> {
            fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
                vec![$(&self.$column),*]
            }
        }
    };
}

columns! {
    /// One row per ticket.
    TicketColumns<'a> {
        workspace_id: Uuid,
        ticket_id: Uuid,
        expected_seq: i64,
        number: i64,
        title: &'a str,
        status: &'a str,
        priority: &'a str,
        category_id: Option<Uuid>,
        assignee_id: Option<Uuid>,
        team_id: Option<Uuid>,
        requester_id: Uuid,
        created_at: SystemTime,
        updated_at: SystemTime,
        thread_updated_at: SystemTime,
        last_seq: i64,
        last_thread_seq: i64,
        head_hash: &'a [u8],
        state_version: i16,
        state: Json<&'a TicketState>,
    }
}

impl<'a> TicketColumns<'a> {
    fn of(appends: &[&'a Append]) -> Self {
        let mut columns = Self::default();
        for append in appends {
            let state = &*append.state;
            columns.workspace_id.push(append.ticket.workspace.uuid());
            columns.ticket_id.push(append.ticket.ticket.uuid());
            columns.expected_seq.push(bigint(append.expected_seq));
            columns.number.push(bigint(state.number));
            columns.title.push(&state.title);
            columns.status.push(&state.status);
            columns.priority.push(state.priority.name());
            columns.category_id.push(state.category_id.map(|id| id.uuid()));
            columns.assignee_id.push(state.assignee_id.map(|id| id.uuid()));
            columns.team_id.push(state.team_id.map(|id| id.uuid()));
            columns.requester_id.push(state.requester.id.uuid());
            columns.created_at.push(to_system_time(state.created_at));
            columns.updated_at.push(to_system_time(state.updated_at));
            columns.thread_updated_at.push(to_system_time(state.thread_updated_at));
            columns.last_seq.push(bigint(state.seq));
            columns.last_thread_seq.push(bigint(state.thread_seq));
            columns.head_hash.push(&state.head_hash);
            columns.state_version.push(STATE_VERSION);
            columns.state.push(Json(state));
        }
        columns
    }
}

columns! {
    /// One row per event.
    EventColumns<'a> {
        workspace_id: Uuid,
        ticket_id: Uuid,
        seq: i64,
        thread_seq: Option<i64>,
        at: SystemTime,
        data: &'a [u8],
        private: &'a [u8],
        salt: &'a [u8],
        commitment: &'a [u8],
        hash: &'a [u8],
        key: Option<Uuid>,
        key_by: Option<Uuid>,
        key_digest: Option<&'a [u8]>,
        key_missed: Option<bool>,
    }
}

impl<'a> EventColumns<'a> {
    fn of(appends: &[&'a Append]) -> Self {
        let mut columns = Self::default();
        for append in appends {
            for (at, event) in append.events.iter().enumerate() {
                let used = event.key.as_ref();
                columns.workspace_id.push(append.ticket.workspace.uuid());
                columns.ticket_id.push(append.ticket.ticket.uuid());
                columns.seq.push(bigint(event.happened.seq));
                columns.thread_seq.push(event.happened.thread_seq.map(bigint));
                columns.at.push(to_system_time(event.happened.at));
                columns.data.push(&event.sealed.data);
                columns.private.push(&event.sealed.private);
                columns.salt.push(&event.sealed.salt);
                columns.commitment.push(&event.sealed.commitment);
                columns.hash.push(&event.sealed.hash);
                columns.key.push(used.map(|used| used.key.uuid()));
                columns.key_by.push(used.map(|used| used.by.uuid()));
                columns.key_digest.push(used.map(|used| used.digest.as_slice()));
                columns.key_missed.push(used.map(|_| append.missed(at)));
            }
        }
        columns
    }
}

columns! {
    /// One row per notice.
    NoticeColumns<'a> {
        workspace_id: Uuid,
        ticket_id: Uuid,
        ticket_seq: i64,
        user_id: Uuid,
        reason: &'a str,
    }
}

impl NoticeColumns<'_> {
    fn of(appends: &[&Append]) -> Self {
        let mut columns = Self::default();
        for append in appends {
            for event in &append.events {
                for notice in &event.notices {
                    columns.workspace_id.push(append.ticket.workspace.uuid());
                    columns.ticket_id.push(append.ticket.ticket.uuid());
                    columns.ticket_seq.push(bigint(event.happened.seq));
                    columns.user_id.push(notice.user.uuid());
                    columns.reason.push(notice.reason.name());
                }
            }
        }
        columns
    }
}

/// What the appends do to drafts, with the time of the last event of each.
fn changes(appends: &[&Append]) -> Vec<(TicketKey, UnixMs, DraftChange)> {
    let of_append = |append: &&Append| {
        let (ticket, at) = (append.ticket, append.state.updated_at);
        together(append.events.iter().flat_map(|event| &event.drafts)).into_iter().map(move |change| (ticket, at, change))
    };
    appends.iter().flat_map(of_append).collect()
}

columns! {
    /// One row per draft that changes.
    DraftColumns<'a> {
        workspace_id: Uuid,
        ticket_id: Uuid,
        user_id: Uuid,
        audience: &'a str,
        steps: i64,
        body: Option<&'a str>,
        based_on: Option<i64>,
        authors: Option<Json<&'a [PersonRef]>>,
        updated_at: SystemTime,
        said: Option<&'a str>,
    }
}

impl<'a> DraftColumns<'a> {
    fn of(changes: &'a [(TicketKey, UnixMs, DraftChange)]) -> Self {
        let mut columns = Self::default();
        for (ticket, at, change) in changes {
            let given = change.given.as_ref();
            columns.workspace_id.push(ticket.workspace.uuid());
            columns.ticket_id.push(ticket.ticket.uuid());
            columns.user_id.push(change.key.user.uuid());
            columns.audience.push(change.key.audience.name());
            columns.steps.push(bigint(change.steps()));
            columns.body.push(given.map(|text| text.body.as_str()));
            columns.based_on.push(given.map(|text| bigint(text.based_on)));
            columns.authors.push(given.map(|text| Json(text.authors.as_slice())));
            columns.updated_at.push(to_system_time(*at));
            columns.said.push(match &change.spent {
                Spent::This(text) => Some(text),
                Spent::Nothing | Spent::Whatever => None,
            });
        }
        columns
    }
}

/// One row per ticket that is to be looked at some other time than before, or no longer.
#[derive(Default)]
struct DueColumns {
    workspace_id: Vec<Uuid>,
    ticket_id: Vec<Uuid>,
    due_at: Vec<Option<SystemTime>>,
}

impl DueColumns {
    fn of(appends: &[&Append]) -> Self {
        let mut columns = Self::default();
        for (append, due_at) in appends.iter().filter_map(|append| Some((append, append.due()?))) {
            columns.workspace_id.push(append.ticket.workspace.uuid());
            columns.ticket_id.push(append.ticket.ticket.uuid());
            columns.due_at.push(due_at.map(to_system_time));
        }
        columns
    }

    fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        vec![&self.workspace_id, &self.ticket_id, &self.due_at]
    }
}

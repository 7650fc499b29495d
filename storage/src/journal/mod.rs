//! The journal over Postgres. Reads go through the pool; appends go into one bounded queue and are committed by the writer.

pub(crate) mod fence;
mod queue;
mod settle;
mod writer;

use hub_core::ids::{CommandKey, StreamId, TicketId, TicketKey, UserId, WorkspaceId};
use hub_core::ports::{Answer, Append, Appended, EventRange, From, Journal, KeyRecord, KeyUse, StoreError};
use hub_core::rules::record::Happened;
use hub_core::rules::stale::Numbering;
use hub_core::rules::ticket::TicketState;
use hub_core::time::UnixMs;
use tokio_postgres::Row;

pub(crate) use queue::Queue;
pub(crate) use writer::{Writer, stream_of};

use crate::rows::{bigint, counter, get, hash, state, to_system_time, unreadable};
use crate::sql;
use crate::store::Store;

impl Journal for Store {
    fn stream(&self) -> StreamId {
        self.current_stream()
    }

    fn load(&self, key: TicketKey) -> Answer<Option<TicketState>> {
        self.reads().read(move |db| async move {
            let (workspace, ticket) = (key.workspace.uuid(), key.ticket.uuid());
            let rows = db.rows(key.workspace, sql::JOURNAL_LOAD, &[&workspace, &ticket]).await?;
            rows.first().map(state).transpose()
        })
    }

    fn append(&self, append: Append) -> Answer<Appended> {
        match check(&append).and_then(|()| self.queue().push(append)) {
            // the answer may be dropped; the write goes on
            Ok(answer) => Box::pin(async move {
                answer.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the journal's writer ended".into())))
            }),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn find_key(&self, ticket: TicketKey, key: CommandKey) -> Answer<Option<KeyRecord>> {
        self.reads().read(move |db| async move {
            let (workspace, id, wanted) = (ticket.workspace.uuid(), ticket.ticket.uuid(), key.uuid());
            let rows = db.rows(ticket.workspace, sql::JOURNAL_FIND_KEY, &[&workspace, &id, &wanted]).await?;
            rows.first().map(|row| key_record(key, row)).transpose()
        })
    }

    fn due(&self, until: UnixMs, limit: u32) -> Answer<Vec<TicketKey>> {
        self.reads().read(move |db| async move {
            let (until, limit) = (to_system_time(until), i64::from(limit));
            let rows = db.rows_without_tenant(sql::JOURNAL_DUE, &[&until, &limit]).await?;
            let ticket = |row: &Row| {
                let workspace = WorkspaceId::new(get(row, "workspace_id")?);
                Ok(TicketKey { workspace, ticket: TicketId::new(get(row, "ticket_id")?) })
            };
            rows.iter().map(ticket).collect()
        })
    }

    fn events(&self, ticket: TicketKey, range: EventRange) -> Answer<Vec<Happened>> {
        self.reads().read(move |db| async move {
            let (sql, number) = match (range.numbering, range.from) {
                (Numbering::Ticket, From::After(number)) => (sql::JOURNAL_EVENTS_AFTER, number),
                (Numbering::Ticket, From::Before(number)) => (sql::JOURNAL_EVENTS_BEFORE, number),
                (Numbering::Thread, From::After(number)) => (sql::JOURNAL_THREAD_AFTER, number),
                (Numbering::Thread, From::Before(number)) => (sql::JOURNAL_THREAD_BEFORE, number),
            };
            let (workspace, id) = (ticket.workspace.uuid(), ticket.ticket.uuid());
            let (number, limit) = (bigint(number), i64::from(range.limit));
            let rows = db.rows(ticket.workspace, sql, &[&workspace, &id, &number, &limit]).await?;
            let mut events = rows.iter().map(event).collect::<Result<Vec<_>, StoreError>>()?;
            if matches!(range.from, From::Before(_)) {
                events.reverse();
            }
            Ok(events)
        })
    }
}

/// An append that would tear a hole into the log never reaches the database.
fn check(append: &Append) -> Result<(), StoreError> {
    let is_in_order = append.events.iter().zip(append.expected_seq + 1..).all(|(event, seq)| event.happened.seq == seq);
    let ends_at = append.expected_seq + append.events.len() as u64;
    if append.events.is_empty() || !is_in_order || append.state.seq != ends_at {
        return Err(unreadable(format!("an append to {:?} is not in order", append.ticket)));
    }
    Ok(())
}

pub(crate) fn event(row: &Row) -> Result<Happened, StoreError> {
    let (data, private): (&[u8], Option<&[u8]>) = (get(row, "data")?, get(row, "private")?);
    Happened::open(data, private).map_err(|error| unreadable(error.to_string()))
}

fn key_record(key: CommandKey, row: &Row) -> Result<KeyRecord, StoreError> {
    let thread_seq: Option<i64> = get(row, "thread_seq")?;
    Ok(KeyRecord {
        used: KeyUse { key, by: UserId::new(get(row, "key_by")?), digest: hash(row, "key_digest")? },
        seq: counter(row, "seq")?,
        thread_seq: thread_seq.and_then(|seq| u64::try_from(seq).ok()),
        missed: get(row, "key_missed")?,
    })
}

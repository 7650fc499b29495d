//! Notifications over Postgres: reading them, and how far each person has read. They are written by the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use hub_core::ids::{TicketId, UserId, WorkspaceId};
use hub_core::ports::{Answer, Inbox, Mark, Marked, Notifications, Reader, StoreError};
use hub_core::rules::notify::Notification;
use hub_core::rules::permissions::Side;
use hub_core::wire::ReadCursor;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::journal::event;
use crate::rows::{bigint, counter, get, unreadable};
use crate::sql;
use crate::store::Store;

impl Notifications for Store {
    fn inbox(&self, workspace: WorkspaceId, user: UserId, before: Option<u64>, limit: u32) -> Answer<Inbox> {
        self.reads().read(move |db| async move {
            let (tenant, user) = (workspace.uuid(), user.uuid());
            let (before, limit) = (bigint(before.unwrap_or(u64::MAX)), i64::from(limit));
            inbox(&db.rows(workspace, sql::NOTIFICATIONS_INBOX, &[&tenant, &user, &before, &limit]).await?)
        })
    }

    fn mark_read(&self, workspace: WorkspaceId, reader: Reader, ticket: TicketId, mark: Mark) -> Answer<Marked> {
        let is_customer = match reader.side {
            Side::Staff => false,
            Side::Customer => true,
            Side::Platform => return Box::pin(std::future::ready(Ok(Marked::NoTicket))),
        };
        // tried again after a break: moving a cursor twice to the same place is moving it once
        self.reads().read(move |db| async move {
            let (tenant, user, ticket) = (workspace.uuid(), reader.user.uuid(), ticket.uuid());
            let (seq, is_back) = (bigint(mark.seq()), matches!(mark, Mark::BackTo(_)));
            let parameters: [&(dyn ToSql + Sync); 6] = [&tenant, &user, &ticket, &seq, &is_customer, &is_back];
            let rows = db.rows(workspace, sql::NOTIFICATIONS_MARK_READ, &parameters).await?;
            let Some(row) = rows.first() else { return Ok(Marked::NoTicket) };
            let seq: Option<i64> = get(row, "seq")?;
            Ok(seq.and_then(|seq| u64::try_from(seq).ok()).map_or(Marked::Ahead, Marked::At))
        })
    }
}

/// Rows newest first.
fn inbox(newest: &[Row]) -> Result<Inbox, StoreError> {
    let notifications = newest.iter().rev().map(notification).collect::<Result<Vec<_>, StoreError>>()?;
    let mut read = BTreeMap::new();
    for row in newest {
        let cursor: Option<i64> = get(row, "read_seq")?;
        if let Some(seq) = cursor.and_then(|seq| u64::try_from(seq).ok()) {
            read.insert(ticket(row)?, seq);
        }
    }
    let read = read.into_iter().map(|(ticket_id, seq)| ReadCursor { ticket_id, seq }).collect();
    Ok(Inbox { notifications, read })
}

fn ticket(row: &Row) -> Result<TicketId, StoreError> {
    get::<Uuid>(row, "ticket_id").map(TicketId::new)
}

fn notification(row: &Row) -> Result<Notification, StoreError> {
    let reason: &str = get(row, "reason")?;
    Ok(Notification {
        seq: counter(row, "seq")?,
        reason: reason.parse().map_err(|()| unreadable(format!("{reason:?} is no reason")))?,
        ticket: ticket(row)?,
        number: counter(row, "number")?,
        title: get(row, "title")?,
        requester: get(row, "requester_id").map(UserId::new)?,
        happened: Arc::new(event(row)?),
    })
}

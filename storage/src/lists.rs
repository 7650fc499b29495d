//! Lists of tickets over Postgres: one page by keyset, planned with the filters that were given; and the counters over them.

use std::time::SystemTime;

use hub_core::ids::{TicketId, UserId, WorkspaceId};
use hub_core::ports::{Answer, AssigneeFilter, ListCursor, StoreError, TicketLists, TicketPage, TicketQuery};
use hub_core::rules::counters::{Counted, Queue};
use hub_core::rules::permissions::Side;
use hub_core::rules::ticket::TicketState;
use hub_core::time::UnixMs;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::reads::Lease;
use crate::rows::{counter, get, state, to_system_time};
use crate::sql;
use crate::store::Store;

impl TicketLists for Store {
    fn list(&self, workspace: WorkspaceId, query: TicketQuery) -> Answer<TicketPage> {
        let query = std::sync::Arc::new(query);
        self.reads().read(move |db| {
            let query = std::sync::Arc::clone(&query);
            async move {
                let rows = match query.side {
                    Side::Staff => staff_page(&db, workspace, &query).await?,
                    Side::Customer => customer_page(&db, workspace, &query).await?,
                    Side::Platform => Vec::new(),
                };
                page(&rows, &query)
            }
        })
    }

    fn count(&self, workspace: WorkspaceId, statuses: Vec<String>, since: UnixMs) -> Answer<Counted> {
        let statuses = std::sync::Arc::new(statuses);
        self.reads().read(move |db| {
            let statuses = std::sync::Arc::clone(&statuses);
            async move {
                let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
                    (&workspace.uuid(), Type::UUID),
                    (&*statuses, Type::TEXT_ARRAY),
                    (&to_system_time(since), Type::TIMESTAMPTZ),
                ];
                let rows = db.rows_planned_anew(workspace, sql::LIST_COUNT, &params).await?;
                counted(&rows)
            }
        })
    }
}

fn counted(rows: &[Row]) -> Result<Counted, StoreError> {
    let mut counted = Counted::default();
    for row in rows {
        let queue = Queue { status: get(row, "status")?, assignee: get::<Option<Uuid>>(row, "assignee_id")?.map(UserId::new) };
        match get::<Option<Uuid>>(row, "id")? {
            None => counted.queues.push((queue, counter(row, "tickets")?)),
            Some(ticket) => counted.recent.push((TicketId::new(ticket), queue, counter(row, "last_seq")?)),
        }
    }
    Ok(counted)
}

/// One row more than asked for: it tells whether there is a next page.
async fn staff_page(db: &Lease, workspace: WorkspaceId, query: &TicketQuery) -> Result<Vec<Row>, StoreError> {
    let filters = Filters::of(query);
    let (assignee, is_unassigned) = match query.assignee {
        AssigneeFilter::Any => (None, false),
        AssigneeFilter::Unassigned => (None, true),
        AssigneeFilter::User(user) => (Some(UserId::uuid(user)), false),
    };
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 11] = [
        (&workspace.uuid(), Type::UUID),
        (&filters.status, Type::TEXT_ARRAY),
        (&assignee, Type::UUID),
        (&is_unassigned, Type::BOOL),
        (&filters.created_from, Type::TIMESTAMPTZ),
        (&filters.created_until, Type::TIMESTAMPTZ),
        (&filters.updated_from, Type::TIMESTAMPTZ),
        (&filters.updated_until, Type::TIMESTAMPTZ),
        (&filters.cursor_at, Type::TIMESTAMPTZ),
        (&filters.cursor_ticket, Type::UUID),
        (&filters.rows, Type::INT8),
    ];
    db.rows_planned_anew(workspace, sql::LIST_STAFF_PAGE, &params).await
}

/// The same of a customer's own tickets; who works on them is no filter here, for customers do not see it.
async fn customer_page(db: &Lease, workspace: WorkspaceId, query: &TicketQuery) -> Result<Vec<Row>, StoreError> {
    let filters = Filters::of(query);
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 10] = [
        (&workspace.uuid(), Type::UUID),
        (&query.user.uuid(), Type::UUID),
        (&filters.status, Type::TEXT_ARRAY),
        (&filters.created_from, Type::TIMESTAMPTZ),
        (&filters.created_until, Type::TIMESTAMPTZ),
        (&filters.updated_from, Type::TIMESTAMPTZ),
        (&filters.updated_until, Type::TIMESTAMPTZ),
        (&filters.cursor_at, Type::TIMESTAMPTZ),
        (&filters.cursor_ticket, Type::UUID),
        (&filters.rows, Type::INT8),
    ];
    db.rows_planned_anew(workspace, sql::LIST_CUSTOMER_PAGE, &params).await
}

/// The filters as the server wants them; none for those that were not given.
struct Filters {
    status: Option<Vec<String>>,
    created_from: Option<SystemTime>,
    created_until: Option<SystemTime>,
    updated_from: Option<SystemTime>,
    updated_until: Option<SystemTime>,
    cursor_at: Option<SystemTime>,
    cursor_ticket: Option<uuid::Uuid>,
    rows: i64,
}

impl Filters {
    fn of(query: &TicketQuery) -> Self {
        let time = |at: Option<UnixMs>| at.map(to_system_time);
        Self {
            status: (!query.status.is_empty()).then(|| query.status.clone()),
            created_from: time(query.created_from),
            created_until: time(query.created_until),
            updated_from: time(query.updated_from),
            updated_until: time(query.updated_until),
            cursor_at: time(query.cursor.map(|cursor| cursor.updated_at)),
            cursor_ticket: query.cursor.map(|cursor| cursor.ticket.uuid()),
            rows: i64::from(query.limit) + 1,
        }
    }
}

fn page(rows: &[Row], query: &TicketQuery) -> Result<TicketPage, StoreError> {
    let limit = query.limit as usize;
    let tickets = rows.iter().take(limit).map(listed).collect::<Result<Vec<_>, StoreError>>()?;
    let cursor = |(ticket, state): &(TicketId, TicketState)| ListCursor {
        updated_at: match query.side {
            Side::Staff | Side::Platform => state.updated_at,
            Side::Customer => state.thread_updated_at,
        },
        ticket: *ticket,
    };
    let next = tickets.last().filter(|_| rows.len() > limit).map(cursor);
    Ok(TicketPage { tickets, next })
}

fn listed(row: &Row) -> Result<(TicketId, TicketState), StoreError> {
    let mut state = state(row)?;
    state.cut_for_lists();
    Ok((TicketId::new(get(row, "id")?), state))
}

//! Proves a workspace offline: every event of every ticket, chained from the first one to the head the ticket's row tells, and
//! every column that repeats what the events say.
//!
//! Leaves to whoever keeps something outside the database what cannot be seen from inside it: a log cut off together with
//! its head, a ticket that is gone with its log, and a chain computed anew.

mod columns;

use std::collections::{BTreeMap, BTreeSet};

use hub_core::ids::{TicketId, WorkspaceId};
use hub_core::ports::StoreError;
use hub_core::rules::audit::{Broken, Hash, Link, verify};
use hub_core::rules::record::{self, Happened, Place};
use hub_core::rules::ticket::TicketState;
use tokio::runtime::Handle;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::connect::{Connector, Purpose};
use crate::error::{SetupError, StartError, describe};
use crate::rows::{counter, get, hash};
use crate::sql;

/// Tickets read at a time.
const PAGE: i64 = 200;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Tickets whose chains were followed.
    pub tickets: u64,
    /// Events in them.
    pub events: u64,
    /// Events whose private parts were erased: their chains hold without them.
    pub erased: u64,
    /// Tickets with such events: of their rows only what no erasure takes away was compared.
    pub partly_compared: u64,
    /// What does not hold, by ticket.
    pub broken: Vec<(TicketId, Fault)>,
}

/// What is wrong with one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its chain does not hold; says at which event.
    #[error(transparent)]
    Chain(#[from] Broken),
    /// Its chain holds, and an event in it is none.
    #[error("event {seq} cannot be read")]
    Unreadable {
        /// Which event.
        seq: u64,
    },
    /// A column beside an event differs from the event.
    #[error("the column {column} of event {seq} is not what the event says")]
    Event {
        /// Which event.
        seq: u64,
        /// Which column of its row.
        column: &'static str,
    },
    /// The ticket's row differs from what its events make of it.
    #[error("the column {column} of the ticket is not what its events up to {seq} say")]
    Row {
        /// The last event.
        seq: u64,
        /// Which column of the ticket's row.
        column: &'static str,
    },
    /// It has events, and no row.
    #[error("the ticket has a log and no row")]
    Orphan,
}

/// Verifies a workspace as it was at one instant. `url` may be the hub's or the owner's. None when no workspace has the short name.
/// Must be awaited on a tokio runtime.
///
/// # Errors
/// When the server refuses, or holds something that is no chain at all.
pub async fn verify_workspace(url: &str, slug: &str) -> Result<Option<Report>, SetupError> {
    let connector = Connector::new(url, Purpose::Setup, Handle::current())?;
    let connection = connector.open().await.map_err(|error| StartError::Unreachable(describe(&error)))?;
    let client = &connection.client;
    let Some(row) = client.query_opt(sql::ACCOUNT_WORKSPACE, &[&slug]).await? else { return Ok(None) };
    let workspace: Uuid = row.try_get("workspace_id")?;
    // one snapshot: heads and logs of the same instant, while the hub goes on writing
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    client.query(sql::SESSION_SET_WORKSPACE, &[&workspace.to_string()]).await?;
    let report = verify_all(client, WorkspaceId::new(workspace)).await?;
    client.batch_execute("COMMIT").await?;
    Ok(Some(report))
}

async fn verify_all(client: &Client, workspace: WorkspaceId) -> Result<Report, SetupError> {
    let mut report = Report::default();
    let (tickets, links) = (client.prepare(sql::AUDIT_TICKETS).await?, client.prepare(sql::AUDIT_LINKS).await?);
    let tenant = workspace.uuid();
    let mut after = Uuid::nil();
    loop {
        let rows = client.query(&tickets, &[&tenant, &after, &PAGE]).await?;
        let ids = rows.iter().map(|row| row.try_get("id")).collect::<Result<Vec<Uuid>, _>>()?;
        let Some(last) = ids.last() else { break };
        after = *last;
        let events = client.query(&links, &[&tenant, &ids]).await?;
        let logs = by_ticket(&events)?;
        for (id, row) in ids.iter().zip(&rows) {
            let log = logs.get(id).map_or(&[][..], Vec::as_slice);
            report.add(TicketId::new(*id), row, log).map_err(|error| SetupError::Unreadable(error.to_string()))?;
        }
    }
    for row in client.query(sql::AUDIT_ORPHANS, &[&tenant]).await? {
        report.broken.push((TicketId::new(row.try_get("ticket_id")?), Fault::Orphan));
    }
    Ok(report)
}

fn by_ticket(events: &[Row]) -> Result<BTreeMap<Uuid, Vec<&Row>>, SetupError> {
    let mut logs: BTreeMap<Uuid, Vec<&Row>> = BTreeMap::new();
    for row in events {
        logs.entry(row.try_get("ticket_id")?).or_default().push(row);
    }
    Ok(logs)
}

impl Report {
    /// True when every chain holds, and every row says what its events say.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// How many tickets do not hold; each may have several faults.
    pub fn broken_tickets(&self) -> usize {
        self.broken.iter().map(|(ticket, _)| ticket).collect::<BTreeSet<_>>().len()
    }

    /// Judges one ticket: its row, and the rows of its log in order.
    fn add(&mut self, ticket: TicketId, row: &Row, log: &[&Row]) -> Result<(), StoreError> {
        let links = log.iter().map(|row| link(row)).collect::<Result<Vec<_>, _>>()?;
        let erased = links.iter().filter(|link| link.private.is_none()).count();
        self.tickets += 1;
        self.events += links.len() as u64;
        self.erased += erased as u64;
        self.partly_compared += u64::from(erased > 0);
        let faults = match verify(&links, counter(row, "last_seq")?, &hash(row, "head_hash")?) {
            Err(broken) => vec![broken.into()],
            // the events are those that were written: they judge everything that repeats them
            Ok(()) => repeated(row, log, &links, erased > 0),
        };
        self.broken.extend(faults.into_iter().map(|fault| (ticket, fault)));
        Ok(())
    }
}

/// What is wrong in the columns beside the events of a chain that holds, and in the ticket's row.
fn repeated(ticket: &Row, log: &[&Row], links: &[Link], has_erased: bool) -> Vec<Fault> {
    let (mut faults, mut events) = (Vec::new(), Vec::with_capacity(links.len()));
    for (row, link) in log.iter().zip(links) {
        let seq = link.seq;
        match open(link) {
            Ok((place, happened)) => {
                let differing = columns::differing_beside_event(row, &place, &happened);
                faults.extend(differing.into_iter().map(|column| Fault::Event { seq, column }));
                events.push((happened, link.hash));
            }
            Err(_) => faults.push(Fault::Unreadable { seq }),
        }
    }
    if events.len() < links.len() {
        return faults;
    }
    match TicketState::replay(None, events.iter().map(|(happened, hash): &(Happened, Hash)| (happened, *hash))) {
        Some(state) => {
            let differing = columns::differing_in_ticket(ticket, &state, has_erased);
            faults.extend(differing.into_iter().map(|column| Fault::Row { seq: state.seq, column }));
        }
        // the first event makes no ticket
        None => faults.push(Fault::Unreadable { seq: 1 }),
    }
    faults
}

fn open(link: &Link) -> Result<(Place, Happened), record::Unreadable> {
    let private = link.private.as_ref().map(|(_, private)| private.as_slice());
    Ok((record::place(&link.data)?, Happened::open(&link.data, private)?))
}

fn link(row: &Row) -> Result<Link, StoreError> {
    let (salt, private): (Option<Vec<u8>>, Option<Vec<u8>>) = (get(row, "salt")?, get(row, "private")?);
    Ok(Link {
        seq: counter(row, "seq")?,
        data: get(row, "data")?,
        private: salt.zip(private),
        commitment: hash(row, "commitment")?,
        hash: hash(row, "hash")?,
    })
}

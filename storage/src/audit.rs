//! Proves a workspace offline: every event of every ticket, chained from the first one to the head the ticket's row tells.

use std::collections::BTreeMap;

use hub_core::ids::{TicketId, WorkspaceId};
use hub_core::ports::StoreError;
use hub_core::rules::audit::{Broken, Hash, Link, verify};
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
    /// Where chains do not hold, by ticket.
    pub broken: Vec<(TicketId, Fault)>,
}

/// What is wrong with one ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Its chain does not hold; says at which event.
    #[error(transparent)]
    Chain(#[from] Broken),
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
        let heads = rows.iter().map(head).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let Some(last) = heads.last() else { break };
        after = last.ticket;
        let ids: Vec<Uuid> = heads.iter().map(|head| head.ticket).collect();
        let rows = client.query(&links, &[&tenant, &ids]).await?;
        report.add(&heads, &chains(&rows).map_err(unreadable)?);
    }
    for row in client.query(sql::AUDIT_ORPHANS, &[&tenant]).await? {
        report.broken.push((TicketId::new(row.try_get("ticket_id")?), Fault::Orphan));
    }
    Ok(report)
}

impl Report {
    /// True when every chain holds.
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    fn add(&mut self, heads: &[Head], chains: &BTreeMap<Uuid, Vec<Link>>) {
        for head in heads {
            let chain = chains.get(&head.ticket).map_or(&[][..], Vec::as_slice);
            self.tickets += 1;
            self.events += chain.len() as u64;
            self.erased += chain.iter().filter(|link| link.private.is_none()).count() as u64;
            if let Err(broken) = verify(chain, head.seq, &head.hash) {
                self.broken.push((TicketId::new(head.ticket), broken.into()));
            }
        }
    }
}

/// Where a ticket's row says that it ends.
struct Head {
    ticket: Uuid,
    seq: u64,
    hash: Hash,
}

fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head { ticket: get(row, "id")?, seq: counter(row, "last_seq")?, hash: hash(row, "head_hash")? })
}

fn chains(rows: &[Row]) -> Result<BTreeMap<Uuid, Vec<Link>>, StoreError> {
    let mut chains: BTreeMap<Uuid, Vec<Link>> = BTreeMap::new();
    for row in rows {
        chains.entry(get(row, "ticket_id")?).or_default().push(link(row)?);
    }
    Ok(chains)
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

fn unreadable(error: StoreError) -> SetupError {
    SetupError::Unreadable(error.to_string())
}

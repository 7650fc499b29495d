//! What became of appends whose commit was not answered.

use std::collections::HashMap;
use std::time::SystemTime;

use hub_core::ids::{TicketId, TicketKey, WorkspaceId};
use hub_core::ports::Append;
use tokio_postgres::{Client, Error as PgError, Row};

use super::fence::{Done, Fence};
use crate::rows::bigint;
use crate::tenant::Failed;

/// What is known of an append after looking.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Its own hash stands at its own place.
    Written(Done),
    /// The ticket still ends where the append wanted to begin.
    NotWritten,
    /// Something else stands there.
    Overtaken,
}

/// Looks all of them up; in the order given.
pub(super) async fn settle(fence: &Fence, client: &Client, appends: &[&Append]) -> Result<Vec<Fate>, Failed> {
    let rows = fence.look_up(client, appends).await?;
    let found: HashMap<TicketKey, Found> = rows.iter().map(found).collect::<Result<_, _>>().map_err(Failed::unknown)?;
    Ok(appends.iter().map(|append| found.get(&append.ticket).map_or(Fate::Overtaken, |found| found.judge(append))).collect())
}

struct Found {
    hash: Option<Vec<u8>>,
    last_seq: i64,
    at: SystemTime,
}

impl Found {
    fn judge(&self, append: &Append) -> Fate {
        let ours = append.events.first().map(|event| event.sealed.hash.as_slice());
        if self.hash.is_some() && self.hash.as_deref() == ours {
            // Its notifications are there too, but nobody knows their numbers any more.
            return Fate::Written(Done { at: self.at, notified: Vec::new() });
        }
        if self.last_seq == bigint(append.expected_seq) { Fate::NotWritten } else { Fate::Overtaken }
    }
}

fn found(row: &Row) -> Result<(TicketKey, Found), PgError> {
    let key = TicketKey {
        workspace: WorkspaceId::new(row.try_get("workspace_id")?),
        ticket: TicketId::new(row.try_get("ticket_id")?),
    };
    Ok((key, Found { hash: row.try_get("hash")?, last_seq: row.try_get("last_seq")?, at: row.try_get("at")? }))
}

//! A look at a database without serving from it: for `hub doctor`, which says in words what is found here.

use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio_postgres::{Client, Error as PgError};

use crate::connect::{Connector, Purpose};
use crate::error::{StartError, describe, unreachable};
use crate::{sql, start};

/// The oldest major version that this hub is made for.
pub const OLDEST_POSTGRES: i32 = 15;

/// What was found.
#[derive(Debug)]
pub struct Examination {
    /// The server, and how it is set.
    pub server: Server,
    /// What speaks against serving from it: the first thing that the hub's own start would refuse.
    pub start: Result<(), StartError>,
}

/// A server, and how it is set for the role that asked.
#[derive(Clone, Debug)]
pub struct Server {
    /// As it calls itself, such as `15.8 (Debian 15.8-1)`.
    pub version_name: String,
    /// The major version.
    pub version: i32,
    /// Whether commits reach the disk.
    pub fsync: bool,
    /// Whether a torn page can be mended after a crash.
    pub full_page_writes: bool,
    /// What a commit waits for.
    pub synchronous_commit: String,
    /// Connections it accepts from anybody but superusers.
    pub connections: i32,
    /// How far its clock and this machine's are apart, whichever is ahead.
    pub clocks_apart: Duration,
}

/// Looks. Must be awaited on a tokio runtime.
///
/// # Errors
/// When there is no way in, or the server answers nothing.
pub async fn examine(url: &str) -> Result<Examination, StartError> {
    let connector = Connector::new(url, Purpose::Reads, Handle::current())?;
    let connection = connector.open().await.map_err(|error| unreachable(&error))?;
    let server = server(&connection.client).await.map_err(|error| StartError::Refused(describe(&error)))?;
    let start = start::check(&connection.client).await;
    Ok(Examination { server, start })
}

async fn server(client: &Client) -> Result<Server, PgError> {
    let statement = client.prepare(sql::START_SERVER).await?;
    let asked = SystemTime::now();
    let row = client.query_one(&statement, &[]).await?;
    let took = asked.elapsed().unwrap_or_default();
    let at: SystemTime = row.try_get("at")?;
    Ok(Server {
        version_name: row.try_get("version_name")?,
        version: row.try_get("version")?,
        fsync: row.try_get("fsync")?,
        full_page_writes: row.try_get("full_page_writes")?,
        synchronous_commit: row.try_get("synchronous_commit")?,
        connections: row.try_get("connections")?,
        clocks_apart: apart(asked + took / 2, at),
    })
}

fn apart(one: SystemTime, other: SystemTime) -> Duration {
    one.duration_since(other).unwrap_or_else(|behind| behind.duration())
}

//! The only two ways to say whom a transaction serves. Everything that reads or writes tenants' rows goes through here.
//!
//! BEGIN, the setting, the work and COMMIT leave together and are answered together: one round trip, and no transaction
//! that a dropped future could leave open. After an error the server turns the COMMIT into a ROLLBACK by itself.

use std::future::Future;

use futures_util::future::join4;
use hub_core::ids::WorkspaceId;
use tokio_postgres::{Client, Error as PgError, Row, Statement};
use uuid::Uuid;

use crate::error::describe;

/// Does `work` in a transaction of one tenant. `work` must send all it has to send when it is first polled.
/// `set` is `session/set_workspace.sql`, prepared.
pub(crate) async fn query<T>(
    client: &Client,
    set: &Statement,
    workspace: WorkspaceId,
    work: impl Future<Output = Result<T, PgError>>,
) -> Result<T, PgError> {
    let tenant = workspace.uuid().to_string();
    let (begun, set, done, committed) =
        join4(client.batch_execute("BEGIN"), client.query(set, &[&tenant]), work, client.batch_execute("COMMIT")).await;
    begun?;
    set?;
    let done = done?;
    committed?;
    Ok(done)
}

/// How a transaction of the writer ended badly.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The server said no before the commit: nothing was written.
    RolledBack(PgError),
    /// The connection broke, or the commit was not answered: it may be written.
    Unknown(String),
}

impl Failed {
    /// Nothing is known but the words of this error.
    pub(crate) fn unknown(error: PgError) -> Self {
        Self::Unknown(describe(&error))
    }
}

/// Does `work` in a transaction of many tenants. `work` must send all it has to send when it is first polled.
/// `set` is `session/set_workspaces.sql`, prepared.
pub(crate) async fn writing<T>(
    client: &Client,
    set: &Statement,
    workspaces: &[Uuid],
    work: impl Future<Output = Result<T, PgError>>,
) -> Result<T, Failed> {
    let (begun, set, done, committed) =
        join4(client.batch_execute("BEGIN"), client.query(set, &[&workspaces]), work, client.batch_execute("COMMIT")).await;
    begun.map_err(Failed::unknown)?;
    let set: Result<Vec<Row>, PgError> = set;
    set.map_err(judge)?;
    let done = done.map_err(judge)?;
    committed.map_err(Failed::unknown)?;
    Ok(done)
}

/// A statement's own refusal ends the transaction; a server that goes away leaves everything open.
fn judge(error: PgError) -> Failed {
    let is_going_away = error.code().is_some_and(|code| code.code().starts_with("57P") || code.code().starts_with("08"));
    if error.as_db_error().is_some() && !is_going_away { Failed::RolledBack(error) } else { Failed::unknown(error) }
}

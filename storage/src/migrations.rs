//! Migrations: embedded, run by the owner, one runner at a time.

use tokio::runtime::Handle;

use crate::connect::{Connector, Purpose};
use crate::error::{SetupError, StartError, describe};

/// `pg_advisory_lock` of whoever migrates: "tandem" in ASCII.
const LOCK: i64 = 0x7461_6e64_656d;

mod embedded {
    #![allow(missing_docs, clippy::unwrap_used, reason = "made by the macro")]
    refinery::embed_migrations!("../migrations");
}

/// The version a database must have for this hub.
pub fn expected_version() -> i64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// All embedded migrations as bytes: other migrations, other bytes.
#[cfg(feature = "testing")]
pub(crate) fn fingerprint() -> Vec<u8> {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().flat_map(|migration| migration.checksum().to_be_bytes()).collect()
}

/// Brings the database at `owner_url` to the version of this hub, and says which versions that added. Many may call it at once:
/// they wait for each other. A newer database is left as it is. Must be awaited on a tokio runtime.
///
/// # Errors
/// When nobody answers, a migration fails, or an old one was edited.
pub async fn migrate(owner_url: &str) -> Result<Vec<i64>, SetupError> {
    let connector = Connector::new(owner_url, Purpose::Setup, Handle::current())?;
    let mut connection = connector.open().await.map_err(|e| StartError::Unreachable(describe(&e)))?;
    // on the session that migrates: it ends with it, also when this process dies
    connection.client.batch_execute("SET lock_timeout = 0").await?;
    connection.client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await?;
    connection.client.batch_execute("SET lock_timeout = '30s'").await?;
    let runner = embedded::migrations::runner().set_abort_missing(false);
    let report = runner.run_async(&mut connection.client).await?;
    connection.client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
    Ok(report.applied_migrations().iter().map(|migration| i64::from(migration.version())).collect())
}

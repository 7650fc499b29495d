//! What the hub makes sure of before it serves: that row security binds it, and that the tables are those it knows.

use tokio_postgres::{Client, Error as PgError};

use crate::error::{StartError, describe};
use crate::migrations::expected_version;
use crate::sql;

/// Asks the server who we are and what is there.
pub(crate) async fn check(client: &Client) -> Result<(), StartError> {
    let refused = |error: PgError| StartError::Refused(describe(&error));
    let row = client.query_one(sql::START_ROLE, &[]).await.map_err(refused)?;
    let role: String = row.try_get("name").map_err(refused)?;
    let owns: String = row.try_get("owns").map_err(refused)?;
    let is = |column: &str| row.try_get::<_, bool>(column).map_err(refused);
    if is("is_super")? {
        return Err(StartError::Superuser { role });
    }
    if is("bypasses_rls")? {
        return Err(StartError::BypassesRowSecurity { role });
    }
    if !owns.is_empty() {
        return Err(StartError::OwnsTables { role, table: owns });
    }
    if is("may_create")? {
        return Err(StartError::MayCreate { role });
    }
    check_tables(client, role, is("is_migrated")?).await
}

async fn check_tables(client: &Client, role: String, is_migrated: bool) -> Result<(), StartError> {
    let refused = |error: PgError| StartError::Refused(describe(&error));
    let expected = expected_version();
    if !is_migrated {
        return Err(StartError::Behind { found: 0, expected });
    }
    let found = match client.query_one(sql::START_VERSION, &[]).await {
        Ok(row) => row.try_get("version").map_err(refused)?,
        Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) => {
            return Err(StartError::LacksRight { role, missing: "refinery_schema_history: SELECT".into() });
        }
        Err(error) => return Err(refused(error)),
    };
    if found < expected {
        return Err(StartError::Behind { found, expected });
    }
    if let Some(row) = client.query(sql::START_UNPROTECTED, &[]).await.map_err(refused)?.first() {
        return Err(StartError::Unprotected { table: row.try_get("name").map_err(refused)? });
    }
    if let Some(row) = client.query(sql::START_RIGHTS, &[]).await.map_err(refused)?.first() {
        return Err(StartError::LacksRight { role, missing: row.try_get("missing").map_err(refused)? });
    }
    Ok(())
}

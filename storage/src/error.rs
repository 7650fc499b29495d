//! What may go wrong, and which of it a caller can tell apart.

use hub_core::ports::StoreError;
use tokio_postgres::Error as PgError;
use tokio_postgres::error::SqlState;

/// Why the hub does not start on this database.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is none.
    #[error("the database address cannot be read: {0}")]
    Address(String),
    /// Nobody answers there.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The server is there, and does not let this role in with this password.
    #[error("the database does not let the hub in: {0}")]
    SignInRefused(String),
    /// The server is there, the database is not.
    #[error("the server has no such database: {0}")]
    NoDatabase(String),
    /// The server is asked to prove itself, and there is nothing to prove it by.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// Row security does not bind superusers.
    #[error("the database role {role:?} is a superuser, or may become one: row security would not bind it")]
    Superuser {
        /// Who connected.
        role: String,
    },
    /// Row security does not bind this role.
    #[error("the database role {role:?} has BYPASSRLS, or may become a role that has")]
    BypassesRowSecurity {
        /// Who connected.
        role: String,
    },
    /// An owner may switch row security off.
    #[error("the database role {role:?} owns the table {table:?}, or may become its owner: use DATABASE_URL for a plain role")]
    OwnsTables {
        /// Who connected.
        role: String,
        /// One of its tables.
        table: String,
    },
    /// The role may make tables that nothing protects.
    #[error("the database role {role:?} may create tables: REVOKE CREATE ON SCHEMA public")]
    MayCreate {
        /// Who connected.
        role: String,
    },
    /// The role cannot do its work.
    #[error("the database role {role:?} lacks a right ({missing}): GRANT tandem_app TO {role:?}")]
    LacksRight {
        /// Who connected.
        role: String,
        /// The first table and right.
        missing: String,
    },
    /// A table that row security does not bind.
    #[error("the table {table:?} holds tenants' rows without forced row security")]
    Unprotected {
        /// Which.
        table: String,
    },
    /// Nobody migrated it, or not far enough.
    #[error("the database has version {found}, this hub needs {expected}: run `hub migrate`")]
    Behind {
        /// What is there; 0 for a database that was never migrated.
        found: i64,
        /// What is needed.
        expected: i64,
    },
    /// Something else that the server says.
    #[error("the database refuses the hub's first questions: {0}")]
    Refused(String),
}

/// Why setting up did not work.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// No connection, see inside.
    #[error(transparent)]
    Connect(#[from] StartError),
    /// The server refused a statement.
    #[error("the database refuses: {0}")]
    Refused(String),
    /// A migration failed, or differs from the one that was run before.
    #[error("the migrations did not run: {0}")]
    Migration(#[from] refinery::Error),
    /// Something stored that cannot be read.
    #[error("the database holds something unreadable: {0}")]
    Unreadable(String),
}

impl From<PgError> for SetupError {
    fn from(error: PgError) -> Self {
        Self::Refused(describe(&error))
    }
}

/// The words of an error, with what the server said and what lies below.
pub(crate) fn describe(error: &PgError) -> String {
    if let Some(db) = error.as_db_error() {
        return format!("{} ({})", db.message(), db.code().code());
    }
    let mut words = error.to_string();
    let mut below = std::error::Error::source(error);
    while let Some(source) = below {
        words = format!("{words}: {source}");
        below = source.source();
    }
    words
}

/// Why there is no way in.
pub(crate) fn unreachable(error: &PgError) -> StartError {
    let refused = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    match error.code() {
        Some(code) if refused.contains(code) => StartError::SignInRefused(describe(error)),
        Some(code) if *code == SqlState::INVALID_CATALOG_NAME => StartError::NoDatabase(describe(error)),
        Some(_) | None => StartError::Unreachable(describe(error)),
    }
}

/// A read or a small write that did not work: worth another try later.
pub(crate) fn unavailable(error: &PgError) -> StoreError {
    StoreError::Unavailable(describe(error))
}

/// Whether the server refused for what a row holds; anything else (timeouts, shutdown, no memory) may pass by itself.
pub(crate) fn is_about_a_row(error: &PgError) -> bool {
    let class = |code: &SqlState| code.code().get(..2).map(str::to_owned);
    match error.code().and_then(class).as_deref() {
        // feature not supported, cardinality, data, integrity, rollback (deadlock), access or syntax, view's WITH CHECK, limits
        Some("0A" | "21" | "22" | "23" | "40" | "42" | "44" | "54") => true,
        Some(_) | None => false,
    }
}

//! The database: whether it is there, new enough, safe to serve from, and big enough for this hub.

use std::time::Duration;

use storage::{Examination, OLDEST_POSTGRES, Server, StartError, Store, StoreConfig};
use tokio::runtime::Handle;

use super::Finding;
use crate::config::Config;
use crate::demo;

/// Clocks that are further apart are worth a word.
const CLOCKS_APART: Duration = Duration::from_secs(2);

/// Looks at the database the hub runs on, and at the way to migrate it.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = database(config).await;
    findings.push(owner(config).await);
    findings
}

async fn database(config: &Config) -> Vec<Finding> {
    const ABOUT: &str = "database";
    if config.database_url.is_empty() {
        let remedy =
            "set DATABASE_URL=postgres://role:password@host:5432/database; in a checkout, `make run` brings a database";
        return vec![Finding::wrong(ABOUT, "no database is named", remedy)];
    }
    match storage::examine(config.database_url.expose()).await {
        Err(error) => vec![Finding::wrong(ABOUT, error.to_string(), remedy(&error))],
        Ok(Examination { server, start }) => {
            let mut findings = vec![version(&server)];
            let may_serve = start.is_ok();
            findings.push(match start {
                Ok(()) => Finding::fine(
                    "role and tables",
                    format!(
                        "row security binds the hub's role and is forced on all tenants' tables; version {} or newer",
                        storage::expected_version()
                    ),
                ),
                Err(error) => Finding::wrong("role and tables", error.to_string(), remedy(&error)),
            });
            findings.push(durability(&server));
            findings.push(clocks(server.clocks_apart));
            findings.push(connections(&server, config.store().connections()));
            if may_serve {
                findings.push(demo_accounts(config).await);
            }
            findings
        }
    }
}

/// Accounts whose password everybody knows, on an address that others reach: asked as the start asks.
async fn demo_accounts(config: &Config) -> Finding {
    const ABOUT: &str = "demo accounts";
    if config.bind.is_loopback() {
        return Finding::fine(ABOUT, format!("may exist: only this machine reaches {}", config.bind));
    }
    let store = StoreConfig { pool_size: 1, ..StoreConfig::new(config.database_url.expose()) };
    let store = match Store::connect(store, Handle::current()).await {
        Ok(store) => store,
        Err(error) => return Finding::wrong(ABOUT, error.to_string(), remedy(&error)),
    };
    let found = demo::refuse_on_a_network(config.bind, &store).await;
    store.close().await;
    match found {
        Ok(()) => Finding::fine(ABOUT, "none"),
        Err(error) => Finding::wrong(ABOUT, format!("{error:#}"), "TANDEM_BIND=127.0.0.1, or a database without the demo"),
    }
}

fn version(server: &Server) -> Finding {
    if server.version < OLDEST_POSTGRES {
        let what = format!("Postgres {} is too old", server.version_name);
        return Finding::wrong("database", what, format!("use Postgres {OLDEST_POSTGRES} or newer"));
    }
    Finding::fine("database", format!("Postgres {} answers", server.version_name))
}

/// How to mend what speaks against a database.
fn remedy(error: &StartError) -> String {
    match error {
        StartError::Address(_) => "write DATABASE_URL like postgres://role:password@host:5432/database".into(),
        StartError::Unreachable(_) => "start Postgres, or correct host and port in DATABASE_URL".into(),
        StartError::SignInRefused(_) => "correct role and password in DATABASE_URL, or give the role this password: \
             ALTER ROLE … PASSWORD '…'; the server's pg_hba.conf says who may come from where"
            .into(),
        StartError::NoDatabase(_) => "correct the name at the end of DATABASE_URL, or CREATE DATABASE and `hub migrate`".into(),
        StartError::Tls(_) => {
            "install the system's certificate authorities (ca-certificates), or take sslmode=require away".into()
        }
        StartError::Superuser { .. } | StartError::OwnsTables { .. } => {
            "give the hub a role of its own: CREATE ROLE tandem_hub LOGIN \
             PASSWORD '…' IN ROLE tandem_app, and name it in DATABASE_URL; the owner belongs in DATABASE_OWNER_URL"
                .into()
        }
        StartError::BypassesRowSecurity { role } => {
            format!("ALTER ROLE {role:?} NOBYPASSRLS, and take it out of roles that have it; or use another role")
        }
        StartError::MayCreate { role } => {
            format!(
                "name the hub's own role in DATABASE_URL, not the owner's; else REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role:?}"
            )
        }
        StartError::LacksRight { role, .. } => format!("GRANT tandem_app TO {role:?}"),
        StartError::Unprotected { table } => {
            format!("ALTER TABLE {table:?} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; and find out who changed it")
        }
        StartError::Behind { .. } => "run `hub migrate`, with DATABASE_OWNER_URL naming the owner of the tables".into(),
        StartError::Refused(_) => "the server's log says more".into(),
    }
}

fn durability(server: &Server) -> Finding {
    const ABOUT: &str = "durability";
    let commits_wait = !matches!(server.synchronous_commit.as_str(), "off");
    let settings =
        [("fsync", server.fsync), ("full_page_writes", server.full_page_writes), ("synchronous_commit", commits_wait)];
    let off: Vec<&str> = settings.into_iter().filter(|(_, is_on)| !is_on).map(|(name, _)| name).collect();
    if off.is_empty() {
        return Finding::fine(ABOUT, "a commit is on the disk before anybody is told");
    }
    let what = format!("switched off: {}; what was acknowledged may be lost when the server crashes", off.join(", "));
    Finding::doubtful(ABOUT, what, format!("set {} in postgresql.conf, unless this is a test", off.join(" = on, ") + " = on"))
}

fn clocks(apart: Duration) -> Finding {
    let ms = apart.as_millis();
    if apart > CLOCKS_APART {
        let what = format!("this machine's clock and the database's are {ms} ms apart; the hub goes by the database's");
        return Finding::doubtful("clock", what, "let NTP set both clocks");
    }
    Finding::fine("clock", format!("{ms} ms from the database's"))
}

fn connections(server: &Server, wanted: usize) -> Finding {
    const ABOUT: &str = "connections";
    let offered = usize::try_from(server.connections).unwrap_or(0);
    let what = format!("the hub wants {wanted}, the server has {offered} for all its clients");
    match wanted {
        _ if wanted > offered => {
            Finding::wrong(ABOUT, what, "lower database_connections, or raise max_connections in postgresql.conf")
        }
        _ if wanted * 2 > offered => Finding::doubtful(
            ABOUT,
            what,
            "leave room for a second hub during a deploy: raise max_connections in postgresql.conf",
        ),
        _ => Finding::fine(ABOUT, what),
    }
}

/// The way by which tables are made. Serving does not need it.
async fn owner(config: &Config) -> Finding {
    const ABOUT: &str = "owner";
    if config.database_owner_url.is_empty() {
        return Finding::fine(ABOUT, "not named: `hub serve` needs none, `hub migrate` and `hub seed` do");
    }
    match storage::examine(config.database_owner_url.expose()).await {
        Ok(Examination { start: Err(StartError::OwnsTables { .. } | StartError::Superuser { .. }), .. }) => {
            Finding::fine(ABOUT, "reaches the database, and may migrate it")
        }
        Ok(Examination { start: Err(StartError::Behind { .. } | StartError::MayCreate { .. }), .. }) => {
            Finding::fine(ABOUT, "reaches the database, which waits for `hub migrate`")
        }
        Ok(_) => Finding::doubtful(
            ABOUT,
            "the role in DATABASE_OWNER_URL owns no table of the hub: `hub migrate` will be refused",
            "name the role that made the tables in DATABASE_OWNER_URL",
        ),
        Err(error) => {
            let remedy = remedy(&error).replace("DATABASE_URL", "DATABASE_OWNER_URL");
            Finding::doubtful(ABOUT, format!("`hub migrate` has no way in: {error}"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::mark;
    use super::*;

    fn server() -> Server {
        Server {
            version_name: "15.8".into(),
            version: 15,
            fsync: true,
            full_page_writes: true,
            synchronous_commit: "on".into(),
            connections: 97,
            clocks_apart: Duration::ZERO,
        }
    }

    #[test]
    fn postgres_is_new_enough_from_15_on() {
        for (major, expected) in [(14, "wrong"), (15, "ok"), (17, "ok")] {
            assert_eq!(mark(&version(&Server { version: major, ..server() })), expected, "{major}");
        }
    }

    #[test]
    fn a_commit_that_may_be_lost_is_worth_a_word() {
        assert_eq!(mark(&durability(&server())), "ok");
        assert_eq!(mark(&durability(&Server { synchronous_commit: "remote_apply".into(), ..server() })), "ok");
        let told = durability(&Server { fsync: false, synchronous_commit: "off".into(), ..server() });
        assert_eq!(mark(&told), "warn");
        let words = told.to_string();
        assert!(words.contains("fsync = on, synchronous_commit = on") && !words.contains("full_page_writes"), "{words}");
        assert_eq!(mark(&durability(&Server { full_page_writes: false, ..server() })), "warn");
    }

    #[test]
    fn the_pool_and_the_writers_fit_into_the_server_and_leave_room_for_a_second_hub() {
        let wanted = |pool_size, batching| StoreConfig { pool_size, batching, ..StoreConfig::new("") }.connections();
        for (pool, expected) in [(8, "ok"), (47, "ok"), (48, "warn"), (96, "warn"), (97, "wrong")] {
            assert_eq!(mark(&connections(&server(), wanted(pool, true))), expected, "{pool}");
        }
        // Without batching eight write instead of one.
        for (pool, expected) in [(40, "ok"), (41, "warn"), (89, "warn"), (90, "wrong")] {
            assert_eq!(mark(&connections(&server(), wanted(pool, false))), expected, "{pool}");
        }
    }

    #[test]
    fn clocks_may_be_a_little_apart() {
        for (ms, expected) in [(0, "ok"), (2_000, "ok"), (2_001, "warn")] {
            assert_eq!(mark(&clocks(Duration::from_millis(ms))), expected, "{ms}");
        }
    }
}

//! `hub doctor`: looks at everything the hub needs before anybody depends on it, and says in words what is wrong and how to mend
//! it. Changes nothing. What the start of the hub refuses is judged by the start's own checks.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use storage::{Examination, OLDEST_POSTGRES, Server, StartError, Store, StoreConfig};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::demo;

/// Clocks that are further apart are worth a word.
const CLOCKS_APART: Duration = Duration::from_secs(2);
/// How long whoever holds our port may take to answer.
const NEIGHBOUR_WITHIN: Duration = Duration::from_secs(2);
/// Descriptors beside those of visitors: the database, files, the runtime.
const OWN_DESCRIPTORS: usize = 128;

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which thing, in a word or two.
    pub about: &'static str,
    /// How it is.
    pub verdict: Verdict,
}

/// How a thing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine(String),
    /// The hub serves, but somebody may regret it.
    Doubtful(Trouble),
    /// The hub does not serve, or should not.
    Wrong(Trouble),
}

/// Something to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Trouble {
    pub what: String,
    pub remedy: String,
}

impl Finding {
    fn fine(about: &'static str, what: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Fine(what.into()) }
    }

    fn doubtful(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Doubtful(Trouble { what: what.into(), remedy: remedy.into() }) }
    }

    fn wrong(about: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Wrong(Trouble { what: what.into(), remedy: remedy.into() }) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mark, what, remedy) = match &self.verdict {
            Verdict::Fine(what) => ("ok   ", what, None),
            Verdict::Doubtful(Trouble { what, remedy }) => ("warn ", what, Some(remedy)),
            Verdict::Wrong(Trouble { what, remedy }) => ("WRONG", what, Some(remedy)),
        };
        write!(f, "{mark}  {}: {what}", self.about)?;
        remedy.map_or(Ok(()), |remedy| write!(f, "\n       to mend it: {remedy}"))
    }
}

/// Looks at everything and prints what it found.
///
/// # Errors
/// When something is wrong, with how many things.
pub async fn run(config: &Config) -> Result<()> {
    let findings = examine(config).await;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Wrong(_))).count() {
        0 => Ok(()),
        1 => bail!("one thing is wrong"),
        wrong => bail!("{wrong} things are wrong"),
    }
}

/// Looks at everything. Must be awaited on a tokio runtime.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = database(config).await;
    findings.push(port(config.address()));
    findings.push(web_pages(&config.web_dir));
    findings.push(origins(config));
    findings.push(cookies(config));
    findings.push(descriptors(config.max_connections));
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
            findings.push(connections(&server, config.database_connections));
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

fn connections(server: &Server, pool: usize) -> Finding {
    const ABOUT: &str = "connections";
    // One more for the writer of the log.
    let (wanted, offered) = (pool + 1, usize::try_from(server.connections).unwrap_or(0));
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

fn port(address: SocketAddr) -> Finding {
    const ABOUT: &str = "port";
    match gateway::listen(address) {
        Ok(_) => Finding::fine(ABOUT, format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_a_hub(address) => {
            Finding::fine(ABOUT, format!("a hub serves on {address} already"))
        }
        Err(error) => {
            let remedy = match error.kind() {
                ErrorKind::AddrInUse => "stop the program that listens there, or choose another TANDEM_PORT",
                ErrorKind::PermissionDenied => "choose a TANDEM_PORT from 1024 on, behind a proxy, or allow the hub low ports",
                ErrorKind::AddrNotAvailable => "set TANDEM_BIND to an address of this machine",
                _ => "correct TANDEM_BIND and TANDEM_PORT",
            };
            Finding::wrong(ABOUT, format!("cannot listen on {address}: {error}"), remedy)
        }
    }
}

/// Whether whoever listens there says what a hub says.
fn is_a_hub(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&address, NEIGHBOUR_WITHIN)?;
        stream.set_read_timeout(Some(NEIGHBOUR_WITHIN))?;
        stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"\r\n\r\nalive\n"))
}

fn web_pages(folder: &Path) -> Finding {
    const ABOUT: &str = "web pages";
    const BUILD: &str = "build the pages (`npm --prefix web run build` in a checkout) and name their folder in TANDEM_WEB_DIR";
    if folder.as_os_str().is_empty() {
        return Finding::fine(ABOUT, "none: this hub serves the API alone");
    }
    let shown = folder.display();
    match ["index.html", "help.html"].into_iter().find(|page| fs::metadata(folder.join(page)).is_err()) {
        Some(page) => Finding::wrong(ABOUT, format!("{shown} has no readable {page}"), BUILD),
        None if fs::read_to_string(folder.join("csp.txt")).is_ok_and(|policy| !policy.trim().is_empty()) => {
            Finding::fine(ABOUT, format!("{shown}, with their content security policy"))
        }
        None => Finding::doubtful(ABOUT, format!("{shown} has no csp.txt: the pages get a policy that may break them"), BUILD),
    }
}

fn origins(config: &Config) -> Finding {
    const ABOUT: &str = "origins";
    if let Err(error) = config.doors(config.port) {
        return Finding::wrong(ABOUT, format!("{error:#}"), "write each as scheme://host or scheme://host:port");
    }
    if config.secure_cookies && !config.origins.iter().any(|origin| origin.starts_with("https://")) {
        let remedy = "add the public address to TANDEM_ORIGINS, such as https://help.example";
        return Finding::wrong(
            ABOUT,
            "secure_cookies is on, but no https:// origin may use the cookie: nobody can work",
            remedy,
        );
    }
    match config.origins.as_slice() {
        [] => Finding::fine(ABOUT, "the hub's own loopback addresses"),
        more => Finding::fine(ABOUT, format!("the hub's own loopback addresses, {}", more.join(", "))),
    }
}

fn cookies(config: &Config) -> Finding {
    const ABOUT: &str = "cookies";
    match (config.secure_cookies, config.bind.is_loopback()) {
        (false, true) => Finding::fine(ABOUT, "plain, for browsers on this machine"),
        (false, false) => Finding::wrong(
            ABOUT,
            format!("the hub listens on {} and its cookies are plain: sign-ins cross the network for all to read", config.bind),
            "put a TLS proxy before the hub and set TANDEM_SECURE_COOKIES=true; or TANDEM_BIND=127.0.0.1",
        ),
        (true, _) if config.trusted_proxies.is_empty() => Finding::doubtful(
            ABOUT,
            "secure, but no proxy is trusted: all visitors seem to come from one address and share its sign-in limit",
            "name the proxy's address in TANDEM_TRUSTED_PROXIES",
        ),
        (true, _) => Finding::fine(ABOUT, "secure, for browsers behind the TLS proxy"),
    }
}

fn descriptors(max_connections: usize) -> Finding {
    const ABOUT: &str = "open files";
    // Each connection has a second descriptor, by which a client that does not read is cut off.
    let wanted = max_connections.saturating_mul(2).saturating_add(OWN_DESCRIPTORS);
    match open_files() {
        None => Finding::fine(ABOUT, "this system does not say how many there may be"),
        Some(limit) if limit < wanted => Finding::doubtful(
            ABOUT,
            format!("at most {limit}, and {max_connections} connections want {wanted}"),
            format!("raise the limit (`ulimit -n {wanted}`, LimitNOFILE= in systemd), or lower TANDEM_MAX_CONNECTIONS"),
        ),
        Some(limit) => Finding::fine(ABOUT, format!("up to {limit}")),
    }
}

/// The soft limit of this process; nothing where the system does not say.
fn open_files() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(usize::MAX) } else { soft.parse().ok() }
}

#[cfg(test)]
mod tests {
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

    fn mark(finding: &Finding) -> &'static str {
        match finding.verdict {
            Verdict::Fine(_) => "ok",
            Verdict::Doubtful(_) => "warn",
            Verdict::Wrong(_) => "wrong",
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
    fn the_pool_and_the_writer_fit_into_the_server_and_leave_room_for_a_second_hub() {
        for (pool, expected) in [(8, "ok"), (47, "ok"), (48, "warn"), (96, "warn"), (97, "wrong")] {
            assert_eq!(mark(&connections(&server(), pool)), expected, "{pool}");
        }
    }

    #[test]
    fn clocks_may_be_a_little_apart() {
        for (ms, expected) in [(0, "ok"), (2_000, "ok"), (2_001, "warn")] {
            assert_eq!(mark(&clocks(Duration::from_millis(ms))), expected, "{ms}");
        }
    }
}

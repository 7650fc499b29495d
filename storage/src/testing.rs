//! Fresh migrated databases for integration tests: a template is migrated once per server, each test gets a clone of it.
//!
//! `TANDEM_TEST_PG` is the address of a superuser of a server that may be thrown away.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use crate::{Owner, StartError, Store, StoreConfig, migrate};

/// `pg_advisory_lock` of whoever makes the template: "template" in ASCII.
const LOCK: i64 = 0x7465_6d70_6c61_7465;
const OWNER: &str = "tandem_test_owner";
const APP: &str = "tandem_test_app";
/// Of both roles, on a server that is thrown away.
const PASSWORD: &str = "tandem";

/// One migrated database, dropped with this value.
pub struct TestDatabase {
    /// Its name.
    pub name: String,
    /// A superuser's address of it: for looking behind the hub's back.
    pub superuser_url: String,
    /// The owner's address (`DATABASE_OWNER_URL`).
    pub owner_url: String,
    /// The hub's address (`DATABASE_URL`): a member of `tandem_app`.
    pub app_url: String,
    server: Config,
}

impl TestDatabase {
    /// A clone of the migrated template. Must be awaited on a tokio runtime.
    ///
    /// # Panics
    /// When `TANDEM_TEST_PG` is missing or its server does not do what it should: the test fails.
    pub async fn fresh() -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let server = server();
        let template = template(&server).await;
        let name = format!("tandem_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let admin = connect(&server).await;
        run(&admin, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&admin, &format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")).await;
        run(&admin, &format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO tandem_app"))
            .await;
        let superuser =
            std::str::from_utf8(server.get_password().unwrap_or_default()).expect("the password is text").to_owned();
        Self {
            superuser_url: url(&server, server.get_user().unwrap_or("postgres"), &superuser, &name),
            owner_url: url(&server, OWNER, PASSWORD, &name),
            app_url: url(&server, APP, PASSWORD, &name),
            name,
            server,
        }
    }

    /// The hub's store on it, living on the current runtime.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn store(&self) -> Store {
        self.try_store().await.expect("a fresh database can be served from")
    }

    /// The same, for tests of refusals.
    ///
    /// # Errors
    /// Those of [`Store::connect`].
    pub async fn try_store(&self) -> Result<Store, StartError> {
        Store::connect(StoreConfig::new(&self.app_url), Handle::current()).await
    }

    /// The owner's hands.
    ///
    /// # Panics
    /// When the owner cannot connect.
    pub async fn owner(&self) -> Owner {
        Owner::connect(&self.owner_url).await.expect("the owner can connect")
    }

    /// A superuser's bare connection, whom row security does not bind.
    ///
    /// # Panics
    /// When it cannot connect.
    pub async fn superuser(&self) -> Client {
        connect(&self.superuser_url.parse().expect("our own address")).await
    }

    /// A superuser's bare connection to another database of the same server: for shutting this one.
    ///
    /// # Panics
    /// When it cannot connect.
    pub async fn administrator(&self) -> Client {
        connect(&self.server).await
    }
}

impl Drop for TestDatabase {
    /// Best effort: a server that is thrown away forgets it in any case.
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                let Ok((admin, connection)) = server.connect(NoTls).await else { return };
                let driver = tokio::spawn(connection);
                let _ = admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                driver.abort();
            });
        });
        let _ = dropping.join();
    }
}

fn server() -> Config {
    let Ok(url) = std::env::var("TANDEM_TEST_PG") else {
        panic!("TANDEM_TEST_PG is not set: these tests need a throwaway Postgres. Run them with `make test-rust`.");
    };
    let mut server: Config = url.parse().expect("TANDEM_TEST_PG is a Postgres address");
    server.dbname("postgres");
    server
}

/// The name of the migrated template, made when it is not there yet. One process makes it, others wait.
async fn template(server: &Config) -> String {
    let name = format!("tandem_template_{}", fingerprint());
    let admin = connect(server).await;
    admin.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).await.expect("locks can be had");
    let there = admin.query_opt("SELECT FROM pg_database WHERE datname = $1", &[&name]).await.expect("answers").is_some();
    if !there {
        make_template(server, &admin, &name).await;
    }
    // the lock ends with this connection
    name
}

async fn make_template(server: &Config, admin: &Client, name: &str) {
    let making = format!("{name}_making");
    make_role(admin, OWNER, "NOSUPERUSER NOBYPASSRLS CREATEROLE").await;
    run(admin, &format!("DROP DATABASE IF EXISTS {making} WITH (FORCE)")).await;
    run(admin, &format!("CREATE DATABASE {making} OWNER {OWNER}")).await;
    let url = url(server, OWNER, PASSWORD, &making);
    // the schema of the template belongs to the server's superuser
    let mut inside = server.clone();
    inside.dbname(&making);
    run(&connect(&inside).await, &format!("ALTER SCHEMA public OWNER TO {OWNER}; REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        .await;
    migrate(&url).await.expect("the migrations run");
    make_role(admin, APP, "NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB").await;
    run(admin, &format!("GRANT tandem_app TO {APP}")).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match admin.batch_execute(&format!("ALTER DATABASE {making} RENAME TO {name}")).await {
            Ok(()) => return,
            // the migrating connection is still saying goodbye
            Err(e) if e.code() == Some(&SqlState::OBJECT_IN_USE) && tokio::time::Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => panic!("the template cannot be named: {error:?}"),
        }
    }
}

async fn make_role(admin: &Client, role: &str, rights: &str) {
    match admin.batch_execute(&format!("CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' {rights}")).await {
        Ok(()) => {}
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_OBJECT) => {}
        Err(error) => panic!("the role {role} cannot be made: {error:?}"),
    }
}

/// Changes with every migration, so that a template is never an old one.
fn fingerprint() -> String {
    let digest = Sha256::digest(crate::migrations::fingerprint());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the test server answers");
    tokio::spawn(connection);
    client
}

async fn run(client: &Client, sql: &str) {
    for statement in sql.split("; ") {
        if let Err(error) = client.batch_execute(statement).await {
            panic!("{statement}: {error:?}");
        }
    }
}

fn url(server: &Config, role: &str, password: &str, database: &str) -> String {
    let host = server.get_hosts().iter().find_map(|host| match host {
        tokio_postgres::config::Host::Tcp(name) => Some(name.clone()),
        tokio_postgres::config::Host::Unix(_) => None,
    });
    let port = server.get_ports().first().copied().unwrap_or(5432);
    format!("postgres://{role}:{password}@{}:{port}/{database}", host.unwrap_or_else(|| "127.0.0.1".into()))
}

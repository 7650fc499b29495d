//! Connections: opened and driven on the I/O runtime, with TLS when the address asks, guarded by timeouts on the server.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, Error as PgError, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::{StartError, describe};

/// How long a connection may take to be there.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// How long bytes may stay unacknowledged before the connection counts as dead.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// What a connection is for: decides its guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The pool: small reads and writes.
    Reads,
    /// The journal's writer: one statement, planned rarely, that must go by indexes however small the tables were then.
    Writer,
    /// Migrations, seeds, audits: may take their time.
    Setup,
}

impl Purpose {
    const fn options(self) -> &'static str {
        match self {
            Self::Reads => "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000",
            Self::Writer => {
                "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 \
                 -c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off -c enable_bitmapscan=off \
                 -c enable_hashjoin=off -c enable_mergejoin=off"
            }
            Self::Setup => "-c lock_timeout=30000 -c idle_in_transaction_session_timeout=60000",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Reads => "tandem reads",
            Self::Writer => "tandem writer",
            Self::Setup => "tandem setup",
        }
    }
}

/// Opens connections to one database.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    handle: Handle,
}

/// A connection and the task that drives it; both end together.
pub(crate) struct Connection {
    pub(crate) client: Client,
    driver: JoinHandle<()>,
}

impl Connector {
    /// Reads the address; connects to nothing yet.
    pub(crate) fn new(url: &str, purpose: Purpose, handle: Handle) -> Result<Self, StartError> {
        let mut config: Config = url.parse().map_err(|e: PgError| StartError::Address(describe(&e)))?;
        let tls = match config.get_ssl_mode() {
            SslMode::Require => Some(MakeRustlsConnect::new(tls_config()?)),
            _ => None,
        };
        if tls.is_none() {
            config.ssl_mode(SslMode::Disable);
        }
        let options = format!("{} {}", purpose.options(), config.get_options().unwrap_or_default());
        config.options(options.trim()).application_name(purpose.name());
        config.connect_timeout(CONNECT_WITHIN).tcp_user_timeout(DEAD_AFTER).keepalives_idle(DEAD_AFTER);
        Ok(Self { config, tls, handle })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Connects. Must be awaited on the I/O runtime: the socket belongs to the runtime that opened it.
    pub(crate) async fn open(&self) -> Result<Connection, PgError> {
        let (client, driver) = self.open_parts().await?;
        Ok(Connection { client, driver })
    }

    async fn open_parts(&self) -> Result<(Client, JoinHandle<()>), PgError> {
        match self.tls.clone() {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls).await?;
                Ok((client, self.handle.spawn(drive(connection))))
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                Ok((client, self.handle.spawn(drive(connection))))
            }
        }
    }
}

async fn drive(connection: impl Future<Output = Result<(), PgError>>) {
    if let Err(error) = connection.await {
        tracing::warn!(error = describe(&error), "a database connection broke");
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl deadpool_postgres::Connect for Connector {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), PgError>> + Send + '_>> {
        Box::pin(self.open_parts())
    }
}

fn tls_config() -> Result<ClientConfig, StartError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(StartError::Tls("this machine has no certificate authorities".into()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| StartError::Tls(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

//! The one place where ports meet adapters.

use std::net::TcpListener;
use std::sync::Arc;

use actors::Ports;
use anyhow::{Context, Result, bail};
use gateway::Doors;
use storage::Store;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::config::Config;

/// Threads that drive the database's sockets. No arbiter ever owns one.
const IO_THREADS: usize = 2;

/// A hub, put together and not yet serving.
pub struct Wired {
    /// All doors.
    pub doors: Doors,
    /// Where they are.
    pub listener: TcpListener,
    /// What remembers; to be closed last.
    pub store: Store,
}

/// The runtime of everything that talks to other programs.
///
/// # Errors
/// When the system gives no threads.
pub fn io_runtime() -> Result<Runtime> {
    let runtime = Builder::new_multi_thread().worker_threads(IO_THREADS).thread_name("io").enable_all().build();
    runtime.context("the system gives no threads")
}

/// Joins the parts. Must run inside an actix system.
///
/// # Errors
/// When the database cannot be used, or the address is taken; in words for the one who starts the hub.
pub async fn join(config: &Config, io: &Handle) -> Result<Wired> {
    let store = connect(config, io).await?;
    let listener = gateway::listen(config.address()).with_context(|| format!("cannot listen on {}", config.address()))?;
    let port = listener.local_addr().context("the listener has no address")?.port();
    let ports = Ports {
        journal: Arc::new(store.clone()),
        notifications: Arc::new(store.clone()),
        drafts: Arc::new(store.clone()),
        lists: Arc::new(store.clone()),
        workspaces: Arc::new(store.clone()),
        clock: store.clock(),
    };
    let tickets = actors::start(ports.clone(), config.tickets());
    let settings = config.doors(port)?;
    let doors = Doors::new(tickets, ports.journal, Arc::new(store.clone()), Arc::new(store.clone()), ports.clock, settings);
    Ok(Wired { doors, listener, store })
}

async fn connect(config: &Config, io: &Handle) -> Result<Store> {
    if config.database_url.is_empty() {
        bail!("DATABASE_URL is not set: the hub needs a Postgres. In a checkout, `make run` brings one.");
    }
    Store::connect(config.store(), io.clone()).await.context("the database cannot be used")
}

//! The hub's store: one queue and writer for the journal, one pool for everything else, one clock.

use std::sync::Arc;

use hub_core::ids::StreamId;
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::DbClock;
use crate::connect::{Connector, Purpose};
use crate::error::{StartError, describe, unreachable};
use crate::journal::{Queue, Writer, stream_of};
use crate::reads::Reads;
use crate::start;

/// Connections that write one append per transaction when batching is off.
const UNBATCHED_WRITERS: usize = 8;
/// Appends in one transaction.
const MAX_BATCH: usize = 256;

/// How the store is set up.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// `postgres://…` of a role that row security binds.
    pub url: String,
    /// Connections for reads and small writes; those of the writers come on top.
    pub pool_size: usize,
    /// On: one writer commits many tickets at once. Off, to measure what that is worth: a transaction per append over 8
    /// connections.
    pub batching: bool,
}

impl StoreConfig {
    /// The usual: 8 connections, batching.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), pool_size: 8, batching: true }
    }

    /// Connections that a store takes at most, those of its writers included.
    pub const fn connections(&self) -> usize {
        self.pool_size + self.writers()
    }

    const fn writers(&self) -> usize {
        if self.batching { 1 } else { UNBATCHED_WRITERS }
    }
}

/// The ports of `hub_core` over one Postgres database. Clones share everything.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    reads: Reads,
    queue: Arc<Queue>,
    clock: Arc<DbClock>,
    stream: Arc<RwLock<StreamId>>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl Store {
    /// Connects, makes sure that row security binds us and the tables are those we know, and starts the writer.
    /// All of it lives on the runtime of `handle`; may be awaited anywhere.
    ///
    /// # Errors
    /// Whatever speaks against serving from this database.
    pub async fn connect(config: StoreConfig, handle: Handle) -> Result<Self, StartError> {
        let running = handle.clone();
        let connecting = handle.spawn(Self::connect_here(config, running));
        connecting.await.unwrap_or_else(|error| Err(StartError::Unreachable(error.to_string())))
    }

    async fn connect_here(config: StoreConfig, handle: Handle) -> Result<Self, StartError> {
        let reader = Connector::new(&config.url, Purpose::Reads, handle.clone())?;
        let connection = reader.open().await.map_err(|error| unreachable(&error))?;
        start::check(&connection.client).await?;
        let clock = Arc::new(DbClock::new());
        let stream = stream_of(&connection.client, &clock).await.map_err(|error| StartError::Refused(describe(&error)))?;
        let reads = Reads::new(reader, config.pool_size, handle.clone());
        let reads = reads.map_err(|error| StartError::Unreachable(error.to_string()))?;
        let connector = Connector::new(&config.url, Purpose::Writer, handle.clone())?;
        let (queue, stream) = (Arc::new(Queue::new()), Arc::new(RwLock::new(stream)));
        let max_batch = if config.batching { MAX_BATCH } else { 1 };
        let writer = || Writer {
            queue: Arc::clone(&queue),
            connector: connector.clone(),
            clock: Arc::clone(&clock),
            stream: Arc::clone(&stream),
            max_batch,
        };
        let writers = Mutex::new((0..config.writers()).map(|_| handle.spawn(writer().run())).collect());
        Ok(Self { inner: Arc::new(Inner { reads, queue, clock, stream, writers }) })
    }

    /// Database time, as this store hears it at each commit.
    pub fn clock(&self) -> Arc<DbClock> {
        Arc::clone(&self.inner.clock)
    }

    /// Takes no more appends, writes those that wait, and lets the connections go. Answers when all is written or given up.
    pub async fn close(&self) {
        self.inner.queue.close();
        let writers = std::mem::take(&mut *self.inner.writers.lock());
        for writer in writers {
            if let Err(error) = writer.await {
                tracing::error!(%error, "the journal's writer ended badly");
            }
        }
        self.inner.reads.close();
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.inner.reads
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.inner.queue
    }

    pub(crate) fn current_stream(&self) -> StreamId {
        *self.inner.stream.read()
    }
}

impl Drop for Inner {
    /// The writers still write what waits, and end.
    fn drop(&mut self) {
        self.queue.close();
    }
}
